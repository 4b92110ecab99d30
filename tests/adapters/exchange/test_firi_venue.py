"""The venue over Firi's client over the sandbox: nothing doubled, nothing lost, the books equal to the last digit."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest

from gridbot.adapters.exchange.capability_table import capability_of
from gridbot.adapters.exchange.exchange_key import ExchangeKey
from gridbot.adapters.exchange.firi import FiriClient
from gridbot.adapters.exchange.firi_pace import FiriPace
from gridbot.adapters.exchange.venue import ExchangeVenue
from gridbot.adapters.system_clock import SystemClock
from gridbot.core.commands import CancelOrder, PlaceLimit
from gridbot.core.events import OrderRef
from gridbot.core.units import GridId, OrderId, Price, Quantity, Side, Symbol, TimeMs, VenueOrderId
from gridbot.errors import AmbiguousOrder, OrderNotSent, OrderRejected, OutcomeUnknown, Refusal, VenueError
from gridbot.ports import KnownOrder
from gridbot.sandbox.records import FeeMode, Kind, NewOrder
from gridbot.sandbox.server import Protocol
from tests.sandbox.serving import OPENING, Served, run, sandbox

NOK = Symbol("BTC/NOK")
MARKET = "BTCNOK"
EVER = TimeMs(0)


@dataclass
class Trading:
    """A venue against a sandbox, and what the engine would know of its orders, by id."""

    served: Served
    venue: ExchangeVenue
    known: dict[OrderId, KnownOrder] = field(default_factory=dict)

    def market(self, price: str, amount: str, taker: Side = Side.SELL) -> None:
        """Let others trade."""
        self.served.trade(price, amount, taker, MARKET)

    def sends(self, order: PlaceLimit) -> None:
        """Note an order as the engine does before it is sent."""
        now = self.served.exchange.now()
        self.known[order.ref.id] = KnownOrder(
            order.ref, NOK, order.side, order.price, order.quantity, TimeMs(now), None, True
        )

    def settles(self, id_: OrderId, venue_id: VenueOrderId | None) -> None:
        """Note what became of a create: the exchange's id, or that there is no such order."""
        if venue_id is None:
            del self.known[id_]
        else:
            self.known[id_] = replace(self.known[id_], venue_id=venue_id, unresolved=False)

    async def create(self, order: PlaceLimit) -> VenueOrderId:
        self.sends(order)
        try:
            venue_id = await self.venue.create(order)
        except (OrderRejected, OrderNotSent):
            self.settles(order.ref.id, None)
            raise
        self.settles(order.ref.id, venue_id)
        return venue_id


def order(number: int, price: str, quantity: str = "0.001", side: Side = Side.BUY) -> PlaceLimit:
    ref = OrderRef(GridId("btc"), number, OrderId(f"gbaaaaa000001{number:05d}"))
    return PlaceLimit(ref, NOK, side, Price(D(price)), Quantity(D(quantity)), True, False, Price(D(price)))


@asynccontextmanager
async def trading(folder: Path, *, timeout_s: float = 10.0) -> AsyncIterator[Trading]:
    async with sandbox(folder, protocol=Protocol.FIRI, fees=FeeMode.QUOTE, pace_ms=1) as served:
        served.trade("800000", "0.4", symbol=MARKET)
        client = FiriClient(
            base_url=served.address,
            key=ExchangeKey(served.key.name, ""),
            pace=FiriPace(pause_s=0.002),
            timeout_s=timeout_s,
        )
        known: dict[OrderId, KnownOrder] = {}
        venue = ExchangeVenue(
            client,
            capability_of("firi"),
            clock=SystemClock(),
            known=lambda symbol: [each for each in known.values() if each.symbol == symbol],
            ours=lambda id_: id_.startswith("gbaaaaa"),
        )
        try:
            yield Trading(served, venue, known)
        finally:
            await client.close()


def on_venue(folder: Path, test: Callable[[Trading], Coroutine[Any, Any, None]], *, timeout_s: float = 10.0) -> None:
    async def whole() -> None:
        async with trading(folder, timeout_s=timeout_s) as at:
            await test(at)

    run(whole)


def by_hand(at: Trading, price: str, quantity: str = "0.001", side: Side = Side.BUY) -> str:
    """Put an order into the book that is not gridbot's."""
    new = NewOrder(symbol=MARKET, side=side, kind=Kind.LIMIT, price=D(price), quantity=D(quantity))
    return str(at.served.exchange.place(new).reports[0].order.id)


async def books_agree(at: Trading) -> int:
    """Hold fills, movements and balances to the sandbox's own books; return how many fills there were."""
    fills = await at.venue.trades(NOK, EVER)
    owner = {each.venue_id: id_ for id_, each in at.known.items()}
    stored = at.served.exchange.store.trades("1 ORDER BY time, id")
    own = [each for each in stored if str(each.order_id) in owner]
    assert [(each.trade_id, each.ref.id, each.price, each.quantity, each.fee, each.fee_asset) for each in fills] == [
        (f"{MARKET}-{each.id}", owner[VenueOrderId(str(each.order_id))], each.price, each.quantity, each.fee, "NOK")
        for each in own
    ]
    moved: Counter[str] = Counter()
    for fill in fills:
        sign = 1 if at.known[fill.ref.id].side is Side.BUY else -1
        moved["BTC"] += sign * fill.quantity  # type: ignore[assignment]
        moved["NOK"] -= sign * fill.quantity * fill.price + fill.fee  # type: ignore[assignment]
    for movement in await at.venue.movements(NOK, EVER):
        moved[movement.asset] += movement.amount  # type: ignore[assignment]
    balances = await at.venue.balances()
    for asset in ("BTC", "NOK"):
        wallet = at.served.exchange.room.wallet.balances[asset]
        assert balances[asset] == wallet.free + wallet.locked == OPENING[asset] + moved[asset]  # type: ignore[index]
    return len(fills)


def test_an_order_rests_fills_in_parts_and_is_booked_to_the_last_digit(tmp_path: Path) -> None:
    async def test(at: Trading) -> None:
        instrument = await at.venue.instrument(NOK)
        assert (instrument.base, instrument.quote, instrument.maker_fee) == ("BTC", "NOK", D("0.005"))
        placed = order(1, "799000", "0.1")
        venue_id = await at.create(placed)
        other = by_hand(at, "798000")
        assert [(each.ref.id, each.venue_id) for each in await at.venue.open_orders(NOK)] == [
            (placed.ref.id, venue_id),
            (f"venue:{other}", other),
        ]
        (ahead,) = [each.ahead for each in at.served.exchange.room.open.values() if str(each.id) == venue_id]
        at.market("799000", str(ahead + D("0.04")))
        found = await at.venue.find(placed.ref, NOK)
        assert found is not None and (found.filled, found.open) == (D("0.04"), True)
        assert await books_agree(at) == 1
        at.market("797000", "5")
        assert await books_agree(at) == 2
        found = await at.venue.find(placed.ref, NOK)
        assert found is not None and (found.filled, found.open) == (D("0.1"), False)
        # What was traded by hand is no fill of ours, and explains the balance all the same.
        assert {each.asset for each in await at.venue.movements(NOK, EVER)} == {"BTC", "NOK"}

    on_venue(tmp_path, test)


def test_post_only_stands_in_by_the_price_and_a_refusal_is_certain(tmp_path: Path) -> None:
    async def test(at: Trading) -> None:
        with pytest.raises(OrderRejected) as refused:
            await at.create(order(1, "801000"))
        assert refused.value.code == Refusal.POST_ONLY and refused.value.post_only
        with pytest.raises(OrderRejected) as refused:
            await at.create(order(2, "790000", "9"))
        assert refused.value.code == Refusal.FUNDS
        with pytest.raises(OrderRejected) as refused:
            await at.create(order(3, "790000.001"))
        assert refused.value.code == Refusal.RULES
        assert not at.served.exchange.room.open

    on_venue(tmp_path, test)


LOST: list[dict[str, object]] = [
    {"do": "status", "status": 500},
    {"do": "truncate"},
    {"do": "empty"},
    {"do": "reset"},
    {"do": "hang"},
]


@pytest.mark.parametrize("fault", LOST, ids=[str(each["do"]) for each in LOST])
def test_a_create_whose_answer_was_lost_is_found_by_its_looks(tmp_path: Path, fault: dict[str, object]) -> None:
    async def test(at: Trading) -> None:
        # The same order, older: below the highest number that was seen, and so not the one that is looked for.
        by_hand(at, "790000")
        await at.venue.open_orders(NOK)
        by_hand(at, "790000", "0.002")
        await at.served.load({"match": "POST /v2/orders", **fault})
        lost = order(1, "790000")
        with pytest.raises(OutcomeUnknown):
            await at.create(lost)
        await at.served.load()
        with pytest.raises(OrderNotSent, match="not known yet"):
            await at.create(order(2, "780000"))
        found = await at.venue.find(lost.ref, NOK)
        newest = max(at.served.exchange.room.open)
        assert found is not None and found.venue_id == str(newest) and found.open
        at.settles(lost.ref.id, found.venue_id)
        assert await at.create(order(2, "780000")) != found.venue_id
        at.market("785000", "5")
        assert await books_agree(at) == 1

    on_venue(tmp_path, test, timeout_s=1.0)


def test_two_orders_that_look_alike_are_for_a_person(tmp_path: Path) -> None:
    async def test(at: Trading) -> None:
        await at.served.load({"match": "POST /v2/orders", "do": "status", "status": 500, "count": 1})
        lost = order(1, "790000")
        with pytest.raises(OutcomeUnknown):
            await at.create(lost)
        twin = by_hand(at, "790000")
        with pytest.raises(AmbiguousOrder, match=twin):
            await at.venue.find(lost.ref, NOK)
        at.served.exchange.cancel(at.served.exchange.room.open[int(twin)])
        # Also a cancelled one looks like ours: a person says which it was.
        with pytest.raises(AmbiguousOrder):
            await at.venue.find(lost.ref, NOK)

    on_venue(tmp_path, test)


def test_a_create_that_never_arrived_is_found_nowhere(tmp_path: Path) -> None:
    async def test(at: Trading) -> None:
        await at.served.load({"match": "POST /v2/orders", "do": "drop", "when": "before", "count": 1})
        lost = order(1, "790000")
        with pytest.raises(OutcomeUnknown):
            await at.create(lost)
        assert await at.venue.find(lost.ref, NOK) is None
        at.settles(lost.ref.id, None)
        assert await books_agree(at) == 0

    on_venue(tmp_path, test)


def test_a_cancel_ends_an_order_and_one_that_is_gone_is_no_error(tmp_path: Path) -> None:
    async def test(at: Trading) -> None:
        placed = order(1, "790000")
        venue_id = await at.create(placed)
        for _ in range(2):
            await at.venue.cancel(CancelOrder(placed.ref, NOK, venue_id))
        found = await at.venue.find(placed.ref, NOK)
        assert found is not None and (found.open, found.filled) == (False, D(0))
        # A lost cancel is unknown, and another one is allowed.
        second = order(2, "790000")
        venue_id = await at.create(second)
        await at.served.load({"match": "DELETE *", "do": "reset", "count": 1})
        with pytest.raises(OutcomeUnknown):
            await at.venue.cancel(CancelOrder(second.ref, NOK, venue_id))
        await at.venue.cancel(CancelOrder(second.ref, NOK, venue_id))
        assert await at.venue.open_orders(NOK) == [] and await books_agree(at) == 0

    on_venue(tmp_path, test)


async def live(at: Trading, seed: int, acts: int) -> int:
    """Trade a life with lost answers in it; every order is created once, and all that traded is booked once."""
    rng, number = random.Random(seed), 0
    for _ in range(acts):
        last = at.served.exchange.room.markets[MARKET].last
        at.served.exchange.skew_ms += rng.choice([0, 50, 2_000])
        act = rng.choice(["create", "create", "trade", "trade", "trade", "cancel", "hand", "deposit"])
        away = D(rng.randrange(1, 8))
        if act == "trade":
            at.market(str(last + rng.choice([-1, 1]) * away), str(D(rng.randrange(1, 30)) / 10), rng.choice(list(Side)))
        elif act == "hand":
            by_hand(at, str(last - 3 * away), "0.005")
        elif act == "deposit":
            at.served.exchange.deposit(rng.choice(["BTC", "NOK"]), D(rng.randrange(-50, 200)) / 1000)
        elif act == "cancel":
            resting = [each for each in at.known.values() if each.venue_id is not None]
            if resting:
                chosen = rng.choice(resting)
                await at.venue.cancel(CancelOrder(chosen.ref, NOK, chosen.venue_id))
        else:
            number += 1
            side = rng.choice(list(Side))
            price = last - away if side is Side.BUY else last + away
            fault = rng.choice([{"do": "status", "status": 500}, {"do": "drop"}, {"do": "empty"}, None, None])
            await at.served.load(*([{"match": "POST /v2/orders", "count": 1, **fault}] if fault else []))
            await _create(at, order(number, str(price), "0.00" + str(rng.randrange(1, 10)), side))
    assert len(at.served.exchange.store.orders("1")) >= len(at.known), f"seed {seed}"
    return await books_agree(at)


async def _create(at: Trading, placed: PlaceLimit) -> None:
    try:
        await at.create(placed)
    except OutcomeUnknown:
        found = await at.venue.find(placed.ref, NOK)
        at.settles(placed.ref.id, None if found is None else found.venue_id)
        assert found is not None
    except VenueError as error:
        assert isinstance(error, OrderRejected | OrderNotSent), error


def fills_of(folder: Path, seed: int, acts: int) -> int:
    fills: list[int] = []

    async def test(at: Trading) -> None:
        fills.append(await live(at, seed, acts))

    on_venue(folder, test)
    return fills[0]


@pytest.mark.parametrize("seed", range(2))
def test_random_lives_with_lost_answers_agree_with_the_books(tmp_path: Path, seed: int) -> None:
    assert fills_of(tmp_path, seed, 60) > 5


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 115))
def test_many_random_lives_with_lost_answers_agree_with_the_books(tmp_path: Path, seed: int) -> None:
    assert fills_of(tmp_path, seed, 120) > 10
