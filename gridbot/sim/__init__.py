"""Deterministic: the simulated venue, the candle path and the generated market, seeded and without a clock."""
