"""What the sandbox remembers: the rules of its markets, orders and trades; every amount is an exact Decimal."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_DOWN, Clamped, Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow
from enum import StrEnum

from gridbot.core.units import ONE, ZERO, Side
from gridbot.core.values import value

EXACT = Context(prec=60, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow, Clamped])
"""Sums and products are exact here; what would be rounded by accident raises."""
CENTIS = Decimal("0.00000001")
"""An exchange keeps eight decimals; fees are rounded down to them."""
_ROUNDING = Context(prec=60)


class Kind(StrEnum):
    """How an order trades."""

    LIMIT = "LIMIT"
    LIMIT_MAKER = "LIMIT_MAKER"
    MARKET = "MARKET"


class TimeInForce(StrEnum):
    """How long a limit order stays."""

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"


class Prevention(StrEnum):
    """Who gives way where an order would trade with one of the same account."""

    EXPIRE_TAKER = "EXPIRE_TAKER"
    EXPIRE_MAKER = "EXPIRE_MAKER"
    EXPIRE_BOTH = "EXPIRE_BOTH"


class Status(StrEnum):
    """Where an order is in its life."""

    NEW = "NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    EXPIRED_IN_MATCH = "EXPIRED_IN_MATCH"


OPEN = frozenset({Status.NEW, Status.PARTIALLY_FILLED})


class Trading(StrEnum):
    """What a market lets its users do."""

    OPEN = "open"
    CANCEL_ONLY = "cancel_only"
    HALTED = "halted"
    DELISTED = "delisted"


class FeeMode(StrEnum):
    """Which asset a fee is taken in."""

    RECEIVED = "received"
    QUOTE = "quote"
    THIRD = "third"


@value
class Fees:
    """Shares of the traded amount. `asset` and `asset_price` (quote for one) are for FeeMode.THIRD alone."""

    maker: Decimal = Decimal("0.001")
    taker: Decimal = Decimal("0.001")
    mode: FeeMode = FeeMode.RECEIVED
    asset: str = "BNB"
    asset_price: Decimal = Decimal(600)


@value
class MarketRules:
    """The filters of one market; `level` is about how much stands at one price (base)."""

    symbol: str
    base: str
    quote: str
    tick_size: Decimal
    lot_size: Decimal
    min_qty: Decimal
    max_qty: Decimal
    min_notional: Decimal
    max_orders: int
    level: Decimal
    trading: Trading = Trading.OPEN

    def lots_down(self, amount: Decimal) -> Decimal:
        """Return the largest whole number of lots (base) that is not above `amount`."""
        return _ROUNDING.multiply(_ROUNDING.divide_int(amount, self.lot_size), self.lot_size)


@dataclass(slots=True, kw_only=True, eq=False)
class Order:
    """One order of the user. `ahead` is what stood before it at its price (base); `reserved` what it locks."""

    id: int
    symbol: str
    client_id: str
    side: Side
    kind: Kind
    time_in_force: TimeInForce
    price: Decimal
    quantity: Decimal
    quote_quantity: Decimal
    prevention: Prevention
    time: int
    update_time: int
    status: Status = Status.NEW
    executed: Decimal = ZERO
    quote_executed: Decimal = ZERO
    ahead: Decimal = ZERO
    reserved: Decimal = ZERO
    cancel_id: str = ""

    @property
    def leaves(self) -> Decimal:
        """Base that may still trade."""
        return self.quantity - self.executed

    @property
    def is_open(self) -> bool:
        """Whether it rests, or would."""
        return self.status in OPEN


@value
class NewOrder:
    """What a user asks for. A market order has a quantity, or else the quote that it may spend."""

    symbol: str
    side: Side
    kind: Kind
    quantity: Decimal = ZERO
    price: Decimal = ZERO
    quote_quantity: Decimal = ZERO
    client_id: str = ""
    time_in_force: TimeInForce = TimeInForce.GTC
    prevention: Prevention = Prevention.EXPIRE_MAKER


@value
class Trade:
    """One fill of one order of the user; `id` counts all trades of the market."""

    symbol: str
    id: int
    order_id: int
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_asset: str
    time: int
    is_buyer: bool
    is_maker: bool

    @property
    def quote_quantity(self) -> Decimal:
        """Price times quantity."""
        return EXACT.multiply(self.price, self.quantity)


@value
class Transfer:
    """What came from outside, or with a negative amount went there, and is told of in the account's history."""

    id: str
    asset: str
    amount: Decimal
    time: int


@value
class TapeTrade:
    """One trade on the market's public tape; the buyer was the maker where a seller took."""

    symbol: str
    id: int
    price: Decimal
    quantity: Decimal
    time: int
    buyer_is_maker: bool


HIGHEST_TICK = 10**9
"""No price is more ticks than this."""


def round_down(amount: Decimal) -> Decimal:
    """Return `amount` cut to eight decimals."""
    return amount.quantize(CENTIS, rounding=ROUND_DOWN, context=_ROUNDING)


def reservation(order: Order, rules: MarketRules, fees: Fees) -> tuple[str, Decimal]:
    """Return which asset a resting order locks, and how much of it."""
    if order.side is Side.SELL:
        return rules.base, order.leaves
    share = ONE + max(fees.maker, fees.taker) if fees.mode is FeeMode.QUOTE else ONE
    return rules.quote, order.leaves * order.price * share
