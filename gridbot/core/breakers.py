"""The breakers of the account, judged at every mark: up at once, down with hysteresis, never by itself from RED."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

from gridbot.core.commands import BreakerChanged, KillChanged
from gridbot.core.draft import Draft
from gridbot.core.events import KillKind, Marked
from gridbot.core.risk import equity_asset, exposure, mid_price, price_in
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


def _readings(draft: Draft, event: Marked, rules: RiskRules) -> Iterator[Reading]:
    yield from _feed_readings(draft, event, rules)
    equity = draft.risk.equity
    if equity is None or equity <= 0:
        return
    yield from _loss_readings(draft, rules, equity)
    yield from _exposure_readings(draft, rules, equity)
    yield from _concentration_readings(draft, rules, equity)
    yield from _var_readings(draft.risk, rules.max_var)


def _graded(
    code: str,
    breaker: Breaker,
    kind: KillKind,
    *,
    now: Decimal,
    calm: Callable[[str, Decimal], bool],
    sentence: str,
    percent: bool = True,
    scope: str = "",
) -> Iterator[Reading]:
    """Yield the warning (no new buys) and the limit of a breaker that stands at `now`.

    `calm` tells by code and figure whether a trip may clear.
    """
    suffix = f":{scope}" if scope else ""
    if breaker.warn is not None:
        key, words = f"{code}_warn{suffix}", f"{sentence}, over the warning of {_figure(breaker.warn, percent)}"
        quiet = calm(key, breaker.warn)
        yield Reading(key, now > breaker.warn, quiet, f"{words}; no new buys.", Action.NO_NEW_BUYS, kind, scope)
    key, words = f"{code}{suffix}", f"{sentence}, over the limit of {_figure(breaker.limit, percent)}"
    tail = {Action.DENY: "new buys are denied", Action.NO_NEW_BUYS: "no new buys", Action.KILL: "trading stops"}
    quiet = calm(key, breaker.limit)
    yield Reading(key, now > breaker.limit, quiet, f"{words}; {tail[breaker.action]}.", breaker.action, kind, scope)


def _figure(figure: Decimal, percent: bool) -> str:
    return f"{figure:.2%}" if percent else f"{figure:f} ms"


def _feed_readings(draft: Draft, event: Marked, rules: RiskRules) -> Iterator[Reading]:
    for quote in event.quotes:
        fresh = draft.risk.fresh[quote.symbol] >= FRESH_QUOTES
        yield from _graded(
            "max_quote_age_ms",
            rules.max_quote_age_ms,
            KillKind.SYSTEM_ERROR,
            now=Decimal(quote.age_ms),
            calm=_at_most(Decimal(quote.age_ms)) if fresh else _never,
            sentence=f"The price of {quote.symbol} is {quote.age_ms} ms old",
            percent=False,
            scope=quote.symbol,
        )
    if event.clock_skew_ms is not None:
        skew = abs(Decimal(event.clock_skew_ms))
        yield from _graded(
            "max_clock_skew_ms",
            rules.max_clock_skew_ms,
            KillKind.SYSTEM_ERROR,
            now=skew,
            calm=_at_most(skew),
            sentence=f"This machine's clock is {event.clock_skew_ms} ms off the exchange's",
            percent=False,
        )
    rate = Decimal(event.failures) / event.requests if event.requests else ZERO
    yield from _graded(
        "max_error_rate",
        rules.max_error_rate,
        KillKind.SYSTEM_ERROR,
        now=rate if event.requests >= LEAST_REQUESTS else ZERO,
        calm=lambda _, figure: rate < figure / 2,
        sentence=f"{event.failures} of {event.requests} requests failed in the last minute",
    )


def _loss_readings(draft: Draft, rules: RiskRules, equity: Decimal) -> Iterator[Reading]:
    risk = draft.risk
    if risk.peak is not None and risk.peak > 0:
        fall = ONE - equity / risk.peak
        yield from _graded(
            "max_drawdown",
            rules.max_drawdown,
            KillKind.DRAWDOWN,
            now=fall,
            calm=_well_under(fall),
            sentence=f"Equity is {fall:.2%} under its peak",
        )
    if risk.day_start is not None and risk.day_start > 0:
        loss = ONE - equity / risk.day_start

        def next_day(code: str, figure: Decimal) -> bool:
            return loss <= figure and risk.last_trip.get(code, 0) // DAY_MS != risk.day

        yield from _graded(
            "max_daily_loss",
            rules.max_daily_loss,
            KillKind.LOSS_LIMIT,
            now=loss,
            calm=next_day,
            sentence=f"Equity is {loss:.2%} under what this day (UTC) began with",
        )


def _never(_: str, __: Decimal) -> bool:
    return False


def _at_most(now: Decimal) -> Callable[[str, Decimal], bool]:
    return lambda _, figure: now <= figure


def _well_under(now: Decimal) -> Callable[[str, Decimal], bool]:
    return lambda _, figure: now < figure * HYSTERESIS


def _exposure_readings(draft: Draft, rules: RiskRules, equity: Decimal) -> Iterator[Reading]:
    """Exposure denies single orders in the gate; as a breaker it is judged where it warns or does more than deny."""
    committed = exposure(draft).committed
    if rules.max_symbol_exposure.action is not Action.DENY or rules.max_symbol_exposure.warn is not None:
        for symbol, amount in committed.items():
            yield from _exposed("max_symbol_exposure", rules.max_symbol_exposure, amount / equity, symbol)
    if rules.max_total_exposure.action is not Action.DENY or rules.max_total_exposure.warn is not None:
        total = sum(committed.values(), ZERO)
        yield from _exposed("max_total_exposure", rules.max_total_exposure, total / equity, "")
    if rules.max_spread.action is not Action.DENY or rules.max_spread.warn is not None:
        for symbol in committed:
            quote, mid = draft.risk.quotes.get(symbol), mid_price(draft, symbol)
            if quote is not None and mid is not None:
                spread = (quote.ask - quote.bid) / mid
                yield from _graded(
                    "max_spread",
                    rules.max_spread,
                    KillKind.VOLATILITY_SPIKE,
                    now=spread,
                    calm=_at_most(spread),
                    sentence=f"Bid and ask of {symbol} are {spread:.2%} apart",
                    scope=symbol,
                )


def _exposed(code: str, breaker: Breaker, share: Decimal, symbol: str) -> Iterator[Reading]:
    what = symbol or "All markets together"
    return _graded(
        code,
        breaker,
        KillKind.EXPOSURE_BREACH,
        now=share,
        calm=_well_under(share),
        sentence=f"{what} stands for {share:.2%} of the equity",
        scope=symbol,
    )


def _concentration_readings(draft: Draft, rules: RiskRules, equity: Decimal) -> Iterator[Reading]:
    book = exposure(draft)
    worth: dict[Asset, Decimal] = {}
    for id_ in draft.grid_ids():
        grid = draft.peek(id_)
        mid = mid_price(draft, grid.rules.symbol)
        if grid.instrument is not None and mid is not None:
            base, rate = grid.instrument.base, book.rate(draft, grid.instrument.quote)
            worth[base] = worth.get(base, ZERO) + grid.tally.inventory * mid * rate
    for asset, amount in worth.items():
        share = amount / equity
        yield from _graded(
            "max_asset_concentration",
            rules.max_asset_concentration,
            KillKind.EXPOSURE_BREACH,
            now=share,
            calm=_well_under(share),
            sentence=f"{asset} is {share:.2%} of the equity",
            scope=asset,
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


def _var_readings(risk: RiskState, breaker: Breaker) -> Iterator[Reading]:
    now = value_at_risk(risk.daily)
    share = ZERO if now is None else now
    return _graded(
        "max_var",
        breaker,
        KillKind.VAR_BREACH,
        now=share,
        calm=_well_under(share),
        sentence=f"One bad day in twenty costs {share:.2%} of the equity",
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
