"""An exchange in memory that speaks like ccxt: figures as text, times in ms, and every answer open to mischief."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from gridbot.adapters.exchange.unified import CallFailed, Cause, Proof, Unified
from gridbot.core.units import Side, TimeMs

MARKET = {
    "symbol": "BTC/USDT",
    "base": "BTC",
    "quote": "USDT",
    "spot": True,
    "active": True,
    "contract": False,
    "maker": 0.001,
    "taker": 0.002,
    "precision": {"price": "0.01", "amount": "0.0001"},
    "limits": {"amount": {"min": "0.0001", "max": None}, "price": {"min": None}, "cost": {"min": "5", "max": None}},
}
ORDERS_OFFERED = frozenset({"fetchClosedOrders", "fetchTime"})
STREAMS = frozenset({"watchOrders", "watchMyTrades"})


@dataclass
class Resting:
    """An order at this exchange; `client_id` is "" where it keeps none."""

    id: str
    client_id: str
    symbol: str
    side: str
    price: Decimal
    amount: Decimal
    time: int
    filled: Decimal = Decimal(0)
    status: str = "open"

    def told(self) -> dict[str, Any]:
        """Return it as ccxt would."""
        return {
            "id": self.id,
            "clientOrderId": self.client_id or None,
            "symbol": self.symbol,
            "side": self.side,
            "price": f"{self.price:f}",
            "amount": f"{self.amount:f}",
            "filled": f"{self.filled:f}",
            "remaining": f"{self.amount - self.filled:f}",
            "status": self.status,
            "timestamp": self.time,
        }


class FakeExchange:
    """Satisfies UnifiedExchange.

    `failing` holds, by method, what the next calls raise; `mangled` changes answers on their way; `calls` are counted.
    """

    def __init__(
        self, now: Callable[[], int], *, id_param: str | None = "cid", offers: frozenset[str] = ORDERS_OFFERED
    ) -> None:
        self._now = now
        self._id_param = id_param
        self._offers = offers
        self.markets: dict[str, Unified] = {"BTC/USDT": dict(MARKET)}
        self.orders: dict[str, Resting] = {}
        self.trades: list[dict[str, Any]] = []
        self.transfers: list[dict[str, Any]] = []
        self.total: dict[str, str] = {"BTC": "1.5", "USDT": "1000.25", "ETH": "0"}
        self.bid, self.ask = "69999.99", "70000.00"
        self.failing: dict[str, deque[CallFailed | None]] = defaultdict(deque)
        self.mangled: dict[str, Callable[[Any], Any]] = {}
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self.lost_acks = 0
        self.newest_first = False
        self.ignores_until = False
        self.ahead_ms = 0
        self.order_news: asyncio.Queue[list[Unified]] = asyncio.Queue()
        self.trade_news: asyncio.Queue[list[Unified]] = asyncio.Queue()
        self.forgotten = 0
        self._number = 1000

    @property
    def id(self) -> str:
        """Its name."""
        return "fake"

    def has(self, method: str) -> bool:
        """Tell whether it offers a method."""
        return method in self._offers

    def called(self, method: str) -> int:
        """Return how often a method was called."""
        return sum(name == method for name, _ in self.calls)

    # ------------------------------------------------------------------------------- what happens there

    def rest(self, client_id: str, side: Side, price: str, amount: str, *, symbol: str = "BTC/USDT") -> Resting:
        """Let an order rest, whoever sent it."""
        self._number += 1
        order = Resting(str(self._number), client_id, symbol, side.value, Decimal(price), Decimal(amount), self._now())
        self.orders[order.id] = order
        return order

    def fill(self, order: Resting, amount: str, *, fee: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Let an order trade, and return the trade."""
        order.filled += Decimal(amount)
        if order.filled >= order.amount:
            order.status = "closed"
        trade = {
            "id": f"{len(self.trades) + 1}",
            "order": order.id,
            "symbol": order.symbol,
            "side": order.side,
            "price": f"{order.price:f}",
            "amount": amount,
            "cost": f"{order.price * Decimal(amount):f}",
            "timestamp": self._now(),
            "takerOrMaker": "maker",
            "fee": {"cost": "0.01", "currency": "USDT"} if fee is None else dict(fee),
        }
        self.trades.append(trade)
        return trade

    # ------------------------------------------------------------------------------- what is asked

    async def _answer(self, name: str, answer: Callable[[], Any], *arguments: Any) -> Any:
        self.calls.append((name, arguments))
        await asyncio.sleep(0)
        failure = self.failing[name].popleft() if self.failing[name] else None
        if failure is not None:
            raise failure
        told = answer()
        return self.mangled[name](told) if name in self.mangled else told

    async def load_markets(self) -> Mapping[str, Unified]:
        """Return every market."""
        markets: Mapping[str, Unified] = await self._answer("load_markets", lambda: self.markets)
        return markets

    async def fetch_time(self) -> int:
        """Return its time."""
        time: int = await self._answer("fetch_time", lambda: self._now() + self.ahead_ms)
        return time

    async def fetch_trading_fee(self, symbol: str) -> Unified:
        """Return the fees."""
        fee: Unified = await self._answer("fetch_trading_fee", lambda: {"maker": "0.0005", "taker": "0.0015"}, symbol)
        return fee

    async def fetch_balance(self) -> Unified:
        """Return the balances."""
        balance: Unified = await self._answer("fetch_balance", lambda: {"total": dict(self.total)})
        return balance

    async def create_order(
        self, symbol: str, side: str, amount: str, price: str, params: Mapping[str, object]
    ) -> Unified:
        """Take an order; with `lost_acks` it is taken and the answer never comes."""

        def take() -> Unified:
            client_id = str(params.get(self._id_param, "")) if self._id_param else ""
            return self.rest(client_id, Side(side), price, amount, symbol=symbol).told()

        told: Unified = await self._answer("create_order", take, symbol, side, amount, price, dict(params))
        if self.lost_acks:
            self.lost_acks -= 1
            raise CallFailed("The answer was lost.", proof=Proof.SILENT, cause=Cause.NETWORK)
        return told

    async def cancel_order(self, id_: str, symbol: str, params: Mapping[str, object]) -> Unified:
        """Cancel."""

        def cancel() -> Unified:
            order = self._named(id_, params)
            if order is None or order.status != "open":
                raise CallFailed("No such order.", proof=Proof.ANSWERED, cause=Cause.NOT_FOUND, code="404")
            order.status = "canceled"
            return order.told()

        told: Unified = await self._answer("cancel_order", cancel, id_, symbol, dict(params))
        return told

    def _named(self, id_: str, params: Mapping[str, object]) -> Resting | None:
        wanted = params.get(self._id_param) if self._id_param else None
        if wanted:
            return next((each for each in self.orders.values() if each.client_id == wanted), None)
        return self.orders.get(id_)

    async def fetch_order(self, id_: str, symbol: str, params: Mapping[str, object]) -> Unified:
        """Return an order."""

        def find() -> Unified:
            order = self._named(id_, params)
            if order is None:
                raise CallFailed("No such order.", proof=Proof.ANSWERED, cause=Cause.NOT_FOUND, code="404")
            return order.told()

        told: Unified = await self._answer("fetch_order", find, id_, symbol, dict(params))
        return told

    async def fetch_open_orders(self, symbol: str) -> Sequence[Unified]:
        """Return what rests."""

        def resting() -> Sequence[Unified]:
            return [each.told() for each in self.orders.values() if each.status == "open" and each.symbol == symbol]

        told: Sequence[Unified] = await self._answer("fetch_open_orders", resting, symbol)
        return told

    async def fetch_closed_orders(self, symbol: str, since: int, limit: int) -> Sequence[Unified]:
        """Return what ended."""

        def ended() -> Sequence[Unified]:
            if "fetchClosedOrders" not in self._offers:
                raise unsupported()
            found = [each for each in self.orders.values() if each.status != "open" and each.symbol == symbol]
            return [each.told() for each in found if each.time >= since][:limit]

        told: Sequence[Unified] = await self._answer("fetch_closed_orders", ended, symbol, since, limit)
        return told

    async def fetch_my_trades(
        self, symbol: str, since: int | None, limit: int, params: Mapping[str, object]
    ) -> Sequence[Unified]:
        """Return a page of trades, the oldest or the newest of the span that was asked for."""

        def page() -> Sequence[Unified]:
            until = params.get("until")
            found = [
                each
                for each in sorted(self.trades, key=_time_of)
                if not isinstance(each["timestamp"], int)
                or (
                    each["timestamp"] >= (since or 0)
                    and (self.ignores_until or not isinstance(until, int) or each["timestamp"] <= until)
                )
            ]
            return found[-limit:] if self.newest_first else found[:limit]

        told: Sequence[Unified] = await self._answer("fetch_my_trades", page, symbol, since, limit, dict(params))
        return told

    async def fetch_transfers(self, asset: str, since: int) -> Sequence[Unified]:
        """Return deposits and withdrawals."""

        def moved() -> Sequence[Unified]:
            return [each for each in self.transfers if each["currency"] == asset and each["timestamp"] >= since]

        told: Sequence[Unified] = await self._answer("fetch_transfers", moved, asset, since)
        return told

    async def fetch_ohlcv(
        self, symbol: str, timeframe: str, since: int | None, limit: int
    ) -> Sequence[Sequence[float | None]]:
        """It has no candles."""
        raise unsupported()

    async def fetch_order_book(self, symbol: str, limit: int) -> Unified:
        """Return the best prices, as the binary numbers that ccxt keeps them in."""
        book: Unified = await self._answer(
            "fetch_order_book",
            lambda: {"symbol": symbol, "bids": [[float(self.bid), 1.0]], "asks": [[float(self.ask), 1.0]]},
            symbol,
        )
        return book

    async def fetch_trades(self, symbol: str, since: int | None, limit: int) -> Sequence[Unified]:
        """It tells no market trades."""
        raise unsupported()

    async def watch_bids_asks(self, symbol: str) -> Unified:
        """It streams no prices."""
        raise unsupported()

    async def watch_trades(self, symbol: str) -> Sequence[Unified]:
        """It streams no market trades."""
        raise unsupported()

    async def watch_orders(self) -> Sequence[Unified]:
        """Wait for news of orders."""
        self.calls.append(("watch_orders", ()))
        if self.failing["watch_orders"]:
            failure = self.failing["watch_orders"].popleft()
            if failure is not None:
                raise failure
        return await self.order_news.get()

    async def watch_my_trades(self) -> Sequence[Unified]:
        """Wait for trades."""
        self.calls.append(("watch_my_trades", ()))
        return await self.trade_news.get()

    async def forget_stream(self) -> None:
        """Count it."""
        self.forgotten += 1

    async def close(self) -> None:
        """There is nothing to close."""


def _time_of(trade: Mapping[str, Any]) -> int:
    time = trade["timestamp"]
    return time if isinstance(time, int) else 0


def unsupported() -> CallFailed:
    """Return the failure of a method that there is none of."""
    return CallFailed("There is no such method.", proof=Proof.NOT_SENT, cause=Cause.UNSUPPORTED)


def lost() -> CallFailed:
    """Return the failure of an answer that never came."""
    return CallFailed("The answer was lost.", proof=Proof.SILENT, cause=Cause.NETWORK)


def time_of(day_ms: int) -> TimeMs:
    """Return a moment of the day on which these tests happen."""
    return TimeMs(1_700_000_000_000 + day_ms)
