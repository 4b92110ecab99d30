"""What exchanges say: answers through ccxt and of Firi, structures as the adapter takes them, frames of websockets.

An input names in its first line what is asked, and the rest is what comes back. Nothing leaves the machine: where the
session was stands something that answers.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any

from gridbot.adapters.exchange import forms, market_forms, price_forms
from gridbot.adapters.exchange.capability_table import capability_of
from gridbot.adapters.exchange.exchange_key import ExchangeKey
from gridbot.adapters.exchange.figures import mapping, rows
from gridbot.adapters.exchange.firi import FiriClient
from gridbot.adapters.exchange.firi_pace import FiriPace
from gridbot.adapters.exchange.unified import CallFailed
from gridbot.adapters.exchange.venue import ExchangeVenue
from gridbot.core.commands import CancelOrder, PlaceLimit
from gridbot.core.events import OrderRef
from gridbot.core.units import Asset, FeeCurrency, GridId, Price, Quantity, Side, Symbol, TimeMs, VenueOrderId
from gridbot.errors import ConfigError, GridbotError
from tests.adapters.exchange.recorded import OUR_ID, Entry, generated
from tests.adapters.exchange.test_mutations import ALLOWED, InstantClock, Trial, is_figure, is_fill, is_listed
from tests.fuzz.target import Meet, Target, simply

LTC, BTC_NOK = Symbol("LTC/USDT"), Symbol("BTC/NOK")
_REF = OrderRef(GridId("g"), 1, OUR_ID)


@contextmanager
def loop_of_its_own() -> Iterator[asyncio.AbstractEventLoop]:
    """Give a loop, and close it."""
    with closing(asyncio.new_event_loop()) as loop:
        yield loop


# ---------------------------------------------------------------------------------- answers through ccxt


@cache
def _entries() -> tuple[Entry, ...]:
    return tuple(generated(Random(seed)) for seed in range(40))


@cache
def _answers() -> tuple[bytes, ...]:
    return tuple(b"%d\n" % number + entry.body.encode() for number, entry in enumerate(_entries()))


@contextmanager
def _ccxt(folder: Path) -> Iterator[Meet]:
    async def made() -> Trial:
        return Trial("binance")

    with loop_of_its_own() as loop:
        trial = loop.run_until_complete(made())
        try:
            yield _ccxt_meet(loop, trial)
        finally:
            loop.run_until_complete(trial.close())


def _ccxt_meet(loop: asyncio.AbstractEventLoop, trial: Trial) -> Meet:

    def meet(content: bytes) -> bool:
        number, _, body = content.partition(b"\n")
        entry = _entries()[int(number) % len(_entries()) if number.isdigit() and len(number) < 9 else 0]
        # The exchange's own word for the new order: any other id would be made up.
        entry = replace(entry, parsed=_with_id(entry.parsed, body))
        refused = trial.refused
        wrong = loop.run_until_complete(trial.run(entry, body.decode("utf-8", "replace")))
        assert wrong is None, f"{entry.method}: {wrong}"
        return trial.refused == refused

    return meet


def _with_id(parsed: Any, body: bytes) -> Any:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return parsed
    if not (isinstance(parsed, dict) and isinstance(told, dict) and isinstance(told.get("orderId"), int | str)):
        return parsed
    return {**parsed, "id": str(told["orderId"])}


# ------------------------------------------------------------------------------------ answers of Firi


class FedFiri:
    """Stands where Firi's session was, and gives every request the same answer."""

    def __init__(self) -> None:
        self.status, self.body = 200, b""
        self.headers: dict[str, str] = {}
        self.closed = False

    def request(self, *_words: object, **_named: object) -> FedFiri:
        """Answer."""
        return self

    async def __aenter__(self) -> FedFiri:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    async def read(self) -> bytes:
        """The body as it came."""
        return self.body


_FIRI_ORDER = {
    "id": 12345678,
    "market": "BTCNOK",
    "type": "bid",
    "price": "342523.04",
    "remaining": "0.0001",
    "amount": "0.000100",
    "matched": "0",
    "cancelled": "0",
    "created_at": "2026-11-01T10:00:00.000Z",
}
_FIRI: dict[str, Any] = {
    "create": {"id": 12345678},
    "cancel": {"id": 12345678, "matched": "0.00005"},
    "find": _FIRI_ORDER,
    "open": [_FIRI_ORDER, {**_FIRI_ORDER, "id": 12345679, "type": "ask"}],
    "trades": [],
    "balances": [{"currency": "BTC", "balance": "1.5", "hold": "0.5", "available": "1.0"}],
    "instrument": [{"id": "BTCNOK", "last": "1", "high": "1", "change": "0", "low": "1", "volume": "1"}],
    "book": {"bids": [["100.5", "1"]], "asks": [["101.5", "2"]]},
    "tape": [{"type": "bid", "amount": "0.1", "price": "100", "created_at": "2026-11-01T10:00:00.000Z", "total": "10"}],
    "movements": [
        {
            "id": "x1",
            "date": "2026-11-01T10:00:00.000Z",
            "currency": "BTC",
            "amount": "0.5",
            "type": "Deposit",
            "details": {"deposit_id": 5},
        }
    ],
    "error": {"name": "InsufficientFunds", "message": "no"},
}


@cache
def _firi_answers() -> tuple[bytes, ...]:
    return tuple(f"{name}\n".encode() + json.dumps(body).encode() for name, body in _FIRI.items())


@contextmanager
def _firi(folder: Path) -> Iterator[Meet]:
    with loop_of_its_own() as loop:
        yield _firi_meet(loop)


def _firi_meet(loop: asyncio.AbstractEventLoop) -> Meet:
    fed, ticks = FedFiri(), iter(range(1 << 62))
    client = FiriClient(
        base_url="http://127.0.0.1:9",
        key=ExchangeKey("key", ""),
        pace=FiriPace(pause_s=0.0, monotonic=lambda: float(next(ticks))),
    )
    vars(client)["_session"] = fed

    def meet(content: bytes) -> bool:
        name, _, fed.body = content.partition(b"\n")
        fed.status = 400 if name == b"error" else 200
        venue = ExchangeVenue(
            client,
            capability_of("firi"),
            clock=InstantClock(),
            known=lambda _symbol: [],
            ours=lambda id_: id_.startswith("gbaaaaa"),
        )
        try:
            wrong = loop.run_until_complete(_ask_firi(venue, client, name.decode("ascii", "replace"), fed.body))
        except (*ALLOWED, ConfigError, CallFailed):
            return False
        except GridbotError as refused:
            assert name == b"error" or fed.body == b"", f"refused without proof: {refused!r}"
            return False
        assert wrong is None, wrong
        return True

    return meet


async def _ask_firi(venue: ExchangeVenue, client: FiriClient, name: str, body: bytes) -> str | None:
    order = PlaceLimit(
        _REF,
        BTC_NOK,
        Side.BUY,
        Price(Decimal("342523")),
        Quantity(Decimal("0.0001")),
        True,
        False,
        Price(Decimal("342523")),
    )
    match name:
        case "cancel":
            await venue.cancel(CancelOrder(_REF, BTC_NOK, VenueOrderId("12345678")))
        case "find":
            report = await client.fetch_order("12345678", BTC_NOK, {})
            read = forms.read_order(report, BTC_NOK)
            return None if read.filled <= read.quantity and read.price else f"{read}"
        case "open":
            reports = await venue.open_orders(BTC_NOK)
            return next((f"{each}" for each in reports if not is_listed(each, BTC_NOK)), None)
        case "trades":
            fills = await venue.trades(BTC_NOK, TimeMs(0))
            return next((f"{each}" for each in fills if not is_fill(each, BTC_NOK)), None)
        case "balances":
            held = await venue.balances()
            return next((f"{asset}: {each}" for asset, each in held.items() if not is_figure(each)), None)
        case "instrument":
            rules = await venue.instrument(BTC_NOK)
            return None if rules.tick_size > 0 and rules.maker_fee.is_finite() else f"{rules}"
        case "book":
            quote = price_forms.quote_of_book(BTC_NOK, await client.fetch_order_book(BTC_NOK, 1))
            return None if quote is None or 0 < quote.bid <= quote.ask else f"{quote}"
        case "tape":
            found, _ = price_forms.trades_of(BTC_NOK, await client.fetch_trades(BTC_NOK, None, 10))
            return next((f"{each}" for each in found if not each.told.price > 0), None)
        case "movements":
            moved = await client.fetch_transfers("BTC", 0)
            told = [each for row in moved for each in forms.read_transfer(row, Asset("BTC"))]
            return next((f"{each}" for each in told if not each.amount.is_finite()), None)
        case _:
            id_ = str((await client.create_order(BTC_NOK, order.side.value, "0.0001", "342523", {}))["id"])
            taken = forms.acknowledged({"id": id_}, order, echoes_id=False)
            said = json.loads(body)
            return None if str(said["id"]) == taken else f"acknowledged as {taken}"
    return None


# -------------------------------------------------------------------------------- unified structures

_ORDER = {
    "id": "17",
    "clientOrderId": OUR_ID,
    "symbol": LTC,
    "side": "buy",
    "price": "70.25",
    "amount": "0.5",
    "filled": "0.1",
    "remaining": "0.4",
    "status": "open",
    "timestamp": 1_763_700_000_000,
}
_TRADE = {
    "id": "9",
    "order": "17",
    "symbol": LTC,
    "side": "buy",
    "price": "70.25",
    "amount": "0.5",
    "cost": "35.125",
    "timestamp": 1_763_700_000_000,
    "takerOrMaker": "maker",
    "fee": {"cost": "0.01", "currency": "USDT"},
    "fees": [{"cost": "0.01", "currency": "USDT"}],
}
_MARKET = {
    "symbol": LTC,
    "base": "LTC",
    "quote": "USDT",
    "spot": True,
    "active": True,
    "contract": False,
    "maker": 0.001,
    "taker": 0.002,
    "precision": {"price": "0.01", "amount": "0.0001"},
    "limits": {"amount": {"min": "0.0001", "max": None}, "price": {"min": None}, "cost": {"min": "5", "max": None}},
}
_UNIFIED: dict[str, Any] = {
    "order": _ORDER,
    "foreign": {**_ORDER, "price": None, "triggerPrice": "60"},
    "order id": _ORDER,
    "ack": _ORDER,
    "trade": _TRADE,
    "balances": {"total": {"LTC": "1.5", "USDT": "100"}, "free": {"LTC": "1.0"}, "used": {"LTC": "0.5"}},
    "transfer": {
        "id": "5",
        "currency": "LTC",
        "amount": "1",
        "type": "deposit",
        "status": "ok",
        "timestamp": 1,
        "fee": None,
    },
    "ticker": {"symbol": LTC, "bid": "70.1", "ask": "70.2"},
    "book": {"symbol": LTC, "bids": [["70.1", "1"]], "asks": [["70.2", "1"]]},
    "prints": [_TRADE, {**_TRADE, "id": "10"}],
    "candles": [[1_763_700_000_000 // 60_000 * 60_000, 70.0, 71.0, 69.0, 70.5, 12.5]],
    "market": {LTC: _MARKET},
    "fees": {"symbol": LTC, "maker": 0.001, "taker": 0.002},
    "rows": [_ORDER],
}


@cache
def _structures() -> tuple[bytes, ...]:
    return tuple(f"{name}\n".encode() + json.dumps(plain).encode() for name, plain in _UNIFIED.items())


def _unified(folder: Path) -> Meet:
    def meet(content: bytes) -> bool:
        name, _, body = content.partition(b"\n")
        try:
            plain = json.loads(body)
        except (ValueError, RecursionError):
            return False
        try:
            return _read_unified(name.decode("ascii", "replace"), plain)
        except (CallFailed, ConfigError, *ALLOWED):
            return False

    return meet


def _read_unified(name: str, plain: Any) -> bool:
    order = PlaceLimit(
        _REF, LTC, Side.BUY, Price(Decimal("70.25")), Quantity(Decimal("0.5")), True, False, Price(Decimal("70.25"))
    )
    match name:
        case "foreign":
            read = forms.read_foreign(plain, LTC)
            assert read.symbol == LTC and read.id and is_figure(read.filled)
        case "order id":
            assert forms.read_order_id(plain, LTC)[0]
        case "ack":
            assert forms.acknowledged(plain, order, echoes_id=True) == str(plain["id"])
            assert plain.get("price") is None or Decimal(str(plain["price"])) == order.price, "a false acknowledgement"
        case "trade":
            trade = forms.read_trade(plain, LTC)
            assert trade.price > 0 and trade.quantity > 0 and trade.id
            assert all(fee.is_finite() and asset for asset, fee in trade.fees)
        case "balances":
            assert all(is_figure(each) for each in forms.read_balances(plain).values())
        case "transfer":
            assert all(each.amount.is_finite() for each in forms.read_transfer(plain, Asset("LTC")))
        case "ticker" | "book":
            quote_of: Callable[[Symbol, object], Any] = (
                price_forms.quote_of_ticker if name == "ticker" else price_forms.quote_of_book
            )
            quote = quote_of(LTC, plain)
            assert quote is None or 0 < quote.bid <= quote.ask
            market_forms.best_prices(plain, LTC)
            return quote is not None
        case "prints":
            found, wrong = price_forms.trades_of(LTC, plain)
            assert all(each.told.price > 0 and each.told.amount > 0 for each in found)
            return not wrong
        case "candles":
            candles, wrong = price_forms.candles_of(plain, 60_000)
            assert all(0 < each.low <= each.high for each in candles)
            return not wrong
        case "market":
            market = market_forms.pick_market(mapping(plain, "the markets"), LTC, "Test")
            assert market_forms.is_traded(market) in {True, False}
            fees = market_forms.read_fees(market)
            made = market_forms.read_instrument(
                market, exchange_id="test", fees=fees, fee_currency=FeeCurrency.QUOTE, price=None
            )
            assert made.tick_size > 0 and made.lot_size > 0 and made.min_qty >= made.lot_size
        case "fees":
            assert all(each.is_finite() for each in market_forms.read_fees(mapping(plain, "the fees")))
        case "rows":
            assert isinstance(rows(plain, "the rows"), list | tuple)
        case _:
            told = forms.read_order(plain, LTC)
            assert told.price is not None and told.price > 0 and 0 <= told.filled <= told.quantity
    return True


EXCHANGE_TARGETS = (
    Target("answers, ccxt", 60, _answers, _ccxt),
    Target("answers, Firi", 100, _firi_answers, _firi),
    Target("unified structures", 110, _structures, simply(_unified)),
)
