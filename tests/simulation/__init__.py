"""The simulation: production's trader, executor, recovery, journal and latch on a virtual disk, clock and venue."""
