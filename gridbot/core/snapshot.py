"""What a window, a status command or an API may see: immutable views made from the state, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from gridbot.core.booking import fee_total
from gridbot.core.cells import Cell
from gridbot.core.events import KillKind
from gridbot.core.explain import SlotView, explain_grid
from gridbot.core.orders import TERMINAL, Order, OrderState
from gridbot.core.prospects import trip_profit
from gridbot.core.readings import value_at_risk
from gridbot.core.rules import Breaker, GridRules, Instrument, RiskRules, Wish
from gridbot.core.state import Grid, Level, LimitCause, Phase, RangeState, RiskState, State
from gridbot.core.units import ZERO, Asset, GridId, Mode, OrderId, Price, Quantity, Side, Symbol, TimeMs, VenueOrderId
from gridbot.core.values import value


@value
class OrderView:
    """One live or unresolved order. Quantities in base; `distance` is (price - mid) / mid, None without a mark.

    `profit` is what its round trip earns (quote, after fees) if it fills, None where there is none to tell of.
    """

    grid: GridId
    symbol: Symbol
    cell: int
    slot: int
    id: OrderId
    venue_id: VenueOrderId | None
    side: Side
    price: Price
    quantity: Quantity
    filled: Quantity
    state: OrderState
    created: TimeMs
    distance: Decimal | None
    profit: Decimal | None = None


@value
class CellView:
    """One holding cell, or one with a part. Quantity in base, cost in quote."""

    number: int
    quantity: Quantity
    cost: Decimal
    buy_price: Price
    target: Price
    slot: int
    since: TimeMs
    complete: bool


@value
class GridView:
    """One grid. Money in its quote currency, `average_cost` in quote per base; None where there is no value yet."""

    id: GridId
    symbol: Symbol
    instrument: Instrument | None
    wish: Wish
    phase: Phase
    range: RangeState
    range_since: TimeMs
    halt: str
    levels: int
    investment: Decimal
    trend: str
    spike: bool
    breaker_open: bool
    atr: float | None
    ema_fast: float | None
    ema_slow: float | None
    limit_last: int | None
    limit_cause: LimitCause
    price: Price | None
    anchor: Price | None
    spacing: Decimal | None
    slots: tuple[SlotView, ...]
    cells: tuple[CellView, ...]
    holding_cells: int
    inventory: Decimal
    dust: Decimal
    average_cost: Decimal | None
    grid_profit: Decimal
    unrealised: Decimal | None
    total_profit: Decimal | None
    fees: dict[Asset, Decimal]
    fills: int
    round_trips: int
    wins: int
    rules: GridRules | None = None


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


@value
class BalanceView:
    """One asset of the account, in its own units."""

    asset: Asset
    total: Decimal
    in_orders: Decimal


@value
class KillView:
    """Why trading is stopped, how many cancels are not confirmed yet, and whether what is held is being sold."""

    kind: KillKind
    reason: str
    time: TimeMs
    unconfirmed: int
    liquidate: bool = False


@value
class Snapshot:
    """The whole account at one moment (ms UTC). `day_profit` and `equity` in the equity asset, None until known."""

    time: TimeMs
    mode: Mode
    level: Level
    causes: tuple[str, ...]
    kill: KillView | None
    equity: Decimal | None
    equity_asset: Asset | None
    peak: Decimal | None
    day_profit: Decimal | None
    balances: tuple[BalanceView, ...]
    grids: tuple[GridView, ...]
    orders: tuple[OrderView, ...]
    limits: tuple[LimitView, ...]
    fills: int
    round_trips: int


def snapshot(state: State) -> Snapshot:
    """Return the views of `state`."""
    orders = tuple(_order_views(state))
    risk = state.risk
    kill = state.kill
    kill_view = None if kill is None else KillView(kill.kind, kill.reason, kill.time, len(orders), kill.liquidate)
    day = None if risk.equity is None or risk.day_start is None else risk.equity - risk.day_start
    return Snapshot(
        state.now,
        state.rules.mode,
        risk.level,
        tuple(_causes(state)),
        kill_view,
        risk.equity,
        _equity_asset(state),
        risk.peak,
        day,
        tuple(_balance_views(state)),
        tuple(_grid_view(grid, _mid(risk, grid.rules.symbol)) for grid in state.grids.values()),
        orders,
        () if state.rules.risk is None else tuple(_limit_views(state, state.rules.risk)),
        state.fills,
        state.round_trips,
    )


def _causes(state: State) -> Iterator[str]:
    """Yield, in sentences, what makes the account's level what it is: the kill, open breakers, restless markets."""
    if state.kill is not None:
        yield f"Trading is stopped ({state.kill.kind.value}): {state.kill.reason}"
    for trip in state.risk.tripped.values():
        if state.kill is None or trip.sentence != state.kill.reason:
            yield trip.sentence
    for grid in state.grids.values():
        if grid.signal.breaker is not None:
            yield f"{grid.rules.symbol}: the ATR jumped; grid {grid.rules.id} buys nothing until it is calm."
        elif grid.signal.spike:
            yield f"{grid.rules.symbol}: volatility spiked; grid {grid.rules.id} buys at fewer slots."


def _equity_asset(state: State) -> Asset | None:
    if state.rules.risk is not None and state.rules.risk.equity_asset is not None:
        return state.rules.risk.equity_asset
    return next((grid.instrument.quote for grid in state.grids.values() if grid.instrument is not None), None)


def _mid(risk: RiskState, symbol: Symbol) -> Decimal | None:
    quote = risk.quotes.get(symbol)
    return None if quote is None or not ZERO < quote.bid <= quote.ask else (quote.bid + quote.ask) / 2


def _grid_view(grid: Grid, mid: Decimal | None) -> GridView:
    tally, instrument, ladder = grid.tally, grid.instrument, grid.ladder
    price = mid if mid is not None else grid.price
    lots = [(cell.number, cell.lot) for cell in grid.cells if cell.lot is not None]
    fees = {} if instrument is None else fee_total(tally, instrument.base, instrument.quote)
    return GridView(
        grid.rules.id,
        grid.rules.symbol,
        instrument,
        grid.rules.wish,
        grid.phase,
        grid.range,
        grid.range_since,
        grid.halt,
        grid.rules.levels,
        grid.rules.investment,
        grid.trend.direction.value,
        grid.signal.spike,
        grid.signal.breaker is not None,
        grid.signal.atr.current,
        grid.trend.fast.current,
        grid.trend.slow.current,
        grid.limit.last,
        grid.limit.cause,
        grid.price,
        None if ladder is None else ladder.anchor,
        None if ladder is None else ladder.spacing,
        explain_grid(grid),
        tuple(
            CellView(number, lot.quantity, lot.cost, lot.buy_price, lot.target, lot.slot, lot.since, lot.complete)
            for number, lot in lots
        ),
        sum(1 for cell in grid.cells if cell.holding),
        tally.inventory,
        tally.dust,
        tally.open_cost / tally.inventory if tally.inventory else None,
        tally.realised,
        None if price is None else tally.unrealised(price),
        None if price is None else tally.total(price),
        fees,
        tally.fills,
        tally.round_trips,
        tally.wins,
        grid.rules,
    )


def _order_views(state: State) -> list[OrderView]:
    views = []
    for grid in state.grids.values():
        mid = _mid(state.risk, grid.rules.symbol)
        for cell in grid.cells:
            if cell.order is not None and cell.order.state not in TERMINAL:
                views.append(_order_view(grid, cell, cell.order, mid))
    return views


def _order_view(grid: Grid, cell: Cell, order: Order, mid: Decimal | None) -> OrderView:
    return OrderView(
        grid.rules.id,
        grid.rules.symbol,
        cell.number,
        order.slot,
        order.id,
        order.venue_id,
        order.side,
        order.price,
        order.quantity,
        order.filled,
        order.state,
        order.created,
        None if mid is None else (order.price - mid) / mid,
        None if grid.instrument is None else trip_profit(order, cell.lot, grid.instrument),
    )


def _balance_views(state: State) -> list[BalanceView]:
    locked: dict[Asset, Decimal] = {}
    for grid in state.grids.values():
        instrument = grid.instrument
        if instrument is None:
            continue
        for cell in grid.cells:
            order = cell.order
            if order is None or order.state in TERMINAL:
                continue
            buying = order.side is Side.BUY
            asset = instrument.quote if buying else instrument.base
            amount = order.leaves * order.price * (1 + instrument.maker_fee) if buying else order.leaves
            locked[asset] = locked.get(asset, ZERO) + amount
    return [BalanceView(asset, account.total, locked.get(asset, ZERO)) for asset, account in state.accounts.items()]


def _limit_views(state: State, rules: RiskRules) -> list[LimitView]:
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
        mid = _mid(risk, symbol)
        spread = None if mid is None else (quote.ask - quote.bid) / mid
        views.append(_view(risk, "max_spread", symbol, spread, rules.max_spread))
    views.append(_view(risk, "price_collar", "", None, rules.price_collar))
    views.append(_view(risk, "max_order_value", "", None, rules.max_order_value))
    integrity = risk.tripped.get("integrity")
    sentence = "" if integrity is None else integrity.sentence
    last = risk.last_trip.get("integrity")
    views.append(LimitView("integrity", "", None, None, ZERO, "kill", integrity is not None, sentence, last))
    return views


def _exposure_views(state: State, rules: RiskRules, equity: Decimal | None) -> list[LimitView]:
    by_symbol: dict[Symbol, Decimal] = {}
    by_asset: dict[Asset, Decimal] = {}
    orders: dict[Symbol, int] = {}
    for grid in state.grids.values():
        symbol, mid = grid.rules.symbol, _mid(state.risk, grid.rules.symbol)
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
