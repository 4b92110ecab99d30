"""What the account's breakers read at a mark: how far each is from its limit, and the sentence that says so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from gridbot.core.draft import Draft
from gridbot.core.events import KillKind, Marked
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
_DENY = Action.DENY


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


def readings(draft: Draft, event: Marked, rules: RiskRules) -> list[Reading]:
    """Return every breaker that is open or over its limit at a mark, `draft.risk` having taken the mark in."""
    found: list[Reading] = []
    _feed_readings(found, draft, event, rules)
    equity = draft.risk.equity
    if equity is not None and equity > 0:
        _loss_readings(found, draft.risk, rules, equity)
        _exposure_readings(found, draft, rules, equity)
        _concentration_readings(found, draft, rules, equity)
        _var_readings(found, draft.risk, rules.max_var)
    return found


def _quiet(tripped: Mapping[str, Tripped], breaker: Breaker, now: Decimal | int) -> bool:
    """Tell whether a breaker has nothing to say, as most have not at most marks: none is open, and this one is under
    its limits."""
    return not tripped and now <= breaker.limit and (breaker.warn is None or now <= breaker.warn)


def _graded(
    found: list[Reading],
    tripped: Mapping[str, Tripped],
    code: str,
    breaker: Breaker,
    kind: KillKind,
    *,
    now: Decimal,
    calm: Callable[[str, Decimal], bool],
    sentence: str,
    percent: bool = True,
    scope: str = "",
) -> None:
    """Add the warning (no new buys) and the limit of a breaker that stands at `now`, where there is news of them.

    `tripped` are the breakers that are open; `calm` tells by code and figure whether a trip may clear.
    """
    suffix = f":{scope}" if scope else ""
    if breaker.warn is not None:
        key = f"{code}_warn{suffix}"
        if now > breaker.warn or key in tripped:
            words = f"{sentence}, over the warning of {_figure(breaker.warn, percent)}; no new buys."
            quiet = calm(key, breaker.warn)
            found.append(Reading(key, now > breaker.warn, quiet, words, Action.NO_NEW_BUYS, kind, scope))
    key = f"{code}{suffix}"
    if now > breaker.limit or key in tripped:
        tail = {Action.DENY: "new buys are denied", Action.NO_NEW_BUYS: "no new buys", Action.KILL: "trading stops"}
        words = f"{sentence}, over the limit of {_figure(breaker.limit, percent)}; {tail[breaker.action]}."
        quiet = calm(key, breaker.limit)
        found.append(Reading(key, now > breaker.limit, quiet, words, breaker.action, kind, scope))


def _figure(figure: Decimal, percent: bool) -> str:
    return f"{figure:.2%}" if percent else f"{figure:f} ms"


def _feed_readings(found: list[Reading], draft: Draft, event: Marked, rules: RiskRules) -> None:
    tripped, freshness = draft.risk.tripped, draft.risk.fresh
    for quote in event.quotes:
        if _quiet(tripped, rules.max_quote_age_ms, quote.age_ms):
            continue
        age = Decimal(quote.age_ms)
        _graded(
            found,
            tripped,
            "max_quote_age_ms",
            rules.max_quote_age_ms,
            KillKind.SYSTEM_ERROR,
            now=age,
            calm=_at_most(age) if freshness[quote.symbol] >= FRESH_QUOTES else _never,
            sentence=f"The price of {quote.symbol} is {quote.age_ms} ms old",
            percent=False,
            scope=quote.symbol,
        )
    if event.clock_skew_ms is not None:
        skew = abs(Decimal(event.clock_skew_ms))
        _graded(
            found,
            tripped,
            "max_clock_skew_ms",
            rules.max_clock_skew_ms,
            KillKind.SYSTEM_ERROR,
            now=skew,
            calm=_at_most(skew),
            sentence=f"This machine's clock is {event.clock_skew_ms} ms off the exchange's",
            percent=False,
        )
    if not event.failures and not tripped:
        return
    rate = Decimal(event.failures) / event.requests if event.requests else ZERO
    _graded(
        found,
        tripped,
        "max_error_rate",
        rules.max_error_rate,
        KillKind.SYSTEM_ERROR,
        now=rate if event.requests >= LEAST_REQUESTS else ZERO,
        calm=lambda _, figure: rate < figure / 2,
        sentence=f"{event.failures} of {event.requests} requests failed in the last minute",
    )


def _loss_readings(found: list[Reading], risk: RiskState, rules: RiskRules, equity: Decimal) -> None:
    tripped = risk.tripped
    if risk.peak is not None and risk.peak > 0:
        fall = ONE - equity / risk.peak
        if not _quiet(tripped, rules.max_drawdown, fall):
            _graded(
                found,
                tripped,
                "max_drawdown",
                rules.max_drawdown,
                KillKind.DRAWDOWN,
                now=fall,
                calm=_well_under(fall),
                sentence=f"Equity is {fall:.2%} under its peak",
            )
    if risk.day_start is not None and risk.day_start > 0:
        loss = ONE - equity / risk.day_start
        if _quiet(tripped, rules.max_daily_loss, loss):
            return

        def next_day(code: str, figure: Decimal) -> bool:
            return loss <= figure and risk.last_trip.get(code, 0) // DAY_MS != risk.day

        _graded(
            found,
            tripped,
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


def _exposure_readings(found: list[Reading], draft: Draft, rules: RiskRules, equity: Decimal) -> None:
    """Exposure denies single orders in the gate; as a breaker it is judged where it warns or does more than deny."""
    by_symbol, in_all, spreads = rules.max_symbol_exposure, rules.max_total_exposure, rules.max_spread
    if _only_denies(by_symbol) and _only_denies(in_all) and _only_denies(spreads):
        return
    committed, tripped = exposure(draft).committed, draft.risk.tripped
    if not _only_denies(by_symbol):
        for symbol, amount in committed.items():
            _exposed(found, tripped, "max_symbol_exposure", by_symbol, amount / equity, symbol)
    if not _only_denies(in_all):
        total = sum(committed.values(), ZERO)
        _exposed(found, tripped, "max_total_exposure", in_all, total / equity, "")
    if not _only_denies(spreads):
        for symbol in committed:
            quote, mid = draft.risk.quotes.get(symbol), mid_price(draft, symbol)
            if quote is not None and mid is not None:
                spread = (quote.ask - quote.bid) / mid
                _graded(
                    found,
                    tripped,
                    "max_spread",
                    spreads,
                    KillKind.VOLATILITY_SPIKE,
                    now=spread,
                    calm=_at_most(spread),
                    sentence=f"Bid and ask of {symbol} are {spread:.2%} apart",
                    scope=symbol,
                )


def _only_denies(breaker: Breaker) -> bool:
    return breaker.action is _DENY and breaker.warn is None


def _exposed(
    found: list[Reading], tripped: Mapping[str, Tripped], code: str, breaker: Breaker, share: Decimal, symbol: str
) -> None:
    what = symbol or "All markets together"
    _graded(
        found,
        tripped,
        code,
        breaker,
        KillKind.EXPOSURE_BREACH,
        now=share,
        calm=_well_under(share),
        sentence=f"{what} stands for {share:.2%} of the equity",
        scope=symbol,
    )


def _concentration_readings(found: list[Reading], draft: Draft, rules: RiskRules, equity: Decimal) -> None:
    worth: dict[Asset, Decimal] = {}
    own, tripped = equity_asset(draft, rules), draft.risk.tripped
    for id_ in draft.grid_ids():
        grid = draft.peek(id_)
        instrument, inventory = grid.instrument, grid.tally.inventory
        if instrument is None or (not inventory and not tripped):
            continue  # What is not held is over no limit, and with nothing open nothing is to be cleared.
        mid = mid_price(draft, grid.rules.symbol)
        if mid is not None:
            rate = ONE if own is None else price_in(draft, instrument.quote, own) or ONE
            worth[instrument.base] = worth.get(instrument.base, ZERO) + inventory * mid * rate
    for asset, amount in worth.items():
        share = amount / equity
        if not _quiet(tripped, rules.max_asset_concentration, share):
            _graded(
                found,
                tripped,
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


def _var_readings(found: list[Reading], risk: RiskState, breaker: Breaker) -> None:
    now = value_at_risk(risk.daily)
    share = ZERO if now is None else now
    if not _quiet(risk.tripped, breaker, share):
        _graded(
            found,
            risk.tripped,
            "max_var",
            breaker,
            KillKind.VAR_BREACH,
            now=share,
            calm=_well_under(share),
            sentence=f"One bad day in twenty costs {share:.2%} of the equity",
        )
