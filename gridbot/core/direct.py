"""The commonest steps without a draft: an acknowledgement, a whole fill, a close, each leaving all else in place.

Each answers exactly what the general handlers answer, or None where it cannot; a property test holds them equal on
random histories (tests/core/test_direct.py), and docs/decisions/0008-direct-steps.md says what they are worth.
"""

from __future__ import annotations

from decimal import Decimal

from gridbot.core.arming import freed_rung
from gridbot.core.cells import Cell, Lot, Want
from gridbot.core.commands import FillBooked, Note, OrderEnded, PlaceLimit, RoundTripClosed
from gridbot.core.draft import Step
from gridbot.core.events import CandleClosed, OrderFilled, OrderRef, OrderReported
from gridbot.core.ladder import relaid
from gridbot.core.ledger import Account, Accounts, Tally, add, multiply, subtract
from gridbot.core.orders import RESTING, TRANSITIONS, Fact, Order, OrderState
from gridbot.core.plan import INTENDED, NOTHING_FILLED, order_id
from gridbot.core.rules import Instrument, Wish
from gridbot.core.state import Arming, Grid, Phase, RangeState, State
from gridbot.core.units import ZERO, GridId, Price, Side, TimeMs

_NEW_ACCOUNT = Account()


def acknowledged(state: State, event: OrderReported) -> Step | None:
    """Return the step of an acknowledgement of an order just sent; None where it needs more than that."""
    ref = event.ref
    grid = state.grids.get(ref.grid)
    if grid is None or not 0 < ref.cell <= len(grid.cells):
        return None
    cell = grid.cells[ref.cell - 1]
    order = cell.order
    if order is None or order.id != ref.id or event.venue_id is None:
        return None
    if order.state is not OrderState.INTENT and order.state is not OrderState.SENT:
        return None
    accepted = Order(
        order.id,
        order.side,
        order.price,
        order.quantity,
        TRANSITIONS[order.state][Fact.ACCEPTED],
        order.filled,
        order.created,
        order.slot,
        order.target,
        order.rung_quantity,
        order.taker,
        event.venue_id,
    )
    after = _with_cell(grid, Cell(cell.number, cell.want, accepted, cell.lot, cell.block), grid.tally, grid.arming)
    grids = dict(state.grids)
    grids[ref.grid] = after
    return Step(_with_grids(state, grids, event.time), (), ())


def filled(state: State, event: OrderFilled) -> Step | None:
    """Return the step of a fill of a whole resting order in a grid at rest; None where it needs more than that.

    At rest: every cell's order is what it wants and the ladder is regular. Then a bought rung only adds its own sell,
    and a sold lot only gives its own rung back. The risk gate, marks, dust, parts and exits take the general way.
    """
    ref = event.ref
    grid = state.grids.get(ref.grid)
    if grid is None or grid.loose or state.rules.risk is not None or state.kill is not None or grid.dropped:
        return None
    ladder, instrument = grid.ladder, grid.instrument
    if grid.phase is not Phase.ACTIVE or ladder is None or not ladder.regular or instrument is None:
        return None
    if (
        not 0 < ref.cell <= len(grid.cells)
        or event.fee_asset != instrument.quote
        or grid.rules.symbol in state.risk.quotes
    ):
        return None
    cell = grid.cells[ref.cell - 1]
    order = cell.order
    if order is None or order.id != ref.id or order.filled or event.quantity != order.quantity:
        return None
    key = f"{event.symbol}|{event.trade_id}"
    if order.taker or order.state not in RESTING or key in state.trades:
        return None
    act = _bought if order.side is Side.BUY else _sold
    return act(state, event, grid, cell, order, key)


def closed(state: State, event: CandleClosed) -> Step | None:
    """Return the step of a close that moves indicators only; None where regime, slots, orders or an exit may change."""
    if state.kill is not None or state.rules.risk is not None or state.risk.quotes:
        return None
    grids: dict[GridId, Grid] = {}
    for id_, grid in state.grids.items():
        rules = grid.rules
        if rules.signal.symbol is not None:
            return None
        if rules.symbol != event.market:
            grids[id_] = grid
            continue
        after = _after_close(grid, event)
        if after is None:
            return None
        grids[id_] = after
    return Step(_with_grids(state, grids, event.time), (), ())


def _after_close(grid: Grid, event: CandleClosed) -> Grid | None:
    rules, ladder, instrument, arming, close = grid.rules, grid.ladder, grid.instrument, grid.arming, event.close
    if ladder is None or instrument is None or grid.phase is not Phase.ACTIVE or grid.loose or grid.dropped:
        return None
    if rules.wish is Wish.SELL_ONLY or len(grid.cells) > rules.levels:
        return None
    if not arming.armed and grid.range is not RangeState.FULL:
        return None  # Why nothing is armed may depend on the price.
    if event.time <= grid.closed_at or rules.stop_loss is not None or rules.take_profit_total is not None:
        return None
    if grid.limit.last != arming.last or (arming.skipped is not None and arming.skipped < close):
        return None
    before, trend, signal_at = grid.signal, grid.trend, grid.signal_at
    signal = before
    for timeframe, bar in event.bars:
        if timeframe == rules.signal.timeframe:
            signal = signal.add(bar, rules.signal)
        if timeframe == rules.trend.timeframe:
            trend = trend.add(bar, rules.trend)
    if signal.spike is not before.spike or (signal.breaker is None) is not (before.breaker is None):
        return None
    if trend.direction is not grid.trend.direction:
        return None
    atr = signal.atr
    if signal is not before:
        signal_at = event.time
        if atr.current is None or atr.close is None or not (signal.ready and trend.ready):
            return None
        free = not rules.spacing.trail_down or any(not cell.holding for cell in grid.cells)
        if (
            relaid(ladder, rules, instrument, close=close, atr=atr.current, atr_close=atr.close, cell_is_free=free)
            is not None
        ):
            return None
    return Grid(
        rules,
        instrument,
        grid.phase,
        signal,
        trend,
        ladder,
        grid.cells,
        grid.tally,
        grid.limit,
        close,
        arming,
        0,
        grid.range,
        grid.range_since,
        event.time,
        signal_at,
        grid.halt,
        False,
    )


def _bought(state: State, event: OrderFilled, grid: Grid, cell: Cell, order: Order, key: str) -> Step | None:
    instrument, tally, arming, quantity = grid.instrument, grid.tally, grid.arming, event.quantity
    if instrument is None or order.target is None or cell.lot is not None or arming.armed <= 1 or tally.dust:
        return None
    if quantity % instrument.lot_size or not instrument.tradable(quantity=quantity, price=order.target):
        return None
    worth = multiply(event.price, quantity)
    cost = add(worth, event.fee)
    after = Tally(
        subtract(tally.cash, cost),
        tally.contributed,
        tally.realised,
        add(tally.open_cost, cost),
        add(tally.inventory, quantity),
        tally.dust,
        tally.dust_cost,
        add(tally.quote_fees, event.fee),
        tally.base_fees,
        tally.fills + 1,
        tally.round_trips,
        tally.wins,
        tally.layings,
        tally.cancels,
    )
    lot = Lot(quantity, cost, order.price, order.target, order.slot, event.time, True, quantity, ZERO)
    want = Want(Side.SELL, order.target, quantity, order.slot, None, quantity)
    armed = Arming(arming.skipped, arming.armed - 1, arming.idle, arming.cut, arming.last)
    notes = _notes(event, cell.number, order)
    return _finish(
        state, event, key, grid, Cell(cell.number, want, None, lot, None), after, armed, notes, (quantity, -worth)
    )


def _sold(state: State, event: OrderFilled, grid: Grid, cell: Cell, order: Order, key: str) -> Step | None:
    lot, tally, arming, quantity = cell.lot, grid.tally, grid.arming, event.quantity
    if lot is None or lot.quantity != quantity or not arming.armed:
        return None
    rung = freed_rung(grid, lot, event.price, cell.number)
    if rung is None:
        return None
    worth = multiply(event.price, quantity)
    proceeds = subtract(worth, event.fee)
    profit = subtract(proceeds, lot.cost)
    earned = add(lot.earned, profit)
    after = Tally(
        add(tally.cash, proceeds),
        tally.contributed,
        add(tally.realised, profit),
        subtract(tally.open_cost, lot.cost),
        subtract(tally.inventory, quantity),
        tally.dust,
        tally.dust_cost,
        add(tally.quote_fees, event.fee),
        tally.base_fees,
        tally.fills + 1,
        tally.round_trips + 1,
        tally.wins + (earned > ZERO),
        tally.layings,
        tally.cancels,
    )
    trip = RoundTripClosed(
        event.time, grid.rules.id, cell.number, lot.slot, lot.since, lot.buy_price, event.price, lot.bought, earned
    )
    want = Want(Side.BUY, rung.price, rung.quantity, rung.number, rung.target, rung.quantity)
    armed = Arming(arming.skipped, arming.armed + 1, 0, False, arming.last)
    notes = _notes(event, cell.number, order)
    notes = (*notes, trip)
    return _finish(
        state, event, key, grid, Cell(cell.number, want, None, None, None), after, armed, notes, (-quantity, worth)
    )


def _notes(event: OrderFilled, cell: int, order: Order) -> tuple[Note, ...]:
    grid = event.ref.grid
    return (
        FillBooked(
            event.time,
            grid,
            cell,
            order.id,
            event.trade_id,
            order.side,
            event.price,
            event.quantity,
            event.fee,
            event.fee_asset,
            False,
        ),
        OrderEnded(
            event.time,
            grid,
            cell,
            order.id,
            order.side,
            order.price,
            order.quantity,
            event.quantity,
            OrderState.FILLED,
            "",
        ),
    )


def _finish(
    state: State,
    event: OrderFilled,
    key: str,
    grid: Grid,
    cell: Cell,
    tally: Tally,
    arming: Arming,
    notes: tuple[Note, ...],
    moved: tuple[Decimal, Decimal],
) -> Step:
    """Send what the cell wants now and put all together. `moved` is what was traded, in (base, quote)."""
    tally.check()
    want, instrument = cell.want, grid.instrument
    if want is None or instrument is None:
        raise AssertionError("a fill that is done directly always wants an order after it")
    now = event.time if event.time > state.now else state.now
    sequence = state.sequence + 1
    id_ = order_id(state.prefix, sequence)
    order = Order(
        id_,
        want.side,
        want.price,
        want.quantity,
        INTENDED,
        NOTHING_FILLED,
        now,
        want.slot,
        want.target,
        want.rung_quantity,
    )
    ref = OrderRef(grid.rules.id, cell.number, id_)
    lot_price = want.price if cell.lot is None else cell.lot.buy_price
    place = PlaceLimit(ref, event.symbol, want.side, want.price, want.quantity, state.rules.post_only, False, lot_price)
    after = _with_cell(grid, Cell(cell.number, want, order, cell.lot, None), tally, arming, event.price)
    accounts = _accounts(state.accounts, instrument, moved, event.fee)
    trips = state.round_trips + (want.side is Side.BUY)
    grids = dict(state.grids)
    grids[ref.grid] = after
    return Step(
        State(
            state.rules,
            now,
            state.prefix,
            sequence,
            state.opened,
            grids,
            accounts,
            state.instruments,
            state.trades.add(key),
            state.transfers,
            state.retired,
            state.risk,
            state.kill,
            state.fills + 1,
            trips,
        ),
        (place,),
        notes,
    )


def _accounts(accounts: Accounts, instrument: Instrument, moved: tuple[Decimal, Decimal], fee: Decimal) -> Accounts:
    after = dict(accounts)
    base, quote = instrument.base, instrument.quote
    after[base] = accounts.get(base, _NEW_ACCOUNT).moved(traded=moved[0])
    after[quote] = accounts.get(quote, _NEW_ACCOUNT).moved(traded=moved[1], fee=fee)
    return after


def _with_cell(grid: Grid, cell: Cell, tally: Tally, arming: Arming, price: Price | None = None) -> Grid:
    cells = list(grid.cells)
    cells[cell.number - 1] = cell
    return Grid(
        grid.rules,
        grid.instrument,
        grid.phase,
        grid.signal,
        grid.trend,
        grid.ladder,
        tuple(cells),
        tally,
        grid.limit,
        grid.price if price is None else price,
        arming,
        grid.loose,
        grid.range,
        grid.range_since,
        grid.closed_at,
        grid.signal_at,
        grid.halt,
        grid.dropped,
    )


def _with_grids(state: State, grids: dict[GridId, Grid], time: TimeMs) -> State:
    return State(
        state.rules,
        time if time > state.now else state.now,
        state.prefix,
        state.sequence,
        state.opened,
        grids,
        state.accounts,
        state.instruments,
        state.trades,
        state.transfers,
        state.retired,
        state.risk,
        state.kill,
        state.fills,
        state.round_trips,
    )
