"""`gridbot sandbox`: an exchange on this machine to practise on, wired from its parts; its money is play money."""

from __future__ import annotations

import os
from contextlib import closing, suppress
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gridbot.cli_app import app, gridbot_home
from gridbot.errors import ConfigError, EnvironmentProblem

if TYPE_CHECKING:
    from gridbot.sandbox.exchange import Exchange
    from gridbot.sandbox.fault_script import Fault
    from gridbot.sandbox.opening import Listing
    from gridbot.sandbox.records import MarketRules
    from gridbot.sandbox.server import Protocol, Service

_OPENING = {"binance": {"USDT": "50000", "BNB": "5"}, "firi": {"NOK": "500000"}}
_MARKETS = {"binance": "BTC/USDT", "firi": "BTC/NOK"}
_THIRD = "BNB/USDT"
"""Where fees are taken in BNB it is listed as well: ccxt fails on a fee in a coin that no market has."""
_FILE = "sandbox.sqlite"


@app.command()
def sandbox(
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0 takes any free one.")] = 8787,
    protocol: Annotated[str, typer.Option(metavar="binance|firi", help="Which exchange it speaks like.")] = "binance",
    candles: Annotated[Path | None, typer.Option(metavar="FILE", help="A recorded market: candles or trades.")] = None,
    demo: Annotated[bool, typer.Option("--demo", help="The generated market; so it is without --candles.")] = False,
    speed: Annotated[str, typer.Option(metavar="X", help="Times real time; 0 lets it trade by hand only.")] = "1",
    faults: Annotated[Path | None, typer.Option(metavar="SCRIPT.json", help="What is to go wrong.")] = None,
    data: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Where it keeps its books.")] = None,
    market: Annotated[list[str] | None, typer.Option(metavar="BASE/QUOTE", help="What it lists; repeatable.")] = None,
    balance: Annotated[list[str] | None, typer.Option(metavar="ASSET=AMOUNT", help="A new account's money.")] = None,
    fees: Annotated[
        str, typer.Option(metavar="received|quote|third", help="Which asset fees are taken in.")
    ] = "received",
) -> None:
    """Run an exchange on this machine, with play money, until Ctrl-C."""
    if demo and candles is not None:
        raise typer.BadParameter("choose --demo or --candles, not both", param_hint="--demo")
    if candles is not None and len(market or []) > 1:
        raise typer.BadParameter("a recording is of one market", param_hint="--market")
    import asyncio

    from gridbot.adapters.system_clock import SystemClock
    from gridbot.sandbox.exchange import Exchange
    from gridbot.sandbox.opening import open_market
    from gridbot.sandbox.records import FeeMode, Fees
    from gridbot.sandbox.server import Protocol, Service, serve
    from gridbot.sandbox.store import Store

    if protocol not in set(Protocol):
        raise typer.BadParameter(f"it must be binance or firi, not {protocol!r}", param_hint="--protocol")
    if fees not in set(FeeMode):
        raise typer.BadParameter(f"it must be received, quote or third, not {fees!r}", param_hint="--fees")
    spoken = Protocol(protocol)
    service = Service(spoken, port, _amount("--speed", speed), _script(faults))
    folder = gridbot_home().root / "sandbox" / protocol if data is None else data
    third = [_THIRD] if fees == FeeMode.THIRD and candles is None and spoken is Protocol.BINANCE else []
    listings = [_listing(name, candles) for name in market or [_MARKETS[protocol], *third]]
    rates = Fees(mode=FeeMode(fees))
    if spoken is Protocol.FIRI:
        rates = Fees(maker=Decimal("0.005"), taker=Decimal("0.005"), mode=FeeMode.QUOTE)
    with closing(Store(_owned(folder))) as store:
        rules = [_rules(listing, spoken) for listing in listings]
        exchange = Exchange(store, SystemClock(), markets=rules, fees=rates)
        exchange.open_account(_opening(balance) or {a: Decimal(each) for a, each in _OPENING[protocol].items()})
        pumps = [open_market(exchange, each.symbol, listing) for each, listing in zip(rules, listings, strict=True)]
        with suppress(KeyboardInterrupt):
            asyncio.run(serve(exchange, pumps, service, lambda on: _tell(exchange, service, on, folder)))
    print("The sandbox has ended; its books are kept.")


def _script(path: Path | None) -> tuple[Fault, ...]:
    from gridbot.sandbox.fault_script import read_script

    if path is None:
        return ()
    try:
        return tuple(read_script(path.read_bytes(), source=str(path)))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.", hint="Name a fault script.") from error


def _owned(folder: Path) -> Path:
    """Return the path of the books, made with nobody's right but the owner's before anything is in them."""
    path = folder / _FILE
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise EnvironmentProblem(
            f"The sandbox cannot keep its books in {folder}: {error.strerror}.", hint="Name another folder with --data."
        ) from error
    return path


def _listing(symbol: str, candles: Path | None) -> Listing:
    from gridbot.core.units import Symbol
    from gridbot.sandbox.opening import Listing
    from gridbot.sim.demo_feed import DEFAULT_SEED, GeneratedSource, demo_start

    named = Symbol(symbol)
    if candles is None:
        source = GeneratedSource(DEFAULT_SEED, named)
        return Listing(symbol, source, source.first_from(demo_start(DEFAULT_SEED)))
    from gridbot.adapters.market_files.recordings import load_recording
    from gridbot.sim.recording import make_recording

    recorded = make_recording(load_recording(candles, named), named, (), name=candles.name, history_bars=0).source
    # The first half is history, so that a grid has its bars at once.
    return Listing(symbol, recorded, recorded.size() // 2)


def _rules(listing: Listing, spoken: Protocol) -> MarketRules:
    from gridbot.sandbox.opening import rules_of
    from gridbot.sandbox.server import Protocol

    if spoken is Protocol.FIRI:
        return rules_of(listing, lot_size=Decimal("0.00000001"), min_notional=Decimal(0))
    return rules_of(listing)


def _opening(given: list[str] | None) -> dict[str, Decimal]:
    opening = {}
    for each in given or []:
        asset, _, amount = each.partition("=")
        opening[asset] = _amount("--balance", amount)
    return opening


def _amount(option: str, text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal(-1)
    if not amount.is_finite() or amount < 0:
        raise typer.BadParameter(f"it must be a number from 0 on, not {text!r}", param_hint=option)
    return amount


def _tell(exchange: Exchange, service: Service, port: int, folder: Path) -> None:
    """Say where it is and how to use it."""
    from gridbot.sandbox.server import Protocol

    key, address = exchange.key(), f"http://127.0.0.1:{port}"
    print(f"The sandbox speaks like {service.protocol.value} at {address}; its books are in {folder}.")
    print(f"  API key  {key.name}")
    if service.protocol is Protocol.BINANCE:
        print(f"  secret   {key.secret}")
    print(f'  in config.json: "exchange": {{"id": "{service.protocol.value}", "base_url": "{address}"}}')
    print(f"What it knows itself: {address}/sandbox/books and /sandbox/stats. Ctrl-C ends it.", flush=True)
