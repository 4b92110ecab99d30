"""Answers cut short, of wrong types, huge, empty or of another market never crash, nor count as an order taken."""

from __future__ import annotations

import asyncio
import copy
import json
import math
import random
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import pytest

from gridbot.adapters.exchange.capabilities import Capability, IdForm
from gridbot.adapters.exchange.ccxt_client import CcxtClient
from gridbot.adapters.exchange.unified import Unified
from gridbot.adapters.exchange.venue import ExchangeVenue
from gridbot.core.commands import CancelOrder, PlaceLimit
from gridbot.core.events import OrderFilled, OrderRef
from gridbot.core.units import (
    FeeCurrency,
    GridId,
    OrderId,
    Price,
    Quantity,
    Side,
    Symbol,
    TimeMs,
    VenueOrderId,
)
from gridbot.errors import AmbiguousOrder, ConfigError, OutcomeUnknown, VenueUnavailable
from gridbot.ports import KnownOrder, OrderReport
from tests.adapters.exchange.recorded import (
    GONE,
    OUR_ID,
    Entry,
    Fed,
    client_of,
    entries,
    exchanges,
    feed,
    generated,
    order_of,
    venue_id_of,
    with_params,
)
from tests.shared_data import needs_data

WHOLE = 50_000
SHARE = 5_000
ALLOWED = (VenueUnavailable, OutcomeUnknown, AmbiguousOrder)
"""How a venue may fail on an answer that cannot be used; anything else is a crash or a claim without proof."""
HTML = "<html><head><title>502 Bad Gateway</title></head><body><h1>nginx</h1></body></html>"
OTHER_BODIES = ("", " ", "null", "true", "0", "[]", "{}", "[[]]", '""', HTML, "NaN", "[" * 5_000, '{"error":[]}')
ODD: tuple[Any, ...] = (
    None,
    True,
    "",
    "NaN",
    "Infinity",
    "1e400",
    "9" * 60,
    10**40,
    1e308,
    math.nan,
    math.inf,
    -1,
    "-1",
    "0",
    0,
    0.1 + 0.2,
    "abc",
    "0x10",
    "1,5",
    "\u0661\u0662",
    [],
    {},
    {"a": 1},
    [["x"]],
)


_MARKETS = ("markets", "markets_by_id", "symbols", "ids", "currencies", "currencies_by_id")


class InstantClock:
    """A clock that never waits: a sleep moves it on."""

    def __init__(self) -> None:
        self._s = 1_700_000_000.0

    def now_ms(self) -> TimeMs:
        """Its time."""
        return TimeMs(int(self._s * 1000))

    machine_ms = now_ms

    def monotonic(self) -> float:
        """Its time in seconds."""
        return self._s

    async def sleep(self, seconds: float) -> None:
        """Be there."""
        self._s += seconds


class Listening:
    """The real client, and what it made of the last acknowledgement."""

    def __init__(self, client: CcxtClient) -> None:
        self._client = client
        self.told: Unified = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    async def create_order(
        self, symbol: str, side: str, amount: str, price: str, params: Mapping[str, object]
    ) -> Unified:
        """Create, and keep the answer."""
        self.told = {}
        self.told = await self._client.create_order(symbol, side, amount, price, params)
        return self.told


def paths(node: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return where every part of a structure is."""
    below: list[tuple[Any, ...]] = []
    if isinstance(node, dict):
        below = [each for key, value in node.items() for each in paths(value, (*here, key))]
    elif isinstance(node, list):
        below = [each for place, value in enumerate(node) for each in paths(value, (*here, place))]
    return [here, *below]


def changed(source: random.Random, entry: Entry) -> tuple[str, str]:
    """Return a body with something wrong in it, and what that is."""
    how = source.choice(["other", "cut", "odd", "odd", "odd", "odd", "removed", "repeated", "market"])
    if how == "other":
        return source.choice(OTHER_BODIES), how
    if how == "cut":
        return entry.body[: source.randrange(len(entry.body))], how
    if how == "market":
        base, quote = entry.symbol.split("/")
        return entry.body.replace(base, "DOGE" if base != "DOGE" else "LTC").replace(quote, "EUR"), how
    body = json.loads(entry.body)
    where = source.choice(paths(body))
    if not where:
        return json.dumps(source.choice(ODD)), "odd whole"
    holder = copy.deepcopy(body)
    node = holder
    for step in where[:-1]:
        node = node[step]
    if how == "odd":
        odd = source.choice(ODD)
        node[where[-1]] = odd
        return json.dumps(holder), f"{where} is {odd!r:.60}"
    if how == "removed":
        del node[where[-1]]
    elif isinstance(node, list):
        node.append(copy.deepcopy(node[where[-1]]))
    else:
        node[f"{where[-1]}2"] = node[where[-1]]
    return json.dumps(holder), f"{where} {how}"


def row(exchange: str) -> Capability:
    """Return a row that certifies nothing."""
    return Capability(
        id=exchange,
        name=exchange,
        proven=False,
        id_form=IdForm.AS_IT_IS,
        create_id="clientOrderId",
        fetch_id=None,
        cancel_id=None,
        post_only={},
        taker={},
        trades_page=100,
        trades_window_ms=None,
        max_open_orders=None,
        cancel_all=False,
        dead_man="",
        cancels_per_s=1,
        fee_currency=FeeCurrency.QUOTE,
        certified={},
    )


class Trial:
    """One exchange's real client with a venue on it, fed with whatever body is wanted."""

    def __init__(self, exchange: str) -> None:
        self._client = client_of(exchange, None)
        self._fed: Fed = feed(self._client)
        self._listening = Listening(self._client)
        self._known: list[KnownOrder] = []
        self.met = self.refused = 0
        made = self._client._made()
        self._markets = {name: getattr(made, name) for name in _MARKETS}
        clock = InstantClock()
        self._venue = ExchangeVenue(
            self._listening,
            row(exchange),
            clock=clock,
            known=lambda symbol: [each for each in self._known if each.symbol == symbol],
            ours=lambda id_: id_.startswith("gbaaaaa"),
        )

    async def close(self) -> None:
        """End it."""
        await self._client.close()

    async def run(self, entry: Entry, body: str) -> str | None:
        """Let the venue meet a body; return what is wrong with what came of it, None if nothing is."""
        with_params(self._client, entry)
        self._fed.body = body
        self._known = known_of(entry)
        # The rules of a market are asked anew, and a list of markets may be made of what comes.
        vars(self._client._made()).update(self._markets)
        self.met += 1
        # A list of markets that lacks ours is an answer about our configuration.
        allowed = (*ALLOWED, ConfigError) if entry.method == "fetchTradingFee" else ALLOWED
        try:
            return await self._meet(entry)
        except allowed:
            self.refused += 1
            return None

    async def _meet(self, entry: Entry) -> str | None:
        symbol = entry.symbol
        match entry.method:
            case "createOrder":
                order = order_of(entry)
                return false_ack(entry, order, await self._venue.create(order), self._listening.told)
            case "cancelOrder":
                ref = OrderRef(GridId("g"), 1, OUR_ID)
                await self._venue.cancel(CancelOrder(ref, symbol, venue_id_of(entry)))
                return None
            case "fetchOrder":
                report = await self._venue.find(OrderRef(GridId("g"), 1, OUR_ID), symbol)
                return None if report is None or is_sound(report, symbol) else f"{report}"
            case "fetchOpenOrders" | "fetchClosedOrders":
                reports = await self._venue.open_orders(symbol)
                return next((f"{each}" for each in reports if not is_listed(each, symbol)), None)
            case "fetchMyTrades":
                fills = await self._venue.trades(symbol, TimeMs(0))
                return next((f"{each}" for each in fills if not is_fill(each, symbol)), None)
            case "fetchBalance":
                held = await self._venue.balances()
                return next((f"{name}: {each}" for name, each in held.items() if not is_figure(each)), None)
            case _:
                rules = await self._venue.instrument(symbol)
                return None if rules.maker_fee.is_finite() and rules.tick_size > 0 else f"{rules}"


def known_of(entry: Entry) -> list[KnownOrder]:
    """Return the orders of an answer as if they were ours."""
    listed = entry.parsed if isinstance(entry.parsed, list) else [entry.parsed]
    name = "order" if entry.method == "fetchMyTrades" else "id"
    ids = [str(each[name]) for each in listed if isinstance(each, dict) and each.get(name)]
    if entry.method == "fetchOrder":
        ids = [str(venue_id_of(entry))]
    return [
        KnownOrder(
            OrderRef(GridId("g"), 1, OUR_ID if place == 0 else OrderId(f"gbaaaaa{place:011d}")),
            entry.symbol,
            Side.BUY if place or not listed[0].get("side") else Side(listed[0]["side"]),
            Price(Decimal(str(listed[0].get("price") or 1))),
            Quantity(Decimal(str(listed[0].get("amount") or 1))),
            TimeMs(1),
            VenueOrderId(id_),
            False,
        )
        for place, id_ in enumerate(dict.fromkeys(ids))
    ]


def is_figure(figure: Decimal) -> bool:
    """Tell whether a figure can be one of money."""
    return figure.is_finite() and 0 <= figure < Decimal("1E+24")


def is_listed(report: OrderReport, symbol: Symbol) -> bool:
    """Tell whether an order of a list can be one."""
    figures = (report.price, report.quantity, report.filled)
    return report.symbol == symbol and bool(report.venue_id) and all(is_figure(each) for each in figures)


def is_sound(report: OrderReport, symbol: Symbol) -> bool:
    """Tell whether an order of ours can be one."""
    return is_listed(report, symbol) and report.price > 0 and 0 <= report.filled <= report.quantity


def is_fill(fill: OrderFilled, symbol: Symbol) -> bool:
    """Tell whether a fill can be one."""
    sound = is_figure(fill.price) and is_figure(fill.quantity) and fill.price > 0 and fill.quantity > 0
    return sound and fill.symbol == symbol and bool(fill.trade_id) and fill.fee.is_finite() and bool(fill.fee_asset)


def false_ack(entry: Entry, order: PlaceLimit, venue_id: VenueOrderId, told: Unified) -> str | None:
    """Return why an acknowledgement is false, None if it is good: another id, or an echo of something else."""
    if venue_id != entry.parsed["id"]:
        return f"acknowledged as {venue_id}"
    sent = {"symbol": order.symbol, "side": order.side.value, "price": order.price, "amount": order.quantity}
    for name, wanted in sent.items():
        echo = told.get(name)
        if echo is not None and (Decimal(str(echo)) if isinstance(wanted, Decimal) else echo) != wanted:
            return f"acknowledged with {name} {echo}"
    return None


def soak(runs: int, pick: Callable[[random.Random], Entry]) -> list[str]:
    """Meet so many changed answers; return what went wrong, each with the seed that shows it."""

    async def all_of_them() -> list[str]:
        trials: dict[str, Trial] = {}
        wrong: list[str] = []
        for seed in range(runs):
            source = random.Random(seed)
            entry = pick(source)
            body, how = changed(source, entry)
            if entry.exchange not in trials:
                trials[entry.exchange] = Trial(entry.exchange)
            task = asyncio.get_running_loop().create_task(trials[entry.exchange].run(entry, body))
            await asyncio.wait([task])
            error = task.exception()
            found = task.result() if error is None else f"{type(error).__name__}: {error}"
            if found is not None:
                wrong.append(f"seed {seed}, {entry.name}, {how}: {found:.300}")
        for trial in trials.values():
            await trial.close()
        met, refused = sum(each.met for each in trials.values()), sum(each.refused for each in trials.values())
        # A change may be harmless, so some pass; where all or none did, nothing would have been tried.
        assert met == runs and runs // 10 < refused < runs - runs // 10, (met, refused)
        return wrong

    return asyncio.run(all_of_them())


def recorded(source: random.Random) -> Entry:
    """Return one of all recorded answers; creates come more often, as there a mistake would cost most."""
    everything = [each for name in exchanges() if name not in GONE for each in entries(name)]
    creates = [each for each in everything if each.method == "createOrder"]
    return source.choice(creates if source.random() < 0.4 else everything)


def test_changed_answers_of_one_made_up_exchange_crash_nothing_and_take_no_order() -> None:
    wrong = soak(2_000, generated)
    assert not wrong, "\n".join(wrong[:20])


@needs_data
def test_a_tenth_of_the_changed_answers_crashes_nothing_and_takes_no_order() -> None:
    wrong = soak(SHARE, recorded)
    assert not wrong, "\n".join(wrong[:20])


@pytest.mark.soak
@needs_data
@pytest.mark.timeout(900)
def test_changed_answers_crash_nothing_and_take_no_order() -> None:
    wrong = soak(WHOLE, recorded)
    assert not wrong, "\n".join(wrong[:20])
