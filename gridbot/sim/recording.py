"""A recorded market made ready for the demo: its source, its tick, and how much of it is history for the grids."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from gridbot.core.lifecycle import signal_market
from gridbot.core.regime import SPIKE_WINDOW
from gridbot.core.rules import GridRules
from gridbot.core.units import Symbol, TimeMs
from gridbot.core.values import value
from gridbot.errors import ConfigError
from gridbot.ports import TradePrint
from gridbot.sim.candle_arrays import CandleArrays
from gridbot.sim.file_source import CandleFileSource, TradesSource

WARM_BARS = 500
"""Bars of the longest timeframe that a replay leaves behind it as history, if the recording is twice as long."""
_LOOKED_AT = 2_000
"""Candles by which the tick of a recording is told."""
_UNITS_MS = (("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000))


@value
class Recording:
    """A recorded market; a demo on it begins at `begin` (ms UTC), and what lies before is its history."""

    source: CandleFileSource
    begin: TimeMs


@value
class _Need:
    """What a grid reads before it may lay: so many closed bars of a timeframe (ms), and the keys that say so."""

    grid: str
    key: str
    timeframe: int
    period: str
    bars: int


def make_recording(
    recorded: CandleArrays | Sequence[TradePrint],
    symbol: Symbol,
    grids: Sequence[GridRules],
    *,
    name: str,
    history_bars: int,
) -> Recording:
    """Return the candles or trades of `symbol` as a market on which `grids` can trade.

    `name` is what messages call it. `history_bars` is how many closed bars of a timeframe are asked for at a start.

    Raises:
        ConfigError: a grid reads a timeframe that the recording cannot make, or needs more bars than it has, so that
            it would warm up for ever.
    """
    source: CandleFileSource
    if isinstance(recorded, CandleArrays):
        source = CandleFileSource(symbol, recorded, tick_size=tick_of(recorded.close[:_LOOKED_AT].tolist()))
    else:
        source = TradesSource(recorded, tick_size=tick_of({float(trade.price) for trade in recorded}))
    needs = [need for rules in grids if signal_market(rules) == symbol for need in _needs(rules)]
    for need in needs:
        if need.timeframe % source.base_ms:
            raise ConfigError(
                f"Grid {need.grid} reads bars of {_span(need.timeframe)} ({need.key}), which cannot be made of the "
                f"candles of {_span(source.base_ms)} in {name}.",
                hint=f"Use a recording with shorter candles, or a {need.key} that is a multiple of theirs.",
            )
    times = source.candles(0, source.size()).open_time
    return Recording(source, TimeMs(int(times[_first_to_trade(times, needs, source.base_ms, name, history_bars)])))


def tick_of(prices: Iterable[float]) -> Decimal:
    """Return the step of a recording's prices (quote per base), told by their digits."""
    exponents = [Decimal(repr(price)).normalize().as_tuple().exponent for price in prices]
    finest = min((exponent for exponent in exponents if isinstance(exponent, int)), default=0)
    return Decimal(1).scaleb(min(finest, 0))


def _needs(rules: GridRules) -> tuple[_Need, _Need]:
    """Return what makes the grid's signal and its trend ready: the first bar has no true range, the next give the ATR.

    Source: strategy section 2; `Signal.ready` and `Trend.ready` of gridbot.core.regime.
    """
    signal, trend = rules.signal, rules.trend
    return (
        _Need(rules.id, "signal.timeframe", signal.timeframe, "signal.atr_period", signal.atr_period + SPIKE_WINDOW),
        _Need(rules.id, "trend.timeframe", trend.timeframe, "trend.ema_slow", trend.ema_slow),
    )


def _first_to_trade(
    times: npt.NDArray[np.int64], needs: Sequence[_Need], base_ms: int, name: str, history_bars: int
) -> int:
    """Return the number of the candle with which the replay begins: late enough that nothing warms up, if that can be.

    Else at the very first, from where each bar of the recording is seen live.
    """
    longest = max((need.timeframe for need in needs), default=base_ms)
    usual = min(WARM_BARS * longest // base_ms, len(times) // 2)
    warm = max((_opens_after(times, need) for need in needs), default=0)
    late = min(max(usual, warm), len(times) - 1)
    if all(_seen(times, need, late, base_ms, history_bars) >= need.bars for need in needs):
        return late
    for need in needs:
        seen = _seen(times, need, 0, base_ms, history_bars)
        if seen < need.bars:
            raise ConfigError(
                f"{name} is too short for grid {need.grid}: it holds {seen} closed bars of {_span(need.timeframe)}, "
                f"and the grid needs {need.bars} of them before it can trade.",
                hint=f"Use a shorter {need.key} or a smaller {need.period} in the grid, or a longer recording.",
            )
    return 0


def _opens_after(times: npt.NDArray[np.int64], need: _Need) -> int:
    """Return the number of the first candle that comes after the needed bars; the number of candles if none does."""
    bucket = times // need.timeframe
    first = np.flatnonzero(np.concatenate(([True], bucket[1:] != bucket[:-1])))
    return int(first[need.bars]) if need.bars < first.size else len(times)


def _seen(times: npt.NDArray[np.int64], need: _Need, start: int, base_ms: int, history_bars: int) -> int:
    """Return how many closed bars a replay that begins with candle `start` ever sees, its history included."""
    bars = np.unique(times // need.timeframe)
    oldest = int(times[start]) // need.timeframe - history_bars
    last_is_open = int(times[-1]) + base_ms < (int(bars[-1]) + 1) * need.timeframe
    return int(np.count_nonzero(bars >= oldest)) - last_is_open


def _span(time_ms: int) -> str:
    """Return a timeframe as the configuration writes it."""
    unit, length = next(((unit, length) for unit, length in _UNITS_MS if time_ms % length == 0), ("ms", 1))
    return f"{time_ms // length}{unit}"
