"""The sandbox exchange: its matching room, its protocols and its faults."""
