"""The server: loopback only, one protocol, one exchange; it runs until told to stop, and may be killed at any time."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from decimal import Decimal
from enum import StrEnum
from functools import partial

from aiohttp import web

from gridbot.core.values import value
from gridbot.errors import EnvironmentProblem
from gridbot.sandbox.admin import Admin
from gridbot.sandbox.binance_app import BinanceRest
from gridbot.sandbox.binance_streams import MarketStreams
from gridbot.sandbox.binance_user import UserStream
from gridbot.sandbox.exchange import Exchange
from gridbot.sandbox.fault_gate import FaultGate
from gridbot.sandbox.fault_script import Fault, check_symbols
from gridbot.sandbox.faults import Faults
from gridbot.sandbox.firi_app import PACE_MS, FiriRest
from gridbot.sandbox.opening import Pump, flush_for_ever

HOST = "127.0.0.1"
Work = Callable[[], Coroutine[None, None, None]]
_PATIENCE_S = 0.5


class Protocol(StrEnum):
    """Which exchange is spoken for."""

    BINANCE = "binance"
    FIRI = "firi"


@value
class Service:
    """How the exchange is offered. Port 0 is any free one; at speed 0 the market trades by hand only."""

    protocol: Protocol
    port: int
    speed: Decimal
    script: tuple[Fault, ...] = ()
    firi_pace_ms: int = PACE_MS


@contextlib.asynccontextmanager
async def running(
    exchange: Exchange, pumps: Sequence[Pump], service: Service, *, broke: Callable[[], None] = lambda: None
) -> AsyncIterator[int]:
    """Serve while the block runs; its value is the port.

    `broke` is called when the exchange cannot go on; the error itself comes out of the block's end.

    Raises:
        EnvironmentProblem: the port is taken, or the books could not be written.
        ConfigError: the script names a market that is not listed.
    """
    check_symbols(service.script, exchange.room.markets)
    exchange.on_failure = broke
    for pump in pumps:
        pump.first()
    exchange.flush()
    app, works = _application(exchange, service)
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=_PATIENCE_S)
    await runner.setup()
    tasks: list[asyncio.Task[None]] = []
    try:
        await _listen(runner, service.port)
        works.append(partial(flush_for_ever, exchange, pumps, service.speed))
        for work in works:
            tasks.append(asyncio.ensure_future(work()))
            tasks[-1].add_done_callback(lambda _: broke())
        yield int(runner.addresses[0][1])
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        await runner.cleanup()
        if exchange.failure is not None:
            raise exchange.failure
        exchange.flush()
        for each in ended:
            if isinstance(each, Exception):
                # A market that broke off is a bug, and must not end in silence.
                raise each


def _application(exchange: Exchange, service: Service) -> tuple[web.Application, list[Work]]:
    """Return what answers, and what is to run beside it."""
    faults = Faults(exchange.clock, service.script)
    if service.protocol is Protocol.FIRI:
        gate = FaultGate(exchange, faults, lambda name, message: {"name": str(name), "message": message})
        app = web.Application(middlewares=[gate.middleware()])
        app.add_routes(FiriRest(exchange, pace_ms=service.firi_pace_ms).routes())
        app.add_routes(Admin(exchange, faults, gate).routes())
        return app, []
    gate = FaultGate(exchange, faults, lambda code, message: {"code": code, "msg": message})
    app = web.Application(middlewares=[gate.middleware()])
    app.add_routes(BinanceRest(exchange).routes())
    app.add_routes(Admin(exchange, faults, gate).routes())
    streams, user = MarketStreams(exchange, faults), UserStream(exchange, faults)
    for path in ("/stream/ws", "/stream/ws/{connection}", "/ws/{streams:.*}"):
        app.router.add_get(path, streams.handle)
    app.router.add_get("/ws-api/v3", user.handle)
    app.on_shutdown.append(lambda _: streams.hang_up())
    app.on_shutdown.append(lambda _: user.hang_up())
    return app, [streams.beat_for_ever]


async def _listen(runner: web.AppRunner, port: int) -> None:
    try:
        await web.TCPSite(runner, HOST, port).start()
    except OSError as error:
        raise EnvironmentProblem(f"Port {port} on {HOST} is not free.", hint="Choose another with --port.") from error


async def serve(exchange: Exchange, pumps: Sequence[Pump], service: Service, say: Callable[[int], None]) -> None:
    """Serve until Ctrl-C or a request of the system to end; `say` is told the port."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    # On Windows there are no such handlers: Ctrl-C arrives as KeyboardInterrupt.
    if sys.platform != "win32":
        for each in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(each, stop.set)
    async with running(exchange, pumps, service, broke=stop.set) as port:
        say(port)
        await stop.wait()
