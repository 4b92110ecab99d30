"""The commonest steps without a draft: an acknowledgement, a whole fill, a close, each leaving all else in place.

Each answers exactly what the general handlers answer, or None where it cannot; a property test holds them equal on
random histories (tests/properties/), and docs/decisions/0008-direct-steps.md says what they are worth.
"""

from __future__ import annotations

from decimal import Decimal, getcontext, setcontext

from gridbot.core.arming import freed_rung
from gridbot.core.cells import Cell, Lot, Want
from gridbot.core.commands import FillBooked, OrderEnded, PlaceLimit, RoundTripClosed
from gridbot.core.draft import Step
from gridbot.core.events import CandleClosed, OrderFilled, OrderRef, OrderReported
from gridbot.core.ladder import relaid
from gridbot.core.ledger import EXACT, Account, Accounts, Tally
from gridbot.core.orders import RESTING, TRANSITIONS, Fact, Order, OrderState
from gridbot.core.plan import INTENDED, NOTHING_FILLED, order_id
from gridbot.core.rules import Instrument, Wish
from gridbot.core.state import Arming, Grid, Phase, RangeState, State
from gridbot.core.units import ZERO, GridId, Price, Side, TimeMs

_NEW_ACCOUNT = Account()
# CPython 3.11 takes ten times as long to find a member in its enum as a name in its module.
_BUY, _SELL = Side.BUY, Side.SELL
_ACTIVE, _FULL, _SELL_ONLY = Phase.ACTIVE, RangeState.FULL, Wish.SELL_ONLY
_INTENT, _SENT, _FILLED, _ACCEPTED = OrderState.INTENT, OrderState.SENT, OrderState.FILLED, Fact.ACCEPTED


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
    if order.state is not _INTENT and order.state is not _SENT:
        return None
    accepted = Order(
        order.id,
        order.side,
        order.price,
        order.quantity,
        TRANSITIONS[order.state][_ACCEPTED],
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
    ladder, instrument, quotes = grid.ladder, grid.instrument, state.risk.quotes
    if grid.phase is not _ACTIVE or ladder is None or not ladder.regular or instrument is None:
        return None
    cells = grid.cells
    if not 0 < ref.cell <= len(cells) or event.fee_asset != instrument.quote or (quotes and event.symbol in quotes):
        return None
    cell = cells[ref.cell - 1]
    order = cell.order
    if order is None or order.id != ref.id or order.filled or event.quantity != order.quantity:
        return None
    if order.taker or order.state not in RESTING:
        return None
    outside = getcontext()
    setcontext(EXACT)
    try:
        if order.side is _BUY:
            return _bought(state, event, grid, cell, order, instrument)
        return _sold(state, event, grid, cell, order, instrument)
    finally:
        setcontext(outside)


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
    if ladder is None or instrument is None or grid.phase is not _ACTIVE or grid.loose or grid.dropped:
        return None
    if rules.wish is _SELL_ONLY or len(grid.cells) > rules.levels:
        return None
    if not arming.armed and grid.range is not _FULL:
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


def _bought(
    state: State, event: OrderFilled, grid: Grid, cell: Cell, order: Order, instrument: Instrument
) -> Step | None:
    tally, arming, quantity, target, price = grid.tally, grid.arming, event.quantity, order.target, event.price
    if target is None or cell.lot is not None or arming.armed <= 1 or tally.dust:
        return None
    if quantity % instrument.lot_size or not instrument.tradable(quantity=quantity, price=target):
        return None
    worth, fee = price * quantity, event.fee
    cost = worth + fee
    after = Tally(
        tally.cash - cost,
        tally.contributed,
        tally.realised,
        tally.open_cost + cost,
        tally.inventory + quantity,
        tally.dust,
        tally.dust_cost,
        tally.quote_fees + fee,
        tally.base_fees,
        tally.fills + 1,
        tally.round_trips,
        tally.wins,
        tally.layings,
        tally.cancels,
    )
    lot = Lot(quantity, cost, order.price, target, order.slot, event.time, True, quantity, ZERO)
    want = Want(_SELL, target, quantity, order.slot, None, quantity)
    armed = Arming(arming.skipped, arming.armed - 1, arming.idle, arming.cut, arming.last)
    accounts = _accounts(state.accounts, instrument, base=quantity, quote=-worth, fee=fee)
    return _finish(state, event, grid, order, lot, want, after, armed, accounts, None)


def _sold(
    state: State, event: OrderFilled, grid: Grid, cell: Cell, order: Order, instrument: Instrument
) -> Step | None:
    lot, tally, arming, quantity, price = cell.lot, grid.tally, grid.arming, event.quantity, event.price
    if lot is None or lot.quantity != quantity or not arming.armed:
        return None
    rung = freed_rung(grid, lot, price, cell.number)
    if rung is None:
        return None
    worth, fee, cost = price * quantity, event.fee, lot.cost
    proceeds = worth - fee
    profit = proceeds - cost
    earned = lot.earned + profit
    after = Tally(
        tally.cash + proceeds,
        tally.contributed,
        tally.realised + profit,
        tally.open_cost - cost,
        tally.inventory - quantity,
        tally.dust,
        tally.dust_cost,
        tally.quote_fees + fee,
        tally.base_fees,
        tally.fills + 1,
        tally.round_trips + 1,
        tally.wins + (earned > ZERO),
        tally.layings,
        tally.cancels,
    )
    trip = RoundTripClosed(
        event.time, event.ref.grid, cell.number, lot.slot, lot.since, lot.buy_price, price, lot.bought, earned
    )
    want = Want(_BUY, rung.price, rung.quantity, rung.number, rung.target, rung.quantity)
    armed = Arming(arming.skipped, arming.armed + 1, 0, False, arming.last)
    accounts = _accounts(state.accounts, instrument, base=-quantity, quote=worth, fee=fee)
    return _finish(state, event, grid, order, None, want, after, armed, accounts, trip)


def _finish(
    state: State,
    event: OrderFilled,
    grid: Grid,
    ended: Order,
    lot: Lot | None,
    want: Want,
    tally: Tally,
    arming: Arming,
    accounts: Accounts,
    trip: RoundTripClosed | None,
) -> Step | None:
    """Send what the cell wants now and join all; `ended` is the order that was filled, `trip` what it closed."""
    if tally.cash - tally.contributed != tally.realised - tally.open_cost:
        tally.check()
    symbol, price, quantity, time = event.symbol, event.price, event.quantity, event.time
    trades = state.trades.added(f"{symbol}|{event.trade_id}")
    if trades is None:
        return None
    id_, number = event.ref.grid, event.ref.cell
    now = time if time > state.now else state.now
    sequence = state.sequence + 1
    new_id = order_id(state.prefix, sequence)
    side, wanted, size = want.side, want.price, want.quantity
    order = Order(new_id, side, wanted, size, INTENDED, NOTHING_FILLED, now, want.slot, want.target, want.rung_quantity)
    lot_price = wanted if lot is None else lot.buy_price
    place = PlaceLimit(
        OrderRef(id_, number, new_id), symbol, side, wanted, size, state.rules.post_only, False, lot_price
    )
    booked = FillBooked(
        time, id_, number, ended.id, event.trade_id, ended.side, price, quantity, event.fee, event.fee_asset, False
    )
    end = OrderEnded(time, id_, number, ended.id, ended.side, ended.price, ended.quantity, quantity, _FILLED, "")
    grids = dict(state.grids)
    grids[id_] = _with_cell(grid, Cell(number, want, order, lot, None), tally, arming, price)
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
            trades,
            state.transfers,
            state.retired,
            state.risk,
            state.kill,
            state.fills + 1,
            state.round_trips if trip is None else state.round_trips + 1,
        ),
        (place,),
        (booked, end) if trip is None else (booked, end, trip),
    )


def _accounts(accounts: Accounts, instrument: Instrument, *, base: Decimal, quote: Decimal, fee: Decimal) -> Accounts:
    """Return the accounts after a trade of these amounts and a fee in quote; LedgerError if sums no longer agree."""
    bought = accounts.get(instrument.base, _NEW_ACCOUNT)
    paid = accounts.get(instrument.quote, _NEW_ACCOUNT)
    bought = Account(bought.opening, bought.traded + base, bought.fees, bought.transferred, bought.total + base)
    paid = Account(paid.opening, paid.traded + quote, paid.fees + fee, paid.transferred, paid.total + quote - fee)
    for account in (bought, paid):
        if account.opening + account.traded + account.transferred - account.fees != account.total:
            account.check()
    return {**accounts, instrument.base: bought, instrument.quote: paid}


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
