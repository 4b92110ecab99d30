"""Processes that are killed for real: what the disk keeps when nobody is asked."""
