"""What the engine wants done, in the imperative, and the notes that it leaves: facts worth telling."""

from __future__ import annotations

from decimal import Decimal

from gridbot.core.events import KillKind, OrderRef
from gridbot.core.orders import OrderState
from gridbot.core.units import Asset, GridId, OrderId, Price, Quantity, Side, Symbol, TimeMs, TradeId, VenueOrderId
from gridbot.core.values import value


@value
class PlaceLimit:
    """Send a limit order, once. `taker` means immediate-or-cancel.

    `lot_price` is what a sell was bought at: the simulated venue fills equal targets in that order.
    """

    ref: OrderRef
    symbol: Symbol
    side: Side
    price: Price
    quantity: Quantity
    post_only: bool
    taker: bool
    lot_price: Price


@value
class CancelOrder:
    """Cancel an order; may be repeated."""

    ref: OrderRef
    symbol: Symbol
    venue_id: VenueOrderId | None


Command = PlaceLimit | CancelOrder


@value
class FillBooked:
    """A trade entered the ledger."""

    time: TimeMs
    grid: GridId
    cell: int
    order: OrderId
    trade: TradeId
    side: Side
    price: Price
    quantity: Quantity
    fee: Decimal
    fee_asset: Asset
    taker: bool


@value
class RoundTripClosed:
    """A lot was sold to the end. `profit` and `cost` in quote, `quantity` in base, times in ms UTC."""

    time: TimeMs
    grid: GridId
    cell: int
    slot: int
    opened: TimeMs
    buy_price: Price
    sell_price: Price
    quantity: Quantity
    profit: Decimal


@value
class OrderEnded:
    """An order left the book for good."""

    time: TimeMs
    grid: GridId
    cell: int
    order: OrderId
    side: Side
    price: Price
    quantity: Quantity
    filled: Quantity
    state: OrderState
    reason: str


@value
class OrderDenied:
    """We did not send a wanted order; `code` is stable, `sentence` is for a person."""

    time: TimeMs
    grid: GridId
    cell: int
    side: Side
    price: Price
    quantity: Quantity
    code: str
    sentence: str


@value
class SlotsLaid:
    """The ladder was laid at `anchor` with `spacing` (quote)."""

    time: TimeMs
    grid: GridId
    anchor: Price
    spacing: Decimal
    first: bool


@value
class SpacingRaised:
    """The market's spacing would not have paid for the fees, so it was raised to the floor (both in quote)."""

    time: TimeMs
    grid: GridId
    wanted: Decimal
    floor: Decimal


@value
class RangeChanged:
    """A grid's range state changed."""

    time: TimeMs
    grid: GridId
    range: str


@value
class RegimeChanged:
    """Trend, spike or the ATR breaker of a grid changed."""

    time: TimeMs
    grid: GridId
    trend: str
    spike: bool
    breaker_open: bool


@value
class GridStopped:
    """A grid stopped for the reason that `sentence` gives; `needed` is the investment (quote) that would work."""

    time: TimeMs
    grid: GridId
    code: str
    sentence: str
    needed: Decimal | None = None


@value
class BreakerChanged:
    """A breaker of the account tripped (`active`) or cleared."""

    time: TimeMs
    code: str
    level: str
    active: bool
    sentence: str


@value
class KillChanged:
    """The kill switch was set, or released by a person."""

    time: TimeMs
    killed: bool
    kind: KillKind
    reason: str


@value
class Alarmed:
    """Something that a person should look at."""

    time: TimeMs
    code: str
    sentence: str
    grid: GridId | None = None


Note = (
    FillBooked
    | RoundTripClosed
    | OrderEnded
    | OrderDenied
    | SlotsLaid
    | SpacingRaised
    | RangeChanged
    | RegimeChanged
    | GridStopped
    | BreakerChanged
    | KillChanged
    | Alarmed
)
