"""Each cell of the capability table is what the real class of the pinned ccxt sends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from gridbot.adapters.exchange.budget import Budget
from gridbot.adapters.exchange.capabilities import Capability, IdForm
from gridbot.adapters.exchange.capability_table import TABLE, capability_of
from gridbot.adapters.exchange.ccxt_answers import SCOPED
from gridbot.adapters.exchange.ccxt_client import CcxtClient
from gridbot.adapters.exchange.ccxt_kill import CcxtKill
from gridbot.adapters.exchange.unified import CallFailed, Cause, Proof
from gridbot.core.units import ZERO
from gridbot.errors import Refusal, VenueUnavailable
from tests.adapters.exchange.capturing import KEY, TWIN, Sent, recorded_market, requests_of, twin

OURS = "gbabcdeaaaaaa00001"
THEIRS = "77"
THROUGH_CCXT = [name for name in TABLE if name != "firi"]
SINCE = 1_700_000_000_000

Fields = Mapping[str, str]

# By exchange: the field that carries our id in a create.
CREATES: dict[str, Fields] = {
    "binance": {"newClientOrderId": OURS},
    "kraken": {"cl_ord_id": OURS},
    "coinbase": {"client_order_id": OURS},
    "bybit": {"orderLinkId": OURS},
    "okx": {"clOrdId": OURS},
    "kucoin": {"clientOid": OURS},
    "bitget": {"clientOid": OURS},
    "gate": {"text": f"t-{OURS}"},
    "bitstamp": {"client_order_id": OURS},
    "bitfinex": {},
}
POST_ONLY: dict[str, Fields] = {
    "binance": {"type": "LIMIT_MAKER"},
    "kraken": {"oflags": "post"},
    "coinbase": {"post_only": "true"},
    "bybit": {"timeInForce": "PostOnly"},
    "okx": {"ordType": "post_only"},
    "kucoin": {"postOnly": "true"},
    "bitget": {"force": "post_only"},
    "gate": {"time_in_force": "poc"},
    "bitstamp": {"moc_order": "true"},
    "bitfinex": {"flags": "4096"},
}
AT_ONCE: dict[str, Fields] = {
    "binance": {"timeInForce": "IOC"},
    "kraken": {"timeinforce": "IOC"},
    "coinbase": {"base_size": "0.01", "limit_price": "20000"},
    "bybit": {"timeInForce": "IOC"},
    "okx": {"ordType": "ioc"},
    "kucoin": {"timeInForce": "IOC"},
    "bitget": {"force": "IOC"},
    "gate": {"time_in_force": "ioc"},
    "bitstamp": {"ioc_order": "true"},
    "bitfinex": {"type": "EXCHANGE IOC"},
}
# By our id: the end of the path, and the field.
FETCHES: dict[str, tuple[str, Fields]] = {
    "binance": ("/order", {"origClientOrderId": OURS}),
    "bybit": ("/order/realtime", {"orderLinkId": OURS}),
    "okx": ("/trade/order", {"clOrdId": OURS}),
    "kucoin": (f"/client-order/{OURS}", {}),
    "bitget": ("/orderInfo", {"clientOid": OURS}),
    "gate": (f"/orders/t-{OURS}", {}),
    "bitstamp": ("/order_status/", {"client_order_id": OURS}),
}
CANCELS: dict[str, tuple[str, Fields]] = {
    "binance": ("/order", {"origClientOrderId": OURS}),
    "kraken": ("/CancelOrder", {"cl_ord_id": OURS}),
    "bybit": ("/order/cancel", {"orderLinkId": OURS}),
    "okx": ("/cancel-order", {"clOrdId": OURS}),
    "kucoin": (f"/client-order/{OURS}", {}),
    "bitget": ("/cancel-order", {"clientOid": OURS}),
    "gate": (f"/orders/t-{OURS}", {}),
}
# By the exchange's id; none of these may also name an order by a word that ccxt made of nothing.
CANCELS_BY_THEIRS: dict[str, tuple[str, Fields]] = {
    "binance": ("/order", {"orderId": THEIRS}),
    "kraken": ("/CancelOrder", {"txid": THEIRS}),
    "coinbase": ("/batch_cancel", {"order_ids": f'["{THEIRS}"]'}),
    "bybit": ("/order/cancel", {"orderId": THEIRS}),
    "okx": ("/cancel-order", {"ordId": THEIRS}),
    "kucoin": (f"/orders/{THEIRS}", {}),
    "bitget": ("/cancel-order", {"orderId": THEIRS}),
    "gate": (f"/orders/{THEIRS}", {}),
    "bitstamp": ("/cancel_order/", {"id": THEIRS}),
    "bitfinex": ("/order/cancel", {"id": THEIRS}),
}
# One request that cancels a market: the end of its path, and what names the market.
CANCELS_ALL: dict[str, tuple[str, str]] = {
    "binance": ("/openOrders", "symbol"),
    "bybit": ("/cancel-all", "symbol"),
    "kucoin": ("/orders", "symbol"),
    "bitget": ("/cancel-symbol-order", "symbol"),
    "gate": ("/spot/orders", "currency_pair"),
    "bitstamp": ("/cancel_all_orders/", ""),
}
# The fields that bound a page of trades: how many, from when, until when; "" is one that ccxt does not send.
TRADES: dict[str, tuple[str, str, str]] = {
    "binance": ("limit", "startTime", "endTime"),
    "kraken": ("", "start", "end"),
    "coinbase": ("limit", "start_sequence_timestamp", "end_sequence_timestamp"),
    "bybit": ("limit", "startTime", "endTime"),
    "okx": ("", "begin", "end"),
    "kucoin": ("", "startAt", "endAt"),
    "bitget": ("limit", "startTime", "endTime"),
    "gate": ("limit", "from", "to"),
    "bitstamp": ("limit", "since_timestamp", "until_timestamp"),
    "bitfinex": ("limit", "start", "end"),
}


@pytest.fixture(params=["twin", "recorded"])
def market_of(request: pytest.FixtureRequest) -> Callable[[str], dict[str, Any]]:
    """Return a market of an exchange: a generated one, and one that was recorded where the data lies beside us."""

    def choose(exchange_id: str) -> dict[str, Any]:
        market = twin(exchange_id) if request.param == "twin" else recorded_market(exchange_id)
        if market is None:
            pytest.skip("the shared market data is not beside the project (../shared/data)")
        return market

    return choose


MarketOf = Callable[[str], dict[str, Any]]


def hurried() -> Budget:
    """Return a budget whose time runs a thousand times faster: nobody is asked anything here."""
    return Budget(monotonic=lambda: time.monotonic() * 1_000)


def only(sent: list[Sent]) -> Sent:
    assert len(sent) == 1, sent
    return sent[0]


def create(exchange_id: str, market: dict[str, Any], more: Mapping[str, object] | None) -> Sent:
    row = TABLE[exchange_id]
    params = {**({row.create_id: OURS} if row.create_id else {}), **(more or {})}
    return only(
        requests_of(exchange_id, market, lambda x: x.create_order(market["symbol"], "buy", "0.01", "20000", params))
    )


def has(sent: Sent, fields: Fields) -> bool:
    return all(sent.fields.get(name) == value for name, value in fields.items())


@pytest.mark.parametrize("exchange_id", THROUGH_CCXT)
def test_a_create_carries_our_id_and_its_figures_as_they_are(exchange_id: str, market_of: MarketOf) -> None:
    sent = create(exchange_id, market_of(exchange_id), None)
    assert sent.method == "POST"
    assert has(sent, CREATES[exchange_id]), sent
    assert (OURS in str(sent.fields)) == (TABLE[exchange_id].id_form is IdForm.AS_IT_IS), sent
    assert {"0.01", "20000"} <= set(sent.fields.values()), sent


@pytest.mark.parametrize("exchange_id", THROUGH_CCXT)
def test_a_create_can_be_post_only_or_at_once_or_neither(exchange_id: str, market_of: MarketOf) -> None:
    market, row = market_of(exchange_id), TABLE[exchange_id]
    plain = create(exchange_id, market, None)
    assert not has(plain, POST_ONLY[exchange_id]), plain
    assert has(create(exchange_id, market, row.post_only), POST_ONLY[exchange_id])
    at_once = create(exchange_id, market, row.taker)
    assert has(at_once, AT_ONCE[exchange_id]), at_once
    assert at_once != plain or exchange_id == "coinbase"


def test_coinbase_names_an_order_at_once_by_its_kind() -> None:
    """The kind is the name of the structure around the figures, which the flat form above does not show."""
    assert TABLE["coinbase"].taker == {"timeInForce": "IOC"}
    plain = create("coinbase", twin("coinbase"), None)
    at_once = create("coinbase", twin("coinbase"), TABLE["coinbase"].taker)
    assert "post_only" in plain.fields and "post_only" not in at_once.fields


def test_coinbase_puts_an_id_of_its_own_in_the_place_of_the_unified_one() -> None:
    market = twin("coinbase")
    params = {"clientOrderId": OURS}
    sent = only(requests_of("coinbase", market, lambda x: x.create_order(TWIN, "buy", "0.01", "20000", params)))
    assert sent.fields["client_order_id"] != OURS
    assert TABLE["coinbase"].create_id == "client_order_id"


@pytest.mark.parametrize("exchange_id", THROUGH_CCXT)
def test_an_order_is_fetched_by_our_id_where_that_is_said(exchange_id: str, market_of: MarketOf) -> None:
    market, fetch_id = market_of(exchange_id), TABLE[exchange_id].fetch_id
    assert (fetch_id is not None) == (exchange_id in FETCHES)
    if fetch_id is None:
        return
    path, fields = FETCHES[exchange_id]
    sent = only(requests_of(exchange_id, market, lambda x: x.fetch_order("", market["symbol"], {fetch_id: OURS})))
    assert sent.path.endswith(path) and has(sent, fields), sent
    assert "None" not in f"{sent.path} {sent.fields}", sent


def test_kraken_would_be_asked_for_another_order() -> None:
    """ccxt turns our id into kraken's `userref`, which no order of ours has."""
    sent = only(requests_of("kraken", twin("kraken"), lambda x: x.fetch_order("", TWIN, {"clientOrderId": OURS})))
    assert sent.fields.get("userref") == OURS and "cl_ord_id" not in sent.fields
    assert TABLE["kraken"].fetch_id is None


@pytest.mark.parametrize("exchange_id", THROUGH_CCXT)
def test_an_order_is_cancelled_by_our_id_where_that_is_said(exchange_id: str, market_of: MarketOf) -> None:
    market, cancel_id = market_of(exchange_id), TABLE[exchange_id].cancel_id
    assert (cancel_id is not None) == (exchange_id in CANCELS)
    if cancel_id is None:
        return
    path, fields = CANCELS[exchange_id]
    sent = only(requests_of(exchange_id, market, lambda x: x.cancel_order("", market["symbol"], {cancel_id: OURS})))
    assert sent.path.endswith(path) and has(sent, fields), sent
    assert "None" not in f"{sent.path} {sent.fields}", sent


@pytest.mark.parametrize("exchange_id", THROUGH_CCXT)
def test_an_order_is_cancelled_by_the_exchanges_id(exchange_id: str, market_of: MarketOf) -> None:
    market = market_of(exchange_id)
    path, fields = CANCELS_BY_THEIRS[exchange_id]
    sent = only(requests_of(exchange_id, market, lambda x: x.cancel_order(THEIRS, market["symbol"], {})))
    assert sent.path.endswith(path) and has(sent, fields), sent


@pytest.mark.parametrize("exchange_id", THROUGH_CCXT)
def test_one_request_cancels_a_market_where_that_is_said(exchange_id: str, market_of: MarketOf) -> None:
    market = market_of(exchange_id)
    assert TABLE[exchange_id].cancel_all == (exchange_id in CANCELS_ALL)

    async def cancel_all(client: CcxtClient) -> object:
        return await client._call("cancel_all", lambda x: x.cancel_all_orders(market["symbol"]))

    sent = requests_of(exchange_id, market, cancel_all)
    if exchange_id in CANCELS_ALL:
        path, field = CANCELS_ALL[exchange_id]
        assert path in only(sent).path, sent
        assert market["id"] in (sent[0].fields[field] if field else sent[0].path), sent
    else:
        # It cannot be done, or it would be the whole account.
        assert all(market["id"] not in f"{each.path} {each.fields}" for each in sent), sent


@pytest.mark.parametrize("exchange_id", THROUGH_CCXT)
def test_a_page_of_trades_is_bounded_as_the_table_says(exchange_id: str, market_of: MarketOf) -> None:
    market, row = market_of(exchange_id), TABLE[exchange_id]
    count, begin, end = TRADES[exchange_id]
    until = SINCE + 100_000
    sent = only(
        requests_of(
            exchange_id,
            market,
            lambda x: x.fetch_my_trades(market["symbol"], SINCE, row.trades_page, {"until": until}),
        )
    )
    assert (sent.fields[count] if count else None) == (str(row.trades_page) if count else None), sent
    assert sent.fields[begin].startswith(("1700000000", "2023-11-14T22:13:20")), sent
    assert sent.fields[end].startswith(("17000001", "2023-11-14T22:15:00")), sent


@pytest.mark.parametrize("exchange_id", THROUGH_CCXT)
def test_only_an_exchange_that_is_asked_for_one_market_counts_as_scoped(exchange_id: str, market_of: MarketOf) -> None:
    market = market_of(exchange_id)
    sent = only(requests_of(exchange_id, market, lambda x: x.fetch_open_orders(market["symbol"])))
    names_it = market["id"] in f"{sent.path} {sent.fields}"
    assert names_it == (exchange_id in SCOPED), sent


@pytest.mark.parametrize("exchange_id", THROUGH_CCXT)
def test_the_timer_that_cancels_all_is_there_where_that_is_said(exchange_id: str) -> None:
    row = TABLE[exchange_id]
    kill = CcxtKill(row, base_url="http://127.0.0.1:9", key=KEY, budget=Budget())
    kill.arm({TWIN: twin(exchange_id)})
    seen: list[tuple[str, str]] = []

    def fetch(url: str, method: str = "GET", headers: object = None, body: str | None = None) -> object:
        seen.append((url, body or ""))
        return {"retCode": 0, "code": "0", "error": [], "result": {}, "data": [{"triggerTime": "1", "ts": "1"}]}

    kill._exchange.fetch = fetch
    if not row.dead_man:
        with pytest.raises(VenueUnavailable, match="no timer"):
            kill.set_dead_man(60)
        assert not seen
        return
    kill.set_dead_man(60)
    (url, body) = seen[0]
    assert url.endswith(
        {
            "kraken": "/CancelAllOrdersAfter",
            "bybit": "/order/disconnected-cancel-all",
            "okx": "/trade/cancel-all-after",
        }[exchange_id]
    )
    assert "60" in body and "60000" not in body
    assert exchange_id != "bybit" or '"product":"SPOT"' in body, body


@pytest.mark.parametrize("exchange_id", THROUGH_CCXT)
def test_the_third_part_of_a_key_is_wanted_where_ccxt_wants_it(exchange_id: str) -> None:
    client = CcxtClient(exchange_id, base_url="http://127.0.0.1:9", key=KEY, budget=Budget())
    assert client._made().requiredCredentials["password"] is TABLE[exchange_id].needs_passphrase


def test_every_row_has_what_a_trader_needs() -> None:
    assert set(TABLE) == {
        *CREATES,
        "firi",
    }
    for row in TABLE.values():
        assert row.proven and row.certified and row.cancels_per_s > ZERO
        assert (row.create_id is None) == (row.id_form is IdForm.NONE)
        assert row.id_form is IdForm.AS_IT_IS or row.fetch_id is row.cancel_id is None
        assert Refusal.DUPLICATE not in row.certified.values(), "an order with that id may live"
        assert all(note.endswith(".") for note in row.notes)


def test_an_exchange_without_a_row_is_traded_under_the_strictest_assumptions() -> None:
    row = capability_of("whitebit")
    assert not row.proven and row.notes
    assert row.id_form is IdForm.NONE and row.post_only is None and not row.certified
    assert capability_of("kraken") is TABLE["kraken"]


# Each: what the exchange says, and what that proves. The last of each exchange proves nothing.
WORDS: list[tuple[str, str, str, Refusal | None]] = [
    ("binance", "-2010", "Account has insufficient balance for requested action.", Refusal.FUNDS),
    ("binance", "-2010", "Order would immediately match and take.", Refusal.POST_ONLY),
    ("binance", "-2010", "Market is closed.", Refusal.CLOSED),
    ("binance", "-2010", "Duplicate order sent.", None),
    ("binance", "-1013", "Filter failure: LOT_SIZE", Refusal.RULES),
    ("binance", "-1013", "Filter failure: MAX_NUM_ORDERS", Refusal.TOO_MANY),
    ("binance", "-1007", "Timeout waiting for response from backend server.", None),
    ("kraken", "EOrder:Insufficient funds", "", Refusal.FUNDS),
    ("kraken", "EService:Deadline elapsed", "", None),
    ("okx", "51016", "", None),
]


@pytest.mark.parametrize(("exchange_id", "code", "words", "refusal"), WORDS)
def test_a_code_of_many_meanings_counts_by_its_words(
    exchange_id: str, code: str, words: str, refusal: Refusal | None
) -> None:
    failed = CallFailed("", proof=Proof.ANSWERED, cause=Cause.REFUSED, code=code, detail=words)
    row: Capability = TABLE[exchange_id]
    assert row.refusal(failed) is refusal
    silent = CallFailed("", proof=Proof.SILENT, cause=Cause.REFUSED, code=code, detail=words)
    assert row.refusal(silent) is None


def test_nothing_is_sent_by_a_client_without_a_key() -> None:
    """Also where ccxt itself would not notice: what is signed asks for the key in one place."""

    async def run() -> list[str]:
        made = []
        for exchange_id in THROUGH_CCXT:
            client = CcxtClient(exchange_id, base_url="http://127.0.0.1:9", key=None, budget=hurried())
            exchange = client._made()
            exchange.set_markets([twin(exchange_id)])

            async def seen(url: str, *_: object, at: str = exchange_id) -> object:
                made.append(f"{at} {url}")
                raise OSError

            exchange.fetch = seen
            for call in (
                client.create_order(TWIN, "buy", "0.01", "20000", {}),
                client.cancel_order(THEIRS, TWIN, {}),
                client.fetch_balance(),
                client.fetch_open_orders(TWIN),
            ):
                with pytest.raises(CallFailed) as raised:
                    await call
                assert raised.value.proof is Proof.NOT_SENT, (exchange_id, raised.value)
            await client.close()
        return made

    assert asyncio.run(run()) == []
