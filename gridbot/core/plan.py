"""What should rest, and what to send so that it does: wanted orders are derived, never remembered as flags.

`arm` derives the wanted buys (strategy section 4, "Arming"), `want_sells` the wanted sells, `settle` turns the
difference to what rests into commands, for the cells that changed; `settle_all` is the same for every cell.
"""

from __future__ import annotations

from decimal import Decimal

from gridbot.core import risk
from gridbot.core.arming import KEEPABLE, freed_rung, tell_range, walk
from gridbot.core.cells import Block, Cell, Lot, Want, at_rest, matches
from gridbot.core.commands import CancelOrder, OrderDenied, PlaceLimit
from gridbot.core.draft import Draft, GridDraft
from gridbot.core.events import OrderRef
from gridbot.core.ladder import Rung
from gridbot.core.ledger import add, split, subtract
from gridbot.core.orders import TERMINAL, Fact, Order, OrderState, after
from gridbot.core.state import Arming, Grid, Kill, Limit, LimitCause, Phase
from gridbot.core.units import ZERO, OrderId, Price, Quantity, Side, Symbol, TimeMs
from gridbot.core.values import evolve

_CANCEL_REPEATS = frozenset({OrderState.CANCEL_INTENT, OrderState.CANCEL_UNKNOWN})
_AGEING = frozenset({OrderState.OPEN, OrderState.PARTIAL})
_BASE32 = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = tuple(high + low for high in _BASE32 for low in _BASE32)
INTENDED = after(OrderState.PLANNED, Fact.INTENDED)
NOTHING_FILLED = Quantity(ZERO)
RETRY_MS = 1_000
"""How long a denied order waits before it is asked again."""


def arm(draft: Draft, g: GridDraft, price: Price) -> None:
    """Derive the wanted buys at `price`; an order that stays keeps its cell, a new one takes the lowest free cell."""
    g.price = price
    if g.phase is not Phase.ACTIVE:
        _want_no_buys(g)
        return
    if _nothing_new(g, price):
        if not g.arming.armed:
            tell_range(draft, g, armed=False)
        return
    found = walk(g, price)
    keeps = found.keeps
    g.arming = Arming(found.skipped, len(found.armed), len(found.free) - len(found.armed), found.cut, g.limit.last)
    kept = {rung.number for rung in keeps.values()}
    new = iter([rung for rung in found.armed if rung.number not in kept])
    for cell in found.free:
        rung = keeps.get(cell.number)
        want = cell.want
        if rung is not None:
            if want is None or want.slot != rung.number or want.price != rung.price:
                g.put(Cell(cell.number, _buy(g, cell, rung), cell.order, cell.lot, cell.block))
            continue
        rung = next(new, None)
        if rung is None:
            if want is not None:
                g.put(Cell(cell.number, None, cell.order, cell.lot, None))
            continue
        wanted = _buy(g, cell, rung)
        if want != wanted:
            g.put(Cell(cell.number, wanted, cell.order, cell.lot, None))
    tell_range(draft, g, armed=bool(found.armed))


def _nothing_new(g: GridDraft, price: Decimal) -> bool:
    """Tell whether the last walk still holds: same cells, all at rest, same ladder and limit, no slot now under."""
    arming = g.arming
    return (
        g.loose == 0
        and not g.changed
        and g.ladder is not None
        and g.ladder is g.base.ladder
        and g.limit.last == arming.last
        and (arming.skipped is None or arming.skipped >= price)
    )


def arm_after_fill(draft: Draft, g: GridDraft, cell: Cell, sold: Lot | None, price: Price) -> None:
    """Derive the wanted buys after a fill of `cell` at `price`; `sold` is the lot that it sold whole, if it did.

    Where all cells were at rest and the ladder is regular, a bought rung takes nothing from the others and a sold one
    gives back exactly itself; that is done directly. Everything else walks the ladder (the two are held equal by test).
    """
    arming = g.arming
    ladder = g.ladder
    if g.loose or g.phase is not Phase.ACTIVE or ladder is None or not ladder.regular or len(g.changed) != 1:
        arm(draft, g, price)
        return
    lot = cell.lot
    if sold is None and lot is not None and lot.complete and cell.order is None and lot.bought == lot.quantity:
        g.price = price
        g.arming = Arming(arming.skipped, arming.armed - 1, arming.idle, arming.cut, arming.last)
        if arming.armed <= 1:
            tell_range(draft, g, armed=False)
        return
    # After a late trade the cell may have another order; only a walk leaves it where it is.
    alone = sold is not None and lot is None and cell.order is None
    rung = None if sold is None or not alone else freed_rung(g, sold, price, cell.number)
    if rung is None:
        arm(draft, g, price)
        return
    g.price = price
    g.put(Cell(cell.number, _buy(g, cell, rung), None, None, None))
    g.arming = Arming(arming.skipped, arming.armed + 1, 0, False, arming.last)
    if not arming.armed:
        tell_range(draft, g, armed=True)


def _want_no_buys(g: GridDraft) -> None:
    g.arming = Arming()
    for cell in g.cells:
        if not cell.holding and cell.want is not None:
            g.put(Cell(cell.number, None, cell.order, cell.lot, None))


def _buy(g: GridDraft, cell: Cell, rung: Rung) -> Want:
    """Return the wanted buy of `rung` in `cell`: less what the cell already has as a part, within its budget."""
    quantity = rung.quantity
    part = cell.lot
    if part is not None and g.instrument is not None:
        room = (g.rules.budget(g.tally.realised) - part.cost) / (rung.price * (1 + g.instrument.maker_fee))
        quantity = g.instrument.quantity_floor(max(ZERO, min(rung.quantity - part.quantity, room)))
    return Want(Side.BUY, rung.price, quantity, rung.number, rung.target, rung.quantity)


def want_sell(draft: Draft, g: GridDraft, cell: Cell) -> None:
    """Derive the wanted sell of a holding cell: at its target, above the bid, or out at any price inside the collar."""
    lot, instrument = cell.lot, g.instrument
    if lot is None or not lot.complete or instrument is None:
        return
    price, taker = _sell_price(draft, g, cell, lot)
    known = cell.want
    if known is not None and known.price == price and known.quantity == lot.quantity and known.taker is taker:
        return
    want: Want | None = Want(Side.SELL, price, lot.quantity, lot.slot, None, lot.quantity, taker)
    if g.phase is Phase.STOPPED or not (
        _rests(cell.order, want) or instrument.tradable(quantity=lot.quantity, price=price)
    ):
        want = None
    if want != known:
        g.put(Cell(cell.number, want, cell.order, lot, cell.block))


def _rests(order: Order | None, want: Want | None) -> bool:
    """Tell whether the wanted order stands already: what is left of a sell may stay, however small it has become."""
    return order is not None and want is not None and order.state in KEEPABLE and matches(order, want)


def _sell_price(draft: Draft, g: GridDraft, cell: Cell, lot: Lot) -> tuple[Price, bool]:
    instrument = g.instrument
    quote, mid = draft.risk.quotes.get(g.rules.symbol), risk.mid_price(draft, g.rules.symbol)
    if instrument is None:
        return lot.target, False
    if g.phase is Phase.EXITING or (draft.kill is not None and draft.kill.liquidate):
        if mid is None or draft.rules.risk is None:
            return (lot.target if g.price is None else g.price), True
        # The collar is measured from the middle, so from there: from the bid it would always lie outside.
        return instrument.price_ceil(mid * (1 - draft.rules.risk.price_collar.limit)), True
    if quote is None or mid is None or not draft.rules.post_only or lot.target > quote.bid:
        return lot.target, False
    order = cell.order
    if order is not None and order.side is Side.SELL and not order.taker and order.state in KEEPABLE:
        # What rests stays, also where the bid has come to it: its fill is on the way.
        return order.price, False
    return Price(instrument.price_floor(quote.bid) + instrument.tick_size), False


def complete(g: GridDraft, cell: Cell) -> None:
    """Finish a cell's buying: what it received is rounded down to the lot, the rest is dust, dust that makes a whole
    lot goes with it (strategy section 5)."""
    lot, instrument = cell.lot, g.instrument
    if lot is None or instrument is None:
        return
    quantity, cost = lot.quantity, lot.cost
    sellable = instrument.quantity_floor(quantity)
    tally = g.tally
    if sellable != quantity or tally.dust:
        kept = split(cost, part=sellable, whole=quantity)
        dust, dust_cost = add(tally.dust, subtract(quantity, sellable)), add(tally.dust_cost, subtract(cost, kept))
        whole = instrument.quantity_floor(dust)
        moved = split(dust_cost, part=whole, whole=dust) if whole else ZERO
        quantity, cost = Quantity(add(sellable, whole)), add(kept, moved)
        g.tally = evolve(tally, dust=subtract(dust, whole), dust_cost=subtract(dust_cost, moved))
    done = Lot(
        Quantity(quantity), cost, lot.buy_price, lot.target, lot.slot, lot.since, True, Quantity(quantity), lot.earned
    )
    g.put(Cell(cell.number, None, cell.order, done if quantity else None, None))


def settle(draft: Draft, g: GridDraft) -> None:
    """Turn the wants of the cells that changed into commands."""
    touched = sorted(g.touched) if len(g.touched) > 1 else tuple(g.touched)
    for index in touched:
        cell = g.cells[index]
        if cell.lot is not None and cell.lot.complete:
            want_sell(draft, g, cell)
            cell = g.cells[index]
        if cell.order is not None:
            _cancel_unwanted(draft, g, cell)
    for index in touched:
        cell = g.cells[index]
        if cell.order is None and cell.want is not None:
            _place_wanted(draft, g, cell, cell.want)
    g.touched.clear()


def settle_all(draft: Draft, g: GridDraft) -> None:
    """Settle every cell: the repair, run at signal bars, at marks and at start.

    A cell whose one order is what it wants is left alone; with a mark, a sell's price may have to follow the bid.
    """
    everything = draft.kill is not None or g.phase is not Phase.ACTIVE
    if everything:
        g.touched.update(range(len(g.cells)))
    else:
        bid = sane_bid(draft, g.rules.symbol)
        rest = not g.loose and not g.changed
        for index, cell in enumerate(g.cells):
            if (not rest and not at_rest(cell)) or (bid is not None and under_bid(cell, bid)):
                g.touched.add(index)
    settle(draft, g)


def sane_bid(draft: Draft, symbol: Symbol) -> Price | None:
    """Return the bid of the last mark, or None where there is no sane quote."""
    return None if risk.mid_price(draft, symbol) is None else draft.risk.quotes[symbol].bid


def under_bid(cell: Cell, bid: Price) -> bool:
    """Tell whether the bid has come to what the cell sells at, so that a new sell's price follows it."""
    return cell.lot is not None and cell.lot.target <= bid


def _cancel_unwanted(draft: Draft, g: GridDraft, cell: Cell) -> None:
    order = cell.order
    if order is None or order.state in TERMINAL or order.taker:
        return
    killed = draft.kill is not None
    if order.state not in KEEPABLE or (not killed and cell.want is not None and matches(order, cell.want)):
        return
    _cancel(draft, g, cell, order)


def _cancel(draft: Draft, g: GridDraft, cell: Cell, order: Order) -> None:
    cancelling = evolve(order, state=after(order.state, Fact.CANCEL_WANTED))
    g.put(Cell(cell.number, cell.want, cancelling, cell.lot, cell.block))
    draft.cancels.append(CancelOrder(OrderRef(g.rules.id, cell.number, order.id), g.rules.symbol, order.venue_id))


def repeat_cancels(draft: Draft, g: GridDraft) -> None:
    """Send again the cancels that have no answer; a cancel may be repeated, a create never."""
    for cell in g.cells:
        order = cell.order
        if order is not None and order.state in _CANCEL_REPEATS:
            ref = OrderRef(g.rules.id, cell.number, order.id)
            if all(other.ref != ref for other in draft.cancels):
                draft.cancels.append(CancelOrder(ref, g.rules.symbol, order.venue_id))


def cancel_aged(draft: Draft, g: GridDraft) -> None:
    """Cancel what has rested for longer than the user lets an order rest; what is still wanted is placed anew."""
    limit = draft.rules.max_order_age_ms
    if limit is None:
        return
    for cell in tuple(g.cells):
        order = cell.order
        if order is not None and order.state in _AGEING and draft.now - order.created >= limit:
            _cancel(draft, g, cell, order)


def _place_wanted(draft: Draft, g: GridDraft, cell: Cell, want: Want) -> None:
    if want.quantity <= 0 or (draft.kill is not None and not _may_liquidate(draft, draft.kill, want)):
        return
    if cell.block is not None and cell.block.until > draft.now:
        return
    denial: risk.Denial | None = None
    if draft.rules.risk is not None:
        denial = risk.check(draft, g, want)
    elif g.rules.reinvest and want.side is Side.BUY:
        # After a loss, cells that bought with more keep it: what is left to the others is less than their share.
        denial = risk.investment_denial(g, want)
    if denial is not None:
        _deny(draft, g, cell, want, denial)
        return
    _send(draft, g, cell, want)


def _may_liquidate(draft: Draft, kill: Kill, want: Want) -> bool:
    """Tell whether the one order that may leave while killed may: a closing sell, once every cancel is confirmed."""
    if not (kill.liquidate and want.taker and want.side is Side.SELL):
        return False
    orders = (cell.order for id_ in draft.grid_ids() for cell in draft.peek(id_).cells)
    return all(order is None or order.taker for order in orders)


def _send(draft: Draft, g: GridDraft, cell: Cell, want: Want) -> None:
    draft.sequence += 1
    id_ = order_id(draft.prefix, draft.sequence)
    order = Order(
        id_,
        want.side,
        want.price,
        want.quantity,
        INTENDED,
        NOTHING_FILLED,
        draft.now,
        want.slot,
        want.target,
        want.rung_quantity,
        want.taker,
    )
    g.put(Cell(cell.number, want, order, cell.lot, None))
    post_only = draft.rules.post_only and not want.taker
    lot_price = want.price if cell.lot is None else cell.lot.buy_price
    ref = OrderRef(g.rules.id, cell.number, id_)
    draft.places.append(
        PlaceLimit(ref, g.rules.symbol, want.side, want.price, want.quantity, post_only, want.taker, lot_price)
    )


def _deny(draft: Draft, g: GridDraft, cell: Cell, want: Want, denial: risk.Denial) -> None:
    if cell.block is None or cell.block.code != denial.code:
        draft.notes.append(
            OrderDenied(
                draft.now,
                g.rules.id,
                cell.number,
                want.side,
                want.price,
                want.quantity,
                denial.code,
                denial.sentence,
            )
        )
    block = Block(denial.code, denial.sentence, TimeMs(draft.now + RETRY_MS))
    g.put(Cell(cell.number, want, None, cell.lot, block))


def order_id(prefix: str, sequence: int) -> OrderId:
    """Return an order's id: the prefix of the epoch and five base32 characters for its sequence number."""
    # A NewType's call would cost as much as the text; this is the one place where ids are made.
    return f"{prefix}{_BASE32[sequence >> 20 & 31]}{_PAIRS[sequence >> 10 & 1023]}{_PAIRS[sequence & 1023]}"  # type: ignore[return-value]


def limit_for(draft: Draft, g: Grid | GridDraft) -> Limit:
    """Return section 3's limit for the grid, with the first cause that holds."""
    if draft.kill is not None:
        return Limit(0, LimitCause.KILLED)
    return risk.grid_limit(draft, g)
