"""Which candles belong to a period: those that open from its beginning on and before its end."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from gridbot.errors import ConfigError
from gridbot.sim.candle_arrays import CandleArrays


def cut(candles: CandleArrays, first: int | None, until: int | None) -> CandleArrays:
    """Return the candles from `first` up to but not including `until` (ms UTC); ConfigError for fewer than two."""
    times = candles.open_time
    start = 0 if first is None else int(np.searchsorted(times, first, side="left"))
    stop = len(candles) if until is None else int(np.searchsorted(times, until, side="left"))
    if stop - start < 2:
        raise ConfigError(
            f"There {'is one candle' if stop - start == 1 else 'are no candles'} in this period.",
            hint=f"The candles reach from {_utc(int(times[0]))} to {_utc(int(times[-1]))} UTC."
            if len(candles)
            else "Choose another period.",
        )
    return candles if stop - start == len(candles) else candles.slice(start, stop)


def _utc(time: int) -> str:
    return datetime.fromtimestamp(time / 1000, UTC).strftime("%Y-%m-%d %H:%M")
