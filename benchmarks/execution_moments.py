"""Notes the moments at which bytes of interest come in and go out, at the loop's own sockets: the same for everyone.

A message of the account's stream counts from the call in which asyncio hands its bytes to aiohttp, before anything was
parsed; a create until the call in which aiohttp hands the bytes of its request to the socket.
"""

from __future__ import annotations

from asyncio import selector_events
from collections.abc import Iterable
from time import monotonic_ns
from typing import Any

from aiohttp import client_proto
from aiohttp._websocket.reader import WebSocketDataQueue

_FILL = '"x":"TRADE"'
_CREATE = b"POST /api/v3/order"

Moment = tuple[str, int]
MOMENTS: list[Moment] = []
"""What happened when, ns of the monotonic clock."""


def note(what: str) -> None:
    """Note that it happens now."""
    MOMENTS.append((what, monotonic_ns()))


def taken() -> list[Moment]:
    """Return what was noted, and begin anew."""
    found = MOMENTS.copy()
    MOMENTS.clear()
    return found


def watch_sockets() -> None:
    """Note every fill that comes in and every create that goes out from now on."""
    transport: Any = selector_events._SelectorSocketTransport  # type: ignore[attr-defined]
    receive, write, write_lines = client_proto.ResponseHandler.data_received, transport.write, transport.writelines

    def waiting(handler: client_proto.ResponseHandler) -> Any:
        """Return the messages of a stream that nobody has read yet."""
        queue: Any = handler._payload
        return queue._buffer if isinstance(queue, WebSocketDataQueue) else ()

    def watched_receive(handler: client_proto.ResponseHandler, data: bytes) -> None:
        came, before = monotonic_ns(), len(waiting(handler))
        receive(handler, data)
        # Only now is it unpacked: streams may be compressed.
        for message, _ in list(waiting(handler))[before:]:
            if _FILL in str(message.data):
                MOMENTS.append(("fill", came))

    def watched_write(self: Any, data: bytes) -> None:
        if bytes(data[: len(_CREATE)]) == _CREATE:
            note("create")
        write(self, data)

    def watched_lines(self: Any, lines: Iterable[bytes]) -> None:
        chunks = list(lines)
        if chunks and bytes(chunks[0][: len(_CREATE)]) == _CREATE:
            note("create")
        write_lines(self, chunks)

    client_proto.ResponseHandler.data_received = watched_receive  # type: ignore[method-assign, assignment]
    transport.write, transport.writelines = watched_write, watched_lines
