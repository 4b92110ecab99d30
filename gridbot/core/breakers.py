"""The breakers of the account, judged at every mark: up at once, down with hysteresis, never by itself from RED."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from gridbot.core.commands import BreakerChanged, KillChanged
from gridbot.core.draft import Draft
from gridbot.core.events import KillKind, Marked
from gridbot.core.risk import mid_price
from gridbot.core.rules import Action, Breaker, RiskRules
from gridbot.core.state import Kill, Level, RiskState, Tripped
from gridbot.core.units import ONE, ZERO, Asset
from gridbot.core.values import evolve, value

DAY_MS = 86_400_000
FRESH_QUOTES = 3
"""Fresh quotes in a row after which a stale market counts as live again."""
HYSTERESIS = Decimal("0.9")
VAR_DAYS = 30
"""Daily changes that must exist before VaR is judged."""
VAR_KEPT = 365
VAR_CONFIDENCE = 0.95
LEAST_REQUESTS = 10
_ORDER = (Level.GREEN, Level.YELLOW, Level.ORANGE, Level.RED, Level.BLACK)


@value
class Reading:
    """One breaker now: is it over its limit, is it calm enough to clear, and what it says."""

    code: str
    over: bool
    calm: bool
    sentence: str
    action: Action
    kind: KillKind
    scope: str = ""


def on_marked(draft: Draft, event: Marked) -> None:
    """Take in a mark: quotes, equity, then every breaker."""
    rules = draft.rules.risk
    quotes = dict(draft.risk.quotes)
    fresh = dict(draft.risk.fresh)
    limit_ms = None if rules is None else rules.max_quote_age_ms.limit
    for quote in event.quotes:
        quotes[quote.symbol] = quote
        stale = limit_ms is not None and quote.age_ms > limit_ms
        fresh[quote.symbol] = 0 if stale else fresh.get(quote.symbol, FRESH_QUOTES) + 1
    draft.risk = evolve(draft.risk, quotes=quotes, fresh=fresh, marked_at=event.time)
    if rules is None:
        return
    _measure_equity(draft, rules)
    for reading in _readings(draft, event, rules):
        _judge(draft, reading)
    set_level(draft)


def equity_asset(draft: Draft, rules: RiskRules) -> Asset | None:
    """Return the asset that fractions are of: the configured one, else the quote asset of the first grid."""
    if rules.equity_asset is not None:
        return rules.equity_asset
    for id_ in draft.grid_ids():
        instrument = draft.peek(id_).instrument
        if instrument is not None:
            return instrument.quote
    return None


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
    peak = equity if peak is None else max(peak, equity)
    draft.risk = evolve(risk, equity=equity, peak=peak, day=day, day_start=start, daily=daily)


def _equity(draft: Draft, asset: Asset) -> Decimal | None:
    """Return the account's worth in `asset` at the mids of the last mark; None while one that matters is missing."""
    total = ZERO
    for name, account in draft.accounts.items():
        if name == asset:
            total += account.total
        elif account.total:
            price = _price_in(draft, name, asset)
            if price is None:
                return None
            total += account.total * price
    return total


def _price_in(draft: Draft, asset: Asset, quote: Asset) -> Decimal | None:
    for symbol, instrument in draft.instruments.items():
        if instrument.base == asset and instrument.quote == quote:
            return mid_price(draft, symbol)
    return None


def _readings(draft: Draft, event: Marked, rules: RiskRules) -> Iterator[Reading]:
    yield from _feed_readings(draft, event, rules)
    equity = draft.risk.equity
    if equity is None or equity <= 0:
        return
    yield from _loss_readings(draft, rules, equity)
    yield from _concentration_readings(draft, rules, equity)
    yield _var_reading(draft.risk, rules.max_var)


def _feed_readings(draft: Draft, event: Marked, rules: RiskRules) -> Iterator[Reading]:
    for quote in event.quotes:
        yield Reading(
            f"max_quote_age_ms:{quote.symbol}",
            quote.age_ms > rules.max_quote_age_ms.limit,
            draft.risk.fresh[quote.symbol] >= FRESH_QUOTES,
            f"The price of {quote.symbol} is {quote.age_ms / 1000:.1f} s old; no buys until fresh prices return.",
            rules.max_quote_age_ms.action,
            KillKind.SYSTEM_ERROR,
            quote.symbol,
        )
    skew = event.clock_skew_ms
    if skew is not None:
        yield Reading(
            "max_clock_skew_ms",
            abs(skew) > rules.max_clock_skew_ms.limit,
            abs(skew) <= rules.max_clock_skew_ms.limit,
            f"This machine's clock is {skew} ms off the exchange's; set the system clock.",
            rules.max_clock_skew_ms.action,
            KillKind.SYSTEM_ERROR,
        )
    rate = Decimal(event.failures) / event.requests if event.requests else ZERO
    yield Reading(
        "max_error_rate",
        event.requests >= LEAST_REQUESTS and rate > rules.max_error_rate.limit,
        rate < rules.max_error_rate.limit / 2,
        f"{event.failures} of {event.requests} requests failed in the last minute.",
        rules.max_error_rate.action,
        KillKind.SYSTEM_ERROR,
    )


def _loss_readings(draft: Draft, rules: RiskRules, equity: Decimal) -> Iterator[Reading]:
    risk = draft.risk
    if risk.peak is not None and risk.peak > 0:
        fall = ONE - equity / risk.peak
        yield from _two_steps("max_drawdown", fall, rules.max_drawdown, KillKind.DRAWDOWN, "under its peak", None)
    if risk.day_start is not None and risk.day_start > 0:
        loss = ONE - equity / risk.day_start
        since = risk.tripped.get("max_daily_loss_warn")
        next_day = since is None or since.since // DAY_MS != risk.day
        yield from _two_steps("max_daily_loss", loss, rules.max_daily_loss, KillKind.LOSS_LIMIT, "today", next_day)


def _two_steps(
    code: str, now: Decimal, breaker: Breaker, kind: KillKind, where: str, calm: bool | None
) -> Iterator[Reading]:
    """Yield the warning (no new buys) and the limit of a loss breaker; `calm` None means under 0.9 of the figure."""
    if breaker.warn is not None:
        calm_warn = now < breaker.warn * HYSTERESIS if calm is None else calm
        yield Reading(
            f"{code}_warn",
            now > breaker.warn,
            calm_warn and now <= breaker.warn,
            f"Equity is {now:.2%} {where}, over the warning of {breaker.warn:%}; no new buys.",
            Action.NO_NEW_BUYS,
            kind,
        )
    yield Reading(
        code,
        now > breaker.limit,
        now < breaker.limit * HYSTERESIS if calm is None else calm and now <= breaker.limit,
        f"Equity is {now:.2%} {where}, over the limit of {breaker.limit:%}.",
        breaker.action,
        kind,
    )


def _concentration_readings(draft: Draft, rules: RiskRules, equity: Decimal) -> Iterator[Reading]:
    limit = rules.max_asset_concentration.limit
    worth: dict[Asset, Decimal] = {}
    for id_ in draft.grid_ids():
        grid = draft.peek(id_)
        mid = mid_price(draft, grid.rules.symbol)
        if grid.instrument is not None and mid is not None:
            base = grid.instrument.base
            worth[base] = worth.get(base, ZERO) + grid.tally.inventory * mid
    for asset, amount in worth.items():
        share = amount / equity
        yield Reading(
            f"max_asset_concentration:{asset}",
            share > limit,
            share < limit * HYSTERESIS,
            f"{asset} is {share:.1%} of the equity, over {limit:%}; no new buys of it.",
            rules.max_asset_concentration.action,
            KillKind.EXPOSURE_BREACH,
            asset,
        )


def value_at_risk(daily: tuple[Decimal, ...]) -> Decimal | None:
    """Return the historical one-day 95 % VaR as a positive fraction of equity; None under 30 days.

    The loss that 95 % of the recorded daily changes did not exceed: the order statistic at floor(5 % of n), no
    interpolation. Source: P. Jorion, *Value at Risk* (2006), historical simulation.
    """
    if len(daily) < VAR_DAYS:
        return None
    worst = sorted(daily)[int(len(daily) * (1 - VAR_CONFIDENCE))]
    return max(ZERO, -worst)


def _var_reading(risk: RiskState, breaker: Breaker) -> Reading:
    now = value_at_risk(risk.daily)
    share = ZERO if now is None else now
    return Reading(
        "max_var",
        share > breaker.limit,
        share < breaker.limit * HYSTERESIS,
        f"One bad day in twenty costs {share:.2%} of the equity, over {breaker.limit:%}.",
        breaker.action,
        KillKind.VAR_BREACH,
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
    level = Level.GREEN
    for id_ in draft.grid_ids():
        signal = draft.peek(id_).signal
        if signal.spike or signal.breaker is not None:
            level = Level.YELLOW
    for trip in draft.risk.tripped.values():
        level = max(level, trip.level, key=_ORDER.index)
    if draft.kill is not None:
        level = max(level, Level.RED, key=_ORDER.index)
    if level is not draft.risk.level:
        draft.risk = evolve(draft.risk, level=level)
