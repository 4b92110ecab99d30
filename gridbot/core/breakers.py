"""The breakers of the account, judged at every mark: up at once, down with hysteresis, never by itself from RED."""

from __future__ import annotations

from decimal import Decimal

from gridbot.core.commands import BreakerChanged, KillChanged
from gridbot.core.draft import Draft
from gridbot.core.events import KillKind, Marked
from gridbot.core.readings import DAY_MS, FRESH_QUOTES, Reading, readings
from gridbot.core.risk import equity_asset, price_in
from gridbot.core.rules import Action, RiskRules
from gridbot.core.state import Kill, Level, RiskState, Tripped
from gridbot.core.units import ZERO, Asset
from gridbot.core.values import evolve

VAR_KEPT = 365
_ORDER = (Level.GREEN, Level.YELLOW, Level.ORANGE, Level.RED, Level.BLACK)
_GREEN, _YELLOW, _RED = Level.GREEN, Level.YELLOW, Level.RED


def on_marked(draft: Draft, event: Marked) -> None:
    """Take in a mark: quotes, equity, then every breaker."""
    rules, risk = draft.rules.risk, draft.risk
    quotes, fresh = dict(risk.quotes), dict(risk.fresh)
    limit_ms = None if rules is None else rules.max_quote_age_ms.limit
    for quote in event.quotes:
        symbol = quote.symbol
        quotes[symbol] = quote
        stale = limit_ms is not None and quote.age_ms > limit_ms
        fresh[symbol] = 0 if stale else fresh.get(symbol, FRESH_QUOTES) + 1
    # By place and not with `evolve`: a mark comes every second, and is most of what a start replays.
    draft.risk = RiskState(
        quotes,
        fresh,
        risk.equity,
        risk.peak,
        risk.day,
        risk.day_start,
        risk.daily,
        risk.creates,
        risk.tripped,
        risk.last_trip,
        risk.level,
        event.time,
    )
    if rules is None:
        return
    _measure_equity(draft, rules)
    for reading in readings(draft, event, rules):
        _judge(draft, reading)
    set_level(draft)


def _measure_equity(draft: Draft, rules: RiskRules) -> None:
    asset = equity_asset(draft, rules)
    equity = None if asset is None or not draft.opened else _equity(draft, asset)
    if equity is None:
        return
    risk = draft.risk
    day = draft.now // DAY_MS
    start, daily, peak = risk.day_start, risk.daily, risk.peak
    if day != risk.day:
        if start is not None and start > 0 and risk.equity is not None:
            daily = (*daily, risk.equity / start - 1)[-VAR_KEPT:]
        start = equity if risk.equity is None else risk.equity
    peak = equity if peak is None or equity > peak else peak
    draft.risk = RiskState(
        risk.quotes,
        risk.fresh,
        equity,
        peak,
        day,
        start,
        daily,
        risk.creates,
        risk.tripped,
        risk.last_trip,
        risk.level,
        risk.marked_at,
    )


def _equity(draft: Draft, asset: Asset) -> Decimal | None:
    """Return the account's worth in `asset` at the mids of the last mark; None while one that matters is missing.

    What no market of the grids is in does not count: nobody here learns its price.
    """
    traded = {name for each in draft.instruments.values() for name in (each.base, each.quote)}
    total = ZERO
    for name, account in draft.accounts.items():
        if name == asset:
            total += account.total
        elif account.total and name in traded:
            price = price_in(draft, name, asset)
            if price is None:
                return None
            total += account.total * price
    return total


def transferred(draft: Draft, asset: Asset, amount: Decimal) -> None:
    """Carry the peak and the day's start along with a deposit (positive) or withdrawal: neither is won nor lost.

    Both keep their ratio to equity; without prices nothing was measured that could be carried.
    """
    rules, risk = draft.rules.risk, draft.risk
    own = None if rules is None else equity_asset(draft, rules)
    rate = None if own is None else price_in(draft, asset, own)
    if rate is None or risk.equity is None or risk.equity <= 0:
        return
    equity = risk.equity + amount * rate
    if equity <= 0:
        draft.risk = evolve(risk, equity=None, peak=None, day_start=None)
        return
    ratio = equity / risk.equity
    draft.risk = evolve(
        risk,
        equity=equity,
        peak=None if risk.peak is None else risk.peak * ratio,
        day_start=None if risk.day_start is None else risk.day_start * ratio,
    )


def _judge(draft: Draft, reading: Reading) -> None:
    trip = draft.risk.tripped.get(reading.code)
    if reading.over:
        level = Level.RED if reading.action is Action.KILL else Level.ORANGE
        stops = reading.action is not Action.DENY
        if trip is None:
            tripped = Tripped(draft.now, level, reading.sentence, stops, reading.scope)
            _remember(draft, reading.code, tripped)
            draft.notes.append(BreakerChanged(draft.now, reading.code, level.value, True, reading.sentence))
        else:
            _remember(draft, reading.code, evolve(trip, sentence=reading.sentence))
        if reading.action is Action.KILL and draft.kill is None:
            kill(draft, reading.kind, reading.sentence)
    elif trip is not None and reading.calm and trip.level is not Level.RED:
        clear(draft, reading.code)


def _remember(draft: Draft, code: str, trip: Tripped) -> None:
    risk = draft.risk
    draft.risk = evolve(risk, tripped={**risk.tripped, code: trip}, last_trip={**risk.last_trip, code: draft.now})


def clear(draft: Draft, code: str) -> None:
    """Close one breaker."""
    trip = draft.risk.tripped.get(code)
    if trip is None:
        return
    rest = {other: kept for other, kept in draft.risk.tripped.items() if other != code}
    draft.risk = evolve(draft.risk, tripped=rest)
    draft.notes.append(BreakerChanged(draft.now, code, trip.level.value, False, trip.sentence))


def kill(draft: Draft, kind: KillKind, reason: str, *, liquidate: bool = False) -> None:
    """Set the kill state; the first reason stays."""
    if draft.kill is not None:
        return
    draft.kill = Kill(kind, reason, draft.now, liquidate)
    draft.notes.append(KillChanged(draft.now, True, kind, reason))


def integrity_broken(draft: Draft, sentence: str) -> None:
    """Trip the integrity breaker: BLACK, kill, until a person looked."""
    trip = Tripped(draft.now, Level.BLACK, sentence, True)
    _remember(draft, "integrity", trip)
    draft.notes.append(BreakerChanged(draft.now, "integrity", Level.BLACK.value, True, sentence))
    kill(draft, KillKind.INTEGRITY, sentence)
    set_level(draft)


def release(draft: Draft) -> None:
    """Forget every trip that only a person may end; equity's peak and the day begin anew from now."""
    for code, trip in tuple(draft.risk.tripped.items()):
        if trip.level in (Level.RED, Level.BLACK):
            clear(draft, code)
    draft.risk = evolve(draft.risk, peak=draft.risk.equity, day_start=draft.risk.equity, level=Level.GREEN)
    set_level(draft)


def set_level(draft: Draft) -> None:
    """Derive the account's level from what is tripped."""
    level = _GREEN
    for id_ in draft.grid_ids():
        signal = draft.peek(id_).signal
        if signal.spike or signal.breaker is not None:
            level = _YELLOW
    for trip in draft.risk.tripped.values():
        level = max(level, trip.level, key=_ORDER.index)
    if draft.kill is not None:
        level = max(level, _RED, key=_ORDER.index)
    if level is not draft.risk.level:
        draft.risk = evolve(draft.risk, level=level)
