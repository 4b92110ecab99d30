"""The exchange's time is measured also where it has no page for it: by the date on an answer of its."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web

from gridbot.adapters.exchange.budget import Budget
from gridbot.adapters.exchange.ccxt_client import CcxtClient
from tests.adapters.exchange.capturing import twin


@pytest.mark.parametrize(("exchange_id", "ticker"), [("bitstamp", {"last": "1"}), ("bitfinex", [1] * 10)])
def test_where_no_time_is_told_it_is_the_date_of_an_answer(exchange_id: str, ticker: object) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response(ticker, headers={"Date": "Sat, 21 Nov 2026 10:00:00 GMT"})

    async def run() -> None:
        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", answer)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        address = f"http://127.0.0.1:{runner.addresses[0][1]}"
        client = CcxtClient(exchange_id, base_url=address, key=None, budget=Budget(now_ms=lambda: 1_795_255_190_000))
        client._made().set_markets([twin(exchange_id)])
        try:
            assert client.has("fetchTime")
            assert await client.fetch_time() == 1_795_255_200_500
            assert client.budget.offset_ms == 10_500
        finally:
            await client.close()
            await runner.cleanup()

    asyncio.run(run())
