"""Kraken tells fifty rows of all markets at a time; none of one market is lost behind those of the others."""

from __future__ import annotations

import asyncio
import json
from itertools import count
from typing import Any
from urllib.parse import parse_qs

import pytest

from gridbot.adapters.exchange.budget import Budget
from gridbot.adapters.exchange.ccxt_client import CcxtClient
from gridbot.adapters.exchange.exchange_key import ExchangeKey
from gridbot.adapters.exchange.unified import CallFailed
from tests.adapters.exchange.recorded import Fed, feed

MARKETS = {
    symbol: {
        "id": id_,
        "altname": id_,
        "symbol": symbol,
        "base": symbol.split("/")[0],
        "quote": "USDT",
        "baseId": symbol.split("/")[0],
        "quoteId": "USDT",
        "type": "spot",
        "spot": True,
        "active": True,
        "precision": {"price": "0.1", "amount": "0.00000001"},
        "limits": {"amount": {"min": "0.0001"}, "cost": {"min": "0.5"}},
    }
    for symbol, id_ in (("BTC/USDT", "XBTUSDT"), ("ETH/USDT", "ETHUSDT"))
}


class Kraken(Fed):
    """Answers with a page of what there is, as Kraken does: the newest first, fifty at a time, of every market."""

    def __init__(self, rows: dict[str, dict[str, Any]], name: str) -> None:
        super().__init__()
        self._rows = rows
        self._name = name
        self.asked: list[int] = []

    def take(self, data: bytes) -> str:
        """Return a page."""
        asked = parse_qs(data.decode())
        begin = int(asked.get("ofs", ["0"])[0])
        self.asked.append(begin)
        newest = sorted(self._rows.items(), key=lambda row: -float(row[1].get("time") or row[1]["closetm"]))
        page = dict(newest[begin : begin + 50])
        return json.dumps({"error": [], "result": {self._name: page, "count": len(self._rows)}})


def kraken(rows: dict[str, dict[str, Any]], name: str) -> tuple[CcxtClient, Kraken]:
    """Return the real client, and what answers it."""
    ticks = count(0, 1_000)
    key = ExchangeKey("key", "c2VjcmV0c2VjcmV0c2VjcmV0")
    client = CcxtClient("kraken", base_url=None, key=key, budget=Budget(monotonic=lambda: float(next(ticks))))
    client._made().set_markets(MARKETS)
    fed = Kraken(rows, name)
    feed(client, fed)
    return client, fed


def trade(number: int, pair: str) -> dict[str, Any]:
    """Return a trade as Kraken tells it."""
    return {
        "ordertxid": f"OABCDE-FGHIJ-{number:06d}",
        "pair": pair,
        "time": 1_700_000_000 + number,
        "type": "buy",
        "ordertype": "limit",
        "price": "70000.1",
        "cost": "70.0001",
        "fee": "0.11",
        "vol": "0.001",
        "maker": True,
    }


@pytest.mark.parametrize("many", [3, 50, 130])
def test_trades_of_one_market_are_all_there_behind_those_of_another(many: int) -> None:
    rows = {f"TETHAA-AAAAA-{number:06d}": trade(number + 10, "ETHUSDT") for number in range(many)}
    rows |= {f"TBTCAA-AAAAA-{number:06d}": trade(number, "XBTUSDT") for number in range(5)}

    async def test() -> tuple[list[str], list[int]]:
        client, fed = kraken(rows, "trades")
        told = await client.fetch_my_trades("BTC/USDT", 1_699_999_999_000, 50, {})
        await client.close()
        return [each["id"] for each in told], fed.asked

    found, asked = asyncio.run(test())
    assert found == [f"TBTCAA-AAAAA-{number:06d}" for number in range(5)]
    assert asked == list(range(0, many + 6, 50))[: len(asked)]


def test_ended_orders_of_one_market_are_all_there_behind_those_of_another() -> None:
    def ended(number: int, pair: str) -> dict[str, Any]:
        time = 1_700_000_000 + number
        return {
            "status": "canceled",
            "opentm": time,
            "closetm": time,
            "descr": {"pair": pair, "type": "buy", "ordertype": "limit", "price": "70000.1", "order": ""},
            "vol": "0.001",
            "vol_exec": "0",
            "cost": "0",
            "fee": "0",
            "price": "0",
            "oflags": "",
        }

    rows = {f"OETHAA-AAAAA-{number:06d}": ended(number + 10, "ETHUSDT") for number in range(75)}
    rows |= {f"OBTCAA-AAAAA-{number:06d}": ended(number, "XBTUSDT") for number in range(5)}

    async def test() -> list[str]:
        client, _ = kraken(rows, "closed")
        told = await client.fetch_closed_orders("BTC/USDT", 1_699_999_999_000, 100)
        await client.close()
        return [each["id"] for each in told]

    assert asyncio.run(test()) == [f"OBTCAA-AAAAA-{number:06d}" for number in range(5)]


def test_more_than_can_be_read_is_no_answer() -> None:
    rows = {f"TETHAA-AAAAA-{number:06d}": trade(number, "ETHUSDT") for number in range(2_100)}

    async def test() -> None:
        client, _ = kraken(rows, "trades")
        with pytest.raises(CallFailed):
            await client.fetch_my_trades("BTC/USDT", 1_699_999_999_000, 50, {})
        await client.close()

    asyncio.run(test())
