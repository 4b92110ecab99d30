"""A matching room with money in it, for tests."""

from __future__ import annotations

from decimal import Decimal

from gridbot.core.units import Side
from gridbot.sandbox.matching import Room
from gridbot.sandbox.records import FeeMode, Fees, Kind, MarketRules, NewOrder, Prevention, TimeInForce

D = Decimal
BTC = MarketRules(
    symbol="BTCUSDT",
    base="BTC",
    quote="USDT",
    tick_size=D("0.01"),
    lot_size=D("0.00001"),
    min_qty=D("0.00001"),
    max_qty=D(9000),
    min_notional=D(5),
    max_orders=200,
    level=D("0.5"),
)


def room_with(mode: FeeMode = FeeMode.RECEIVED, *, third: str = "0", price: str = "100") -> Room:
    """Return a room with 10,000 USDT and 50 BTC whose market last traded at `price`, quote one tick wide."""
    room = Room([BTC], Fees(mode=mode, asset="BNB", asset_price=D(600)))
    room.deposit("USDT", D(10_000))
    room.deposit("BTC", D(50))
    if third != "0":
        room.deposit("BNB", D(third))
    room.trade("BTCUSDT", D(price), D(1), Side.SELL, now=1, width=1)
    return room


def limit(
    side: Side,
    price: str,
    quantity: str,
    *,
    client_id: str = "",
    time_in_force: TimeInForce = TimeInForce.GTC,
    prevention: Prevention = Prevention.EXPIRE_MAKER,
) -> NewOrder:
    """Return a limit order for BTCUSDT."""
    return NewOrder(
        symbol="BTCUSDT",
        side=side,
        kind=Kind.LIMIT,
        price=D(price),
        quantity=D(quantity),
        client_id=client_id,
        time_in_force=time_in_force,
        prevention=prevention,
    )


def maker(side: Side, price: str, quantity: str) -> NewOrder:
    """Return a post-only order for BTCUSDT."""
    return NewOrder(symbol="BTCUSDT", side=side, kind=Kind.LIMIT_MAKER, price=D(price), quantity=D(quantity))


def at_market(side: Side, *, quantity: str = "0", quote: str = "0") -> NewOrder:
    """Return a market order for BTCUSDT."""
    return NewOrder(symbol="BTCUSDT", side=side, kind=Kind.MARKET, quantity=D(quantity), quote_quantity=D(quote))
