"""The kill switch's way to Firi, against the sandbox over real HTTP, in a thread beside the sandbox's loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest

from gridbot.adapters.exchange.exchange_key import ExchangeKey
from gridbot.adapters.exchange.firi_kill import FiriKill
from gridbot.adapters.exchange.firi_pace import FiriPace, Rank
from gridbot.core.commands import CancelOrder
from gridbot.core.events import OrderRef
from gridbot.core.units import GridId, OrderId, Price, Quantity, Side, Symbol, TimeMs, VenueOrderId
from gridbot.errors import OutcomeUnknown, VenueUnavailable
from gridbot.ports import KnownOrder
from gridbot.sandbox.records import Kind, NewOrder
from tests.adapters.exchange.firi_serving import MARKET, SYMBOL, on_firi
from tests.sandbox.serving import Served, run

OURS = OrderRef(GridId("btc"), 3, OrderId("gb0000000000000001"))


def rest(served: Served, price: str = "790000", amount: str = "0.001") -> str:
    """Put an order into the book, and return its number."""
    new = NewOrder(symbol=MARKET, side=Side.BUY, kind=Kind.LIMIT, price=D(price), quantity=D(amount))
    return str(served.exchange.place(new).reports[0].order.id)


def known(venue_id: str | None, created: int = 0) -> KnownOrder:
    """Return an order of ours as the engine knows it."""
    return KnownOrder(
        OURS,
        Symbol(SYMBOL),
        Side.BUY,
        Price(D(790_000)),
        Quantity(D("0.001")),
        TimeMs(created),
        None if venue_id is None else VenueOrderId(venue_id),
        venue_id is None,
    )


async def kill(served: Served, act: Callable[[FiriKill], Any], *ours: KnownOrder, timeout_s: float = 5.0) -> Any:
    """Let a kill switch's client do something in a thread of its own."""
    key = ExchangeKey(served.key.name, "")
    made = FiriKill(
        base_url=served.address, key=key, pace=FiriPace(pause_s=0.002), known=lambda _: ours, timeout_s=timeout_s
    )
    with closing(made):
        return await asyncio.to_thread(act, made)


def refs(reports: Any) -> dict[str, str]:
    return {each.venue_id: each.ref.id for each in reports}


def cancel(venue_id: str | None) -> CancelOrder:
    return CancelOrder(OURS, Symbol(SYMBOL), None if venue_id is None else VenueOrderId(venue_id))


def list_orders(venue: FiriKill) -> Any:
    return venue.open_orders(Symbol(SYMBOL))


def test_what_rests_is_listed_and_cancelled_and_only_ours_bears_our_id(tmp_path: Path) -> None:
    async def test(served: Served, _: object) -> None:
        mine, other = rest(served), rest(served, "780000")
        listed = await kill(served, list_orders, known(mine))
        assert refs(listed) == {mine: OURS.id, other: f"venue:{other}"}
        (report,) = [each for each in listed if each.venue_id == mine]
        assert (report.side, report.price, report.quantity, report.filled, report.open) == (
            *(Side.BUY, D(790_000), D("0.001"), 0, True),
        )
        await kill(served, lambda venue: venue.cancel(cancel(mine)), known(mine))
        # Cancelled once more: it is gone, which is what was wanted.
        await kill(served, lambda venue: venue.cancel(cancel(mine)), known(mine))
        assert refs(await kill(served, list_orders, known(mine))) == {other: f"venue:{other}"}
        with pytest.raises(VenueUnavailable, match="number"):
            await kill(served, lambda venue: venue.cancel(cancel(None)))

    on_firi(tmp_path, test)


def test_a_create_without_an_answer_is_known_by_its_looks_if_only_one_looks_so(tmp_path: Path) -> None:
    async def test(served: Served, _: object) -> None:
        rest(served, "790000", "0.002")
        rest(served, "789999.99", "0.001")
        lost = rest(served)
        now = served.exchange.now()
        assert refs(await kill(served, list_orders, known(None, now)))[lost] == OURS.id
        late = await kill(served, list_orders, known(None, now + 120_000))
        assert OURS.id not in refs(late).values()
        twin = rest(served)
        with pytest.raises(VenueUnavailable, match=f"{lost}, {twin}"):
            await kill(served, list_orders, known(None, now))

    on_firi(tmp_path, test)


@pytest.mark.parametrize("do", [{"do": "status", "status": 500}, {"do": "html"}, {"do": "drop"}, {"do": "hang"}])
def test_a_cancel_without_an_answer_is_unknown_and_a_list_unavailable(tmp_path: Path, do: dict[str, object]) -> None:
    async def test(served: Served, _: object) -> None:
        mine = rest(served)
        await served.load({"match": "* /v2/orders/*", **do})
        with pytest.raises(VenueUnavailable) as unread:
            await kill(served, list_orders, timeout_s=0.5)
        with pytest.raises(OutcomeUnknown) as unknown:
            await kill(served, lambda venue: venue.cancel(cancel(mine)), timeout_s=0.5)
        for failed in (unread, unknown):
            assert served.key.name not in failed.value.message and "127.0.0.1" not in failed.value.message
        # A request that was answered so had its effect all the same.
        assert not served.exchange.room.open

    on_firi(tmp_path, test)


def test_nobody_at_the_other_end_means_not_sent() -> None:
    async def test() -> None:
        for address in ("http://127.0.0.1:9", "http://nowhere.invalid", "no address"):
            venue = FiriKill(
                base_url=address, key=ExchangeKey("k" * 32, ""), pace=FiriPace(pause_s=0.0), known=lambda _: ()
            )
            with closing(venue), pytest.raises(VenueUnavailable) as failed:
                await asyncio.to_thread(venue.cancel, cancel("7"))
            assert "could not be reached" in failed.value.message and "kkkk" not in str(failed.value.__cause__)

    run(test)


class Hands:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_kill_switch_goes_first_then_cancels_then_creates_then_reads() -> None:
    clock = Hands()
    pace = FiriPace(pause_s=1.0, monotonic=clock)
    first = pace.draw(Rank.READ)
    assert pace.wait_s(first) == 0
    tickets = [pace.draw(rank) for rank in (Rank.READ, Rank.CREATE, Rank.CANCEL, Rank.KILL, Rank.CANCEL)]
    assert all(pace.wait_s(ticket) == 1 for ticket in tickets)
    served = []
    for _ in tickets:
        clock.now += 1.0
        due = [ticket for ticket in tickets if ticket not in served and pace.wait_s(ticket) == 0]
        assert len(due) == 1
        served += due
    assert [rank for rank, _ in served] == [Rank.KILL, Rank.CANCEL, Rank.CANCEL, Rank.CREATE, Rank.READ]


def test_who_leaves_holds_up_nobody_and_a_hold_holds_up_all() -> None:
    clock = Hands()
    pace = FiriPace(pause_s=1.0, monotonic=clock)
    gone, waiting = pace.draw(Rank.KILL), pace.draw(Rank.READ)
    assert pace.wait_s(waiting) > 0
    pace.leave(gone)
    pace.hold(7.0)
    assert pace.wait_s(waiting) == 7.0
    clock.now += 7.0
    assert pace.wait_s(waiting) == 0


def test_a_thread_passes_a_loop_that_waits_and_one_that_hangs() -> None:
    pace = FiriPace(pause_s=0.01)
    order: list[str] = []

    async def read() -> None:
        await pace.turn(Rank.READ)
        order.append("read")

    def kill() -> None:
        pace.turn_in_thread(Rank.KILL)
        order.append("kill")

    async def test() -> None:
        reads = [asyncio.ensure_future(read()) for _ in range(4)]
        await asyncio.sleep(0)
        thread = threading.Thread(target=kill)
        thread.start()
        # The loop hangs here, and holds tickets; the first of them had its turn already.
        thread.join(20)
        assert order == ["read", "kill"]
        await asyncio.gather(*reads)

    run(test)
    assert order == ["read", "kill", "read", "read", "read"]
