"""The budget that both clients share, and the queue in front of the trader's: rate, order of turns, nonces."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from gridbot.adapters.exchange.budget import KILL_QUIET_S, Budget
from gridbot.adapters.exchange.turns import Turns, Urgency


class Hands:
    """Clocks that are moved by hand."""

    def __init__(self) -> None:
        self.seconds = 100.0
        self.ms = 1_700_000_000_000

    def budget(self, *, per_s: float = 10.0, burst: float = 0.0) -> Budget:
        budget = Budget(now_ms=lambda: self.ms, monotonic=lambda: self.seconds)
        budget.pace(per_s=per_s, burst=burst)
        return budget


@given(costs=st.lists(st.floats(0.01, 5), min_size=1, max_size=80), burst=st.floats(0, 20))
def test_over_any_time_no_more_is_spent_than_the_rate_and_the_burst_allow(costs: list[float], burst: float) -> None:
    hands = Hands()
    budget = hands.budget(per_s=10, burst=burst)
    begin = hands.seconds
    spent = 0.0
    for cost in costs:
        while wait := budget.wait_s(cost, signed=False):
            # As the queue does: a wait of nothing would not move the clock.
            hands.seconds += max(wait, 0.001)
        # Like ccxt's bucket it lets one request go while nothing is owed, and then waits for what it cost.
        assert spent <= burst + (hands.seconds - begin) * 10 + 5 + 1e-6
        spent += cost


def test_a_minute_never_holds_more_than_a_minutes_worth() -> None:
    """Binance counts whole minutes: a third may go at once, and then two thirds of the rate."""
    hands = Hands()
    budget = hands.budget(per_s=20 * 2 / 3, burst=20 * 20)
    spent = 0.0
    while hands.seconds < 160:
        wait = budget.wait_s(1.0, signed=False)
        hands.seconds += max(wait, 0.001) if wait else 0
        spent += not wait
    assert 60 * 13 < spent <= 60 * 20 + 1


def test_while_the_kill_switch_works_signed_requests_wait_and_others_go() -> None:
    hands = Hands()
    budget = hands.budget(per_s=1_000, burst=1_000)
    assert budget.wait_s(1, signed=True) == 0
    budget.spend_for_kill(1)
    assert budget.killing and budget.wait_s(1, signed=True) > 0
    assert budget.wait_s(1, signed=False) == 0
    hands.seconds += KILL_QUIET_S
    assert budget.wait_s(1, signed=True) == 0


def test_what_the_kill_switch_spends_is_paid_back_by_the_trader() -> None:
    hands = Hands()
    budget = hands.budget(per_s=10)
    for _ in range(50):
        budget.spend_for_kill(1)
    hands.seconds += KILL_QUIET_S
    assert budget.wait_s(1, signed=True) > 4


def test_nonces_grow_through_all_threads_and_through_a_clock_that_is_set_back() -> None:
    hands = Hands()
    budget = hands.budget()
    with ThreadPoolExecutor(8) as pool:
        taken = [n for part in pool.map(lambda _: [budget.nonce() for _ in range(200)], range(8)) for n in part]
    assert len(set(taken)) == len(taken) == 1_600
    hands.ms -= 3_600_000
    assert budget.nonce() > max(taken)
    budget.set_offset_ms(7_200_000)
    assert budget.nonce() >= hands.ms + 7_200_000 == budget.exchange_ms()


def in_turn(work: Callable[[Turns, list[str]], object], *, one_by_one: bool = False, per_s: float = 200) -> list[str]:
    """Return in which order requests got their turn."""
    order: list[str] = []

    async def run() -> None:
        budget = Budget()
        budget.pace(per_s=per_s, burst=0)
        turns = Turns(budget, one_by_one=one_by_one)
        await work(turns, order)  # type: ignore[misc]

    asyncio.run(run())
    return order


async def ask(turns: Turns, order: list[str], name: str, urgency: Urgency) -> None:
    await turns.take(1, urgency=urgency, signed=True)
    order.append(name)
    await asyncio.sleep(0)
    turns.landed()


def test_cancels_go_before_creates_and_creates_before_reads() -> None:
    async def work(turns: Turns, order: list[str]) -> None:
        wanted = [("read", Urgency.READ), ("create", Urgency.CREATE), ("cancel", Urgency.CANCEL)]
        await asyncio.gather(*(ask(turns, order, f"{name}{n}", rank) for n in range(3) for name, rank in wanted))

    order = in_turn(work)
    # The first took its turn before anybody else stood there.
    assert order[0] == "read0"
    assert order[1:] == ["cancel0", "cancel1", "cancel2", "create0", "create1", "create2", "read1", "read2"]


def test_where_nonces_must_arrive_in_order_one_request_flies_at_a_time() -> None:
    flying = most = 0

    async def one(turns: Turns, rank: Urgency) -> None:
        nonlocal flying, most
        await turns.take(0.1, urgency=rank, signed=True)
        flying += 1
        most = max(most, flying)
        await asyncio.sleep(0.002)
        flying -= 1
        turns.landed()

    async def work(turns: Turns, _: list[str]) -> None:
        await asyncio.gather(*(one(turns, rank) for _ in range(4) for rank in Urgency))

    in_turn(work, one_by_one=True, per_s=10_000)
    assert (flying, most) == (0, 1)


def test_who_gives_up_waiting_holds_nobody_up() -> None:
    async def work(turns: Turns, order: list[str]) -> None:
        await turns.take(2, urgency=Urgency.READ, signed=False)
        first = asyncio.ensure_future(ask(turns, order, "cancel", Urgency.CANCEL))
        second = asyncio.ensure_future(ask(turns, order, "create", Urgency.CREATE))
        await asyncio.sleep(0)
        first.cancel()
        await second

    assert in_turn(work, per_s=50) == ["create"]


def test_a_thousand_requests_take_their_turns_without_asking_each_other_all_the_time() -> None:
    async def work(turns: Turns, order: list[str]) -> None:
        await asyncio.gather(*(ask(turns, order, str(number), Urgency.CREATE) for number in range(1_000)))

    assert in_turn(work, per_s=1e9) == [str(number) for number in range(1_000)]
