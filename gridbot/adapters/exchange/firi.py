"""Firi, shaped like an asynchronous exchange of ccxt: limit orders only, no stream, no candles, no ids of ours.

Every request waits for its turn, one a second, and is sent once. The key goes with private requests alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Literal

import aiohttp
import orjson

from gridbot.adapters.exchange import firi_errors, firi_forms, firi_matches
from gridbot.adapters.exchange.exchange_key import ExchangeKey
from gridbot.adapters.exchange.firi_forms import FiriStatement, market_id
from gridbot.adapters.exchange.firi_pace import FiriPace, Rank
from gridbot.adapters.exchange.unified import CallFailed, Cause, Unified

FIRI_URL = "https://api.firi.com"
KEY_HEADER = "miraiex-access-key"
TIMEOUT_S = 10.0
PAGES = (500, 2_000, 10_000)
"""So many rows are asked for, more where they do not reach back far enough; the last is the most that Firi gives."""
_KNOWN_MATCHES = 50_000
_METHODS = frozenset(
    {
        *("createOrder", "cancelOrder", "fetchOrder", "fetchOpenOrders", "fetchClosedOrders", "fetchMyTrades"),
        *("fetchMarkets", "fetchTime", "fetchBalance", "fetchOrderBook", "fetchTrades"),
        *("fetchDeposits", "fetchWithdrawals", "fetchDepositsWithdrawals"),
    }
)
Method = Literal["GET", "POST", "DELETE"]


class _Lost(aiohttp.ClientError):
    """The connection ended before the answer: aiohttp would send a GET or DELETE again, and does not with this."""


async def _once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    try:
        return await handler(request)
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError):
        raise _Lost("the connection ended") from None


class FiriClient:
    """Satisfies UnifiedExchange. `base_url` None is Firi itself; `fee_rate` is the configuration's, a share (0.005).

    `pace` is shared with the kill switch's client of the same account; `creates_stopped` is asked right before a create
    leaves, after whatever it had to wait for. Without a key only public requests work.
    """

    def __init__(
        self,
        *,
        base_url: str | None,
        key: ExchangeKey | None,
        pace: FiriPace,
        fee_rate: Decimal = firi_forms.FEE_RATE,
        timeout_s: float = TIMEOUT_S,
        pages: Sequence[int] = PAGES,
        creates_stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self._address = (base_url or FIRI_URL).rstrip("/")
        self._key = key
        self._pace = pace
        self._creates_stopped = creates_stopped
        self._fee_rate = fee_rate
        self._pages = tuple(pages)
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._session: aiohttp.ClientSession | None = None
        self._order_of: dict[str, str] = {}

    @property
    def id(self) -> str:
        """Its name."""
        return "firi"

    def has(self, method: str) -> bool:
        """Tell whether a method works."""
        return method in _METHODS

    # ---------------------------------------------------------------------------------- the market

    async def load_markets(self) -> Mapping[str, Unified]:
        """Return every market; steps and minimums are assumed (`firi_forms`), the fee is the configuration's."""
        return firi_forms.market_forms(await self._ask("GET", "/v2/markets"), self._fee_rate)

    async def fetch_time(self) -> int:
        """Return Firi's time, ms UTC."""
        return firi_forms.time_form(await self._ask("GET", "/time"))

    async def fetch_trading_fee(self, symbol: str) -> Unified:
        """Firi does not tell it: the markets bear the configuration's."""
        raise firi_errors.unsupported("way to ask for the fee")

    async def fetch_order_book(self, symbol: str, limit: int) -> Unified:
        """Return the best prices of a market."""
        query = {"bids": str(limit), "asks": str(limit)}
        return firi_forms.depth_form(await self._ask("GET", f"/v2/markets/{market_id(symbol)}/depth", query), symbol)

    async def fetch_trades(self, symbol: str, since: int | None, limit: int) -> Sequence[Unified]:
        """Return the newest trades of a market, oldest first, without those before `since`."""
        query = {"count": str(limit)}
        answer = await self._ask("GET", f"/v2/markets/{market_id(symbol)}/history", query)
        found = firi_forms.tape_forms(answer, symbol)
        return [each for each in found if since is None or each["timestamp"] >= since]

    async def fetch_ohlcv(
        self, symbol: str, timeframe: str, since: int | None, limit: int
    ) -> Sequence[Sequence[float | None]]:
        """Firi has none: candles come from another exchange, or are built from trades."""
        raise firi_errors.unsupported("candles")

    # ------------------------------------------------------------------------------------ the user

    async def fetch_balance(self) -> Unified:
        """Return what the account has."""
        return firi_forms.balance_form(await self._ask("GET", "/v2/balances", signed=True))

    async def create_order(
        self, symbol: str, side: str, amount: str, price: str, params: Mapping[str, object]
    ) -> Unified:
        """Send a limit order, once. Firi takes nothing beside the four figures: `params` must be empty."""
        if params or side not in firi_forms.KINDS:
            raise firi_errors.unsupported(f"orders with {', '.join(params) or side}")
        order = {"market": market_id(symbol), "type": firi_forms.KINDS[side], "price": price, "amount": amount}
        answer = await self._ask("POST", "/v2/orders", signed=True, rank=Rank.CREATE, body=order)
        return firi_forms.created_form(answer, symbol)

    async def cancel_order(self, id_: str, symbol: str, params: Mapping[str, object]) -> Unified:
        """Cancel an order by Firi's number; there are no other ids."""
        path = f"/v2/orders/{_number(id_)}/{market_id(symbol)}/detailed"
        answer = await self._ask("DELETE", path, signed=True, rank=Rank.CANCEL)
        return firi_forms.cancelled_form(answer, id_, symbol)

    async def fetch_order(self, id_: str, symbol: str, params: Mapping[str, object]) -> Unified:
        """Return an order by Firi's number."""
        answer = await self._ask("GET", f"/v2/order/{_number(id_)}", signed=True)
        order = firi_forms.order_form(answer, symbol)
        if order["id"] != id_:
            firi_errors.malformed("Firi told another order than the one asked about")
        return order

    async def fetch_open_orders(self, symbol: str) -> Sequence[Unified]:
        """Return every order that rests in a market."""
        rows, whole = await self._orders(f"/v2/orders/{market_id(symbol)}", symbol, self._pages[-1])
        if not whole:
            firi_errors.malformed("More orders rest at Firi than one answer holds")
        return [each for each in rows if each["status"] == "open"]

    async def fetch_closed_orders(self, symbol: str, since: int, limit: int) -> Sequence[Unified]:
        """Return orders that ended, of those created from `since` on, oldest first, the first `limit` of them."""
        for page in self._pages:
            rows, whole = await self._orders(f"/v2/orders/{market_id(symbol)}/history", symbol, page)
            if whole or min(each["timestamp"] for each in rows) < since:
                ended = [each for each in rows if each["timestamp"] >= since and each["status"] != "open"]
                return sorted(ended, key=lambda each: (each["timestamp"], int(each["id"])))[:limit]
        firi_errors.malformed("Firi's list of ended orders does not reach back far enough")

    async def fetch_my_trades(
        self, symbol: str, since: int | None, limit: int, params: Mapping[str, object]
    ) -> Sequence[Unified]:
        """Return trades of ours from `since` on, oldest first, the first `limit`; the newest where `since` is None.

        `params` may have `until`, ms UTC, as ccxt knows it.
        """
        statement = await self._statement(since)
        matches = firi_matches.matches_of(statement.rows, symbol)
        owners = await self._owners(matches, symbol, statement.begin)
        until = params.get("until")
        if since is not None:
            matches = [each for each in matches if each.time >= since]
        if isinstance(until, int):
            matches = [each for each in matches if each.time <= until]
        wanted = matches[:limit] if since is not None else matches[-limit:]
        return [firi_matches.trade_form(each, owners[each.id], symbol) for each in wanted]

    async def fetch_transfers(self, asset: str, since: int) -> Sequence[Unified]:
        """Return whatever moved an asset and was no trade: deposits, withdrawals, their fees, gifts."""
        rows = (await self._statement(since)).rows
        found = [row for row in rows if not row.match and row.currency == asset and row.time >= since and row.amount]
        return [firi_forms.transfer_form(row) for row in sorted(found, key=lambda each: each.time)]

    # ------------------------------------------------------------------------------------ no stream

    async def watch_bids_asks(self, symbol: str) -> Unified:
        """Firi has no stream."""
        raise firi_errors.unsupported("stream of prices")

    async def watch_trades(self, symbol: str) -> Sequence[Unified]:
        """Firi has no stream."""
        raise firi_errors.unsupported("stream of trades")

    async def watch_orders(self) -> Sequence[Unified]:
        """Firi has no stream."""
        raise firi_errors.unsupported("stream of orders")

    async def watch_my_trades(self) -> Sequence[Unified]:
        """Firi has no stream."""
        raise firi_errors.unsupported("stream of the account's trades")

    async def forget_stream(self) -> None:
        """There is none to forget."""

    async def close(self) -> None:
        """Close the connection; the next call opens a new one."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    # -------------------------------------------------------------------------------------- the parts

    async def _orders(self, path: str, symbol: str, count: int) -> tuple[list[Unified], bool]:
        """Return a list of orders, and whether it is all that there are."""
        answer = await self._ask("GET", path, {"count": str(count)}, signed=True)
        rows = [firi_forms.order_form(row, symbol) for row in firi_forms.rows_of(answer, "orders")]
        if len({row["id"] for row in rows}) != len(rows):
            firi_errors.malformed("Firi listed an order twice")
        return rows, len(rows) < count

    async def _statement(self, since: int | None) -> FiriStatement:
        """Return the account's statement back to `since`, each match with all of its lines."""
        for page in self._pages:
            query = {"count": str(page), "direction": "end"}
            rows = firi_forms.statement_rows(await self._ask("GET", "/v2/history/transactions", query, signed=True))
            if len(rows) < page:
                return FiriStatement(rows, 0)
            if rows[0].time < rows[-1].time:
                firi_errors.malformed("Firi's statement begins with its oldest lines instead of the newest")
            # The last match may be cut off, and with it whatever happened at the same time.
            cut = min(row.time for row in rows)
            if since is None or cut < since:
                return FiriStatement([row for row in rows if row.time > cut], cut + 1)
        firi_errors.malformed("Firi's statement does not reach back far enough")

    async def _owners(self, matches: Sequence[firi_matches.Match], symbol: str, begin: int) -> Mapping[str, str]:
        """Return the order of every match; CallFailed where one fits none: its order may be told later than it."""
        if all(each.id in self._order_of for each in matches):
            return self._order_of
        resting = await self.fetch_open_orders(symbol)
        for page in self._pages:
            ended, whole = await self._orders(f"/v2/orders/{market_id(symbol)}/history", symbol, page)
            # An order that ended between the two lists is in both: what the second says is newer.
            orders = {each["id"]: firi_matches.owner_of(each) for each in (*resting, *ended)}
            found = firi_matches.attribute(matches, tuple(orders.values()), self._order_of, begin=begin)
            if len(found) == len(matches):
                self._remember(found)
                return found
            if whole:
                break
        firi_errors.malformed("Firi told trades that belong to no order which it told")

    def _remember(self, found: Mapping[str, str]) -> None:
        self._order_of.update(found)
        for oldest in list(self._order_of)[: max(len(self._order_of) - _KNOWN_MATCHES, 0)]:
            del self._order_of[oldest]

    async def _ask(
        self,
        method: Method,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        signed: bool = False,
        rank: Rank = Rank.READ,
        body: Mapping[str, str] | None = None,
    ) -> object:
        """Send one request when its turn comes, and return its JSON; CallFailed and nothing else."""
        if signed and self._key is None:
            raise firi_errors.no_key()
        await self._pace.turn(rank)
        if rank is Rank.CREATE and self._creates_stopped():
            raise firi_errors.not_sent("trading was stopped while it waited for its turn")
        key = self._key.key if signed and self._key is not None else ""
        headers = {"Accept": "application/json"} | ({KEY_HEADER: key} if key else {})
        headers |= {"Content-Type": "application/json"} if body is not None else {}
        data = None if body is None else orjson.dumps(body)
        try:
            async with self._opened().request(
                method, self._address + path, params=query, headers=headers, data=data, allow_redirects=False
            ) as answer:
                status, text = answer.status, await answer.read()
                retry_after = answer.headers.get("Retry-After")
        # Whatever is behind these failures holds the address, and the headers with the key: it goes no further.
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL):
            raise firi_errors.not_sent("no connection came about") from None
        except TimeoutError:
            raise firi_errors.no_answer(f"{self._timeout.total:g} seconds went by") from None
        except (aiohttp.ClientError, OSError):
            raise firi_errors.no_answer("the connection ended") from None
        try:
            return firi_errors.read_answer(status=status, body=text, retry_after=retry_after, hidden=key)
        except CallFailed as failure:
            if failure.cause in {Cause.RATE, Cause.BANNED}:
                self._pace.hold(failure.retry_after_s or 0.0)
            raise

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(timeout=self._timeout, middlewares=(_once,))
        return self._session


def _number(id_: str) -> str:
    """Return an order's number, as it goes into an address; CallFailed for what is none."""
    if not (id_.isascii() and id_.isdigit() and len(id_) < 19):
        firi_errors.malformed(f"{id_[:30]!r} is no number of an order at Firi")
    return id_
