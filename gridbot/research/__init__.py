"""Backtests and reports: the same engine over recorded candles, never a window."""
