"""Any exchange that ccxt knows, behind UnifiedExchange: each call is sent once, and fails with what that proves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import localcontext
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp

from gridbot.adapters.exchange.budget import Budget
from gridbot.adapters.exchange.ccxt_answers import check_order, check_rows, ended, mangled, of_asset
from gridbot.adapters.exchange.ccxt_failures import CURRENT, Conversation, failure
from gridbot.adapters.exchange.ccxt_loading import streaming_class
from gridbot.adapters.exchange.ccxt_messages import Messages, raised
from gridbot.adapters.exchange.ccxt_pages import rows_of_market
from gridbot.adapters.exchange.ccxt_streams import NewTrades, Rows, Stream
from gridbot.adapters.exchange.ccxt_wire import Wire, build
from gridbot.adapters.exchange.exchange_key import ExchangeKey
from gridbot.adapters.exchange.precedence import Precedence
from gridbot.adapters.exchange.spelling import order_named, trades_spanned
from gridbot.adapters.exchange.turns import Urgency
from gridbot.adapters.exchange.unified import CallFailed, Cause, Proof, Unified

USER_QUIET_S = 600.0
"""After so long a silence a stream of the account counts as ended: ccxt does not notice every end."""
_MOST_TRADES = 50_000
_OTHERWISE = {
    "watchBidsAsks": ("watchTicker",),
    "fetchTime": ("fetchTicker",),
    "fetchTradingFee": ("fetchTradingFees",),
    "fetchTransfers": ("fetchDepositsWithdrawals", "fetchDeposits"),
    "fetchClosedOrders": ("fetchOrders", "fetchCanceledAndClosedOrders"),
}
"""Methods that work here by others of ccxt's."""


def _never() -> bool:
    return False


class CcxtClient:
    """One exchange through ccxt's class with websockets. Without a key it can sign nothing.

    `creates_stopped` is asked right before the first byte of a create leaves, after whatever it had to wait for.
    `precedence` is what it shares with the account's other client, if there is one.
    """

    def __init__(
        self,
        exchange_id: str,
        *,
        base_url: str | None,
        key: ExchangeKey | None,
        budget: Budget,
        creates_stopped: Callable[[], bool] = _never,
        precedence: Precedence | None = None,
        user_quiet_s: float = USER_QUIET_S,
    ) -> None:
        self.id = exchange_id
        self._base_url = base_url
        self._key = key
        self._budget = budget
        self._creates_stopped = creates_stopped
        self._precedence = precedence
        self._user_quiet_s = user_quiet_s
        self._exchange: Any = None
        self._wire: Wire | None = None
        self._session: aiohttp.ClientSession | None = None
        self._streams: dict[str, Stream] = {}
        self._told: dict[str, NewTrades] = {}
        self._messages: Messages | None = None

    # ---------------------------------------------------------------------------- what there is

    @property
    def budget(self) -> Budget:
        """What it shares with the kill switch's client."""
        return self._budget

    def has(self, method: str) -> bool:
        """Tell whether a method works, by ccxt's name of it, such as watchTrades."""
        known = self._made().has
        return any(known.get(each) in {True, "emulated"} for each in (method, *_OTHERWISE.get(method, ())))

    def _made(self) -> Any:
        """Return ccxt's instance; the first call imports its class."""
        if self._exchange is None:
            cls = streaming_class(self.id)
            self._exchange = build(cls, base_url=self._base_url, key=self._key, budget=self._budget)
            self._wire = Wire(self._exchange, self._budget, self._creates_stopped)
            self._messages = Messages(self._exchange, self._precedence, of_account=self._key is not None)
        return self._exchange

    def _opened(self) -> Any:
        exchange = self._made()
        if self._session is None:
            assert self._wire is not None
            self._session = self._wire.open_session()
        return exchange

    async def _call(self, name: str, work: Callable[[Any], Awaitable[Any]], urgency: Urgency = Urgency.READ) -> Any:
        """Do one call and let it fail as CallFailed, with nothing behind it that could hold an address."""
        exchange = self._opened()
        conversation = Conversation(name, urgency)
        token = CURRENT.set(conversation)
        try:
            # ccxt changes how Decimals are rounded for whoever comes after it.
            with localcontext():
                return await work(exchange)
        except CallFailed as error:
            failed = error
        except raised() as error:
            failed = failure(self.id, conversation, error)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            # ccxt ends whoever waits for a stream in this way when it is closed.
            failed = CallFailed("The connection was closed.", proof=Proof.SILENT, cause=Cause.NETWORK)
        finally:
            CURRENT.reset(token)
        raise failed

    # --------------------------------------------------------------------------------- the market

    async def load_markets(self) -> Mapping[str, Unified]:
        """Return every market by its symbol, asked anew at each call."""
        markets = await self._call("load_markets", lambda x: x.load_markets(True))
        return dict(markets)

    async def fetch_time(self) -> int:
        """Return the exchange's time, ms UTC; how far it is from ours is applied to every request from then on."""
        before = self._budget.machine_ms()
        told = await self._call("fetch_time", _time)
        after = self._budget.machine_ms()
        if isinstance(told, bool) or not isinstance(told, int) or told <= 0:
            raise mangled(self.id, "fetch_time", "it is no time")
        self._budget.set_offset_ms(told - (before + after) // 2)
        return told

    async def fetch_trading_fee(self, symbol: str) -> Unified:
        """Return the account's fees in a market, as unified."""

        async def work(exchange: Any) -> Any:
            if exchange.has.get("fetchTradingFee") is True:
                return await exchange.fetch_trading_fee(symbol)
            return (await exchange.fetch_trading_fees())[symbol]

        return await self._structure("fetch_trading_fee", work)

    async def fetch_ohlcv(
        self, symbol: str, timeframe: str, since: int | None, limit: int
    ) -> Sequence[Sequence[float | None]]:
        """Return candles, oldest first, the running one among them."""
        rows = await self._call("fetch_ohlcv", lambda x: x.fetch_ohlcv(symbol, timeframe, since, limit))
        if not isinstance(rows, list) or not all(isinstance(row, list) and len(row) >= 6 for row in rows):
            raise mangled(self.id, "fetch_ohlcv", "it has no candles")
        return rows

    async def fetch_order_book(self, symbol: str, limit: int) -> Unified:
        """Return the book, its numbers as ccxt has them."""
        return await self._structure("fetch_order_book", lambda x: x.fetch_order_book(symbol, limit))

    async def fetch_trades(self, symbol: str, since: int | None, limit: int) -> Sequence[Unified]:
        """Return the market's newest trades."""
        return await self._rows("fetch_trades", lambda x: x.fetch_trades(symbol, since, limit), symbol)

    # -------------------------------------------------------------------------------- the account

    async def fetch_balance(self) -> Unified:
        """Return free, used and total by asset, as unified."""
        return await self._structure("fetch_balance", lambda x: x.fetch_balance())

    async def create_order(
        self, symbol: str, side: str, amount: str, price: str, params: Mapping[str, object]
    ) -> Unified:
        """Send a limit order, once."""
        order = await self._structure(
            "create_order",
            lambda x: x.create_order(symbol, "limit", side, amount, price, dict(params)),
            Urgency.CREATE,
        )
        return check_order(self._exchange, "create_order", order)

    async def cancel_order(self, id_: str, symbol: str, params: Mapping[str, object]) -> Unified:
        """Cancel; ahead of every create and read that waits."""
        venue_id, left = order_named(self.id, id_, params)
        return await self._structure("cancel_order", lambda x: x.cancel_order(venue_id, symbol, left), Urgency.CANCEL)

    async def fetch_order(self, id_: str, symbol: str, params: Mapping[str, object]) -> Unified:
        """Return an order by the exchange's id, or by ours where `params` names it."""
        order = await self._structure("fetch_order", lambda x: x.fetch_order(id_ or None, symbol, dict(params)))
        return check_order(self._exchange, "fetch_order", order)

    async def fetch_open_orders(self, symbol: str) -> Sequence[Unified]:
        """Return all that rests in a market."""
        return await self._rows("fetch_open_orders", lambda x: x.fetch_open_orders(symbol), symbol)

    async def fetch_closed_orders(self, symbol: str, since: int, limit: int) -> Sequence[Unified]:
        """Return orders that ended, filled or cancelled, oldest first."""

        async def work(exchange: Any) -> list[Any]:
            has = exchange.has
            if has.get("fetchOrders") is True:
                return [row for row in await exchange.fetch_orders(symbol, since, limit) if ended(row)]
            if has.get("fetchCanceledAndClosedOrders") is True:
                return list(await exchange.fetch_canceled_and_closed_orders(symbol, since, limit))

            async def ask(market: str | None, params: Mapping[str, object]) -> Any:
                most = None if market is None else limit
                return await exchange.fetch_closed_orders(market, since, most, dict(params))

            rows = await rows_of_market(self.id, symbol, ask)
            if has.get("fetchCanceledOrders") is True:
                rows += await exchange.fetch_canceled_orders(symbol, since, limit)
            return list({row["id"]: row for row in rows}.values())

        rows = await self._rows("fetch_closed_orders", work, symbol)
        return sorted(rows, key=lambda row: row.get("timestamp") or 0)

    async def fetch_my_trades(
        self, symbol: str, since: int | None, limit: int, params: Mapping[str, object]
    ) -> Sequence[Unified]:
        """Return the account's trades in a market, oldest first."""
        left = trades_spanned(self.id, since, params)

        async def work(exchange: Any) -> Any:
            async def ask(market: str | None, more: Mapping[str, object]) -> Any:
                most = None if market is None else limit
                return await exchange.fetch_my_trades(market, since, most, {**left, **more})

            return await rows_of_market(self.id, symbol, ask)

        return await self._rows("fetch_my_trades", work, symbol)

    async def fetch_transfers(self, asset: str, since: int) -> Sequence[Unified]:
        """Return finished deposits and withdrawals of an asset."""

        async def work(exchange: Any) -> list[Any]:
            if exchange.has.get("fetchDepositsWithdrawals") is True:
                return list(await exchange.fetch_deposits_withdrawals(asset, since))
            deposits = await exchange.fetch_deposits(asset, since)
            return [*deposits, *await exchange.fetch_withdrawals(asset, since)]

        rows = await self._rows("fetch_transfers", work, None)
        return of_asset(rows, asset)

    async def request(self, method: str, params: Mapping[str, object]) -> Any:
        """Call one of ccxt's implicit methods, by its name in snake case; what it answers is the exchange's own."""
        return await self._call(method, lambda x: getattr(x, method)(dict(params)))

    async def _structure(
        self, name: str, work: Callable[[Any], Awaitable[Any]], urgency: Urgency = Urgency.READ
    ) -> Unified:
        answer = await self._call(name, work, urgency)
        if not isinstance(answer, dict) or not answer:
            raise mangled(self.id, name, "it is no structure")
        return answer

    async def _rows(self, name: str, work: Callable[[Any], Awaitable[Any]], symbol: str | None) -> Sequence[Unified]:
        return check_rows(self.id, name, await self._call(name, work), symbol)

    # -------------------------------------------------------------------------------- the streams

    async def watch_bids_asks(self, symbol: str) -> Unified:
        """Wait for the next best bid and ask of a market; only the newest is kept."""

        async def read(exchange: Any) -> Rows:
            if exchange.has.get("watchBidsAsks") is True:
                tickers = await exchange.watch_bids_asks([symbol])
                return [dict(tickers[symbol])] if symbol in tickers else []
            return [dict(await exchange.watch_ticker(symbol))]

        stream = self._stream(f"bids_asks {symbol}", read, most=1)
        return (await stream.next())[-1]

    async def watch_trades(self, symbol: str) -> Sequence[Unified]:
        """Wait for the next trades of a market; only those that were not returned before."""
        # It outlives the stream: after a reconnect an exchange may tell the last ones again.
        new = self._told.setdefault(symbol, NewTrades())

        async def read(exchange: Any) -> Rows:
            return new.of([dict(row) for row in await exchange.watch_trades(symbol)])

        return await self._stream(f"trades {symbol}", read, most=_MOST_TRADES).next()

    async def watch_orders(self) -> Sequence[Unified]:
        """Wait for news of the account's orders."""
        return await self._user_stream("orders", lambda x: x.watch_orders())

    async def watch_my_trades(self) -> Sequence[Unified]:
        """Wait for the account's next trades."""
        return await self._user_stream("my_trades", lambda x: x.watch_my_trades())

    async def _user_stream(self, name: str, watch: Callable[[Any], Awaitable[Any]]) -> Sequence[Unified]:
        async def read(exchange: Any) -> Rows:
            async with asyncio.timeout(self._user_quiet_s):
                return [dict(row) for row in await watch(exchange)]

        answered = None if self._precedence is None else self._precedence.answered
        return await self._stream(name, read, answered=answered).next()

    def _stream(
        self,
        name: str,
        read: Callable[[Any], Awaitable[Rows]],
        *,
        most: int | None = None,
        answered: Callable[[], Awaitable[None]] | None = None,
    ) -> Stream:
        call = f"watch_{name}"

        async def watch() -> Rows:
            try:
                rows: Rows = await self._call(call, read)
            except CallFailed:
                # A login that was refused leaves a connection on which every later watch would hang.
                assert self._messages is not None
                await self._drop_connections(self._messages.forget(call))
                raise
            return rows

        if name not in self._streams:
            self._streams[name] = Stream(watch, most=most, answered=answered)
        return self._streams[name]

    async def forget_stream(self) -> None:
        """Close the connections of every stream, so that the next watch begins anew."""
        streams, self._streams = list(self._streams.values()), {}
        for stream in streams:
            await stream.stop()
        if self._messages is not None:
            self._messages.forget_all()
            await self._drop_connections(set(self._exchange.clients))

    async def _drop_connections(self, urls: set[str]) -> None:
        """Close connections and forget them: ccxt would go on waiting on one that was refused."""
        clients = self._exchange.clients
        dropped = [clients.pop(url) for url in urls if url in clients]
        for client in dropped:
            await client.close()

    # ------------------------------------------------------------------------------------ the end

    async def close(self) -> None:
        """Close every connection; a call after this opens it anew."""
        await self.forget_stream()
        session, self._session = self._session, None
        exchange = self._exchange
        if exchange is not None:
            exchange.timeout_on_exit = 0
            await exchange.close()
            exchange.asyncio_loop = None
        if session is not None:
            await session.close()


async def _time(exchange: Any) -> Any:
    """Return the exchange's time; where it tells none, the date on an answer of its, which has whole seconds."""
    if exchange.has.get("fetchTime") is True:
        return await exchange.fetch_time()
    await exchange.load_markets()
    await exchange.fetch_ticker(next(iter(exchange.markets)))
    conversation = CURRENT.get()
    last = None if conversation is None else conversation.last
    if last is None:
        raise ValueError("no answer")
    date = next((value for name, value in last.headers.items() if name.lower() == "date"), "")
    return int(parsedate_to_datetime(date).timestamp() * 1_000) + 500
