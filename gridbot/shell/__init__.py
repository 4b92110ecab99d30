"""The imperative part: it carries out what the core decides, with a clock, disk and network that are handed in."""
