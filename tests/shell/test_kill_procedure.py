"""The kill procedure without any thread: what it asks, in which order, and that only a venue's double zero ends it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridbot.core.units import OrderId
from gridbot.ports import OrderReport
from gridbot.shell.kill_procedure import (
    CONFIRM_S,
    LONGEST_WAIT_S,
    Done,
    KillProcedure,
    Listed,
    ListOrders,
    NoAnswer,
    Request,
    SendCancel,
    Stage,
    Wait,
    WriteLatch,
)
from tests.fakes.killing import BTC, ETH, ShakyVenue, answer_to, cancel_of, drive, resting


def ours(id_: OrderId) -> bool:
    return id_.startswith("gb")


def procedure(*known: OrderReport, everything: bool = False, pause_s: float = 0.0) -> KillProcedure:
    return KillProcedure(
        symbols=lambda: (BTC, ETH),
        known=lambda: [cancel_of(order) for order in known],
        ours=ours,
        everything=everything,
        pause_s=pause_s,
    )


def kinds(asked: list[Request]) -> list[str]:
    return [type(request).__name__ for request in asked]


def test_the_latch_comes_first_then_the_known_orders_then_the_venues_own_list() -> None:
    known, other = resting("gb1"), resting("gb2", ETH)
    venue = ShakyVenue([known, other])
    kill = procedure(known)
    asked = drive(kill.run(), venue)
    assert kinds(asked)[:5] == ["WriteLatch", "SendCancel", "ListOrders", "ListOrders", "SendCancel"]
    assert venue.cancelled == ["gb1", "gb2"] and not venue.book
    assert (kill.progress.stage, kill.progress.met, kill.progress.unconfirmed) == (Stage.FLAT, 2, 0)


def test_flat_is_said_only_after_the_venue_said_zero_twice_in_every_market() -> None:
    venue = ShakyVenue([])
    kill = procedure()
    assert kinds(drive(kill.run(), venue)) == ["WriteLatch", *["ListOrders"] * 2, "Wait", *["ListOrders"] * 2]
    assert venue.listed == [BTC, ETH, BTC, ETH] and kill.progress.stage is Stage.FLAT


def test_an_order_that_comes_to_rest_between_the_two_zeros_is_cancelled_and_counting_begins_anew() -> None:
    venue = ShakyVenue([])
    venue.late = [resting("gb9")]
    kill = procedure()
    drive(kill.run(), venue)
    assert venue.cancelled == ["gb9"] and not venue.book and venue.listed.count(BTC) == 4


def test_an_order_found_after_flat_is_cancelled_too() -> None:
    venue = ShakyVenue([])
    kill = procedure()
    drive(kill.run(), venue)
    venue.book[OrderId("gb7")] = resting("gb7")
    asked = drive(kill.look_again(), venue)
    assert not venue.book and WriteLatch() not in asked, "the latch is durable already"
    assert kill.progress.met == 1


def test_an_answer_to_a_cancel_proves_nothing_and_the_order_counts_until_a_list_is_without_it() -> None:
    order = resting("gb1")
    kill = procedure(order)
    steps = kill.run()
    assert steps.send(None) == WriteLatch() and steps.send(Done()) == SendCancel(cancel_of(order))  # type: ignore[arg-type]
    assert steps.send(Done()) == ListOrders(BTC)
    assert kill.progress.unconfirmed == 1
    assert steps.send(Listed((order,))) == SendCancel(cancel_of(order))
    steps.send(Done())
    assert kill.progress.unconfirmed == 1


def test_where_no_list_comes_what_is_known_to_rest_is_cancelled_again_each_round() -> None:
    """Found by the simulator (seed 20345): a cancel that was not taken was sent again only when the list came back."""
    orders = [resting("gb1"), resting("gb2")]
    steps = procedure(*orders).run()
    request, cancelled = next(steps), list[str]()
    for place in range(30):
        taken = place > 12  # Cancels work again; lists do not.
        if isinstance(request, SendCancel):
            cancelled.append(request.order.ref.id)
            request = steps.send(Done() if taken else NoAnswer("The key is not valid."))
        else:
            request = steps.send(NoAnswer("Not served.") if isinstance(request, ListOrders) else Done())
    assert cancelled[:2] == ["gb1", "gb2"]
    assert cancelled[2:4] == ["gb1", "gb1"], "one that is not taken is enough to know"
    assert cancelled[-2:] in (["gb1", "gb2"], ["gb2", "gb1"])


def test_orders_of_others_are_left_alone_and_counted_unless_everything_is_asked_for() -> None:
    venue = ShakyVenue([resting("gb1"), resting("other"), resting("another", ETH)])
    kill = procedure()
    drive(kill.run(), venue)
    assert set(venue.book) == {"other", "another"} and kill.progress.foreign == 2
    drive(procedure(everything=True).run(), venue)
    assert not venue.book


def test_an_order_that_the_engine_knows_is_ours_under_whatever_id() -> None:
    old = resting("of-an-older-install")
    venue = ShakyVenue([old])
    venue.lose_cancels = True
    kill = procedure(old)
    steps = kill.run()
    request = next(steps)
    for _ in range(4):
        request = steps.send(answer_to(request, venue, latch=Done()))
    assert kill.progress.unconfirmed == 1 and kill.progress.foreign == 0
    steps.close()
    venue.lose_cancels = False
    drive(kill.look_again(), venue)
    assert not venue.book


def test_a_disk_that_refuses_the_latch_delays_no_cancel_and_is_asked_again() -> None:
    venue = ShakyVenue([resting("gb1")])
    kill = procedure()
    steps = kill.run()
    asked = [next(steps)]
    for _ in range(8):
        answer = NoAnswer("The disk is full.") if asked[-1] == WriteLatch() else None
        asked.append(steps.send(answer or answer_to(asked[-1], venue, latch=Done())))
    assert kinds(asked).count("WriteLatch") > 1 and venue.cancelled == ["gb1"]
    assert kill.progress.unlatched == "The disk is full."


def test_while_the_venue_is_away_it_asks_for_ever_with_growing_pauses_and_says_why() -> None:
    venue = ShakyVenue([resting("gb1"), resting("gb2"), resting("gb3")])
    venue.away = True
    kill = procedure(*venue.book.values())
    steps = kill.run()
    request = next(steps)
    pauses = []
    for _ in range(100):
        if isinstance(request, Wait):
            pauses.append(request.seconds)
        request = steps.send(answer_to(request, venue, latch=Done()))
    assert pauses[:4] == [CONFIRM_S * 2, CONFIRM_S * 4, CONFIRM_S * 8, CONFIRM_S * 16] and pauses[-1] == LONGEST_WAIT_S
    assert (kill.progress.unconfirmed, kill.progress.trouble) == (3, "The exchange is away.")
    venue.away = False
    steps.close()
    drive(kill.look_again(), venue)
    assert not venue.book and kill.progress.trouble == ""


@pytest.mark.parametrize("pause_s", [0.1])
def test_requests_keep_the_venues_pace(pause_s: float) -> None:
    asked = drive(procedure(pause_s=pause_s).run(), ShakyVenue([resting(f"gb{n}") for n in range(5)]))
    sent = [place for place, request in enumerate(asked) if isinstance(request, ListOrders | SendCancel)]
    assert all(asked[place + 1] == Wait(pause_s) for place in sent)


@given(
    seed=st.integers(0, 2**32),
    lose=st.floats(0, 0.6),
    mine=st.integers(0, 12),
    foreign=st.integers(0, 3),
    late=st.integers(0, 4),
    known=st.integers(0, 12),
    everything=st.booleans(),
)
def test_whatever_is_lost_or_late_it_ends_at_zero_and_touches_only_ours(
    seed: int, lose: float, mine: int, foreign: int, late: int, known: int, everything: bool
) -> None:
    orders = [resting(f"gb{n}", (BTC, ETH)[n % 2]) for n in range(mine)]
    others = [resting(f"xx{n}", (BTC, ETH)[n % 2]) for n in range(foreign)]
    venue = ShakyVenue([*orders, *others], seed=seed, lose=lose)
    venue.late = [resting(f"gblate{n}", (BTC, ETH)[n % 2]) for n in range(late)]
    kill = procedure(*orders[:known], everything=everything)
    asked = drive(kill.run(), venue, most=50_000)
    assert asked[0] == WriteLatch() and kill.progress.stage is Stage.FLAT
    left = {id_ for id_ in venue.book if id_.startswith("gb")} - {order.ref.id for order in venue.late}
    assert not left
    touched = {id_ for id_ in venue.cancelled if not id_.startswith("gb")}
    assert touched == ({order.ref.id for order in others} if everything else set())
