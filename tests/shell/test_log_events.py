"""Log lines: one trace from the first intent to the round trip, also over a restart, and words for what happens."""

from __future__ import annotations

from decimal import Decimal

import pytest

from gridbot.core.commands import CancelOrder, FillBooked, Note, OrderEnded, PlaceLimit, RoundTripClosed
from gridbot.core.events import Event, KillKind, KillReleased, KillRequested, Marked, OrderRef, OrderReported
from gridbot.core.orders import Fact, OrderState
from gridbot.core.units import Asset, GridId, OrderId, Price, Quantity, Side, Symbol, TimeMs, TradeId
from gridbot.shell.log_events import LogEvents
from tests.core.engine_walk import Walk

GRID, NOW = GridId("btc"), TimeMs(1)
P, Q = Price(Decimal("100.50")), Quantity(Decimal("0.5"))


def ref(id_: str, cell: int = 1) -> OrderRef:
    return OrderRef(GRID, cell, OrderId(id_))


def place(id_: str, side: Side, cell: int = 1) -> PlaceLimit:
    return PlaceLimit(ref(id_, cell), Symbol("BTC/USD"), side, P, Q, True, False, P)


def fill(id_: str, side: Side) -> FillBooked:
    return FillBooked(NOW, GRID, 1, OrderId(id_), TradeId("x"), side, P, Q, Decimal("0.1"), Asset("USD"), False)


def end(id_: str, side: Side, state: OrderState, filled: Decimal = Decimal(0)) -> OrderEnded:
    return OrderEnded(NOW, GRID, 1, OrderId(id_), side, P, Q, Quantity(filled), state, "")


TRIP = RoundTripClosed(NOW, GRID, 1, 1, NOW, P, P, Q, Decimal(1))


def traces(log: LogEvents, *steps: Note | PlaceLimit | CancelOrder | OrderReported) -> list[str]:
    found = []
    for item in steps:
        if isinstance(item, PlaceLimit | CancelOrder):
            line = log.of_command(item)
            assert line is not None
            found.append(line.trace)
        elif isinstance(item, OrderReported):
            line = log.of_event(item)
            assert line is not None
            found.append(line.trace)
        else:
            found.append(log.of_note(item).trace)
    return found


def test_a_buy_its_sell_and_the_round_trip_share_a_trace() -> None:
    told = traces(
        LogEvents(),
        place("a", Side.BUY),
        OrderReported(NOW, ref("a"), Fact.ACCEPTED),
        fill("a", Side.BUY),
        end("a", Side.BUY, OrderState.FILLED, Q),
        place("b", Side.SELL),
        CancelOrder(ref("b"), Symbol("BTC/USD"), None),
        end("b", Side.SELL, OrderState.CANCELED),
        place("c", Side.SELL),
        fill("c", Side.SELL),
        TRIP,
    )
    assert told == ["a"] * 10


def test_the_next_buy_of_a_cell_is_another_story() -> None:
    log = LogEvents()
    traces(log, place("a", Side.BUY), fill("a", Side.BUY), end("a", Side.BUY, OrderState.FILLED, Q), TRIP)
    assert traces(log, place("b", Side.BUY), place("z", Side.BUY, cell=2)) == ["b", "z"]


def test_a_part_that_was_bought_keeps_its_trace_when_the_rest_is_ordered_anew() -> None:
    log = LogEvents()
    part = end("a", Side.BUY, OrderState.CANCELED, Decimal("0.1"))
    assert traces(log, place("a", Side.BUY), fill("a", Side.BUY), part, place("b", Side.BUY)) == ["a"] * 4


def test_a_buy_that_bought_nothing_leaves_no_trace_behind() -> None:
    log = LogEvents()
    assert traces(log, place("a", Side.BUY), end("a", Side.BUY, OrderState.REJECTED), place("b", Side.BUY)) == [
        "a",
        "a",
        "b",
    ]


def test_coins_that_left_the_cell_untracked_do_not_lend_their_trace() -> None:
    log = LogEvents()
    traces(log, place("a", Side.BUY), fill("a", Side.BUY), end("a", Side.BUY, OrderState.FILLED, Q))
    assert traces(log, place("b", Side.BUY)) == ["b"]


def test_the_history_gives_the_traces_back_after_a_restart() -> None:
    past = (fill("a", Side.BUY), end("a", Side.BUY, OrderState.FILLED, Q))
    assert traces(LogEvents(past), place("b", Side.SELL), fill("b", Side.SELL), TRIP) == ["a"] * 3


@pytest.mark.parametrize(
    ("event", "level", "dataset", "words"),
    [
        (KillRequested(NOW, KillKind.DRAWDOWN, "20 % down"), "ERROR", "audit", "Stop (drawdown): 20 % down"),
        (KillReleased(NOW, "me"), "WARNING", "audit", "Trading is re-armed by me."),
        (
            OrderReported(NOW, ref("a"), Fact.REJECTED, message="too small"),
            "WARNING",
            "trading",
            "btc cell 1: order a: rejected (too small).",
        ),
    ],
)
def test_an_event_has_its_words(event: Event, level: str, dataset: str, words: str) -> None:
    line = LogEvents().of_event(event)
    assert line is not None
    assert (line.level, line.dataset, line.message) == (level, dataset, words)


def test_a_mark_is_not_told() -> None:
    assert LogEvents().of_event(Marked(NOW, (), None, 0, 0)) is None


def test_every_fill_of_a_walk_has_a_trace_and_everything_has_words() -> None:
    walk = Walk(seed=0)
    walk.walk(200)
    log = LogEvents()
    lines = [line for event in walk.events if (line := log.of_event(event)) is not None]
    lines += [log.of_note(note) for notes in walk.notes for note in notes]
    assert len(lines) > 100
    assert all(line.message.strip() and line.action and line.level for line in lines)
    assert all(line.trace for line in lines if line.action in {"fill", "round_trip"})


def test_a_cancel_that_is_asked_for_at_every_mark_is_told_once_until_its_order_ended() -> None:
    log = LogEvents()
    cancel = CancelOrder(ref("a"), Symbol("BTC/USD"), None)
    assert log.of_command(cancel) is not None
    assert [log.of_command(cancel) for _ in range(5)] == [None] * 5
    log.of_note(end("a", Side.BUY, OrderState.CANCELED))
    assert log.of_command(cancel) is not None
