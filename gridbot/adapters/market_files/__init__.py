"""Recorded markets on disk, candles or trades, Parquet or CSV: one adapter, and the only one that knows duckdb."""
