"""A cell is one unit of the grid's capital: free, or holding a lot that waits for its target (strategy section 5)."""

from __future__ import annotations

from decimal import Decimal

from gridbot.core.orders import RESTING, Order
from gridbot.core.units import Price, Quantity, Side, TimeMs
from gridbot.core.values import value


@value
class Lot:
    """What a cell has bought. `quantity` in base, `cost` in quote for exactly that quantity.

    While `complete` is False it is a part: the cell's buy is not finished and nothing of it is for sale; its quantity
    is what was received, not yet rounded to the lot. `bought` is the complete lot's quantity before any sale,
    `earned` (quote) what partial sales have realised so far, `since` the candle or moment of the first fill.
    """

    quantity: Quantity
    cost: Decimal
    buy_price: Price
    target: Price
    slot: int
    since: TimeMs
    complete: bool
    bought: Quantity
    earned: Decimal


@value
class Want:
    """An order that a cell should have resting. For a buy, `slot` and `target` say what it is for."""

    side: Side
    price: Price
    quantity: Quantity
    slot: int
    target: Price | None
    rung_quantity: Quantity
    taker: bool = False


@value
class Block:
    """Why a wanted order is not placed, and until when (ms UTC) it is not tried again."""

    code: str
    sentence: str
    until: TimeMs


@value
class Cell:
    """One cell: what it wants resting, the one order that is live or unresolved, what it holds, what stops it."""

    number: int
    want: Want | None = None
    order: Order | None = None
    lot: Lot | None = None
    block: Block | None = None

    @property
    def holding(self) -> bool:
        """Whether the cell has finished buying and waits to sell."""
        return self.lot is not None and self.lot.complete


def matches(order: Order, want: Want) -> bool:
    """Tell whether a resting order is what is wanted, so that it can stay."""
    if order.side is not want.side or order.price != want.price or order.taker is not want.taker:
        return False
    if want.side is Side.BUY:
        return order.target == want.target and order.rung_quantity == want.rung_quantity
    return order.leaves == want.quantity


def at_rest(cell: Cell) -> bool:
    """Tell whether the cell's one order is what it wants, or it has and wants none: nothing is to be sent for it."""
    want, order, lot = cell.want, cell.order, cell.lot
    if want is None:
        return order is None and (lot is None or not lot.complete)
    if order is None or order.state not in RESTING or not matches(order, want):
        return False
    if lot is None or not lot.complete:
        return want.side is Side.BUY
    return want.price == lot.target and want.quantity == lot.quantity and not want.taker


def tied_up(cells: tuple[Cell, ...], *, fee: Decimal) -> Decimal:
    """Return the quote currency (fee included) that lots and live buys of `cells` tie up."""
    total = Decimal(0)
    for cell in cells:
        if cell.lot is not None:
            total += cell.lot.cost
        if cell.order is not None and cell.order.side is Side.BUY:
            total += cell.order.leaves * cell.order.price * (1 + fee)
    return total
