"""Pure: the standard library only; no clock, no thread, no file, no Qt."""
