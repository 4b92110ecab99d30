"""A jump of the clock: nothing is sent before the exchange was asked, time never goes back, the demo does not race."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridbot.core.commands import CancelOrder, PlaceLimit
from gridbot.core.events import Marked
from gridbot.core.state import State
from gridbot.core.units import TimeMs, VenueOrderId
from gridbot.shell.clock_watch import AWAY_S, STEP_S, ClockWatch, span
from gridbot.shell.facade import StopTrading
from gridbot.shell.forward_clock import ForwardClock
from gridbot.shell.messages import Asked
from gridbot.sim.market_clock import MarketClock
from tests.fakes.trading import BEGIN, HISTORY, MINUTE, House, choppy, resting_at
from tests.fakes.virtual_time import VirtualClock, VirtualLoop, run_virtual
from tests.fakes.witness import Witness
from tests.shell.test_trader import assert_settled, shown, soaked

HOUR_MS = 3_600_000
NIGHT_MS = 8 * HOUR_MS + 2 * 60_000
NOON = 1_700_000_000_000


class TwoClocks:
    """A Clock whose calendar and whose monotonic seconds a test moves each by itself."""

    def __init__(self) -> None:
        self.calendar, self.seconds = NOON, 100.0

    def now_ms(self) -> TimeMs:
        return TimeMs(self.calendar)

    def machine_ms(self) -> TimeMs:
        return TimeMs(self.calendar)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.passes(seconds)

    def passes(self, seconds: float) -> None:
        self.calendar += round(seconds * 1000)
        self.seconds += seconds


class Diary(Witness):
    """A Witness that keeps creates and reads in the order in which they were asked for."""

    def __init__(self, inner: Witness) -> None:
        super().__init__(inner)
        self.requests: list[str] = []

    async def create(self, order: PlaceLimit) -> VenueOrderId:
        self.requests.append("create")
        return await super().create(order)

    async def cancel(self, order: CancelOrder) -> None:
        self.requests.append("cancel")
        await super().cancel(order)

    def _read(self) -> None:
        super()._read()
        self.requests.append("read")


def watched() -> tuple[TwoClocks, ClockWatch, list[str]]:
    clock, told = TwoClocks(), list[str]()
    watch = ClockWatch(clock, told.append)
    watch.look()
    return clock, watch, told


def observed(seed: int, **changes: int) -> tuple[House, Diary, VirtualClock]:
    house = House(choppy(seed, minutes=300, quiet=60), latency_ms=changes.get("latency_ms", 0))
    diary = Diary(house.witness)
    house.witness = diary
    return house, diary, machine_of(house)


def machine_of(house: House) -> VirtualClock:
    machine = house.clock._machine
    assert isinstance(machine, VirtualClock)
    return machine


def falls_asleep(machine: VirtualClock) -> None:
    """As Linux and macOS sleep: the calendar goes on, the monotonic clock does not."""
    machine.ahead_ms += NIGHT_MS


# ------------------------------------------------------------------------------------------ the watch


@pytest.mark.parametrize("seconds", [0.0, 0.01, 1.0, AWAY_S - 0.1])
def test_time_that_passes_on_both_clocks_is_no_jump(seconds: float) -> None:
    clock, watch, told = watched()
    for _ in range(1_000):
        clock.passes(seconds)
        watch.look()
    assert told == []


def test_a_time_server_that_corrects_little_by_little_is_no_jump() -> None:
    clock, watch, told = watched()
    for _ in range(1_000):
        clock.passes(1.0)
        clock.calendar += 500
        watch.look()
    assert told == []


@pytest.mark.parametrize(
    ("calendar_ms", "monotonic_s", "says"),
    [
        (NIGHT_MS, 0.0, "The machine slept for 8 h 2 min, or its clock was put forward."),
        (NIGHT_MS, NIGHT_MS / 1000, "The machine slept for 8 h 2 min, or gridbot could not run for so long."),
        (round(STEP_S * 1000) + 1, 0.0, "The machine slept for 5 s, or its clock was put forward."),
        (-HOUR_MS, 0.0, "The machine's clock was put back by 1 h."),
        (-HOUR_MS, 30.0, "The machine's clock was put back by 1 h."),
        (0, AWAY_S + 1, "The machine's clock was put back by 11 s."),
    ],
)
def test_a_jump_is_told_once_with_how_far(calendar_ms: int, monotonic_s: float, says: str) -> None:
    clock, watch, told = watched()
    clock.calendar += calendar_ms
    clock.seconds += monotonic_s
    watch.look()
    assert told == [says]
    clock.passes(1.0)
    watch.look()
    assert told == [says]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "less than a second"),
        (59.6, "1 min"),
        (90, "1 min 30 s"),
        (3_600, "1 h"),
        (3_605, "1 h"),
        (86_400 * 3 + 7_300, "3 d 2 h"),
    ],
)
def test_a_length_of_time_is_told_in_its_two_largest_units(seconds: float, words: str) -> None:
    assert span(seconds) == words


# ---------------------------------------------------------------------------------------- never back


@given(st.lists(st.one_of(st.integers(0, 5_000), st.integers(-HOUR_MS, 2 * HOUR_MS)), max_size=60), st.integers(-1, 1))
def test_the_engines_time_never_goes_back_and_is_never_behind_the_machines(steps: list[int], before: int) -> None:
    machine = TwoClocks()
    clock = ForwardClock(machine, not_before=TimeMs(NOON + before * HOUR_MS))
    last = NOON + before * HOUR_MS
    for step in steps:
        machine.calendar += step
        now = clock.now_ms()
        assert now >= last and now >= machine.calendar
        last = now


@given(st.integers(0, 10 * HOUR_MS), st.integers(1, 997))
def test_it_goes_on_at_half_pace_until_the_machine_has_caught_up(back: int, often: int) -> None:
    machine = TwoClocks()
    clock = ForwardClock(machine, not_before=TimeMs(NOON))
    clock.now_ms()
    machine.calendar -= back
    clock.now_ms()
    for _ in range(min(often, back)):
        machine.calendar += 1
        clock.now_ms()
    machine.calendar = NOON
    assert clock.now_ms() == NOON + back - back // 2
    machine.calendar = NOON + back
    assert clock.now_ms() == NOON + back


def test_a_start_whose_clock_is_behind_the_last_one_begins_where_that_one_ended() -> None:
    machine = TwoClocks()
    clock = ForwardClock(machine, not_before=TimeMs(NOON + HOUR_MS))
    assert clock.now_ms() == NOON + HOUR_MS
    machine.passes(60)
    assert clock.now_ms() == NOON + HOUR_MS + 30_000


class SettableMarket(MarketClock):
    """A market clock that goes back, as a live one does when somebody sets the machine's."""

    behind_ms = 0

    def now_ms(self) -> TimeMs:
        return TimeMs(super().now_ms() - self.behind_ms)


def test_the_engine_goes_on_looking_at_prices_when_the_clock_was_put_back() -> None:
    house = House(choppy(1, minutes=300, quiet=60))
    clock = SettableMarket(VirtualClock(TimeMs(BEGIN)), start=TimeMs(BEGIN + HISTORY * MINUTE))
    house.feed._clock = house.clock = clock

    async def main() -> State:
        async with house.trading() as trader:
            await asyncio.sleep(10)
            clock.behind_ms = 100 * MINUTE
            machine_of(house).ahead_ms -= 10_000
            await asyncio.sleep(5)
        return trader.state

    state = run_virtual(main())
    marks = [event.time for event in house.store.durable_events if isinstance(event, Marked)] or [state.risk.marked_at]
    assert marks == sorted(set(marks))
    assert not house.crashes and state.risk.marked_at > BEGIN + (HISTORY + 120) * MINUTE


# -------------------------------------------------------------------------------- nothing before asking


@pytest.mark.parametrize("seed", [0, 2, 4])
def test_after_a_sleep_no_create_leaves_before_the_exchange_was_asked_and_cancels_go_on(seed: int) -> None:
    house, diary, machine = observed(seed)

    async def main() -> State:
        async with house.trading() as trader:
            await asyncio.sleep(8)
            diary.reads_fail = True
            falls_asleep(machine)
            created = len(diary.created)
            await asyncio.sleep(2)
            assert len(diary.created) == created
            assert any("slept for 8 h 2 min" in sentence for sentence in shown(house).problems)
            assert shown(house).starting
            resting = set(resting_at(house))
            trader.ask(Asked(1, StopTrading("a test")))
            await asyncio.sleep(1)
            assert resting and resting <= set(diary.cancelled) and not resting_at(house)
        return trader.state

    run_virtual(main())
    assert not house.crashes
    assert [line for line in house.log.lines if line[2] == "clock" and "slept for 8 h 2 min" in line[3]]


@pytest.mark.parametrize("seed", range(3))
def test_once_the_exchange_has_answered_trading_goes_on(seed: int) -> None:
    house, diary, machine = observed(seed)

    async def main() -> State:
        async with house.trading() as trader:
            await asyncio.sleep(8)
            created = len(diary.created)
            falls_asleep(machine)
            await asyncio.sleep(26)
            assert len(diary.created) > created and not shown(house).problems and not shown(house).starting
        return trader.state

    assert_settled(house, run_virtual(main()))


def jumps_at_create(diary: Diary, number: int, jump: Callable[[], None]) -> list[int]:
    """Have time jump while the create with this number is on its way; return where the diary is then."""
    at: list[int] = []

    def look(order: PlaceLimit) -> None:
        if len(diary.created) == number:
            at.append(len(diary.requests))
            jump()

    diary.on_create = look
    return at


@pytest.mark.parametrize("number", [*range(1, 13), *soaked(13, 61)])
def test_creates_that_wait_for_their_turn_when_the_machine_falls_asleep_do_not_slip_through(number: int) -> None:
    house, diary, machine = observed(2, latency_ms=40)
    at = jumps_at_create(diary, number, lambda: falls_asleep(machine))
    state = run_virtual(house.run(34))
    assert at, "the run has fewer creates than that"
    later = [request for request in diary.requests[at[0] :] if request != "cancel"]
    assert "create" not in later[: later.index("read")] and "create" in later
    assert_settled(house, state)


@pytest.mark.parametrize("number", [1, 3, 8, 9, 20])
def test_where_the_monotonic_clock_goes_on_in_a_sleep_the_same_holds_and_the_demo_does_not_race(number: int) -> None:
    house, diary, _ = observed(2, latency_ms=40)
    market: list[int] = []

    def sleeps() -> None:
        market.append(house.clock.now_ms())
        cast(VirtualLoop, asyncio.get_running_loop()).stand_still(NIGHT_MS / 1000)

    at = jumps_at_create(diary, number, sleeps)

    async def main() -> State:
        async with house.trading() as trader:
            while not market:
                await asyncio.sleep(0.05)
            # One second of the machine is ten minutes of this market; a night would be 200 days.
            await asyncio.sleep(1)
            assert 0 < house.clock.now_ms() - market[0] <= 12 * MINUTE
            await asyncio.sleep(33)
        return trader.state

    state = run_virtual(main())
    later = [request for request in diary.requests[at[0] :] if request != "cancel"]
    assert "create" not in later[: later.index("read")] and "create" in later
    assert_settled(house, state)


def test_a_second_jump_while_the_exchange_is_being_asked_has_it_asked_again() -> None:
    house, diary, machine = observed(4)

    async def main() -> int:
        async with house.trading():
            await asyncio.sleep(6)
            diary.reads_fail = True
            falls_asleep(machine)
            await asyncio.sleep(3)
            falls_asleep(machine)
            await asyncio.sleep(3)
            diary.reads_fail = False
            mark = len(diary.requests)
            await asyncio.sleep(10)
            assert not shown(house).starting
        return mark

    mark = run_virtual(main())
    later = [request for request in diary.requests[mark:] if request != "cancel"]
    assert "create" in later and later[0] == "read"
    assert not house.crashes


def test_a_jump_during_the_start_has_everything_asked_anew() -> None:
    house, diary, machine = observed(5)

    async def main() -> State:
        await house.run(5)
        before = len(diary.created)
        diary.reads_fail = True
        async with house.trading() as trader:
            await asyncio.sleep(1)
            falls_asleep(machine)
            await asyncio.sleep(3)
            assert len(diary.created) == before
            diary.reads_fail = False
            await asyncio.sleep(24)
            assert len(diary.created) > before and not shown(house).problems
        return trader.state

    assert_settled(house, run_virtual(main()))


def test_a_clock_that_is_put_back_closes_the_gate_too() -> None:
    house, diary, machine = observed(6)

    async def main() -> State:
        async with house.trading() as trader:
            await asyncio.sleep(6)
            diary.reads_fail = True
            machine.ahead_ms -= HOUR_MS
            created = len(diary.created)
            await asyncio.sleep(4)
            assert len(diary.created) == created
            assert any("put back by 1 h" in sentence for sentence in shown(house).problems)
            diary.reads_fail = False
            await asyncio.sleep(24)
            assert len(diary.created) > created
        return trader.state

    assert_settled(house, run_virtual(main()))
