"""The checker bites: each invariant that it holds is broken on purpose in a calm world, and is named.

Production does nothing wrong here: the forged orders, cancels, bookings and starts go straight to the checker.
"""

from __future__ import annotations

import ast
import asyncio
import re
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gridbot.core.commands import CancelOrder, FillBooked, OrderEnded, PlaceLimit
from gridbot.core.draft import Step
from gridbot.core.events import EpochStarted, OrderRef, OrderReported
from gridbot.core.orders import Fact, OrderState
from gridbot.core.state import Grid, State
from gridbot.core.units import GridId, OrderId, Price, Quantity, Side, TimeMs, TradeId, VenueOrderId
from gridbot.core.values import evolve
from gridbot.sim.matching import Resting
from tests.simulation.invariants import INVARIANTS, page
from tests.simulation.life import Life, run_world
from tests.simulation.own_books import OwnBooks
from tests.simulation.planted import MISTAKES
from tests.simulation.scenario import CALM, scenario
from tests.simulation.simulation import Simulation

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
HUGE = Quantity(Decimal(1_000))


class Forger:
    """A calm world whose orders rest, and what somebody might do wrong in it."""

    def __init__(self, world: Simulation) -> None:
        self.world = world
        checker: Any = world.checker
        self.checker = checker
        self.symbol = next(iter(world.markets))
        self.life: Life = checker._current
        self.life.alive = True  # The one that was in charge last, which nothing else does any more.

    @property
    def state(self) -> State:
        return self.world.checker.replica.state

    def rests(self, side: Side | None = None) -> Resting:
        resting: list[Resting] = self.checker._our_resting()
        return next(one for one in resting if side in (None, one.order.side))

    def order(self, **changes: Any) -> PlaceLimit:
        """Return an order that nobody intends, beside one that rests."""
        ref = OrderRef(GridId("g1"), 99, OrderId("gbs1m01forged00001"))
        return evolve(self.rests().order, **{"ref": ref, **changes})

    def create(self, **changes: Any) -> None:
        self.checker.creating(self.life, self.order(**changes))

    def intend(self, order: PlaceLimit) -> None:
        self.checker._books.follow(EpochStarted(self.state.now, "x"), Step(self.state, (order,), ()))

    def heard(self, fact: Fact, order: PlaceLimit, venue_id: str | None = None) -> OrderReported:
        return OrderReported(self.state.now, order.ref, fact, None if venue_id is None else VenueOrderId(venue_id))

    def stepped(self, event: Any, *notes: Any) -> None:
        self.checker._on_step(event, Step(self.state, (), notes))

    def ended(self, order: PlaceLimit, state: OrderState) -> OrderEnded:
        return OrderEnded(
            self.state.now,
            order.ref.grid,
            order.ref.cell,
            order.ref.id,
            order.side,
            order.price,
            order.quantity,
            Quantity(Decimal(0)),
            state,
            "",
        )

    def fill(self, **changes: Any) -> FillBooked:
        """Return a booking of a trade that truly happened."""
        trade = self.world.venue.fills[0]
        order = self.world.venue.orders()[trade.ref.id].order
        note = FillBooked(
            trade.time,
            order.ref.grid,
            order.ref.cell,
            order.ref.id,
            trade.trade_id,
            order.side,
            trade.price,
            trade.quantity,
            trade.fee,
            trade.fee_asset,
            False,
        )
        return evolve(note, **changes)


async def _i1(f: Forger) -> None:
    f.create()


async def _i2(f: Forger) -> None:
    f.create(ref=f.rests().order.ref)


async def _i3(f: Forger) -> None:
    f.create(ref=evolve(f.rests().order.ref, id=OrderId("gbs1m01forged00002")))


async def _i4(f: Forger) -> None:
    order = f.rests().order
    f.stepped(f.heard(Fact.CANCELED, order), f.ended(order, OrderState.CANCELED))


async def _i5(f: Forger) -> None:
    f.stepped(f.heard(Fact.ACCEPTED, f.rests().order, "v-another"))
    f.stepped(f.heard(Fact.ACCEPTED, f.rests().order))


async def _i6(f: Forger) -> None:
    order = f.rests().order
    f.stepped(f.heard(Fact.NO_ANSWER, order), f.ended(order, OrderState.ABSENT))
    f.stepped(f.heard(Fact.ACCEPTED, order, f.rests().venue_id))


async def _i7(f: Forger) -> None:
    f.checker._fills.on_booked(f.fill())


async def _i8(f: Forger) -> None:
    f.checker._fills.booked.clear()
    f.checker._fills.on_booked(f.fill(price=Price(Decimal(1))))


async def _i9(f: Forger) -> None:
    f.stepped(EpochStarted(f.state.now, "x"), f.fill(trade=TradeId("forged"), quantity=HUGE))


async def _i10(f: Forger) -> None:
    f.stepped(EpochStarted(f.state.now, "x"), f.fill(trade=TradeId("forged"), fee=Decimal("0.5")))


async def _i11(f: Forger) -> None:
    f.create(side=Side.SELL, quantity=HUGE)


async def _i12(f: Forger) -> None:
    f.create(price=float(f.rests().order.price))


async def _i13(f: Forger) -> None:
    f.intend(f.order(side=Side.BUY, quantity=HUGE))


async def _i13_truly(f: Forger) -> None:
    f.create(side=Side.BUY, quantity=HUGE)


async def _i14(f: Forger) -> None:
    assert f.state.rules.risk is not None
    for number in range(f.state.rules.risk.max_creates_per_10s + 1):
        f.create(ref=OrderRef(GridId("g1"), 99, OrderId(f"gbs1m01forged{number:05d}")))


async def _i15(f: Forger) -> None:
    f.intend(f.order(side=Side.BUY, price=Price(f.rests().order.price * 2)))


async def _i15_truly(f: Forger) -> None:
    f.world.ticker.break_off()
    await asyncio.sleep(1_000)
    f.create(side=Side.BUY)


async def _i16(f: Forger) -> None:
    f.checker._books._equity = None
    f.intend(f.order(side=Side.BUY))


async def _i17(f: Forger) -> None:
    other = f.rests(Side.BUY).order
    f.create(side=Side.SELL, symbol=other.symbol, price=Price(other.price - 1))


async def _i18(f: Forger) -> None:
    f.world.disk.put(f.world.latch, b"")
    f.create()


async def _i19(f: Forger) -> None:
    f.world.disk.put(f.world.latch, b"")
    f.checker.look_at_latch()
    f.world.disk.take_away(f.world.latch)
    f.checker.look_at_latch()


async def _i20(f: Forger) -> None:
    f.checker._traded.add(f.symbol)
    f.checker.flat(f.life)


async def _i21(f: Forger) -> None:
    ref = OrderRef(GridId("by hand"), 1, OrderId("byhand0001"))
    f.checker.cancelling(CancelOrder(ref, f.symbol, None))
    order = f.rests().order
    f.checker.cancelling(CancelOrder(order.ref, order.symbol, VenueOrderId("v-byhand0001")))


async def _i23(f: Forger) -> None:
    f.checker.recovered(f.state, f.checker.replica.sequence - 1)


async def _i24(f: Forger) -> None:
    f.checker.recovered(evolve(f.state, now=TimeMs(1)), f.checker.replica.sequence)


async def _i25(f: Forger) -> None:
    f.checker.born(Life(1_000))


async def _i26(f: Forger) -> None:
    f.checker.must_ask()
    f.create()


async def _i27(f: Forger) -> None:
    f.checker.disk_refused(Path("journal-1.jsonl"), f.life)
    await asyncio.sleep(1)
    f.create()


async def _i30(f: Forger) -> None:
    grid: Grid = f.state.grids[GridId("g1")]
    cells = tuple(
        cell if cell.order is None else evolve(cell, order=evolve(cell.order, state=OrderState.UNKNOWN))
        for cell in grid.cells
    )
    f.checker.replica.state = evolve(f.state, grids={**f.state.grids, grid.rules.id: evolve(grid, cells=cells)})
    f.checker.quiet()


FORGED: tuple[Callable[[Forger], Awaitable[None]], ...] = (
    _i1,
    _i2,
    _i3,
    _i4,
    _i5,
    _i6,
    _i7,
    _i8,
    _i9,
    _i10,
    _i11,
    _i12,
    _i13,
    _i13_truly,
    _i14,
    _i15,
    _i15_truly,
    _i16,
    _i17,
    _i18,
    _i19,
    _i20,
    _i21,
    _i23,
    _i24,
    _i25,
    _i26,
    _i27,
    _i30,
)


def named(forge: Callable[[Forger], Awaitable[None]]) -> str:
    """Return the invariant that a forgery breaks."""
    return forge.__name__.removeprefix("_").partition("_")[0].upper()


@pytest.mark.parametrize("forge", FORGED, ids=lambda forge: forge.__name__.strip("_"))
def test_what_is_broken_on_purpose_is_named(forge: Callable[[Forger], Awaitable[None]]) -> None:
    async def main() -> list[str]:
        world = Simulation(scenario(3, hours=1, grids=2, weather=CALM))
        verdict = await world.run()
        assert verdict.passed and verdict.counted["fills"] > 0
        await forge(Forger(world))
        return world.checker.violations

    said = run_world(main())
    invariants = {re.match(r"seed 3, \d{3}:\d\d:\d\d\.\d{3} \[(\w+)\] ", each.splitlines()[0]) for each in said}
    assert named(forge) in {found[1] for found in invariants if found is not None}, said


def test_a_violation_tells_the_last_events_of_its_order() -> None:
    async def main() -> tuple[str, str]:
        world = Simulation(scenario(3, hours=0.5, grids=1, weather=CALM))
        await world.run()
        forger = Forger(world)
        id_ = forger.rests().order.ref.id
        forger.create(ref=forger.rests().order.ref)
        return id_, next(each for each in world.checker.violations if "[I2]" in each)

    id_, said = run_world(main())
    head, *lines = said.splitlines()
    assert head.startswith("seed 3, 000:") and f"order id {id_} is sent a second time" in head
    assert any(re.fullmatch(rf"    \d{{3}}:\d\d:\d\d\.\d{{3}} {id_}: the venue accepts it", line) for line in lines)
    assert any(f"{id_}: journal " in line for line in lines)


def test_the_table_has_every_invariant_and_each_is_shown_to_bite() -> None:
    assert list(INVARIANTS) == [f"I{number}" for number in range(1, 31)]
    planted = {name for mistake in MISTAKES for name in mistake.names[:1]}
    forged = {named(forge) for forge in FORGED}
    for name, one in INVARIANTS.items():
        assert one.says.endswith("."), name
        assert bool(one.held or one.quiet) == (name in forged), f"{name}: what the checker holds is tripped here"
        assert name in planted or name in forged or one.shown, name
        for path in one.shown:
            tree = ast.parse((ROOT / path).read_text("utf-8"))
            assert any(isinstance(node, ast.FunctionDef) and node.name.startswith("test_") for node in tree.body), path
    assert page().count("\n| I") == 30


def test_a_branch_of_the_books_shares_nothing_that_can_change() -> None:
    books = OwnBooks(lambda _invariant, _sentence, _order: None)
    twin = vars(books.branch())
    kept = {name: each for name, each in vars(books).items() if each is not None}
    changing = [name for name, each in kept.items() if hasattr(each, "clear")]
    assert len(changing) >= 10
    assert not [name for name in changing if twin[name] is kept[name]]
