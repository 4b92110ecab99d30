"""What a window, a status command or an API may see: immutable views made from the state, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from gridbot.core.booking import fee_total
from gridbot.core.cells import Cell
from gridbot.core.events import KillKind
from gridbot.core.explain import SlotView, explain_grid
from gridbot.core.limit_views import LimitView, limit_views, mid_of
from gridbot.core.orders import TERMINAL, Order, OrderState
from gridbot.core.prospects import trip_profit
from gridbot.core.rules import GridRules, Instrument, Wish
from gridbot.core.state import Grid, Level, LimitCause, Phase, RangeState, State
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
        tuple(_grid_view(grid, mid_of(risk, grid.rules.symbol)) for grid in state.grids.values()),
        orders,
        () if state.rules.risk is None else tuple(limit_views(state, state.rules.risk)),
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
        mid = mid_of(state.risk, grid.rules.symbol)
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
