"""Frames of websockets, through the real ccxt.pro class: an input names a stream, and each further line is a frame.

The connection answers a subscription as the exchange does, tells the frames and ends. Whatever they are, a watcher gets
rows that can be read, or the end of its stream; a stream that falls silent for ever would show as a hang.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

from aiohttp import WSMessage, WSMsgType

from gridbot.adapters.exchange import price_forms
from gridbot.adapters.exchange.ccxt_client import CcxtClient
from gridbot.adapters.exchange.unified import CallFailed
from gridbot.adapters.exchange.venue import ExchangeVenue
from gridbot.core.events import OrderFilled
from gridbot.core.units import Symbol, TimeMs
from gridbot.errors import VenueUnavailable
from tests.adapters.exchange.recorded import OUR_ID, Fed, client_of, feed
from tests.adapters.exchange.test_mutations import InstantClock, is_fill, row
from tests.fuzz.exchange_targets import loop_of_its_own
from tests.fuzz.target import Meet, Target

LTC = Symbol("LTC/USDT")
_TRADE = {
    **{"e": "trade", "E": 1_763_700_000_000, "s": "LTCUSDT", "t": 77, "p": "70.25", "q": "0.5"},
    **{"T": 1_763_700_000_000, "m": True, "M": True},
}
_BEST = {"u": 5, "s": "LTCUSDT", "b": "70.10", "B": "3", "a": "70.20", "A": "4"}
_REPORT = {
    **{"e": "executionReport", "E": 1_763_700_000_000, "s": "LTCUSDT", "c": OUR_ID, "S": "BUY", "o": "LIMIT"},
    **{"f": "GTC", "q": "0.5", "p": "70.25", "P": "0", "F": "0", "g": -1, "C": "", "x": "TRADE", "X": "FILLED"},
    **{"r": "NONE", "i": 4711, "l": "0.5", "z": "0.5", "L": "70.25", "n": "0.001", "N": "USDT"},
    **{"T": 1_763_700_000_000, "t": 77, "I": 8, "w": False, "m": True, "M": False, "O": 1_763_700_000_000},
    **{"Z": "35.125", "Y": "35.125", "Q": "0", "W": 1_763_700_000_000, "V": "NONE"},
}
_ENDED = {**_REPORT, "x": "CANCELED", "X": "CANCELED", "l": "0", "z": "0", "L": "0", "t": -1, "n": "0", "N": None}


class FedConnection:
    """Satisfies what ccxt uses of a websocket: subscriptions are granted, then come the frames, then the end."""

    def __init__(self, frames: list[bytes]) -> None:
        self._frames = frames
        self._waiting: asyncio.Queue[WSMessage] = asyncio.Queue()
        self.closed = False
        self._conn = None

    async def send_str(self, text: str) -> None:
        """Grant whatever is asked."""
        asked = json.loads(text)
        login = str(asked.get("method", "")).startswith("userDataStream")
        granted: dict[str, Any] = {"id": asked.get("id"), "result": {"subscriptionId": 0} if login else None}
        self._tell(json.dumps(granted | ({"status": 200} if login else {})))
        for frame in self._frames:
            # ccxt's receiver is fed text; what is no UTF-8 comes as bytes, as a binary frame.
            try:
                self._tell(frame.decode())
            except UnicodeDecodeError:
                self._waiting.put_nowait(WSMessage(WSMsgType.BINARY, frame, None))
        self._frames = []
        self._waiting.put_nowait(WSMessage(WSMsgType.CLOSE, 1000, None))

    def _tell(self, text: str) -> None:
        self._waiting.put_nowait(WSMessage(WSMsgType.TEXT, text, None))

    async def receive(self) -> WSMessage:
        """Return the next frame."""
        return await self._waiting.get()

    async def ping(self, _message: bytes = b"") -> None:
        """Nobody is there."""

    pong = ping

    async def close(self, **_named: object) -> None:
        """End."""
        self.closed = True


class FedStreams(Fed):
    """A session that gives a connection with the frames of one input."""

    def __init__(self) -> None:
        super().__init__()
        self.frames: list[bytes] = []

    def ws_connect(self, *_words: object, **_named: object) -> FedStreams:
        """Connect."""
        return self

    async def __aenter__(self) -> FedConnection:
        return FedConnection(list(self.frames))

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


@cache
def _frames() -> tuple[bytes, ...]:
    def told(name: str, *frames: object) -> bytes:
        return b"\n".join([name.encode(), *(json.dumps(each).encode() for each in frames)])

    wrapped = [{"subscriptionId": 0, "event": each} for each in (_REPORT, _ENDED)]
    position = {"e": "outboundAccountPosition", "E": 1, "u": 1, "B": [{"a": "LTC", "f": "1", "l": "0"}]}
    return (
        told("trades", _TRADE, {**_TRADE, "t": 78}),
        told("bids_asks", _BEST, {**_BEST, "b": "70.15"}),
        told("orders", *wrapped),
        told("my_trades", *wrapped, {"subscriptionId": 0, "event": position}),
        told("trades", {"stream": "ltcusdt@trade", "data": _TRADE}, [_TRADE]),
        told("orders", {"error": {"code": -1003, "msg": "Too many"}, "id": 1, "status": 429}),
    )


@contextmanager
def _streams(folder: Path) -> Iterator[Meet]:
    client = client_of("binance", None)
    with loop_of_its_own() as loop:
        try:
            yield _streams_meet(loop, client)
        finally:
            loop.run_until_complete(client.close())


def _streams_meet(loop: asyncio.AbstractEventLoop, client: CcxtClient) -> Meet:
    odd: list[str] = []

    def hear(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if error is not None and not isinstance(error, CallFailed | _ccxt_errors()):
            odd.append(f"{context.get('message')}: {error!r}")

    loop.set_exception_handler(hear)
    fed = FedStreams()

    async def begin() -> ExchangeVenue:
        feed(client, fed)
        venue = ExchangeVenue(
            client,
            row("binance"),
            clock=InstantClock(),
            known=lambda _symbol: [],
            ours=lambda id_: id_.startswith("gbaaaaa"),
        )
        venue._markets[LTC] = None
        return venue

    venue = loop.run_until_complete(begin())

    def meet(content: bytes) -> bool:
        name, *fed.frames = content.split(b"\n")
        odd.clear()
        rows = loop.run_until_complete(_watched(client, venue, name.decode("ascii", "replace")))
        assert not odd, odd
        return rows > 0

    return meet


async def _watched(client: CcxtClient, venue: ExchangeVenue, name: str) -> int:
    """Watch until the stream ends; return how many rows made sense."""
    sense = 0
    try:
        while True:
            sense += await _row(client, venue, name)
    except (CallFailed, VenueUnavailable):
        return sense
    finally:
        await client.forget_stream()
        client._told.clear()


async def _row(client: CcxtClient, venue: ExchangeVenue, name: str) -> int:
    stream = venue._stream
    match name:
        case "bids_asks":
            quote = price_forms.quote_of_ticker(LTC, await client.watch_bids_asks(LTC))
            assert quote is None or 0 < quote.bid <= quote.ask, quote
            return quote is not None
        case "orders":
            return len(await stream._ends(await client.watch_orders()))
        case "my_trades":
            fills = [
                each for each in await stream._fills(await client.watch_my_trades()) if isinstance(each, OrderFilled)
            ]
            assert all(is_fill(each, LTC) for each in fills), fills
            return len(fills)
        case _:
            found, _ = price_forms.trades_of(LTC, await client.watch_trades(LTC))
            assert all(each.told.price > 0 and each.told.amount > 0 and TimeMs(each.told.time) for each in found)
            return len(found)


@cache
def _ccxt_errors() -> type[Exception]:
    from ccxt.base.errors import BaseError

    errors: type[Exception] = BaseError
    return errors


STREAM_TARGETS = (Target("frames of websockets", 60, _frames, _streams),)
