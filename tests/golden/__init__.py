"""A state and a journal file of every released form, and what must be found in them."""
