"""One websocket of a client: messages wait in a bounded queue, pass the fault script, and are written in order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import orjson
from aiohttp import WSMsgType, web

from gridbot.sandbox.exchange import Clock
from gridbot.sandbox.fault_gate import replaced
from gridbot.sandbox.fault_script import Do, Fault
from gridbot.sandbox.faults import Faults

PING_EVERY_S = 20.0
"""As Binance does since 2025; a client's own pings are answered at once."""
_MOST_WAITING = 20_000
ANSWER = "ack"
"""What a fault script calls the answer to a client's own message."""
_TERMINATED = orjson.dumps({"subscriptionId": 0, "event": {"e": "eventStreamTerminated"}})


class Socket:
    """A connection. `send` never waits; a client that reads too slowly is cut off."""

    def __init__(self, clock: Clock, faults: Faults) -> None:
        self._clock = clock
        self._faults = faults
        self._web = web.WebSocketResponse(autoping=False, max_msg_size=1 << 20)
        self._waiting: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue(_MOST_WAITING)
        self._held: bytes | None = None
        self._half_open = False
        self._terminated = False
        self._transport: asyncio.Transport | None = None

    def send(self, kind: str, message: object) -> None:
        """Queue a message; `kind` is what a fault script calls it."""
        try:
            self._waiting.put_nowait((kind, orjson.dumps(message)))
        except asyncio.QueueFull:
            self.cut()

    def cut(self) -> None:
        """End the connection without a word."""
        if self._transport is not None:
            self._transport.abort()

    async def serve(self, request: web.Request, hear: Callable[[dict[str, object]], None]) -> web.WebSocketResponse:
        """Talk until either side ends; `hear` is called with each message of the client."""
        await self._web.prepare(request)
        self._transport = request.transport
        tasks = [asyncio.ensure_future(self._write()), asyncio.ensure_future(self._ping())]
        try:
            async for message in self._web:
                if self._half_open:
                    # Nothing is heard or answered any more, not even a ping, and the client is not told.
                    await self._clock.sleep(PING_EVERY_S * 180)
                if message.type is WSMsgType.PING:
                    await self._web.pong(message.data)
                elif message.type is WSMsgType.TEXT:
                    hear(_read(message.data))
        finally:
            for task in tasks:
                task.cancel()
        return self._web

    async def _ping(self) -> None:
        while True:
            await self._clock.sleep(PING_EVERY_S)
            if not self._half_open and not self._web.closed:
                await self._web.ping()

    async def _write(self) -> None:
        while True:
            kind, text = await self._waiting.get()
            if self._half_open or self._web.closed or (self._terminated and kind != ANSWER):
                continue
            copies = 1
            for fault in self._faults.hits(f"WS {kind}", text.decode()):
                copies, text = await self._suffer(fault, copies, text)
            for _ in range(copies):
                await self._put(text)
            if copies and self._held is not None:
                held, self._held = self._held, None
                await self._put(held)

    async def _put(self, text: bytes) -> None:
        try:
            await self._web.send_str(text.decode())
        except ConnectionError:
            # The client is gone; the reading side ends the connection.
            self._half_open = True

    async def _suffer(self, fault: Fault, copies: int, text: bytes) -> tuple[int, bytes]:
        """Return how often the message is sent, and what it has become."""
        match fault.do:
            case Do.DROP_WS:
                self.cut()
                return 0, text
            case Do.GAP_WS:
                return 0, text
            case Do.DUPLICATE_WS:
                return copies * 2, text
            case Do.REORDER_WS:
                self._held = text
                return 0, text
            case Do.DELAY_WS:
                await self._clock.sleep((fault.delay_ms or 0) / 1000)
            case Do.TERMINATE_WS:
                # The subscription ends with a word, and the connection stays.
                self._terminated = True
                return 1, _TERMINATED
            case Do.REPLACE_WS:
                return copies, orjson.dumps(replaced(orjson.loads(text), fault))
            case Do.HALF_OPEN_WS:
                self._half_open = True
                return 0, text
            case _:
                return copies, text[: len(text) // 2]
        return copies, text


def _read(text: str) -> dict[str, object]:
    """Return a message of the client; an empty one for what is not an object."""
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return message if isinstance(message, dict) else {}
