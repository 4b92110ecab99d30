"""A close that moves indicators and nothing else; every other one is for the general handlers to take."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Protocol

from gridbot.core.cells import Cell
from gridbot.core.events import CandleClosed
from gridbot.core.ladder import Ladder, relaid
from gridbot.core.regime import Signal, Trend
from gridbot.core.rules import Wish
from gridbot.core.state import Arming, Grid, Limit, Phase, RangeState
from gridbot.core.units import TimeMs

_ACTIVE, _FULL, _SELL_ONLY = Phase.ACTIVE, RangeState.FULL, Wish.SELL_ONLY


class Standing(Protocol):
    """What a close is held against: a grid, or a stretch of it."""

    @property
    def ladder(self) -> Ladder | None: ...

    @property
    def cells(self) -> Sequence[Cell]: ...

    @property
    def arming(self) -> Arming: ...

    @property
    def limit(self) -> Limit: ...

    @property
    def range(self) -> RangeState: ...

    @property
    def signal(self) -> Signal: ...

    @property
    def trend(self) -> Trend: ...

    @property
    def closed_at(self) -> TimeMs: ...

    @property
    def signal_at(self) -> TimeMs: ...


def after_close(
    now: Standing, base: Grid, event: CandleClosed, *, armed: int, floor: Decimal | None = None
) -> tuple[Signal, Trend, TimeMs] | None:
    """Return the indicators after a close that moves nothing else, `signal_at` with them; None where more may change.

    `now` is the grid as it is, `base` the same or what its stretch began with, `armed` its count of armed slots,
    `floor` the smallest spacing (quote) at its ladder's anchor, where that is known.
    """
    rules, ladder, instrument, close = base.rules, now.ladder, base.instrument, event.close
    if ladder is None or instrument is None or base.phase is not _ACTIVE or base.loose or base.dropped:
        return None
    if rules.wish is _SELL_ONLY or len(now.cells) > rules.levels:
        return None
    if not armed and now.range is not _FULL:
        return None  # Why nothing is armed may depend on the price.
    if event.time <= now.closed_at or rules.stop_loss is not None or rules.take_profit_total is not None:
        return None
    skipped = now.arming.skipped
    if now.limit.last != now.arming.last or (skipped is not None and skipped < close):
        return None
    before, trend, signal_at = now.signal, now.trend, now.signal_at
    signal = before
    for timeframe, bar in event.bars:
        if timeframe == rules.signal.timeframe:
            signal = signal.add(bar, rules.signal)
        if timeframe == rules.trend.timeframe:
            trend = trend.add(bar, rules.trend)
    if signal.spike is not before.spike or (signal.breaker is None) is not (before.breaker is None):
        return None
    if trend.direction is not now.trend.direction:
        return None
    if signal is not before:
        signal_at, atr = event.time, signal.atr
        if atr.current is None or atr.close is None or not (signal.ready and trend.ready):
            return None
        free = not rules.spacing.trail_down or any(not cell.holding for cell in now.cells)
        if relaid(
            ladder,
            rules,
            instrument,
            close=close,
            atr=atr.current,
            atr_close=atr.close,
            cell_is_free=free,
            floor_here=floor,
        ):
            return None
    return signal, trend, signal_at
