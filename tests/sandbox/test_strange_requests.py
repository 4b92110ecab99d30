"""Whatever is asked, the answer is data or an error in the protocol's words: never a failure of the server itself."""

from __future__ import annotations

import asyncio
import random
from contextlib import closing
from decimal import Decimal as D
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
import orjson
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gridbot.adapters.system_clock import SystemClock
from gridbot.core.units import Side, Symbol
from gridbot.sandbox.binance_app import Endpoint, endpoints
from gridbot.sandbox.binance_errors import ApiError
from gridbot.sandbox.binance_request import Parameters
from gridbot.sandbox.exchange import Exchange
from gridbot.sandbox.opening import Listing, open_market, rules_of
from gridbot.sandbox.records import Fees
from gridbot.sandbox.server import Protocol
from gridbot.sandbox.store import Store
from gridbot.sim.demo_feed import DEFAULT_SEED, GeneratedSource, demo_start
from tests.sandbox.rooms import limit
from tests.sandbox.serving import Served, run, sandbox

NAMES = (
    *("symbol", "symbols", "side", "type", "timeInForce", "quantity", "price", "quoteOrderQty", "newClientOrderId"),
    *("newOrderRespType", "selfTradePreventionMode", "orderId", "origClientOrderId", "startTime", "endTime", "fromId"),
    *("limit", "interval", "recvWindow", "omitZeroBalances"),
)
RIGHT = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.001",
    "price": "79000",
    "orderId": "1",
    "interval": "1m",
    "limit": "5",
}
STRANGE = (
    *("", "0", "-1", "1", "5", "1e5", "NaN", "Infinity", "0.00000001", "0.000000001", "9" * 18, "9" * 20, "9" * 40),
    *("1" + "0" * 19, "99999999999999999999.99999999999999999999", "null", "[]", '["BTCUSDT"]', '[["BTCUSDT"]]', "{"),
    *("BTCUSDT", "SELL", "MARKET", "IOC", "FOK", "LIMIT_MAKER", "ACK", "RESULT", "1d", "1w", "3d", "EXPIRE_BOTH"),
    *(
        "1795264800000",
        "x" * 36,
        "x" * 37,
        "\x00",
        "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
        "é",
        "٣",
    ),
)
_queries = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(STRANGE), max_size=6)


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Exchange:
    source = GeneratedSource(DEFAULT_SEED, Symbol("BTC/USDT"))
    listing = Listing("BTC/USDT", source, source.first_from(demo_start(DEFAULT_SEED)))
    rules = rules_of(listing)
    store = Store(tmp_path_factory.mktemp("strange") / "a.sqlite")
    made = Exchange(store, SystemClock(), markets=[rules], fees=Fees())
    made.open_account({"USDT": D(50_000), "BTC": D(2)})
    open_market(made, rules.symbol, listing).first()
    made.place(limit(Side.BUY, "70000", "0.1", client_id="one"))
    return made


@settings(max_examples=600, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(number=12, strange={"orderId": "9" * 20}, with_right=True)
@given(number=st.integers(0, 19), strange=_queries, with_right=st.booleans())
def test_every_endpoint_answers_or_refuses(
    exchange: Exchange, number: int, strange: dict[str, str], *, with_right: bool
) -> None:
    endpoint: Endpoint = endpoints(exchange)[number]
    query = urlencode({**(RIGHT if with_right else {}), **strange})
    try:
        answer = endpoint.answer(Parameters(query))
    except ApiError as error:
        assert -3000 < error.code < -1000 and error.message and error.status in {400, 401}
        return
    assert orjson.dumps(answer)
    assert endpoint.weigh(Parameters(query)) > 0


def test_a_body_that_is_nonsense_is_refused_over_http_as_well(tmp_path: Path) -> None:
    async def statuses(served: Served, paths: list[tuple[str, str]]) -> set[int]:
        source, found = random.Random(5), set[int]()
        headers = {"X-MBX-APIKEY": served.key.name, "miraiex-access-key": served.key.name}
        async with aiohttp.ClientSession(headers=headers) as session:
            for _ in range(15):
                for method, path in paths:
                    body = source.randbytes(source.randrange(60))
                    async with session.request(method, served.address + path, data=body) as answer:
                        found.add(answer.status)
        return found

    async def test() -> None:
        binance = [("POST", "/api/v3/order"), ("GET", "/api/v3/klines?%ff=%00"), ("DELETE", "/api/v3/openOrders?a=%zz")]
        async with sandbox(tmp_path / "binance") as served:
            assert await statuses(served, [*binance, ("PUT", "/api/v3/nothing")]) <= {400, 401, 404}
        firi = [
            *(("POST", "/v2/orders"), ("GET", "/v2/order/%00"), ("DELETE", "/v2/orders/" + "9" * 30)),
            *(("GET", "/v2/orders/history?count=" + "9" * 30), ("GET", "/v2/history/transactions/13/0")),
            ("GET", "/v2/markets/BTCNOK/depth?bids=-1"),
            ("GET", "/v2/markets/BTCNOK/history?count=²"),
        ]
        async with sandbox(tmp_path / "firi", protocol=Protocol.FIRI) as served:
            assert await statuses(served, firi) <= {200, 400, 401, 404, 429}

    run(test)


def test_messages_that_are_nonsense_leave_a_stream_alive(tmp_path: Path) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served, aiohttp.ClientSession() as session:
            for path in ("/ws-api/v3", "/stream/ws/0"):
                async with session.ws_connect(served.address + path) as socket, asyncio.timeout(10):
                    for text in ("", "[", "[]", "null", "7", '{"id": [1], "method": 5, "params": {"a": []}}', "{}"):
                        await socket.send_str(text)
                    await socket.send_json({"id": "last", "method": "LIST_SUBSCRIPTIONS"})
                    while (await socket.receive_json())["id"] != "last":
                        pass
                    assert not socket.closed

    run(test)


def test_the_store_that_all_this_came_by_still_adds_up(exchange: Exchange) -> None:
    for asset, balance in exchange.room.wallet.balances.items():
        balance.check(asset)
    with closing(exchange.store):
        assert exchange.failure is None
