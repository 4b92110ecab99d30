"""A sandbox that serves inside the test's own loop, its clients set up as a user would, its market moved by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import aiohttp
import ccxt.async_support as rest
import orjson
from ccxt import pro

from gridbot.adapters.system_clock import SystemClock
from gridbot.core.units import Side, Symbol
from gridbot.sandbox.exchange import Exchange, Key
from gridbot.sandbox.fault_script import read_script
from gridbot.sandbox.opening import Listing, open_market, rules_of
from gridbot.sandbox.records import FeeMode, Fees
from gridbot.sandbox.server import Protocol, Service, running
from gridbot.sandbox.store import Store
from gridbot.sim.demo_feed import DEFAULT_SEED, GeneratedSource, demo_start

OPENING = {"USDT": Decimal(50_000), "BTC": Decimal(2), "NOK": Decimal(500_000), "BNB": Decimal(5)}
BLACK_HOLE = "http://127.0.0.1:9"
"""Nobody listens there."""


@dataclass(frozen=True, slots=True)
class Served:
    """A running sandbox: where it is, its key, and its insides."""

    port: int
    key: Key
    exchange: Exchange

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def trade(self, price: str, amount: str, side: Side = Side.SELL, symbol: str = "BTCUSDT") -> None:
        """Let others trade."""
        self.exchange.trade(symbol, Decimal(price), Decimal(amount), side)

    async def ask(self, path: str, body: object = None) -> Any:
        """Call one of the sandbox's own addresses."""
        method, data = ("GET", None) if body is None else ("POST", orjson.dumps(body))
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, f"{self.address}/sandbox/{path}", data=data) as answer,
        ):
            return orjson.loads(await answer.read())

    async def load(self, *faults: Mapping[str, object]) -> None:
        """Replace the fault script while it runs."""
        told = await self.ask("faults", list(faults))
        assert "faults" in told, told


@cache
def _source(symbol: str) -> GeneratedSource:
    """Return a market; the same one each time, as its past takes a while to make."""
    return GeneratedSource(DEFAULT_SEED, Symbol(symbol))


@asynccontextmanager
async def sandbox(
    folder: Path,
    *faults: Mapping[str, object],
    protocol: Protocol = Protocol.BINANCE,
    speed: str = "0",
    fees: FeeMode = FeeMode.RECEIVED,
    pace_ms: int = 1,
) -> AsyncIterator[Served]:
    """Serve on a free port while the block runs."""
    symbol = "BTC/NOK" if protocol is Protocol.FIRI else "BTC/USDT"
    source = _source(symbol)
    listing = Listing(symbol, source, source.first_from(demo_start(DEFAULT_SEED)))
    script = tuple(read_script(orjson.dumps(faults), source="the test's script"))
    folder.mkdir(exist_ok=True)
    with closing(Store(folder / "sandbox.sqlite")) as store:
        rules = rules_of(listing)
        rates = Fees(mode=fees)
        exchange = Exchange(store, SystemClock(), markets=[rules], fees=rates)
        exchange.open_account(OPENING)
        pumps = [open_market(exchange, rules.symbol, listing)]
        service = Service(protocol, 0, Decimal(speed), script, firi_pace_ms=pace_ms)
        async with running(exchange, pumps, service) as port:
            yield Served(port, exchange.key(), exchange)


@cache
def _described() -> tuple[dict[str, object], dict[str, object]]:
    """Return the class's own addresses, and the spot errors, which it chooses by an address that we replace."""
    described = rest.binance()
    return described.describe()["urls"]["api"], described.exceptions["spot"]["exact"]


def settings(port: int, key: Key) -> dict[str, object]:
    """Return what ccxt needs to reach a sandbox: configuration, no subclass (design/ccxt-facts.md)."""
    own, ws = f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}"
    elsewhere = ("dapi", "eapi", "fapi", "papi")
    described, exact = _described()
    urls: dict[str, object] = {
        name: BLACK_HOLE for name in described if isinstance(described[name], str) and name.startswith(elsewhere)
    }
    urls |= {name: f"{own}/api/v3" for name in ("public", "private")}
    urls |= {"v1": f"{own}/api/v1", **{name: f"{own}/sapi/v1" for name in ("sapi", "sapiV2", "sapiV3", "sapiV4")}}
    urls["ws"] = {
        **{name: f"{ws}/stream/ws" for name in ("spot", "margin")},
        **{name: "ws://127.0.0.1:9" for name in ("future", "delivery", "papi")},
        "ws-api": {name: f"{ws}/ws-api/v3" for name in ("spot", "linear", "inverse")},
    }
    return {
        "apiKey": key.name,
        "secret": key.secret,
        "urls": {"api": urls},
        "number": str,
        "enableRateLimit": False,
        "exceptions": {"exact": exact},
        "options": {
            "defaultType": "spot",
            "fetchMarkets": {"types": ["spot"]},
            "fetchCurrencies": False,
            "fetchMargins": False,
            "fetchOpenOrders": {"warnWithoutSymbol": False},
            "adjustForTimeDifference": False,
            "maxRetriesOnFailure": 0,
        },
    }


@asynccontextmanager
async def client(served: Served, **changes: object) -> AsyncIterator[Any]:
    """Return the real ccxt class for REST."""
    exchange = rest.binance({**settings(served.port, served.key), **changes})
    try:
        yield exchange
    finally:
        await exchange.close()


@asynccontextmanager
async def streaming(served: Served, **changes: object) -> AsyncIterator[Any]:
    """Return the real ccxt.pro class."""
    exchange = pro.binance({**settings(served.port, served.key), **changes})
    try:
        yield exchange
    finally:
        await exchange.close()


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a test's coroutine; it hangs no longer than half a minute."""

    async def bounded() -> None:
        async with asyncio.timeout(30):
            await test()

    asyncio.run(bounded())
