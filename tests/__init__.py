"""Tests mirror the rooms of gridbot; their names say what is true."""
