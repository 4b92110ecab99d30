"""What a key may do is read from the exchange's own page of it, and nothing is guessed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from gridbot.adapters.exchange.budget import Budget
from gridbot.adapters.exchange.ccxt_client import CcxtClient
from gridbot.adapters.exchange.exchange_key import ExchangeKey
from gridbot.adapters.exchange.key_check import KeyRights
from gridbot.adapters.exchange.key_permissions import _PAGES, UNTOLD, read_permissions
from gridbot.adapters.exchange.unified import Cause
from tests.adapters.exchange.calling import calling, failing
from tests.sandbox.serving import run, sandbox


def test_what_a_key_may_do_is_read_from_the_exchange(tmp_path: Path) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served, calling(served) as client:
            assert await read_permissions(client) == KeyRights(True, True, False)
            page = "GET /sapi/v1/account/apiRestrictions"
            await served.load({"match": page, "do": "replace", "values": {"enableWithdrawals": True}})
            assert (await read_permissions(client)).withdraw is True
            await served.load({"match": page, "do": "without", "fields": ["enableWithdrawals"]})
            assert (await failing(read_permissions(client), served)).cause is Cause.MALFORMED

    run(test)


# Each exchange's page as its documentation shows it.
PAGES: list[tuple[str, Any, KeyRights]] = [
    (
        "bybit",
        {"result": {"readOnly": 0, "permissions": {"Spot": ["SpotTrade"], "Wallet": ["AccountTransfer"]}}},
        KeyRights(True, True, False),
    ),
    (
        "bybit",
        {"result": {"readOnly": 0, "permissions": {"Spot": [], "Wallet": ["Withdraw"]}}},
        KeyRights(True, False, True),
    ),
    ("okx", {"data": [{"perm": "read_only,trade", "ip": "1.2.3.4"}]}, KeyRights(True, True, False)),
    ("okx", {"data": [{"perm": "read_only,withdraw,trade", "ip": ""}]}, KeyRights(True, True, True)),
    ("kucoin", {"data": {"permission": "General, Trade"}}, KeyRights(True, True, False)),
    ("kucoin", {"data": {"permission": "General,Withdrawal"}}, KeyRights(True, False, True)),
    ("coinbase", {"can_view": True, "can_trade": True, "can_transfer": False}, KeyRights(True, True, False)),
    (
        "kraken",
        {"error": [], "result": {"permissions": ["query-funds", "modify-trades", "close-trades"]}},
        KeyRights(True, True, False),
    ),
    (
        "kraken",
        {"error": [], "result": {"permissions": ["query-funds", "withdraw-funds"]}},
        KeyRights(True, False, True),
    ),
    ("bitfinex", [["orders", 1, 1], ["wallets", 1, 0], ["withdraw", 0, 0]], KeyRights(True, True, False)),
    ("bitfinex", [["orders", 1, 0], ["wallets", 1, 0], ["withdraw", 1, 1]], KeyRights(True, False, True)),
]


@pytest.mark.parametrize(("exchange_id", "page", "rights"), PAGES)
def test_each_exchanges_page_is_read(exchange_id: str, page: Any, rights: KeyRights) -> None:
    client = CcxtClient(
        exchange_id, base_url="http://127.0.0.1:9", key=ExchangeKey(key="k", secret="s"), budget=Budget()
    )
    asked = []

    async def answer(params: dict[str, object]) -> Any:
        asked.append(params)
        return page

    method, _ = _PAGES[exchange_id]
    assert callable(getattr(client._made(), method))
    setattr(client._made(), method, answer)

    async def test() -> None:
        assert await read_permissions(client) == rights
        await client.close()

    run(test)
    assert asked == [{}]


@pytest.mark.parametrize("exchange_id", ["gate", "bitget", "bitstamp"])
def test_an_exchange_that_does_not_say_is_not_asked(exchange_id: str) -> None:
    client = CcxtClient(exchange_id, base_url="http://127.0.0.1:9", key=None, budget=Budget())
    assert asyncio.run(_permissions(client)) == UNTOLD


async def _permissions(client: CcxtClient) -> KeyRights:
    return await read_permissions(client)
