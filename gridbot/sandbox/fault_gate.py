"""The door of the server: requests pass it on their way in, answers on their way out, and faults happen there."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from collections import deque
from collections.abc import Callable

import orjson
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from gridbot.errors import OrderRejected
from gridbot.sandbox.exchange import Exchange
from gridbot.sandbox.fault_script import ON_THE_WORLD, Do, Fault
from gridbot.sandbox.faults import Faults
from gridbot.sandbox.world import act_on

OWN_PATHS = "/sandbox/"
ARRIVED = web.RequestKey("arrived", int)
"""When a request that is carried out late came in, ms UTC."""
_HTML = "<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center></body></html>"
_FOREVER_S = 3_600.0
_KEPT_ANSWERS = 50
_ELSEWHERE = "WRONGSYMBOL"
_CHANGING = re.compile(r"&?(timestamp|signature|recvWindow)=[^&]*")


class FaultGate:
    """The middleware. `error_body` writes an error in the words of the protocol."""

    def __init__(
        self, exchange: Exchange, faults: Faults, error_body: Callable[[int | str, str], dict[str, object]]
    ) -> None:
        self._exchange = exchange
        self._faults = faults
        self._error_body = error_body
        self._answers: dict[str, deque[tuple[float, bytes]]] = {}
        self._late: set[asyncio.Task[None]] = set()
        self.refusals: deque[str] = deque(maxlen=20)

    def middleware(self) -> Middleware:
        """Return what aiohttp calls."""

        @web.middleware
        async def gate(request: web.Request, handler: Handler) -> web.StreamResponse:
            is_socket = request.headers.get("Upgrade", "").lower() == "websocket"
            if request.path.startswith(OWN_PATHS) or (is_socket and not self._faults.script):
                return await handler(request)
            return await self._pass(request, handler)

        return gate

    async def _pass(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        body = (await request.read()).decode("utf-8", errors="replace")
        text = f"{request.rel_url.raw_path_qs} {body}"
        hits = self._faults.hits(f"{request.method} {request.path}", text)
        for fault in hits:
            if fault.do is Do.EXECUTE_LATE:
                self._execute_late(request, handler, fault)
                return await self._instead(request, fault)
            if fault.when == "before" and fault.do not in _ON_THE_ANSWER:
                if fault.do in ON_THE_WORLD:
                    self._act(fault, text)
                elif fault.do is Do.DELAY:
                    await self._exchange.clock.sleep((fault.delay_ms or 0) / 1000)
                else:
                    return await self._instead(request, fault)
        response = await handler(request)
        if not isinstance(response, web.Response):
            return response
        if any(fault.do is Do.EXECUTE_TWICE for fault in hits):
            await self._again(request, handler)
        kept = _CHANGING.sub("", text)
        for fault in hits:
            if fault.do is Do.TRUNCATE:
                return await _cut_off(request, response)
            if fault.when == "after" or fault.do in _ON_THE_ANSWER:
                response = await self._afterwards(request, response, fault, text, kept)
        if self._faults.has(Do.STALE) and response.status == 200 and isinstance(response.body, bytes):
            answers = self._answers.setdefault(kept, deque(maxlen=_KEPT_ANSWERS))
            answers.append((self._exchange.clock.monotonic(), response.body))
        return response

    async def _afterwards(
        self, request: web.Request, response: web.Response, fault: Fault, text: str, kept: str
    ) -> web.Response:
        if fault.do in ON_THE_WORLD:
            self._act(fault, text)
            return response
        if fault.do is Do.DELAY:
            await self._exchange.clock.sleep((fault.delay_ms or 0) / 1000)
            return response
        if fault.do is Do.EXECUTE_TWICE:
            return response
        body = response.body if isinstance(response.body, bytes) else b""
        if fault.do is Do.STALE:
            now = self._exchange.clock.monotonic()
            known = self._answers.get(kept, deque())
            old = [each for time, each in known if (now - time) * 1000 >= (fault.delay_ms or 0)]
            return _with_body(response, old[-1] if old else known[0][1] if known else body)
        if fault.do in _MANGLED:
            try:
                answer = orjson.loads(body)
            except orjson.JSONDecodeError:
                # Another fault has been here.
                return response
            return _with_body(response, orjson.dumps(_MANGLED[fault.do](answer, fault)))
        return await self._instead(request, fault)

    async def _instead(self, request: web.Request, fault: Fault) -> web.Response:
        """Return what the client gets in place of an answer, which may be the end of its connection."""
        match fault.do:
            case Do.EMPTY | Do.NULL:
                body = b"" if fault.do is Do.EMPTY else b"null"
                return web.Response(body=body, content_type="application/json")
            case Do.HTML:
                return web.Response(text=_HTML.format("Please wait"), content_type="text/html")
            case Do.ERROR:
                body = orjson.dumps(self._error_body(fault.code or 0, fault.message or ""))
                return web.Response(body=body, status=fault.status or 400, content_type="application/json")
            case Do.STATUS | Do.EXECUTE_LATE if fault.status is not None:
                headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
                return web.Response(
                    text=_HTML.format(fault.status), status=fault.status, content_type="text/html", headers=headers
                )
            case Do.HANG:
                seconds = _FOREVER_S if fault.delay_ms is None else fault.delay_ms / 1000
                await self._exchange.clock.sleep(seconds)
            case _:
                # No answer at all.
                pass
        _hang_up(request, reset=fault.do is Do.RESET)
        return web.Response()

    def _act(self, fault: Fault, text: str) -> None:
        try:
            act_on(self._exchange, fault, text)
        except OrderRejected as refused:
            # A withdrawal of what is not there, say: the exchange does what it can, and the rest is told.
            self.refusals.append(refused.message)

    def _execute_late(self, request: web.Request, handler: Handler, fault: Fault) -> None:
        # It came in time, and only was carried out late.
        request[ARRIVED] = self._exchange.now()

        async def later() -> None:
            await self._exchange.clock.sleep((fault.delay_ms or 0) / 1000)
            await handler(request)

        task = asyncio.ensure_future(later())
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    async def _again(self, request: web.Request, handler: Handler) -> None:
        room = self._exchange.room
        room.refuse_duplicates = False
        try:
            await handler(request)
        finally:
            room.refuse_duplicates = True


def _hang_up(request: web.Request, *, reset: bool) -> None:
    transport = request.transport
    if transport is None:
        return
    if reset:
        linger = struct.pack("ii", 1, 0)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        transport.abort()
    else:
        transport.close()


async def _cut_off(request: web.Request, response: web.Response) -> web.StreamResponse:
    """Send half of an answer that was announced whole, and hang up."""
    body = response.body if isinstance(response.body, bytes) else b""
    half = web.StreamResponse(status=response.status, headers={"Content-Type": "application/json"})
    half.content_length = len(body)
    await half.prepare(request)
    await half.write(body[: len(body) // 2])
    _hang_up(request, reset=False)
    return half


def _with_body(response: web.Response, body: bytes) -> web.Response:
    headers = {name: value for name, value in response.headers.items() if name.startswith(("X-", "Retry"))}
    return web.Response(body=body, status=response.status, content_type="application/json", headers=headers)


def _elsewhere(answer: object, _: Fault) -> object:
    if isinstance(answer, dict):
        return {
            name: _ELSEWHERE if name in {"symbol", "market"} else _elsewhere(each, _) for name, each in answer.items()
        }
    return [_elsewhere(each, _) for each in answer] if isinstance(answer, list) else answer


def _without(answer: object, fault: Fault) -> object:
    if isinstance(answer, dict):
        return {name: _without(each, fault) for name, each in answer.items() if name not in (fault.fields or ())}
    return [_without(each, fault) for each in answer] if isinstance(answer, list) else answer


def replaced(answer: object, fault: Fault) -> object:
    """Return an answer or a message with other values under the names that the fault has."""
    if isinstance(answer, dict):
        values = fault.values or {}
        return {name: values[name] if name in values else replaced(each, fault) for name, each in answer.items()}
    return [replaced(each, fault) for each in answer] if isinstance(answer, list) else answer


def _missing_one(answer: object, fault: Fault) -> object:
    """Return a list without one row: the last, or the one that the fault names."""
    if not isinstance(answer, list) or not answer:
        return answer
    row = (-1 if fault.row is None else fault.row) % len(answer)
    return answer[:row] + answer[row + 1 :]


_MANGLED: dict[Do, Callable[[object, Fault], object]] = {
    Do.WRONG_SYMBOL: _elsewhere,
    Do.WITHOUT: _without,
    Do.REPLACE: replaced,
    Do.MISSING_ONE: _missing_one,
    Do.EMPTY_LIST: lambda answer, _: [] if isinstance(answer, list) else answer,
    Do.CUT_PAGE: lambda answer, fault: answer[: fault.keep] if isinstance(answer, list) else answer,
}
_ON_THE_ANSWER = frozenset({*_MANGLED, Do.EXECUTE_TWICE, Do.TRUNCATE, Do.STALE})
"""Before the effect there is no answer that these could change."""
