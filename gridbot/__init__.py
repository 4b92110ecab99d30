"""A grid that trades: the same engine in a backtest, in a dry run and live."""

__version__ = "0.1.0"
