"""What the venue and the feed know of an exchange: ccxt's unified methods, and failures by what they prove.

`ccxt_client` wraps a class of ccxt, `firi` is a client of our own; whoever calls them cannot tell which it is. Unified
structures are those that ccxt documents, numbers in them are strings (`number = str`), times are milliseconds UTC.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Protocol

Unified = Mapping[str, Any]
"""A structure as ccxt documents it. Everything in it is unproven until a form has read it."""


class Proof(StrEnum):
    """What a failed call proves about its request."""

    NOT_SENT = "not_sent"
    """The transport shows that no byte of it was written."""
    ANSWERED = "answered"
    """The exchange's own program answered with an error and its code; what that means, the capability table says."""
    SILENT = "silent"
    """Nothing: it may have had its effect."""


class Cause(StrEnum):
    """Why a call failed, as far as that decides what to do next."""

    NETWORK = "network"
    RATE = "rate"
    """Too many requests; `retry_after_s` says how long to wait where the exchange says so."""
    BANNED = "banned"
    """The exchange has shut this address out for a while."""
    KEY = "key"
    """The key is wrong, revoked, or may not do this."""
    CLOCK = "clock"
    """The request's time or nonce was refused: the offset must be measured again."""
    MAINTENANCE = "maintenance"
    NOT_FOUND = "not_found"
    REFUSED = "refused"
    """The exchange understood and said no."""
    MALFORMED = "malformed"
    """An answer that is none: empty, cut short, of another shape."""
    UNSUPPORTED = "unsupported"
    """The exchange, or the client, has no such method."""


class CallFailed(Exception):
    """One request failed. `message` is a sentence without address, key, signature; `code` the exchange's own or "".

    `detail` are the exchange's own words where one code of its stands for several things, else "".
    """

    def __init__(
        self,
        message: str,
        *,
        proof: Proof,
        cause: Cause,
        code: str = "",
        detail: str = "",
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.proof = proof
        self.cause = cause
        self.code = code
        self.detail = detail
        self.retry_after_s = retry_after_s


class UnifiedExchange(Protocol):
    """One exchange through one connection, in one asyncio loop. Every method raises CallFailed and nothing else.

    It is opened by its first call, and sends no call twice by itself. `close` ends it; a call after that opens it anew.
    """

    @property
    def id(self) -> str:
        """The exchange's name, as ccxt writes it, or firi."""
        ...

    def has(self, method: str) -> bool:
        """Tell whether a method works, by ccxt's name of it in camel case, such as watchTrades."""
        ...

    async def load_markets(self) -> Mapping[str, Unified]:
        """Return every market by its symbol, asked anew at each call."""
        ...

    async def fetch_time(self) -> int:
        """Return the exchange's time, ms UTC."""
        ...

    async def fetch_trading_fee(self, symbol: str) -> Unified: ...

    async def fetch_balance(self) -> Unified: ...

    async def create_order(
        self, symbol: str, side: str, amount: str, price: str, params: Mapping[str, object]
    ) -> Unified:
        """Send a limit order, once. Amount and price are on the market's steps already."""
        ...

    async def cancel_order(self, id_: str, symbol: str, params: Mapping[str, object]) -> Unified: ...

    async def fetch_order(self, id_: str, symbol: str, params: Mapping[str, object]) -> Unified: ...

    async def fetch_open_orders(self, symbol: str) -> Sequence[Unified]: ...

    async def fetch_closed_orders(self, symbol: str, since: int, limit: int) -> Sequence[Unified]:
        """Return orders that ended, filled or cancelled, of those created from `since` on, oldest first."""
        ...

    async def fetch_my_trades(
        self, symbol: str, since: int | None, limit: int, params: Mapping[str, object]
    ) -> Sequence[Unified]: ...

    async def fetch_transfers(self, asset: str, since: int) -> Sequence[Unified]:
        """Return finished deposits and withdrawals of an asset; unified transactions, `type` tells which."""
        ...

    async def fetch_ohlcv(
        self, symbol: str, timeframe: str, since: int | None, limit: int
    ) -> Sequence[Sequence[float | None]]: ...

    async def fetch_order_book(self, symbol: str, limit: int) -> Unified: ...

    async def fetch_trades(self, symbol: str, since: int | None, limit: int) -> Sequence[Unified]: ...

    async def watch_bids_asks(self, symbol: str) -> Unified:
        """Wait for the next best bid and ask of a market (a unified ticker)."""
        ...

    async def watch_trades(self, symbol: str) -> Sequence[Unified]:
        """Wait for the next trades of a market; only those that were not returned before."""
        ...

    async def watch_orders(self) -> Sequence[Unified]: ...

    async def watch_my_trades(self) -> Sequence[Unified]: ...

    async def forget_stream(self) -> None:
        """Close the connections of every stream, so that the next watch begins anew."""
        ...

    async def close(self) -> None: ...
