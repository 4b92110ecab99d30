"""Fills into the books: each trade once, exact, and the identities asserted where the money moves (I6 to I12)."""

from __future__ import annotations

from decimal import Decimal

from gridbot.core.breakers import integrity_broken
from gridbot.core.cells import Cell, Lot
from gridbot.core.commands import Alarmed, FillBooked, OrderEnded, RoundTripClosed
from gridbot.core.draft import Draft, GridDraft
from gridbot.core.events import OrderFilled, OrderRef
from gridbot.core.ledger import Account, Tally, add, multiply, split, subtract
from gridbot.core.orders import Fact, Order, OrderState, after
from gridbot.core.plan import complete
from gridbot.core.rules import Instrument
from gridbot.core.state import RETIRED_LIMIT, Phase, Retired
from gridbot.core.units import ZERO, Asset, Price, Quantity, Side
from gridbot.core.values import value

_NEW_ACCOUNT = Account()


@value
class Found:
    """Where an order is: its cell, or None if it ended before and is only remembered."""

    ref: OrderRef
    order: Order
    live: bool


def find(draft: Draft, ref: OrderRef) -> Found | None:
    """Return the order that `ref` names; its grid and cell are a hint that is checked."""
    if draft.has(ref.grid):
        cells = draft.grid(ref.grid).cells
        if 0 < ref.cell <= len(cells):
            order = cells[ref.cell - 1].order
            if order is not None and order.id == ref.id:
                return Found(ref, order, True)
    retired = draft.retired.get(ref.id)
    if retired is not None:
        return Found(retired.ref, retired.order, False)
    for id_ in draft.grid_ids():
        for cell in draft.peek(id_).cells:
            if cell.order is not None and cell.order.id == ref.id:
                return Found(OrderRef(id_, cell.number, ref.id), cell.order, True)
    return None


@value
class Booked:
    """What a trade changed: the grid, the number of the cell, and the lot that it sold to the end, if it did."""

    grid: GridDraft
    cell: int
    sold: Lot | None


def book(draft: Draft, event: OrderFilled) -> Booked | None:
    """Book a trade once; return what it changed, or None if it was known or belongs to nobody."""
    key = f"{event.symbol}|{event.trade_id}"
    if key in draft.trades:
        return None
    found = find(draft, event.ref)
    if found is not None and event.trade_id in found.order.trades:
        return None  # Of long ago: so many others came since that its number alone is known by its order only.
    if found is None or not draft.has(found.ref.grid):
        _book_stray(draft, found, event, key)
        return None
    draft.trades = draft.trades.add(key)
    g = draft.grid(found.ref.grid)
    instrument = g.instrument
    if instrument is None:
        raise ValueError(f"grid {g.rules.id} has an order but no instrument")
    order = found.order
    _move_accounts(draft, event, order.side, instrument)
    order = _fill_order(draft, found, event)
    while len(g.cells) < found.ref.cell:
        # The grid was made smaller since; the cell comes back for what it bought late.
        g.cells.append(Cell(len(g.cells) + 1))
    cell = g.cells[found.ref.cell - 1]
    lot = cell.lot
    if found.live:
        cell = Cell(cell.number, cell.want, None if order.state is OrderState.FILLED else order, lot, None)
    trip: RoundTripClosed | None = None
    if order.side is Side.BUY:
        _bought(g, cell, order, event, instrument, live=found.live)
    else:
        trip = _sold(draft, g, cell, event, instrument)
    g.tally.check()
    _tell(draft, g, found, order, event)
    if trip is not None:
        draft.notes.append(trip)
    sold = lot if order.side is Side.SELL and g.cells[cell.number - 1].lot is None else None
    return Booked(g, cell.number, sold)


def _book_stray(draft: Draft, found: Found | None, event: OrderFilled, key: str) -> None:
    """Take a trade that no grid can book: the account moves all the same, where it is known which way.

    A trade of an order that this epoch sent, and that ended filled, is more than was ordered: the books are wrong.
    """
    id_ = event.ref.id
    instrument = draft.instruments.get(event.symbol)
    if found is not None and instrument is not None:
        draft.trades = draft.trades.add(key)
        _move_accounts(draft, event, found.order.side, instrument)
        sentence = f"Order {id_} of a grid that is gone traded; the account is right, no grid has it."
        draft.notes.append(Alarmed(draft.now, "unknown_fill", sentence))
        return
    draft.notes.append(Alarmed(draft.now, "unknown_fill", f"A trade of order {id_} came, which no grid knows."))
    if id_.startswith(draft.prefix):
        draft.trades = draft.trades.add(key)
        integrity_broken(draft, f"Order {id_} had ended and traded again ({event.quantity:f} at {event.price:f}).")


def _fill_order(draft: Draft, found: Found, event: OrderFilled) -> Order:
    order = found.order
    filled = add(order.filled, event.quantity)
    if filled > order.quantity:
        integrity_broken(draft, f"Order {order.id} was for {order.quantity:f} and {filled:f} of it were traded.")
    fact = Fact.FULLY_FILLED if filled >= order.quantity else Fact.PART_FILLED
    state = after(order.state, fact) if found.live else order.state
    order = Order(
        order.id,
        order.side,
        order.price,
        order.quantity,
        state,
        Quantity(filled),
        order.created,
        order.slot,
        order.target,
        order.rung_quantity,
        order.taker,
        order.venue_id,
        (*order.trades, event.trade_id),
    )
    if not found.live:
        draft.retired = {**draft.retired, order.id: Retired(found.ref, order)}
        draft.notes.append(
            Alarmed(
                draft.now, "late_fill", f"Order {order.id} was {state.value} and traded all the same; it is booked."
            )
        )
    return order


def _move_accounts(draft: Draft, event: OrderFilled, side: Side, instrument: Instrument) -> None:
    worth, quantity = multiply(event.price, event.quantity), event.quantity
    base, quote, fee_asset = instrument.base, instrument.quote, event.fee_asset
    buying = side is Side.BUY
    accounts = dict(draft.accounts)
    accounts[base] = accounts.get(base, _NEW_ACCOUNT).moved(
        traded=quantity if buying else -quantity, fee=event.fee if fee_asset == base else ZERO
    )
    accounts[quote] = accounts.get(quote, _NEW_ACCOUNT).moved(
        traded=-worth if buying else worth, fee=event.fee if fee_asset == quote else ZERO
    )
    if event.fee and fee_asset not in (base, quote):
        accounts[fee_asset] = accounts.get(fee_asset, _NEW_ACCOUNT).moved(fee=event.fee)
    draft.accounts = accounts


def _fees(event: OrderFilled, instrument: Instrument) -> tuple[Decimal, Decimal]:
    """Return the fee as (quote, base); a third asset's fee is in its own account only."""
    quote = event.fee if event.fee_asset == instrument.quote else ZERO
    return quote, event.fee if event.fee_asset == instrument.base else ZERO


def _bought(g: GridDraft, cell: Cell, order: Order, event: OrderFilled, instrument: Instrument, *, live: bool) -> None:
    quote_fee, base_fee = _fees(event, instrument)
    received = subtract(event.quantity, base_fee) if base_fee else event.quantity
    cost = add(multiply(event.price, event.quantity), quote_fee)
    tally, lot = g.tally, cell.lot
    g.tally = _tallied(
        tally,
        cash=subtract(tally.cash, cost),
        open_cost=add(tally.open_cost, cost),
        inventory=add(tally.inventory, received),
        fees=(quote_fee, base_fee),
    )
    target = order.price if order.target is None else order.target
    if lot is None:
        lot = Lot(
            Quantity(received), cost, order.price, target, order.slot, event.time, False, Quantity(ZERO), Decimal(ZERO)
        )
    else:
        lot = Lot(
            Quantity(add(lot.quantity, received)),
            add(lot.cost, cost),
            lot.buy_price if lot.complete else order.price,
            lot.target if lot.complete else target,
            lot.slot if lot.complete else order.slot,
            lot.since,
            lot.complete,
            lot.bought,
            lot.earned,
        )
    after_fill = Cell(cell.number, cell.want, cell.order, lot, cell.block)
    g.put(after_fill)
    if order.state is OrderState.FILLED or (not live and saleable(g, lot)) or lot.complete:
        complete(g, after_fill)


def saleable(g: GridDraft, lot: Lot) -> bool:
    """Tell whether a part is large enough to be sold by itself at its target."""
    instrument = g.instrument
    if instrument is None:
        return False
    return instrument.tradable(quantity=instrument.quantity_floor(lot.quantity), price=lot.target)


def _sold(draft: Draft, g: GridDraft, cell: Cell, event: OrderFilled, instrument: Instrument) -> RoundTripClosed | None:
    """Take what was sold out of the cell's lot; return the round trip, if that closed it."""
    quote_fee, base_fee = _fees(event, instrument)
    proceeds = subtract(multiply(event.price, event.quantity), quote_fee)
    lot, tally = cell.lot, g.tally
    from_lot = ZERO if lot is None else min(event.quantity, lot.quantity)
    cost = ZERO if lot is None else split(lot.cost, part=from_lot, whole=lot.quantity)
    if from_lot != event.quantity and g.phase is not Phase.STOPPED:
        # Coins of other cells went; only a grid whose coins are untracked has none to miss.
        integrity_broken(draft, f"{event.quantity:f} were sold from a cell that held {from_lot:f}.")
    profit = subtract(proceeds, cost)
    earned = profit if lot is None else add(lot.earned, profit)
    left = ZERO if lot is None else subtract(lot.quantity, from_lot)
    g.tally = _tallied(
        tally,
        cash=add(tally.cash, proceeds),
        realised=add(tally.realised, profit),
        open_cost=subtract(tally.open_cost, cost),
        inventory=subtract(tally.inventory, add(event.quantity, base_fee) if base_fee else event.quantity),
        fees=(quote_fee, base_fee),
        trip=None if lot is None or left else earned,
    )
    if lot is None:
        g.put(cell)
        return None
    if left:
        rest = Lot(
            Quantity(left),
            subtract(lot.cost, cost),
            lot.buy_price,
            lot.target,
            lot.slot,
            lot.since,
            True,
            lot.bought,
            earned,
        )
        g.put(Cell(cell.number, cell.want, cell.order, rest, cell.block))
        return None
    g.put(Cell(cell.number, None, cell.order, None, None))
    draft.round_trips += 1
    return RoundTripClosed(
        event.time, g.rules.id, cell.number, lot.slot, lot.since, lot.buy_price, event.price, lot.bought, earned
    )


def _tallied(
    tally: Tally,
    *,
    cash: Decimal,
    open_cost: Decimal,
    inventory: Decimal,
    fees: tuple[Decimal, Decimal],
    realised: Decimal | None = None,
    trip: Decimal | None = None,
) -> Tally:
    """Return the tally after a fill; `trip` is the profit of the round trip that it closed."""
    closed = trip is not None
    return Tally(
        cash,
        tally.contributed,
        tally.realised if realised is None else realised,
        open_cost,
        inventory,
        tally.dust,
        tally.dust_cost,
        add(tally.quote_fees, fees[0]) if fees[0] else tally.quote_fees,
        add(tally.base_fees, fees[1]) if fees[1] else tally.base_fees,
        tally.fills + 1,
        tally.round_trips + closed,
        tally.wins + (trip is not None and trip > ZERO),
        tally.layings,
        tally.cancels,
    )


def _tell(draft: Draft, g: GridDraft, found: Found, order: Order, event: OrderFilled) -> None:
    draft.fills += 1
    draft.notes.append(
        FillBooked(
            event.time,
            g.rules.id,
            found.ref.cell,
            order.id,
            event.trade_id,
            order.side,
            event.price,
            event.quantity,
            event.fee,
            event.fee_asset,
            order.taker,
        )
    )
    if found.live and order.state is OrderState.FILLED:
        draft.notes.append(ended(draft, g, found.ref.cell, order, ""))


def ended(draft: Draft, g: GridDraft, cell: int, order: Order, reason: str) -> OrderEnded:
    """Return the note of an order that left the book for good."""
    return OrderEnded(
        draft.now,
        g.rules.id,
        cell,
        order.id,
        order.side,
        order.price,
        order.quantity,
        order.filled,
        order.state,
        reason,
    )


def retire(draft: Draft, ref: OrderRef, order: Order) -> None:
    """Remember an order that ended unfilled, so that a late fill of it is booked; the oldest is forgotten."""
    retired = {**draft.retired, order.id: Retired(ref, order)}
    if len(retired) > RETIRED_LIMIT:
        del retired[next(iter(retired))]
    draft.retired = retired


def fee_total(tally: Tally, base: Asset, quote: Asset) -> dict[Asset, Decimal]:
    """Return the fees of a grid by asset."""
    fees = {quote: tally.quote_fees, base: tally.base_fees}
    return {asset: amount for asset, amount in fees.items() if amount}


def current_price(g: GridDraft, order: Order) -> Price:
    """Return the price that a rejected post-only order teaches: the market is not above it."""
    return order.price if g.price is None else min(g.price, order.price)
