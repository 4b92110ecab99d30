"""Random lives with lost answers, hand trades and restarts: nothing is sent twice, and every trade is told once."""

from __future__ import annotations

import random
from decimal import Decimal as D

import pytest

from gridbot.adapters.exchange.capabilities import Capability
from gridbot.adapters.exchange.unified import CallFailed, Cause, Proof
from gridbot.core.commands import CancelOrder, PlaceLimit
from gridbot.core.events import OrderFilled
from gridbot.core.units import Side
from gridbot.core.values import evolve
from gridbot.errors import AmbiguousOrder, OrderNotSent, OrderRejected, OutcomeUnknown, VenueUnavailable
from tests.adapters.exchange.venue_desk import BTC, EVER, NO_IDS, ROW, Desk, at_desk, order
from tests.fakes.unified_exchange import lost

STEPS = 60
READS = ("fetch_order", "fetch_open_orders", "fetch_closed_orders", "fetch_my_trades", "fetch_transfers")


class Life:
    """An engine that places, forgets and asks; `answered` are its orders of which it knows how they fare."""

    def __init__(self, desk: Desk, source: random.Random) -> None:
        self.desk = desk
        self.source = source
        self.sent: dict[str, PlaceLimit] = {}
        self.unresolved: set[str] = set()
        self.refused: set[str] = set()
        self.doubtful: set[str] = set()
        self.fills: dict[str, OrderFilled] = {}
        self.number = 0

    async def step(self) -> None:
        """Do one thing that an engine, a person, the market or the network may do."""
        deeds = (self.place, self.place, self.cancel, self.trade, self.trade, self.by_hand, self.fail, self.ask)
        await self.source.choice((*deeds, self.restart))()
        await self.desk.clock.sleep(self.source.choice([0.01, 1.0, 30.0]))

    async def place(self) -> None:
        self.number += 1
        side = self.source.choice([Side.BUY, Side.SELL])
        price = f"{self.source.randrange(60_000, 69_000)}.00" if side is Side.BUY else "71000.00"
        placed = order(self.number, side=side, price=price, quantity=f"0.{self.source.randrange(100, 999)}")
        self.desk.intend(placed)
        self.sent[placed.ref.id] = placed
        no = CallFailed("No.", proof=Proof.ANSWERED, cause=Cause.REFUSED, code=self.source.choice(["poor", "odd"]))
        cut = CallFailed("Not sent.", proof=Proof.NOT_SENT, cause=Cause.NETWORK)
        how = self.source.random()
        if how < 0.2:
            self.desk.exchange.lost_acks = 1
        elif how < 0.4:
            self.desk.exchange.failing["create_order"].append(self.source.choice([no, cut, lost()]))
        before = self.desk.exchange.called("create_order")
        try:
            venue_id = await self.desk.venue.create(placed)
        except (OrderNotSent, OrderRejected):
            self.refused.add(placed.ref.id)
            self.forget(placed)
        except OutcomeUnknown:
            self.unresolved.add(placed.ref.id)
        else:
            self.desk.intend(placed, venue_id=venue_id)
        # At most once, and what was not taken for certain is not there.
        assert self.desk.exchange.called("create_order") - before <= 1
        there = [each for each in self.desk.exchange.orders.values() if each.client_id == placed.ref.id]
        assert not (there and placed.ref.id in self.refused)
        self.desk.exchange.failing["create_order"].clear()
        self.desk.exchange.lost_acks = 0

    def forget(self, placed: PlaceLimit) -> None:
        self.desk.known = [each for each in self.desk.known if each.ref.id != placed.ref.id]

    async def cancel(self) -> None:
        if not self.sent:
            return
        placed = self.source.choice(list(self.sent.values()))
        if self.source.random() < 0.3:
            self.desk.exchange.failing["cancel_order"].append(lost())
        known = next((each.venue_id for each in self.desk.known if each.ref.id == placed.ref.id), None)
        try:
            await self.desk.venue.cancel(CancelOrder(placed.ref, BTC, known))
        except (OutcomeUnknown, VenueUnavailable):
            return

    async def trade(self) -> None:
        resting = [each for each in self.desk.exchange.orders.values() if each.status == "open"]
        if resting:
            hit = self.source.choice(resting)
            left = hit.amount - hit.filled
            self.desk.exchange.fill(
                hit, f"{left if self.source.random() < 0.5 else (left / 2).quantize(D('0.0001')):f}"
            )

    async def by_hand(self) -> None:
        self.desk.exchange.rest("web_1", Side.BUY, f"{self.source.randrange(50_000, 59_000)}", "0.5")

    async def fail(self) -> None:
        self.desk.exchange.failing[self.source.choice(READS)].extend([lost()] * self.source.randrange(1, 6))

    async def restart(self) -> None:
        self.desk.restarted()

    async def ask(self) -> None:
        """Reconcile, as far as the exchange answers."""
        try:
            await self.settle()
        except VenueUnavailable:
            return

    async def settle(self) -> None:
        """Ask about all that is unresolved, then for all trades."""
        for id_ in sorted(self.unresolved):
            try:
                report = await self.desk.venue.find(self.sent[id_].ref, BTC)
            except AmbiguousOrder:
                self.doubtful.add(id_)
                continue
            if report is None:
                self.forget(self.sent[id_])
            else:
                assert report.ref.id == id_
                self.desk.intend(self.sent[id_], venue_id=report.venue_id)
            self.unresolved.discard(id_)
        for fill in await self.desk.venue.trades(BTC, EVER):
            assert self.fills.setdefault(fill.trade_id, fill).ref.id == fill.ref.id
        await self.desk.venue.movements(BTC, EVER)

    async def end(self) -> None:
        """Everything answers again: what is booked must be what the exchange has, each once."""
        self.desk.exchange.failing.clear()
        await self.desk.clock.sleep(700)
        await self.settle()
        assert not self.doubtful
        exchange = self.desk.exchange
        ids = [arguments[4]["cid"] for name, arguments in exchange.calls if name == "create_order" and arguments[4]]
        assert len(ids) == len(set(ids))
        ours = {each.id for each in exchange.orders.values() if each.price >= 60_000}
        told = {trade["id"]: trade for trade in exchange.trades}
        assert set(self.fills) == {id_ for id_, trade in told.items() if trade["order"] in ours}
        for id_, fill in self.fills.items():
            assert (fill.quantity, fill.price) == (D(told[id_]["amount"]), D(told[id_]["price"]))
            assert fill.price == self.sent[fill.ref.id].price
        moved = {each.id for each in await self.desk.venue.movements(BTC, EVER)}
        strangers = {id_ for id_, trade in told.items() if trade["order"] not in ours}
        assert moved == {f"trade:BTC/USDT:{id_}:{what}" for id_ in strangers for what in ("base", "quote", "fee")}


def live(seed: int, row: Capability) -> Life:
    """Live a life to its end, and return it."""
    lives: list[Life] = []

    async def test(desk: Desk) -> None:
        life = Life(desk, random.Random(seed))
        lives.append(life)
        for _ in range(STEPS):
            await life.step()
        await life.end()

    at_desk(test, evolve(row, trades_page=8))
    return lives[0]


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("row", [ROW, NO_IDS], ids=["ids", "no_ids"])
def test_a_random_life_ends_with_every_trade_told_once(seed: int, row: Capability) -> None:
    assert live(seed, row).number > 0


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(1000, 1400))
@pytest.mark.parametrize("row", [ROW, NO_IDS], ids=["ids", "no_ids"])
def test_many_random_lives_end_with_every_trade_told_once(seed: int, row: Capability) -> None:
    assert live(seed, row).number > 0
