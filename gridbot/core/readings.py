"""What the account's breakers read at a mark: how far each is from its limit, and the sentence that says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import partial

from gridbot.core.draft import Draft
from gridbot.core.events import KillKind, Marked, Quote
from gridbot.core.risk import equity_asset, exposure, mid_price, price_in
from gridbot.core.rules import Action, Breaker, RiskRules
from gridbot.core.state import RiskState, Tripped
from gridbot.core.units import ONE, ZERO, Asset
from gridbot.core.values import value

DAY_MS = 86_400_000
FRESH_QUOTES = 3
"""Fresh quotes in a row after which a stale market counts as live again."""
HYSTERESIS = Decimal("0.9")
VAR_DAYS = 30
"""Daily changes that must exist before VaR is judged."""
VAR_CONFIDENCE = 0.95
LEAST_REQUESTS = 10


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


def readings(draft: Draft, event: Marked, rules: RiskRules) -> Iterator[Reading]:
    """Yield every breaker that is open or over its limit at a mark, `draft.risk` having taken the mark in."""
    yield from _feed_readings(draft, event, rules)
    equity = draft.risk.equity
    if equity is None or equity <= 0:
        return
    yield from _loss_readings(draft, rules, equity)
    yield from _exposure_readings(draft, rules, equity)
    yield from _concentration_readings(draft, rules, equity)
    yield from _var_readings(draft.risk, rules.max_var)


def _graded(
    tripped: Mapping[str, Tripped],
    code: str,
    breaker: Breaker,
    kind: KillKind,
    *,
    now: Decimal,
    calm: Callable[[str, Decimal], bool],
    sentence: Callable[[], str],
    percent: bool = True,
    scope: str = "",
) -> Iterator[Reading]:
    """Yield the warning (no new buys) and the limit of a breaker that stands at `now`, where there is news of them.

    `tripped` are the breakers that are open: one that is neither open nor over its limit has nothing to say, and most
    have not at most marks. `calm` tells by code and figure whether a trip may clear.
    """
    suffix = f":{scope}" if scope else ""
    if breaker.warn is not None:
        key = f"{code}_warn{suffix}"
        if now > breaker.warn or key in tripped:
            words = f"{sentence()}, over the warning of {_figure(breaker.warn, percent)}"
            quiet = calm(key, breaker.warn)
            yield Reading(key, now > breaker.warn, quiet, f"{words}; no new buys.", Action.NO_NEW_BUYS, kind, scope)
    key = f"{code}{suffix}"
    if now > breaker.limit or key in tripped:
        words = f"{sentence()}, over the limit of {_figure(breaker.limit, percent)}"
        tail = {Action.DENY: "new buys are denied", Action.NO_NEW_BUYS: "no new buys", Action.KILL: "trading stops"}
        quiet = calm(key, breaker.limit)
        yield Reading(key, now > breaker.limit, quiet, f"{words}; {tail[breaker.action]}.", breaker.action, kind, scope)


def _age_sentence(quote: Quote) -> str:
    return f"The price of {quote.symbol} is {quote.age_ms} ms old"


def _spread_sentence(symbol: str, spread: Decimal) -> str:
    return f"Bid and ask of {symbol} are {spread:.2%} apart"


def _share_sentence(asset: str, share: Decimal) -> str:
    return f"{asset} is {share:.2%} of the equity"


def _figure(figure: Decimal, percent: bool) -> str:
    return f"{figure:.2%}" if percent else f"{figure:f} ms"


def _feed_readings(draft: Draft, event: Marked, rules: RiskRules) -> Iterator[Reading]:
    tripped = draft.risk.tripped
    for quote in event.quotes:
        fresh = draft.risk.fresh[quote.symbol] >= FRESH_QUOTES
        yield from _graded(
            tripped,
            "max_quote_age_ms",
            rules.max_quote_age_ms,
            KillKind.SYSTEM_ERROR,
            now=Decimal(quote.age_ms),
            calm=_at_most(Decimal(quote.age_ms)) if fresh else _never,
            sentence=partial(_age_sentence, quote),
            percent=False,
            scope=quote.symbol,
        )
    if event.clock_skew_ms is not None:
        skew = abs(Decimal(event.clock_skew_ms))
        yield from _graded(
            tripped,
            "max_clock_skew_ms",
            rules.max_clock_skew_ms,
            KillKind.SYSTEM_ERROR,
            now=skew,
            calm=_at_most(skew),
            sentence=lambda: f"This machine's clock is {event.clock_skew_ms} ms off the exchange's",
            percent=False,
        )
    rate = Decimal(event.failures) / event.requests if event.requests else ZERO
    yield from _graded(
        tripped,
        "max_error_rate",
        rules.max_error_rate,
        KillKind.SYSTEM_ERROR,
        now=rate if event.requests >= LEAST_REQUESTS else ZERO,
        calm=lambda _, figure: rate < figure / 2,
        sentence=lambda: f"{event.failures} of {event.requests} requests failed in the last minute",
    )


def _loss_readings(draft: Draft, rules: RiskRules, equity: Decimal) -> Iterator[Reading]:
    risk = draft.risk
    if risk.peak is not None and risk.peak > 0:
        fall = ONE - equity / risk.peak
        yield from _graded(
            risk.tripped,
            "max_drawdown",
            rules.max_drawdown,
            KillKind.DRAWDOWN,
            now=fall,
            calm=_well_under(fall),
            sentence=lambda: f"Equity is {fall:.2%} under its peak",
        )
    if risk.day_start is not None and risk.day_start > 0:
        loss = ONE - equity / risk.day_start

        def next_day(code: str, figure: Decimal) -> bool:
            return loss <= figure and risk.last_trip.get(code, 0) // DAY_MS != risk.day

        yield from _graded(
            risk.tripped,
            "max_daily_loss",
            rules.max_daily_loss,
            KillKind.LOSS_LIMIT,
            now=loss,
            calm=next_day,
            sentence=lambda: f"Equity is {loss:.2%} under what this day (UTC) began with",
        )


def _never(_: str, __: Decimal) -> bool:
    return False


def _at_most(now: Decimal) -> Callable[[str, Decimal], bool]:
    return lambda _, figure: now <= figure


def _well_under(now: Decimal) -> Callable[[str, Decimal], bool]:
    return lambda _, figure: now < figure * HYSTERESIS


def _exposure_readings(draft: Draft, rules: RiskRules, equity: Decimal) -> Iterator[Reading]:
    """Exposure denies single orders in the gate; as a breaker it is judged where it warns or does more than deny."""
    watched = (rules.max_symbol_exposure, rules.max_total_exposure, rules.max_spread)
    if all(breaker.action is Action.DENY and breaker.warn is None for breaker in watched):
        return
    committed, tripped = exposure(draft).committed, draft.risk.tripped
    if rules.max_symbol_exposure.action is not Action.DENY or rules.max_symbol_exposure.warn is not None:
        for symbol, amount in committed.items():
            yield from _exposed(tripped, "max_symbol_exposure", rules.max_symbol_exposure, amount / equity, symbol)
    if rules.max_total_exposure.action is not Action.DENY or rules.max_total_exposure.warn is not None:
        total = sum(committed.values(), ZERO)
        yield from _exposed(tripped, "max_total_exposure", rules.max_total_exposure, total / equity, "")
    if rules.max_spread.action is not Action.DENY or rules.max_spread.warn is not None:
        for symbol in committed:
            quote, mid = draft.risk.quotes.get(symbol), mid_price(draft, symbol)
            if quote is not None and mid is not None:
                spread = (quote.ask - quote.bid) / mid
                yield from _graded(
                    draft.risk.tripped,
                    "max_spread",
                    rules.max_spread,
                    KillKind.VOLATILITY_SPIKE,
                    now=spread,
                    calm=_at_most(spread),
                    sentence=partial(_spread_sentence, symbol, spread),
                    scope=symbol,
                )


def _exposed(
    tripped: Mapping[str, Tripped], code: str, breaker: Breaker, share: Decimal, symbol: str
) -> Iterator[Reading]:
    what = symbol or "All markets together"
    return _graded(
        tripped,
        code,
        breaker,
        KillKind.EXPOSURE_BREACH,
        now=share,
        calm=_well_under(share),
        sentence=lambda: f"{what} stands for {share:.2%} of the equity",
        scope=symbol,
    )


def _concentration_readings(draft: Draft, rules: RiskRules, equity: Decimal) -> Iterator[Reading]:
    worth: dict[Asset, Decimal] = {}
    own = equity_asset(draft, rules)
    for id_ in draft.grid_ids():
        grid = draft.peek(id_)
        mid = mid_price(draft, grid.rules.symbol)
        if grid.instrument is not None and mid is not None:
            base = grid.instrument.base
            rate = ONE if own is None else price_in(draft, grid.instrument.quote, own) or ONE
            worth[base] = worth.get(base, ZERO) + grid.tally.inventory * mid * rate
    for asset, amount in worth.items():
        share = amount / equity
        yield from _graded(
            draft.risk.tripped,
            "max_asset_concentration",
            rules.max_asset_concentration,
            KillKind.EXPOSURE_BREACH,
            now=share,
            calm=_well_under(share),
            sentence=partial(_share_sentence, asset, share),
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
        risk.tripped,
        "max_var",
        breaker,
        KillKind.VAR_BREACH,
        now=share,
        calm=_well_under(share),
        sentence=lambda: f"One bad day in twenty costs {share:.2%} of the equity",
    )
