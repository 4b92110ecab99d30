"""What ccxt would send, seen at the last moment before the wire: method, path and parameters of each request."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from gridbot.adapters.exchange.budget import Budget
from gridbot.adapters.exchange.ccxt_client import CcxtClient
from gridbot.adapters.exchange.exchange_key import ExchangeKey
from gridbot.adapters.exchange.unified import CallFailed
from tests.shared_data import DATA

TWIN = "GRD/USDT"
"""A market of no exchange, so that these tests need no file."""
KEY = ExchangeKey(key="k" * 32, secret=base64.b64encode(b"s" * 32).decode(), passphrase="open sesame")
_IDS = {
    "binance": "GRDUSDT",
    "kraken": "GRDUSDT",
    "coinbase": "GRD-USDT",
    "bybit": "GRDUSDT",
    "okx": "GRD-USDT",
    "kucoin": "GRD-USDT",
    "bitget": "GRDUSDT",
    "gate": "GRD_USDT",
    "bitstamp": "grdusdt",
    "bitfinex": "tGRDUST",
}
# What each class asks the exchange for once, to know which kind of account it is.
_ACCOUNT_KIND = {
    "enableUnifiedMargin": False,
    "enableUnifiedAccount": True,
    "unifiedMarginStatus": 5,
    "unifiedAccount": False,
    "hfMigrated": True,
    "uta": False,
}


@dataclass(frozen=True, slots=True)
class Sent:
    """One request. `fields` are its parameters, from the address and the body, as text."""

    method: str
    path: str
    fields: Mapping[str, str]


def twin(exchange_id: str) -> dict[str, Any]:
    """Return a generated market in the unified form."""
    return {
        "id": _IDS[exchange_id],
        "lowercaseId": _IDS[exchange_id].lower(),
        "symbol": TWIN,
        "base": "GRD",
        "quote": "USDT",
        "baseId": "GRD",
        "quoteId": "USDT",
        "type": "spot",
        "spot": True,
        "swap": False,
        "future": False,
        "option": False,
        "contract": False,
        "margin": False,
        "active": True,
        # Bitfinex counts digits, the others have steps.
        "precision": {"amount": 8, "price": 5} if exchange_id == "bitfinex" else {"amount": "0.0001", "price": "0.01"},
        "limits": {"amount": {"min": "0.0001"}, "price": {"min": None}, "cost": {"min": "5"}, "leverage": {}},
        "info": {"wsname": TWIN, "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET"]},
    }


def recorded_market(exchange_id: str) -> dict[str, Any] | None:
    """Return a real market of an exchange, None where it was not recorded or the data is not beside the project."""
    path = DATA / "ccxt" / "markets" / f"{exchange_id}.json"
    if not path.is_file():
        return None
    markets = json.loads(path.read_text("utf-8")).values()
    spot = [each for each in markets if each.get("spot") and each.get("active") is not False]
    liked = sorted(spot, key=lambda each: each["symbol"] != "BTC/USDT")
    return liked[0] if liked else None


def requests_of(
    exchange_id: str, market: Mapping[str, Any], call: Callable[[CcxtClient], Awaitable[object]]
) -> list[Sent]:
    """Return what one call of the real client would send; nothing leaves, and every request fails."""
    sent: list[Sent] = []

    async def run() -> None:
        from ccxt.base.errors import ExchangeNotAvailable

        client = _client(exchange_id)
        exchange = client._made()
        exchange.set_markets([dict(market)])

        async def seen(url: str, method: str = "GET", headers: object = None, body: Any = None) -> Any:
            sent.append(_read(method, url, body))
            raise ExchangeNotAvailable(url)

        exchange.fetch = seen
        try:
            with suppress(CallFailed):
                await call(client)
        finally:
            await client.close()

    asyncio.run(run())
    return sent


@cache
def _client(exchange_id: str) -> CcxtClient:
    """Return a client; the same one each time, as it takes longer to make than all it does here."""
    hurried = Budget(monotonic=lambda: time.monotonic() * 1_000)
    client = CcxtClient(exchange_id, base_url="http://127.0.0.1:9", key=KEY, budget=hurried)
    client._made().options.update(_ACCOUNT_KIND)
    return client


def _read(method: str, url: str, body: str | None) -> Sent:
    parts = urlsplit(url)
    fields = dict(parse_qsl(parts.query, keep_blank_values=True))
    if body and body[0] in "[{":
        told = json.loads(body)
        rows = told if isinstance(told, list) else [told]
        fields |= {name: _text(each) for row in rows for name, each in _flat(row).items()}
    elif body:
        fields |= dict(parse_qsl(body, keep_blank_values=True))
    return Sent(method, parts.path, fields)


def _flat(told: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, each in told.items():
        flat |= _flat(each) if isinstance(each, dict) else {name: each}
    return flat


def _text(held: object) -> str:
    return held if isinstance(held, str) else json.dumps(held)
