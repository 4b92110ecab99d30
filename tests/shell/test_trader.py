"""The trader over the simulated venue, with and without faults: write then act, silence resolved, books exact."""

from __future__ import annotations

import asyncio
from collections import Counter
from decimal import Decimal

import pytest

from gridbot.core.codec import digest
from gridbot.core.commands import Alarmed, FillBooked, PlaceLimit
from gridbot.core.events import KillKind, OrderRef
from gridbot.core.orders import OrderState
from gridbot.core.state import Phase, State
from gridbot.core.units import Asset, GridId, Mode, OrderId, Price, Quantity, Side, VenueOrderId
from gridbot.shell.facade import Answered, CancelOne, ReleaseKill, StopTrading, View
from gridbot.shell.known_orders import live_order, live_orders
from gridbot.shell.messages import Asked
from gridbot.shell.state_keeper import replay
from gridbot.sim.faults import Faults
from tests.fakes.record import MemoryNotes
from tests.fakes.trading import BEGIN, HISTORY, MINUTE, SYMBOL, House, believed, choppy, resting_at
from tests.fakes.virtual_time import run_virtual


def soaked(first: int, last: int) -> list[object]:
    """Return more seeds, for `make soak` alone."""
    return [pytest.param(seed, marks=pytest.mark.soak) for seed in range(first, last)]


def books(state: State) -> dict[str, Decimal]:
    return {asset: account.total for asset, account in state.accounts.items()}


def venue_balances(house: House) -> dict[Asset, Decimal]:
    return house.venue._balances


def shown(house: House) -> View:
    return house.outlet.views[-1]


def booked_trades(house: House) -> list[str]:
    return [item.trade for item in house.outlet.items if isinstance(item, FillBooked)]


def test_a_healthy_run_trades_and_its_books_equal_the_venues() -> None:
    house = House(choppy(1, minutes=300, quiet=60))
    state = run_virtual(house.run(34))
    assert not house.crashes
    assert state.round_trips > 5
    assert books(state) == venue_balances(house)
    assert sorted(booked_trades(house)) == sorted(trade.trade_id for trade in house.venue._trades)
    assert believed(state) == {id_: VenueOrderId(f"v-{id_}") for id_ in resting_at(house)}


@pytest.mark.parametrize("seed", [*range(6), *soaked(6, 60)])
def test_after_faults_stop_nothing_is_unknown_and_each_trade_is_booked_once(seed: int) -> None:
    faults = Faults(seed, delay=0.3, lose=0.15, repeat=0.2)
    house = House(choppy(seed, minutes=300, quiet=400), faults=faults, limited=bool(seed % 2), latency_ms=50 * seed)

    async def main() -> State:
        async with house.trading() as trader:
            await asyncio.sleep(30)
            faults.active = False
            await asyncio.sleep(38)
        return trader.state

    state = run_virtual(main())
    assert state.fills > 10
    assert_settled(house, state)


@pytest.mark.parametrize("seed", [*range(4), *soaked(4, 40)])
def test_power_cuts_between_faults_lose_nothing(seed: int) -> None:
    faults = Faults(seed, delay=0.2, lose=0.1, repeat=0.1)
    house = House(choppy(seed, minutes=400, quiet=400), faults=faults, limited=True, latency_ms=20)

    async def main() -> State:
        for seconds in (7.013, 0.171, 3.7, 8.0301, 5.55):
            await house.run_and_die(seconds)
        faults.active = False
        return await house.run(50)

    state = run_virtual(main())
    assert len(house.witness.created) == len(set(house.witness.created))
    assert_settled(house, state, told_once=False)


def assert_settled(house: House, state: State, *, told_once: bool = True) -> None:
    """Nothing is unknown, each trade is booked once, and books, venue and cells agree."""
    assert not house.crashes
    assert all(live.order.state in (OrderState.OPEN, OrderState.PARTIAL) for live in live_orders(state))
    assert books(state) == venue_balances(house)
    assert set(believed(state)) == set(resting_at(house))
    keys = Counter((order.ref.grid, order.ref.cell, order.side) for order in resting_at(house).values())
    assert max(keys.values(), default=0) <= 1
    kept = Counter(note.trade for _, note in house.notes.kept if isinstance(note, FillBooked))
    assert kept == Counter(trade.trade_id for trade in house.venue._trades)
    if told_once:
        assert Counter(booked_trades(house)) == kept


def test_no_create_leaves_before_its_intent_is_durable_and_none_twice() -> None:
    house = House(choppy(3, minutes=200, quiet=10))

    def look(order: PlaceLimit) -> None:
        on_disk = replay(house.store.load(), mode=Mode.DEMO, notes=MemoryNotes()).state
        assert live_order(on_disk, order.ref) is not None

    house.witness.on_create = look
    state = run_virtual(house.run(20))
    assert not house.crashes and state.fills
    assert len(house.witness.created) == len(set(house.witness.created))


def test_an_intent_that_waits_for_a_slow_disk_is_not_taken_for_a_lost_answer() -> None:
    house = House(choppy(3, minutes=200, quiet=10))
    house.store.fsync_s = 0.25
    state = run_virtual(house.run(20))
    assert not house.crashes and state.fills
    assert not [line for line in house.log.lines if line[2] == "order_no_answer"]


def test_a_restart_continues_with_the_same_digest() -> None:
    house = House(choppy(4, minutes=300, quiet=30))
    first = run_virtual(house.run(15))
    again = replay(house.store.load(), mode=Mode.DEMO, notes=house.notes)
    assert digest(again.state) == digest(first)


def test_a_restart_goes_on_trading_where_it_was() -> None:
    house = House(choppy(4, minutes=300, quiet=60))

    async def main() -> tuple[State, State]:
        return await house.run(12), await house.run(20)

    first, second = run_virtual(main())
    assert second.fills > first.fills > 0
    assert second.prefix != first.prefix
    assert_settled(house, second)


def test_the_journal_alone_gives_the_state_after_a_power_cut() -> None:
    house = House(choppy(5, minutes=100, quiet=0))
    run_virtual(house.run_and_die(9))
    state = replay(house.store.load(), mode=Mode.DEMO, notes=house.notes).state
    assert house.store.snapshot is None and state.fills > 0
    assert [event.time for event in house.store.durable_events[:1]] == [BEGIN + HISTORY * MINUTE]


def test_stop_trading_latches_first_cancels_everything_and_creates_nothing_more() -> None:
    house = House(choppy(6, minutes=300, quiet=30))
    latched_at: list[int] = []

    async def main() -> State:
        async with house.trading() as trader:
            await asyncio.sleep(5)
            assert resting_at(house)
            trader.ask(Asked(1, StopTrading("enough")))
            await asyncio.sleep(0.01)
            assert house.latch.reason == "enough"
            latched_at.append(len(house.witness.created))
            await asyncio.sleep(10)
        return trader.state

    state = run_virtual(main())
    assert state.kill is not None and not resting_at(house) and not believed(state)
    assert len(house.witness.created) == latched_at[0]
    assert Answered(1, True, "Trading is stopped; all orders are being cancelled.") in house.outlet.items


def test_the_latch_outlives_a_restart_until_a_person_releases_it() -> None:
    house = House(choppy(6, minutes=300, quiet=30))

    async def main() -> State:
        async with house.trading() as trader:
            await asyncio.sleep(5)
            trader.ask(Asked(1, StopTrading("enough")))
            await asyncio.sleep(2)
        before = len(house.witness.created)
        async with house.trading() as trader:
            await asyncio.sleep(5)
            assert len(house.witness.created) == before and not resting_at(house)
            trader.ask(Asked(2, ReleaseKill("a test")))
            await asyncio.sleep(5)
        return trader.state

    state = run_virtual(main())
    assert state.kill is None and house.latch.reason is None
    assert resting_at(house) and set(believed(state)) == set(resting_at(house))


def test_a_kill_file_that_somebody_puts_there_stops_a_running_engine() -> None:
    house = House(choppy(6, minutes=300, quiet=30))

    async def main() -> State:
        async with house.trading() as trader:
            await asyncio.sleep(5)
            house.latch.reason = ""
            await asyncio.sleep(2)
        return trader.state

    state = run_virtual(main())
    assert state.kill is not None and not resting_at(house)


def test_a_full_disk_stops_creates_while_cancels_go_on() -> None:
    house = House(choppy(7, minutes=400, quiet=30))

    async def main() -> tuple[int, State]:
        async with house.trading() as trader:
            await asyncio.sleep(5)
            house.store.full = True
            await asyncio.sleep(0.5)
            created = len(house.witness.created)
            await asyncio.sleep(10)
            trader.ask(Asked(1, StopTrading("the disk is full")))
            await asyncio.sleep(2)
        return created, trader.state

    created, state = run_virtual(main())
    assert len(house.witness.created) == created
    assert not resting_at(house) and not believed(state)
    assert any("disk is full" in sentence for sentence in shown(house).problems)


def test_a_release_that_the_disk_does_not_take_down_leaves_the_latch() -> None:
    house = House(choppy(7, minutes=400, quiet=30))

    async def main() -> None:
        async with house.trading() as trader:
            await asyncio.sleep(5)
            trader.ask(Asked(1, StopTrading("enough")))
            await asyncio.sleep(5)
            house.store.full = True
            taken_away = house.latch.cleared
            trader.ask(Asked(2, ReleaseKill("a test")))
            await asyncio.sleep(5)
            assert house.latch.cleared == taken_away, "a crash now would find a stop without its latch"

    run_virtual(main())
    (answer,) = (item for item in house.outlet.items if isinstance(item, Answered) and item.request == 2)
    assert not answer.ok and answer.message.startswith("The KILL file stays, and so does the stop: ")
    assert house.latch.reason is not None and not resting_at(house)


def test_an_unknown_error_kills_and_cancels_and_is_reported() -> None:
    house = House(choppy(8, minutes=300, quiet=30))

    async def main() -> State:
        async with house.trading() as trader:
            await asyncio.sleep(5)
            house.witness.on_create = _fail
            await asyncio.sleep(20)
        return trader.state

    state = run_virtual(main())
    assert house.crashes and isinstance(house.crashes[0], KeyError)
    assert state.kill is not None and state.kill.kind is KillKind.SYSTEM_ERROR
    assert not resting_at(house) and not believed(state)
    assert any("KeyError" in sentence for sentence in shown(house).problems)


def _fail(order: PlaceLimit) -> None:
    raise KeyError(order.ref.id)


def test_nothing_is_sent_while_the_venue_cannot_be_asked() -> None:
    house = House(choppy(9, minutes=300, quiet=30))

    async def main() -> State:
        await house.run(4)
        resting = len(resting_at(house))
        house.witness.reads_fail = True
        before = len(house.witness.created)
        async with house.trading() as trader:
            await asyncio.sleep(5)
            assert len(house.witness.created) == before
            assert shown(house).starting and shown(house).problems
            house.witness.reads_fail = False
            await asyncio.sleep(5)
            assert resting and not shown(house).starting
        return trader.state

    assert_settled(house, run_virtual(main()))


def test_an_order_of_ours_that_no_grid_knows_is_cancelled_and_alarmed() -> None:
    house = House(choppy(10, minutes=300, quiet=30))
    stray = PlaceLimit(
        OrderRef(GridId("gone"), 1, OrderId("gbtests000000zzzzz")),
        SYMBOL,
        Side.BUY,
        Price(Decimal(20_000)),
        Quantity(Decimal("0.01")),
        False,
        False,
        Price(Decimal(20_000)),
    )

    async def main() -> State:
        async with house.trading() as trader:
            await asyncio.sleep(3)
            await house.venue.create(stray)
            await asyncio.sleep(3)
        return trader.state

    state = run_virtual(main())
    assert stray.ref.id not in resting_at(house)
    assert any(isinstance(item, Alarmed) and item.code == "excess_order" for item in house.outlet.items)
    assert_settled(house, state)


def test_a_stop_loss_sells_everything_by_immediate_orders_and_stops() -> None:
    house = House(choppy(11, minutes=300, quiet=30))
    grid = house.config.grids[0].model_copy(update={"stop_loss": Decimal("0.001")})
    house.config = house.config.model_copy(update={"grids": (grid,)})
    state = run_virtual(house.run(30))
    stopped = state.grids[GridId("btc")]
    assert stopped.phase is Phase.STOPPED and stopped.tally.fills > 0
    assert not resting_at(house) and not believed(state)
    assert books(state)[Asset("BTC")] == 0 == stopped.tally.inventory
    assert books(state) == venue_balances(house)


def test_a_log_that_cannot_be_written_is_shown_and_stops_nothing() -> None:
    house = House(choppy(1, minutes=120, quiet=60))
    house.log.problem = "The log cannot be written: no space left on device."
    state = run_virtual(house.run(16))
    assert state.fills
    assert house.log.problem in shown(house).problems


def test_an_end_that_overtakes_its_fill_puts_nothing_on_sale_twice() -> None:
    """Simulation, seed 214 over 24 h: a sell was cancelled after a part of it was traded; only its end was heard."""
    held: list[Decimal] = []
    refused: list[tuple[str, str, str, str]] = []

    async def live(house: House) -> State:
        async with house.trading() as trader:
            for _ in range(60):
                await asyncio.sleep(0.5)
                house.witness.hears_of_fills = False
                for live in list(live_orders(trader.state)):
                    trader.ask(Asked(0, CancelOne(live.order.id)))
                await asyncio.sleep(0.3)
                house.witness.hears_of_fills = True
                sells = [at for at in house.venue._orders.values() if at.open and at.order.side is Side.SELL]
                held.append(venue_balances(house)[Asset("BTC")] - sum(at.leaves for at in sells))
            refused.extend(line for line in house.log.lines if "insufficient" in line[3] or "free" in line[3])
            await asyncio.sleep(8)
        return trader.state

    house = House(choppy(5, minutes=700, quiet=60), limited=True)
    state = run_virtual(live(house))
    assert not house.crashes and not refused
    assert min(held) >= 0
    assert len(house.witness.cancelled) > 100 and state.round_trips > 3
    assert books(state) == venue_balances(house)
    assert sorted(booked_trades(house)) == sorted(trade.trade_id for trade in house.venue._trades)


def test_nothing_is_sent_while_an_order_of_ours_rests_that_nobody_knows() -> None:
    """Simulation, seed 314 over 24 h: its cancel was lost, and the coins that it holds were put on sale again."""
    house = House(choppy(1, minutes=200, quiet=20))
    ref = OrderRef(GridId("btc"), 1, OrderId("gbtests99999900001"))
    size = Quantity(Decimal("0.01"))
    forgotten = PlaceLimit(ref, SYMBOL, Side.BUY, Price(Decimal(1_000)), size, True, False, Price(Decimal(1_000)))
    run_virtual(house.venue.create(forgotten))
    house.witness.cancels_to_lose = 2
    resting: list[bool] = []
    house.witness.on_create = lambda _: resting.append(ref.id in resting_at(house))
    run_virtual(house.run(12))
    assert house.witness.cancelled.count(ref.id) == 3
    assert resting and not any(resting)


def test_views_that_nobody_looks_at_are_made_more_rarely() -> None:
    house = House(choppy(2, minutes=300, quiet=30))

    async def beats(*, seen: bool) -> int:
        house.outlet.seen = seen
        async with house.trading():
            await asyncio.sleep(1)
            before = house.outlet.views[-1].beat
            await asyncio.sleep(2)
            return house.outlet.views[-1].beat - before

    assert run_virtual(beats(seen=False)) * 5 <= run_virtual(beats(seen=True))
