"""Closes that move indicators and nothing else; every other one is for the general handlers to take."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Protocol

from gridbot.core.cells import Cell
from gridbot.core.events import CandleClosed
from gridbot.core.ladder import Ladder, fixed_spacing, kept_spacing, relaid
from gridbot.core.regime import Signal, Trend
from gridbot.core.rules import Wish
from gridbot.core.state import Arming, Grid, Limit, Phase, RangeState
from gridbot.core.units import TimeMs
from gridbot.core.values import value

_INFINITY = float("inf")
_MARGIN = 1e-9
"""By this fraction float64 bounds lie inside the exact ones; their own rounding is ten million times smaller."""
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
    if ladder is None or instrument is None or not _at_rest(now, base, armed=armed) or event.time <= now.closed_at:
        return None
    skipped = now.arming.skipped
    if skipped is not None and skipped < close:
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


def _at_rest(now: Standing, base: Grid, *, armed: int) -> bool:
    """Whether nothing but a turn of the indicators, the ladder or the skipped slot's price can make a close matter."""
    rules = base.rules
    if base.phase is not _ACTIVE or base.loose or base.dropped:
        return False
    if rules.wish is _SELL_ONLY or len(now.cells) > rules.levels:
        return False
    if not armed and now.range is not _FULL:
        return False  # Why nothing is armed may depend on the price.
    if rules.stop_loss is not None or rules.take_profit_total is not None:
        return False
    return now.limit.last == now.arming.last


@value
class Bounds:
    """Between what a signal bar's close and ATR (both quote per base) must stay for the ladder to stay as it is.

    They lie a little inside the ladder's own, which are Decimals: within them there is nothing to judge, at and beyond
    them `after_close` does. `least_atr` counts only for closes from `above` on: under it a ladder too wide waits.
    """

    lowest: float
    highest: float
    most_atr: float
    least_atr: float
    above: float

    def hold(self, close: float, atr: float) -> bool:
        """Whether this close and this ATR leave the ladder, whichever cells hold."""
        if not self.lowest < close < self.highest or atr >= self.most_atr:
            return False
        return atr > self.least_atr or close < self.above


def bounds_of(now: Standing, base: Grid, *, armed: int, floor: Decimal) -> Bounds | None:
    """Return the bounds of the closes that come while `now` stands, whatever its cells buy and sell in the meantime.

    `floor` is the smallest spacing (quote) at the ladder's anchor, `armed` the count of armed slots. None where each
    close must be judged: the ladder is about to be laid anew, or something else than the ladder may move.
    """
    rules, ladder = base.rules, now.ladder
    if ladder is None or rules.signal.symbol is not None or not _at_rest(now, base, armed=armed):
        return None
    exact = kept_spacing(ladder, rules.spacing.progression, ladder.anchor)
    if exact < floor:
        return None
    kept, respace, anchor = float(exact), float(rules.spacing.respace), float(ladder.anchor)
    widest, narrowest = kept * (1 + respace) * (1 - _MARGIN), kept * (1 - respace) * (1 + _MARGIN)
    most_atr, least_atr = _INFINITY, -_INFINITY
    asked = fixed_spacing(rules, ladder.anchor)
    if asked is None:
        multiplier = float(rules.spacing.multiplier)
        most_atr = widest / multiplier
        if floor < narrowest:
            least_atr = narrowest / multiplier
    elif not narrowest < max(asked, floor) < widest:
        return None
    highest, lowest = (ladder.rungs[0].price, ladder.rungs[-1].price) if ladder.rungs else (ladder.anchor,) * 2
    return Bounds(
        (float(lowest) - kept) * (1 + _MARGIN) if rules.spacing.trail_down else -_INFINITY,
        (anchor + kept) * (1 - _MARGIN),
        most_atr,
        least_atr,
        float(highest) * (1 - _MARGIN),
    )
