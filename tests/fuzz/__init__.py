"""Malformed input for everything that reads: refused in words, never a crash, a hang or a false yes."""
