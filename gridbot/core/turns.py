"""Fills that repeat: a cell buys its rung and sells it, again and again, and what each of the two does is known.

A `Stretch` learns a pair of turns from the fills themselves. A run of them is a `Course`: numbers in columns, out of
which the records are made when somebody reads them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import accumulate

from gridbot.core.cells import Cell, Lot, Want
from gridbot.core.commands import FillBooked, PlaceLimit, RoundTripClosed
from gridbot.core.events import OrderFilled, OrderRef
from gridbot.core.orders import Order
from gridbot.core.plan import INTENDED, NOTHING_FILLED, order_id
from gridbot.core.units import ZERO, OrderId, TimeMs, TradeId
from gridbot.core.values import value


@value
class Turn:
    """One of the two fills of a cell that goes to and fro, as it was when it was learnt, and all that it does.

    `code` is its place among its stretch's turns: even for a buy, odd for the sale that follows, so that `code ^ 1`
    undoes it. `order` is what it fills and `want` what the cell has resting after it. `base`, `quote`, `profit` and
    `cost` are what it moves, as in `Stretch.filled`. `lot` is what a buy puts into the cell and a sale takes out,
    `earned` what the round trip brought (quote). Next time only the time and the ids are others.
    """

    code: int
    cell: int
    order: PlaceLimit
    fill: OrderFilled
    want: Want
    base: Decimal
    quote: Decimal
    profit: Decimal
    cost: Decimal
    lot: Lot
    earned: Decimal

    @property
    def buys(self) -> bool:
        """Whether it is the buy of the two."""
        return not self.code & 1

    def after(self, *, id_: OrderId, time: TimeMs) -> Cell:
        """Return the cell after this fill at `time`, with its next order `id_`."""
        want, lot = self.want, None
        if self.buys:
            of = self.lot
            lot = Lot(of.quantity, of.cost, of.buy_price, of.target, of.slot, time, True, of.bought, of.earned)
        order = Order(
            id_,
            want.side,
            want.price,
            want.quantity,
            INTENDED,
            NOTHING_FILLED,
            time,
            want.slot,
            want.target,
            want.rung_quantity,
        )
        return Cell(self.cell, want, order, lot, None)

    def resting(self, id_: OrderId) -> PlaceLimit:
        """Return the order that it fills, under the id that it has this time."""
        of = self.order
        ref = OrderRef(of.ref.grid, of.ref.cell, id_)
        return PlaceLimit(ref, of.symbol, of.side, of.price, of.quantity, of.post_only, of.taker, of.lot_price)


@value
class Half:
    """A buy that was taken: the fill, its order, the sale that it made wanted, and the cell after it."""

    fill: OrderFilled
    order: Order
    place: PlaceLimit
    cell: Cell


def pair_of(half: Half, sold: OrderFilled, place: PlaceLimit, want: Want, *, code: int) -> tuple[Turn, Turn] | None:
    """Return the two turns of a cell that bought, `sold`, and rests `place` as `want` says; `code` is the first's.

    None where the buy that rests now is another one than `half`, or the lot was touched since. To be called where
    sums must be exact.
    """
    lot, bought, order = half.cell.lot, half.fill, half.order
    # Equal is not enough: 1.0 and 1.00 are, and would be written differently.
    if order.price is not want.price or order.quantity is not want.quantity or order.slot != want.slot:
        return None
    if order.target is not want.target or order.rung_quantity is not want.rung_quantity:
        return None
    if lot is None or half.cell.want is None or sold.ref.id != half.place.ref.id:
        return None
    number, quantity, cost = half.cell.number, lot.quantity, lot.cost
    paid, got = bought.price * quantity, sold.price * quantity
    profit = got - sold.fee - cost
    buy = Turn(code, number, place, bought, half.cell.want, quantity, -paid, ZERO, cost, lot, profit)
    sale = Turn(code + 1, number, half.place, sold, want, -quantity, got, profit, -cost, lot, profit)
    return buy, sale


@value
class Course:
    """Fills that turns foretold, in order: one code, one time (ms UTC) each, and trade ids that count from `trade`.

    `counts` tells how often each code comes. `cells`, `sequence`, `cash` (quote, less what the user contributed) and
    `inventory` (base) are the grid's before them.
    """

    turns: Sequence[Turn]
    codes: Sequence[int]
    counts: Mapping[int, int]
    times: Sequence[TimeMs]
    trade: int
    prefix: str
    sequence: int
    cells: tuple[Cell, ...]
    cash: Decimal
    inventory: Decimal

    def by_code(self, buy: int, sale: int) -> list[int]:
        """Return a list with `buy` in the place of each buy's code, and `sale` in that of each sale's."""
        return [buy, sale] * (len(self.turns) // 2)


def cells_after(course: Course) -> list[Cell]:
    """Return the cells that a course changed, as its last fill in each leaves them."""
    turns, codes, times, first = course.turns, course.codes, course.times, course.sequence + 1
    last = dict(zip(codes, range(len(codes)), strict=True))
    return [
        turns[code].after(id_=order_id(course.prefix, first + place), time=times[place])
        for code, place in last.items()
        if place > last.get(code ^ 1, -1)
    ]


def armed_after(course: Course, armed: int) -> tuple[int, TimeMs | None]:
    """Return how many slots are armed after a course that began with `armed` of them, and when that last came to
    nothing or rose from it; None where it did neither."""
    counts = list(accumulate(map(course.by_code(-1, 1).__getitem__, course.codes), initial=armed))
    turned: TimeMs | None = None
    if 0 in counts:
        for place in range(len(counts) - 1, 0, -1):
            if not counts[place] or not counts[place - 1]:
                turned = course.times[place - 1]
                break
    return counts[-1], turned


def fills_of(course: Course) -> list[FillBooked]:
    """Return the record of each fill of a course, as `Stretch.filled` notes it."""
    turns, prefix, sequence, trade = course.turns, course.prefix, course.sequence, course.trade
    ids = [None if cell.order is None else cell.order.id for cell in course.cells]
    fills: list[FillBooked] = []
    for code, time in zip(course.codes, course.times, strict=True):
        turn = turns[code]
        fill, number = turn.fill, turn.cell
        order = ids[number - 1]
        if order is None:
            raise ValueError(f"cell {number} has no order that could be filled")
        trade_id: TradeId = str(trade)  # type: ignore[assignment]  # a NewType's call costs more than the text
        fills.append(
            FillBooked(
                time,
                fill.ref.grid,
                number,
                order,
                trade_id,
                turn.order.side,
                fill.price,
                fill.quantity,
                fill.fee,
                fill.fee_asset,
                False,
            )
        )
        sequence, trade = sequence + 1, trade + 1
        ids[number - 1] = order_id(prefix, sequence)
    return fills


def trips_of(course: Course) -> list[RoundTripClosed]:
    """Return the record of each sale of a course, as `Stretch.filled` notes it."""
    opened = [TimeMs(0) if cell.lot is None else cell.lot.since for cell in course.cells]
    trips: list[RoundTripClosed] = []
    for code, time in zip(course.codes, course.times, strict=True):
        turn = course.turns[code]
        if turn.buys:
            opened[turn.cell - 1] = time
            continue
        lot, fill, since = turn.lot, turn.fill, opened[turn.cell - 1]
        trips.append(
            RoundTripClosed(
                time, fill.ref.grid, turn.cell, lot.slot, since, lot.buy_price, fill.price, lot.bought, turn.earned
            )
        )
    return trips
