"""A trade bears the same number in the stream and in the list, so that it is told once whichever way it came."""

from __future__ import annotations

import asyncio
from pathlib import Path

from gridbot.adapters.exchange.budget import Budget
from gridbot.adapters.exchange.ccxt_client import CcxtClient
from tests.sandbox.serving import run, sandbox


def test_binances_stream_of_joined_trades_is_asked_for_as_its_list_is_of_joined_trades(tmp_path: Path) -> None:
    async def test() -> None:
        async with sandbox(tmp_path / "sandbox") as served:
            client = CcxtClient("binance", base_url=served.address, key=None, budget=Budget())
            try:
                waiting = asyncio.create_task(client.watch_trades("BTC/USDT"))
                while (await served.ask("stats"))["requests"].get("WS SUBSCRIBE", 0) == 0:
                    await asyncio.sleep(0.05)
                served.trade("60000", "0.5")
                (streamed,) = await waiting
                listed = (await client.fetch_trades("BTC/USDT", None, 1))[-1]
                assert streamed["id"] == listed["id"] and streamed["info"]["e"] == "aggTrade"
            finally:
                await client.close()

    run(test)
