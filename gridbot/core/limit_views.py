"""Every limit and breaker of an account with where it stands now: views made from the state, and nothing is judged."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from gridbot.core.orders import TERMINAL
from gridbot.core.readings import LEAST_REQUESTS, value_at_risk
from gridbot.core.rules import Breaker, RiskRules
from gridbot.core.state import Grid, RiskState, State
from gridbot.core.units import ZERO, Asset, Side, Symbol, TimeMs
from gridbot.core.values import evolve, value


@value
class LimitView:
    """One limit or breaker: what it stands at now, its figures, and when it last tripped. Fractions or units by name.

    `now` is None where nothing can be measured yet.
    """

    code: str
    scope: str
    now: Decimal | None
    warn: Decimal | None
    limit: Decimal
    action: str
    tripped: bool
    sentence: str
    last_trip: TimeMs | None


def mid_of(risk: RiskState, symbol: Symbol) -> Decimal | None:
    quote = risk.quotes.get(symbol)
    return None if quote is None or not ZERO < quote.bid <= quote.ask else (quote.bid + quote.ask) / 2


def limit_views(state: State, rules: RiskRules) -> list[LimitView]:
    """Return every limit of the account, and the guards of its grids."""
    risk, equity = state.risk, state.risk.equity
    views = [*_exposure_views(state, rules, equity)]
    fall = None if equity is None or not risk.peak else 1 - equity / risk.peak
    loss = None if equity is None or not risk.day_start else 1 - equity / risk.day_start
    views.append(_view(risk, "max_drawdown", "", fall, rules.max_drawdown))
    views.append(_view(risk, "max_daily_loss", "", loss, rules.max_daily_loss))
    views.append(_view(risk, "max_var", "", value_at_risk(risk.daily), rules.max_var))
    recent = sum(1 for time in risk.creates if time > state.now - 10_000)
    views.append(_plain("max_creates_per_10s", "", Decimal(recent), Decimal(rules.max_creates_per_10s), "wait"))
    views.append(_view(risk, "max_error_rate", "", None, rules.max_error_rate))
    views.append(_view(risk, "max_clock_skew_ms", "", None, rules.max_clock_skew_ms))
    for symbol, quote in risk.quotes.items():
        views.append(_view(risk, "max_quote_age_ms", symbol, Decimal(quote.age_ms), rules.max_quote_age_ms))
        mid = mid_of(risk, symbol)
        spread = None if mid is None else (quote.ask - quote.bid) / mid
        views.append(_view(risk, "max_spread", symbol, spread, rules.max_spread))
    views.append(_view(risk, "price_collar", "", None, rules.price_collar))
    views.append(_view(risk, "max_order_value", "", None, rules.max_order_value))
    integrity = risk.tripped.get("integrity")
    sentence = "" if integrity is None else integrity.sentence
    last = risk.last_trip.get("integrity")
    views.append(LimitView("integrity", "", None, None, ZERO, "kill", integrity is not None, sentence, last))
    views.extend(_least_orders(state, rules))
    for grid in state.grids.values():
        views.extend(_guards(grid))
    return views


def _least_orders(state: State, rules: RiskRules) -> Iterator[LimitView]:
    """Yield the smallest order of each market, in its quote."""
    for symbol in dict.fromkeys(grid.rules.symbol for grid in state.grids.values()):
        instrument = state.instruments.get(symbol)
        least = rules.min_order_value
        if least is None and instrument is not None:
            least = instrument.min_notional
        if least is not None:
            yield LimitView("min_order_value", symbol, None, None, least, "deny", False, "", None)


def _guards(grid: Grid) -> Iterator[LimitView]:
    """Yield a grid's own two: how far its newest ATR is from the one before, and from the mean of the newest 30."""
    signal, rules, id_ = grid.signal, grid.rules.signal, grid.rules.id
    recent, now = signal.recent, signal.atr.current
    before = signal.breaker.remembered if signal.breaker is not None else recent[-2] if len(recent) > 1 else None
    jump = None if now is None or not before else abs(now / before - 1)
    opened = signal.breaker is not None
    sentence = f"{grid.rules.symbol}: the ATR jumped; nothing is bought until it is calm." if opened else ""
    yield LimitView("atr_jump", id_, _decimal(jump), None, _sure(rules.atr_jump), "no_new_buys", opened, sentence, None)
    mean = sum(recent) / len(recent) if signal.ready else 0.0
    ratio = now / mean if now is not None and mean else None
    sentence = f"{grid.rules.symbol}: volatility spiked; fewer slots are bought at." if signal.spike else ""
    limit = _sure(rules.spike_multiple)
    yield LimitView("spike", id_, _decimal(ratio), None, limit, "fewer_slots", signal.spike, sentence, None)


def _decimal(figure: float | None) -> Decimal | None:
    return None if figure is None else _sure(figure)


def _sure(figure: float) -> Decimal:
    """Return an indicator's figure, which is no money, as the decimal that it is shown as."""
    return Decimal(repr(round(figure, 6)))


def measured(
    limits: tuple[LimitView, ...], *, requests: int, failures: int, skew_ms: int | None
) -> tuple[LimitView, ...]:
    """Return the limits with what only the shell measures: failed requests of the last minute, and the clock."""
    rate = None if requests < LEAST_REQUESTS else Decimal(failures) / requests
    skew = None if skew_ms is None else Decimal(abs(skew_ms))
    now = {"max_error_rate": rate, "max_clock_skew_ms": skew}
    return tuple(evolve(view, now=now[view.code]) if view.code in now else view for view in limits)


def _exposure_views(state: State, rules: RiskRules, equity: Decimal | None) -> list[LimitView]:
    by_symbol: dict[Symbol, Decimal] = {}
    by_asset: dict[Asset, Decimal] = {}
    orders: dict[Symbol, int] = {}
    for grid in state.grids.values():
        symbol, mid = grid.rules.symbol, mid_of(state.risk, grid.rules.symbol)
        held = grid.tally.open_cost if mid is None else grid.tally.inventory * mid
        live = [c.order for c in grid.cells if c.order is not None and c.order.state not in TERMINAL]
        buys = sum((order.leaves * order.price for order in live if order.side is Side.BUY), ZERO)
        by_symbol[symbol] = by_symbol.get(symbol, ZERO) + held + buys
        orders[symbol] = orders.get(symbol, 0) + len(live)
        if grid.instrument is not None:
            by_asset[grid.instrument.base] = by_asset.get(grid.instrument.base, ZERO) + held
    views = []
    for symbol, amount in by_symbol.items():
        views.append(
            _view(state.risk, "max_symbol_exposure", symbol, _share(amount, equity), rules.max_symbol_exposure)
        )
    total = sum(by_symbol.values(), ZERO)
    views.append(_view(state.risk, "max_total_exposure", "", _share(total, equity), rules.max_total_exposure))
    for asset, amount in by_asset.items():
        share = _share(amount, equity)
        views.append(_view(state.risk, "max_asset_concentration", asset, share, rules.max_asset_concentration))
    for symbol, count in orders.items():
        views.append(_plain("max_open_orders", symbol, Decimal(count), Decimal(rules.max_open_orders), "deny"))
    return views


def _share(amount: Decimal, equity: Decimal | None) -> Decimal | None:
    return None if equity is None or equity <= 0 else amount / equity


def _view(risk: RiskState, code: str, scope: str, now: Decimal | None, breaker: Breaker) -> LimitView:
    keys = (f"{code}:{scope}", f"{code}_warn:{scope}") if scope else (code, f"{code}_warn")
    trip = next((risk.tripped[key] for key in keys if key in risk.tripped), None)
    last = max((risk.last_trip[key] for key in keys if key in risk.last_trip), default=None)
    sentence = "" if trip is None else trip.sentence
    return LimitView(
        code, scope, now, breaker.warn, breaker.limit, breaker.action.value, trip is not None, sentence, last
    )


def _plain(code: str, scope: str, now: Decimal, limit: Decimal, action: str) -> LimitView:
    return LimitView(code, scope, now, None, limit, action, now >= limit, "", None)
