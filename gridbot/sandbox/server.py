"""The server: loopback only, one protocol, one exchange; it runs until told to stop, and may be killed at any time."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from decimal import Decimal
from enum import StrEnum

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
    exchange: Exchange, pumps: Sequence[Pump], service: Service, *, broke: Callable[[], None] | None = None
) -> AsyncIterator[int]:
    """Serve while the block runs; its value is the port. EnvironmentProblem if the port is taken,
    ConfigError if the script names a market that is not listed.

    `broke` is called when the exchange cannot go on; the error itself comes out of the block's end.
    """
    check_symbols(service.script, exchange.room.markets)
    faults = Faults(exchange.clock, service.script)
    if broke is not None:
        exchange.on_failure = broke
    for pump in pumps:
        pump.first()
    exchange.flush()
    work: list[asyncio.Task[None]] = []
    if service.protocol is Protocol.BINANCE:
        gate = FaultGate(exchange, faults, lambda code, message: {"code": code, "msg": message})
        streams, user = MarketStreams(exchange, faults), UserStream(exchange, faults)
        routes = [
            *BinanceRest(exchange).routes(),
            web.get("/stream/ws", streams.handle),
            web.get("/stream/ws/{connection}", streams.handle),
            web.get("/ws/{streams:.*}", streams.handle),
            web.get("/ws-api/v3", user.handle),
        ]
        work.append(asyncio.ensure_future(streams.beat_for_ever()))
    else:
        gate = FaultGate(exchange, faults, lambda name, message: {"name": str(name), "message": message})
        routes = FiriRest(exchange, pace_ms=service.firi_pace_ms).routes()
    app = web.Application(middlewares=[gate.middleware()])
    app.add_routes([*Admin(exchange, faults, gate).routes(), *routes])
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=_PATIENCE_S)
    if service.protocol is Protocol.BINANCE:
        app.on_shutdown.append(lambda _: streams.hang_up())
        app.on_shutdown.append(lambda _: user.hang_up())
    await runner.setup()
    try:
        site = web.TCPSite(runner, HOST, service.port)
        try:
            await site.start()
        except OSError as error:
            raise EnvironmentProblem(
                f"Port {service.port} on {HOST} is not free.", hint="Choose another with --port."
            ) from error
        work.append(asyncio.ensure_future(flush_for_ever(exchange, pumps, service.speed)))
        if broke is not None:
            work[-1].add_done_callback(lambda _: broke())
        yield int(runner.addresses[0][1])
    finally:
        for task in work:
            task.cancel()
        ended = await asyncio.gather(*work, return_exceptions=True)
        await runner.cleanup()
        if exchange.failure is not None:
            raise exchange.failure
        exchange.flush()
        for each in ended:
            if isinstance(each, Exception):
                # A market that broke off is a bug, and must not end in silence.
                raise each


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
