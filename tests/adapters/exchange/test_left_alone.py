"""Who asked too much leaves the exchange alone for as long as it says: going on would be a ban."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gridbot.adapters.exchange.budget import Budget
from gridbot.adapters.exchange.ccxt_client import CcxtClient
from gridbot.adapters.exchange.exchange_key import ExchangeKey
from gridbot.adapters.exchange.unified import CallFailed, Cause, Proof
from tests.sandbox.serving import run, sandbox


@pytest.mark.parametrize(("status", "told"), [(429, Cause.RATE), (418, Cause.BANNED)])
def test_after_too_many_requests_nothing_is_sent_until_the_exchange_wants_it(
    tmp_path: Path, status: int, told: Cause
) -> None:
    async def test() -> None:
        fault = {"match": "GET /api/v3/account", "do": "status", "status": status, "retry_after": 2, "count": 1}
        async with sandbox(tmp_path, fault) as served:
            key = ExchangeKey(served.key.name, served.key.secret)
            budget = Budget()
            client = CcxtClient("binance", base_url=served.address, key=key, budget=budget)
            try:
                await client.load_markets()
                with pytest.raises(CallFailed) as caught:
                    await client.fetch_balance()
                assert (caught.value.cause, caught.value.retry_after_s) == (told, 2.0)
                before = (await served.ask("stats"))["requests"]
                for ask in (client.fetch_balance, client.fetch_time, lambda: client.fetch_open_orders("BTC/USDT")):
                    with pytest.raises(CallFailed, match="left alone") as held:
                        await ask()
                    assert (held.value.proof, held.value.cause) == (Proof.NOT_SENT, Cause.RATE)
                with pytest.raises(CallFailed, match="left alone"):
                    await client.create_order("BTC/USDT", "buy", "0.01", "70000", {})
                assert (await served.ask("stats"))["requests"] == before
                while budget.held_s:
                    await asyncio.sleep(0.05)
                assert (await client.fetch_balance())["total"]
            finally:
                await client.close()

    run(test)


def test_a_minute_that_is_almost_spent_is_not_overdrawn_by_whoever_starts_anew(tmp_path: Path) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served:
            key = ExchangeKey(served.key.name, served.key.secret)
            lives = 0
            while True:
                lives += 1
                # Each as after a restart: it knows nothing of what was spent before.
                client = CcxtClient("binance", base_url=served.address, key=key, budget=Budget())
                try:
                    await client.load_markets()
                    for _ in range(4):
                        await client.request("public_get_ticker_24hr", {})
                except CallFailed as failed:
                    assert (failed.proof, failed.cause) == (Proof.NOT_SENT, Cause.RATE)
                    assert failed.retry_after_s is not None and 0 < failed.retry_after_s <= 60
                    break
                finally:
                    await client.close()
            assert lives > 10

    run(test)
