"""Unified orders, trades, balances and transfers become values here, strictly; what is doubtful is no answer.

Whatever is missing, of the wrong type, of another market or contradicts itself raises CallFailed with MALFORMED. A
foreign order that rests is the one exception: a kind of order that gridbot never sends may lack a price.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from gridbot.adapters.exchange.figures import (
    amount,
    asset,
    identity,
    malformed,
    mapping,
    moment,
    number,
    optional_moment,
    optional_text,
    positive,
    rows,
)
from gridbot.core.commands import PlaceLimit
from gridbot.core.ledger import add, multiply
from gridbot.core.orders import Fact
from gridbot.core.units import ZERO, Asset, Price, Quantity, Side, Symbol, TimeMs, TradeId, VenueOrderId
from gridbot.core.values import value
from gridbot.ports import Movement

RESTING = frozenset({"open", "canceling", "pending"})
ENDED = {
    "closed": Fact.CANCELED,
    "canceled": Fact.CANCELED,
    "cancelled": Fact.CANCELED,
    "expired": Fact.EXPIRED,
    "rejected": Fact.CANCELED,
}
"""ccxt's words for an order that left the book, and what that is to the engine unless its fills are the reason."""
_WORTH_SLACK = Decimal("0.02")
"""By how much a trade's worth may differ from price times amount: some exchanges count the fee in."""


@value
class ToldOrder:
    """An order as an exchange tells of it. `price` is None only where it is foreign; `end` is None while it rests."""

    id: VenueOrderId
    client_id: str | None
    symbol: Symbol
    side: Side
    price: Price | None
    quantity: Quantity
    filled: Quantity
    end: Fact | None
    time: TimeMs | None


@value
class ToldTrade:
    """A trade of this account. `fees` are by asset, the one to book with it first; negative is a rebate."""

    id: TradeId
    order: VenueOrderId | None
    client_id: str | None
    symbol: Symbol
    side: Side
    price: Price
    quantity: Quantity
    time: TimeMs
    fees: tuple[tuple[Asset, Decimal], ...]


def client_id_of(raw: object) -> str | None:
    """Return a client id as we gave it: gate puts `t-` in front of every one."""
    told = optional_text(raw, "the client id")
    return None if told is None else told.removeprefix("t-")


def acknowledged(raw: object, order: PlaceLimit, *, echoes_id: bool) -> VenueOrderId:
    """Return the exchange's id of an order that it took; every echo must be what was sent."""
    told = mapping(raw, "the acknowledgement")
    venue_id = VenueOrderId(identity(told.get("id"), "the new order's id"))
    if told.get("symbol") not in (None, order.symbol):
        raise malformed("the acknowledgement is of another market")
    if told.get("side") not in (None, order.side.value):
        raise malformed("the acknowledgement is of the other side")
    if told.get("price") is not None and positive(told["price"], "the new order's price") != order.price:
        raise malformed("the acknowledgement is of another price")
    if told.get("amount") is not None and positive(told["amount"], "the new order's amount") != order.quantity:
        raise malformed("the acknowledgement is of another amount")
    if echoes_id and client_id_of(told.get("clientOrderId")) not in (None, order.ref.id):
        raise malformed("the acknowledgement is of another client id")
    return venue_id


def read_order(raw: object, symbol: Symbol) -> ToldOrder:
    """Return a limit order."""
    told = mapping(raw, "the order")
    order = _outline(told, symbol)
    quantity = Quantity(positive(told.get("amount"), "the order's amount"))
    filled = _filled(told, quantity)
    end = None
    status = optional_text(told.get("status"), "the order's status")
    if status not in RESTING:
        if status not in ENDED:
            raise malformed("the order's status is unknown")
        end = ENDED[status]
    price = Price(positive(told.get("price"), "the order's price"))
    return ToldOrder(order.id, order.client_id, symbol, order.side, price, quantity, filled, end, order.time)


def read_foreign(raw: object, symbol: Symbol) -> ToldOrder:
    """Return an order in the book that we did not send, as far as it is told: a stop has no price, nor has a market
    order, and one by value has no amount."""
    told = mapping(raw, "the order")
    order = _outline(told, symbol)
    price = next((told[name] for name in ("price", "triggerPrice", "stopPrice") if told.get(name) is not None), None)
    quantity = ZERO if told.get("amount") is None else amount(told["amount"], "the order's amount")
    filled = ZERO if told.get("filled") is None else amount(told["filled"], "the order's filled amount")
    limit = None if price is None else Price(amount(price, "the order's price"))
    return ToldOrder(
        order.id, order.client_id, symbol, order.side, limit, Quantity(quantity), Quantity(filled), None, order.time
    )


def _outline(told: Mapping[str, Any], symbol: Symbol) -> ToldOrder:
    """Return what every order has: its id, market and side."""
    venue_id = VenueOrderId(identity(told.get("id"), "the order's id"))
    if told.get("symbol") != symbol:
        raise malformed("the order is of another market")
    client_id, time = client_id_of(told.get("clientOrderId")), optional_moment(told.get("timestamp"), "its time")
    return ToldOrder(venue_id, client_id, symbol, _side(told), None, Quantity(ZERO), Quantity(ZERO), None, time)


def _filled(told: Mapping[str, Any], quantity: Quantity) -> Quantity:
    """Return what was traded of an order; it may be told as what is left of it."""
    if told.get("filled") is not None:
        filled = amount(told["filled"], "the order's filled amount")
    else:
        filled = quantity - amount(told.get("remaining"), "what remains of the order")
    if not 0 <= filled <= quantity:
        raise malformed("more of the order is filled than it is large")
    return Quantity(filled)


def _side(told: Mapping[str, Any]) -> Side:
    side = told.get("side")
    if side not in (Side.BUY.value, Side.SELL.value):
        raise malformed("the side is neither buy nor sell")
    return Side(side)


def read_trade(raw: object, symbol: Symbol) -> ToldTrade:
    """Return a trade of this account."""
    told = mapping(raw, "the trade")
    if told.get("symbol") != symbol:
        raise malformed("the trade is of another market")
    price = Price(positive(told.get("price"), "the trade's price"))
    quantity = Quantity(positive(told.get("amount"), "the trade's amount"))
    worth = multiply(price, quantity)
    if told.get("cost") is not None:
        _check_worth(worth, number(told["cost"], "the trade's worth"))
    order = told.get("order")
    return ToldTrade(
        TradeId(identity(told.get("id"), "the trade's id")),
        None if order is None else VenueOrderId(identity(order, "the trade's order")),
        client_id_of(told.get("clientOrderId")),
        symbol,
        _side(told),
        price,
        quantity,
        moment(told.get("timestamp"), "the trade's time"),
        _fees(told, symbol, worth=worth, quantity=quantity),
    )


def _check_worth(worth: Decimal, told: Decimal) -> None:
    """Compare a trade's worth with what the exchange says; it may be rounded to the last digit that it shows."""
    last_digit = Decimal(1).scaleb(_last_place(told))
    if abs(worth - told) > max(worth * _WORTH_SLACK, last_digit):
        raise malformed("the trade's price, amount and worth contradict each other")


def _last_place(told: Decimal) -> int:
    exponent = told.as_tuple().exponent
    return min(exponent, 0) if isinstance(exponent, int) else 0


def _fees(
    told: Mapping[str, Any], symbol: Symbol, *, worth: Decimal, quantity: Decimal
) -> tuple[tuple[Asset, Decimal], ...]:
    """Return a trade's fees by asset. No fee may be as large as what was traded."""
    several = told.get("fees")
    listed = rows(several, "the trade's fees") if several else [told.get("fee")]
    base, quote = symbol.split("/", 1)
    fees: dict[Asset, Decimal] = {}
    for raw in listed:
        if raw is None or (isinstance(raw, Mapping) and raw.get("cost") is None):
            continue
        fee = mapping(raw, "the trade's fee")
        cost = number(fee["cost"], "the trade's fee")
        name = Asset(quote) if cost == 0 and fee.get("currency") is None else asset(fee.get("currency"), "its asset")
        if abs(cost) >= {base: quantity, quote: worth}.get(name, abs(cost) + 1):
            raise malformed("the trade's fee is larger than the trade")
        fees[name] = add(fees.get(name, ZERO), cost)
    if not fees:
        raise malformed("the trade has no fee")
    return tuple(sorted(fees.items(), key=lambda fee: (not fee[1], fee[0] != quote, fee[0] != base, fee[0])))


def read_balances(raw: object) -> dict[Asset, Decimal]:
    """Return each asset's total, free and in orders, of those that are held.

    An answer that names no asset at all is none: ccxt makes it out of an empty page.
    """
    told = mapping(raw, "the balance")
    totals = mapping(told.get("total"), "the balance's totals")
    if not totals:
        raise malformed("it names no balance of any asset")
    balances: dict[Asset, Decimal] = {}
    for name, total in totals.items():
        held = number(total, f"the balance of {name}")
        if held < 0:
            raise malformed(f"the balance of {name} is negative")
        if held:
            balances[asset(name, "the balance's asset")] = held
    return balances


def read_order_id(raw: object, symbol: Symbol) -> tuple[VenueOrderId, str | None, TimeMs | None]:
    """Return the exchange's id of an order, the client's and its time, of whatever kind it is."""
    order = _outline(mapping(raw, "the order"), symbol)
    return order.id, order.client_id, order.time


def read_transfer(raw: object, wanted: Asset) -> tuple[Movement, ...]:
    """Return what a transfer moved: nothing before it has come to its end.

    ccxt tells amounts without the fee; a withdrawal's leaves the account as well.
    """
    told = mapping(raw, "the transfer")
    if told.get("status") not in ("ok", None):
        return ()
    if told.get("currency") != wanted:
        raise malformed("the transfer is of another asset")
    kind = told.get("type")
    if kind not in ("deposit", "withdrawal"):
        raise malformed("the transfer is neither deposit nor withdrawal")
    moved = amount(told.get("amount"), "the transfer's amount")
    # Some exchanges name a transfer by its transaction on the chain only.
    stem = f"{kind}:{wanted}:{identity(told.get('id') or told.get('txid'), 'the id of a transfer')}"
    time = moment(told.get("timestamp"), "the transfer's time")
    if kind == "deposit":
        return (Movement(stem, time, wanted, moved),)
    left = Movement(stem, time, wanted, -moved)
    fee = told.get("fee")
    if not isinstance(fee, Mapping) or fee.get("cost") is None:
        return (left,)
    name = wanted if fee.get("currency") is None else asset(fee["currency"], "the asset of a transfer's fee")
    paid = amount(fee["cost"], "the transfer's fee")
    return (left, Movement(f"{stem}:fee", time, name, -paid)) if paid else (left,)
