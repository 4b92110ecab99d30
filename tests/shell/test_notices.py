"""What is told, in which words, and how often: nothing twice, a stop always, never more than the limit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from gridbot.config.app import Notice
from gridbot.core.commands import (
    Alarmed,
    BreakerChanged,
    FillBooked,
    KillChanged,
    Note,
    OrderDenied,
    OrderEnded,
    RegimeChanged,
    RoundTripClosed,
    SlotsLaid,
)
from gridbot.core.events import KillKind
from gridbot.core.orders import Order, OrderState
from gridbot.core.state import Phase, State
from gridbot.core.units import Asset, GridId, OrderId, Price, Quantity, Side, TimeMs, TradeId
from gridbot.core.values import evolve
from gridbot.shell.notices import BURST, GROUP_S, IDLE_MS, MOST_LINES, PATIENCE_S, REFILL_S, Message, Notices
from tests.fakes.trading import House, choppy
from tests.fakes.virtual_time import run_virtual

GRID = GridId("btc")
HOUR_S = 3600.0


def traded() -> State:
    return run_virtual(House(choppy(1, minutes=120, quiet=10)).run(12))


STATE = traded()
NOW = STATE.now


def fill(number: int, side: Side = Side.BUY) -> FillBooked:
    return FillBooked(
        NOW,
        GRID,
        1,
        OrderId(f"gb{number}"),
        TradeId(f"t{number}"),
        side,
        Price(Decimal(40_000 + number)),
        Quantity(Decimal("0.0100")),
        Decimal("0.4000000000001"),
        Asset("USDT"),
        False,
    )


def kill(number: int, *, killed: bool = True) -> KillChanged:
    return KillChanged(NOW, killed, KillKind.MANUAL, f"pressed for the {number}. time")


def notices(wanted: Iterable[Notice] = Notice, state: State = STATE, past: Iterable[Note] = ()) -> Notices:
    kinds = frozenset(wanted)
    return Notices(lambda: kinds, state, past)


def text_of(message: Message | None) -> str:
    assert message is not None
    return message.text


def silent(state: State, kind: OrderState) -> State:
    """Return `state` with its first cell's order in a state without an answer."""
    grid = state.grids[GRID]
    order = Order(
        OrderId("gbsilent"), Side.BUY, Price(Decimal(39_000)), Quantity(Decimal("0.01")), kind, Quantity(Decimal(0)),
        NOW, 1, None, Quantity(Decimal("0.01")),
    )  # fmt: skip
    cells = (evolve(grid.cells[0], order=order), *grid.cells[1:])
    return evolve(state, grids={GRID: evolve(grid, cells=cells)})


def test_a_fill_is_told_in_a_sentence_with_market_amount_price_and_fee() -> None:
    told = notices()
    told.notes((fill(1), fill(2, Side.SELL)), STATE, at=100)
    message = told.due(at=100 + GROUP_S)
    assert message == Message(
        "2 fills",
        "BTC/USDT (btc) bought 0.01 BTC at 40001 USDT, fee 0.4 USDT.\n"
        "BTC/USDT (btc) sold 0.01 BTC at 40002 USDT, fee 0.4 USDT.",
        False,
    )
    assert told.due(at=10_000) is None


def test_a_round_trip_tells_its_profit_and_a_loss_its_sign() -> None:
    trip = RoundTripClosed(
        NOW, GRID, 1, 1, NOW, Price(Decimal(40_000)), Price(Decimal("40200.50")), Quantity(Decimal("0.01")),
        Decimal("-1.200000000000000001"),
    )  # fmt: skip
    told = notices()
    told.notes((trip,), STATE, at=0)
    assert text_of(told.due(at=GROUP_S)) == (
        "BTC/USDT (btc) closed a round trip: 0.01 BTC from 40000 to 40200.5 USDT, profit -1.2 USDT."
    )


def test_fills_of_a_few_seconds_are_one_message_and_what_is_too_much_is_counted() -> None:
    told = notices()
    for number in range(MOST_LINES + 12):
        told.notes((fill(number),), STATE, at=number / 10)
    assert told.due(at=GROUP_S - 0.1) is None
    lines = text_of(told.due(at=GROUP_S)).splitlines()
    assert lines[0] == "Before that: 12 more fills."
    assert len(lines) == 1 + MOST_LINES and "40023 USDT" in lines[-1]


def test_a_stop_goes_at_once_and_takes_along_what_was_before_it() -> None:
    told = notices()
    told.notes((fill(1),), STATE, at=50)
    told.notes((kill(1),), STATE, at=50.5)
    message = told.due(at=50.5)
    assert message is not None and message.urgent and message.headline == "1 stop or release, 1 fill"
    assert message.text.splitlines()[1] == "Trading is stopped (manual): pressed for the 1. time."


def test_only_what_the_user_asked_for_is_told() -> None:
    told = notices({Notice.KILL})
    told.notes((fill(1), Alarmed(NOW, "x", "Something.")), STATE, at=0)
    told.trouble("crash", "A bug.", at=0)
    assert told.due(at=1_000) is None
    told.notes((kill(1),), STATE, at=1_000)
    assert text_of(told.due(at=1_000)).startswith("Trading is stopped")


def test_everyday_notes_are_not_told() -> None:
    denied = OrderDenied(NOW, GRID, 1, Side.BUY, Price(Decimal(1)), Quantity(Decimal(1)), "code", "A sentence.")
    laid = SlotsLaid(NOW, GRID, Price(Decimal(1)), Decimal(1), False)
    told = notices()
    told.notes((denied, laid), STATE, at=0)
    assert told.due(at=1_000) is None


def test_an_atr_breaker_is_told_when_it_opens_and_closes_and_not_with_every_trend() -> None:
    told = notices()
    for second, (trend, opened) in enumerate((("up", False), ("up", True), ("down", True), ("down", False))):
        told.notes((RegimeChanged(NOW, GRID, trend, False, opened),), STATE, at=second)
    assert len(text_of(told.due(at=100)).splitlines()) == 2


def test_a_breaker_is_told_both_ways() -> None:
    told = notices()
    told.notes((BreakerChanged(NOW, "c", "orange", True, "Prices are old."),), STATE, at=0)
    told.notes((BreakerChanged(NOW, "c", "orange", False, "Prices are old."),), STATE, at=1)
    assert text_of(told.due(at=10)) == "Prices are old.\nThis is over: Prices are old."


def test_an_order_is_told_after_a_minute_of_silence_once_and_again_when_it_is_known() -> None:
    told, mute = notices(), silent(STATE, OrderState.UNKNOWN)
    told.mark(mute, at=100)
    told.mark(mute, at=100 + PATIENCE_S - 1)
    assert told.due(at=300) is None
    for at in (100 + PATIENCE_S, 170, 180):
        told.mark(mute, at=at)
    sentence = text_of(told.due(at=300))
    assert sentence.count("gbsilent") == 1 and "buy of 0.01 BTC at 39000 USDT" in sentence
    end = OrderEnded(
        NOW, GRID, 1, OrderId("gbsilent"), Side.BUY, Price(Decimal(1)), Quantity(Decimal(1)), Quantity(Decimal(0)),
        OrderState.ABSENT, "",
    )  # fmt: skip
    told.notes((end,), STATE, at=400)
    told.mark(STATE, at=400)
    assert text_of(told.due(at=500)) == "Order gbsilent is no longer unknown: it never reached the exchange."
    told.mark(STATE, at=600)
    assert told.due(at=1_000) is None


def test_a_short_silence_is_not_told_nor_its_end() -> None:
    told = notices()
    told.mark(silent(STATE, OrderState.CANCEL_UNKNOWN), at=0)
    told.mark(STATE, at=PATIENCE_S - 1)
    told.mark(silent(STATE, OrderState.CANCEL_UNKNOWN), at=PATIENCE_S)
    assert told.due(at=1_000) is None


def test_a_restart_does_not_tell_the_same_silence_again_but_its_end() -> None:
    mute = evolve(silent(STATE, OrderState.UNKNOWN), now=TimeMs(NOW + 61_000))
    told = notices(state=mute)
    for at in (0, 100, 200):
        told.mark(mute, at=at)
    assert told.due(at=300) is None
    told.mark(STATE, at=301)
    assert "no longer unknown" in text_of(told.due(at=400))


def test_a_grid_without_a_fill_for_a_day_is_told_once_until_it_fills_again() -> None:
    assert STATE.grids[GRID].phase is Phase.ACTIVE
    told = notices(past=(fill(1),))
    at = 0.0
    for hours in (1, 23, 24, 25, 60):
        told.mark(evolve(STATE, now=TimeMs(NOW + hours * 3_600_000)), at=(at := at + 100))
    assert text_of(told.due(at=at + 10)) == "BTC/USDT (btc) had no fill for a day."
    later = NOW + 3 * IDLE_MS
    told.notes((evolve(fill(2), time=TimeMs(later)),), STATE, at=1_000)
    assert "bought" in text_of(told.due(at=1_010))
    told.mark(evolve(STATE, now=TimeMs(later + IDLE_MS)), at=1_100)
    assert "no fill for a day" in text_of(told.due(at=1_110))


def test_an_idle_grid_is_not_told_again_after_a_restart_and_a_new_day_is() -> None:
    before = evolve(STATE, now=TimeMs(NOW + IDLE_MS + 1))
    told = notices(state=before, past=(fill(1),))
    told.mark(evolve(STATE, now=TimeMs(NOW + IDLE_MS + 2_000)), at=0)
    assert told.due(at=100) is None
    not_yet = notices(state=evolve(STATE, now=TimeMs(NOW + IDLE_MS - 1)), past=(fill(1),))
    not_yet.mark(evolve(STATE, now=TimeMs(NOW + IDLE_MS + 2_000)), at=0)
    assert "no fill for a day" in text_of(not_yet.due(at=100))


def test_a_trouble_that_passes_is_not_told_one_that_lasts_is_and_its_end_too() -> None:
    told = notices()
    told.trouble("feed", "No prices come in.", at=0)
    told.solved("feed", at=PATIENCE_S - 1)
    assert told.due(at=PATIENCE_S) is None
    told.trouble("feed", "No prices come in.", at=100)
    assert told.due(at=100 + PATIENCE_S - 1) is None
    assert text_of(told.due(at=100 + PATIENCE_S)) == "No prices come in."
    told.solved("feed", at=200)
    assert told.due(at=100 + 2 * PATIENCE_S - 1) is None  # Errors come once a minute.
    assert text_of(told.due(at=100 + 2 * PATIENCE_S)) == "This is over: No prices come in."


def test_a_crash_and_a_full_disk_are_told_at_once() -> None:
    told = notices()
    told.trouble("crash", "A bug.", at=5)
    told.trouble("disk", "The disk is full.", at=5)
    assert text_of(told.due(at=5)) == "A bug.\nThe disk is full."


def test_a_busy_day_is_twenty_messages_an_hour_that_count_every_fill_and_a_breaker_waits_for_none() -> None:
    told, sent = notices(), list[tuple[float, Message]]()
    for second in range(4 * 3600):
        if second % 6 == 0:
            told.notes((fill(second),), STATE, at=second)
        if second == 10_000:
            told.notes((BreakerChanged(NOW, "c", "orange", True, "Prices are old."),), STATE, at=second)
        message = told.due(at=second)
        sent += [] if message is None else [(float(second), message)]
    times = [at for at, _ in sent]
    assert max(sum(first <= at < first + HOUR_S for at in times) for first in times) <= 20
    assert len(times) > 50 and times[0] <= 2 * GROUP_S
    assert any("Prices are old." in message.text and at <= 10_000 + GROUP_S for at, message in sent)
    last = sent[-1][0]
    assert sum(_count_of(message.headline, "fill") for _, message in sent) == sum(
        s <= last for s in range(0, 14_400, 6)
    )


def test_a_stop_is_not_crowded_out_of_its_message_by_fills() -> None:
    told = notices()
    told.notes((kill(1), *(fill(number) for number in range(3 * MOST_LINES))), STATE, at=0)
    assert "pressed for the 1. time" in text_of(told.due(at=0))


STEPS = st.lists(
    st.tuples(
        st.sampled_from(("fill", "fills", "breaker", "kill", "release", "alarm", "crash", "nothing")),
        st.sampled_from((0.25, 1.0, 3.0, 10.0, 70.0)),
    ),
    max_size=100,
)


def play(steps: list[tuple[str, float]]) -> tuple[list[tuple[float, Message]], Counter[str], dict[int, float]]:
    """Return the messages with their times, what went in by word, and when each stop did; looked at every second."""
    told, sent, at = notices(), list[tuple[float, Message]](), 0.0
    went, stops = Counter[str](), dict[int, float]()
    for number, (what, pause) in enumerate(steps):
        at += pause
        look = at - pause
        while look < at:
            message = told.due(at=look)
            sent += [] if message is None else [(look, message)]
            look += 1.0
        went[what] += 1
        match what:
            case "fill":
                told.notes((fill(number * 1000),), STATE, at=at)
            case "fills":
                told.notes([fill(number * 1000 + i) for i in range(30)], STATE, at=at)
            case "breaker":
                told.notes((BreakerChanged(NOW, "c", "orange", True, f"Breaker {number}."),), STATE, at=at)
            case "kill" | "release":
                stops[number] = at
                told.notes((kill(number, killed=what == "kill"),), STATE, at=at)
            case "alarm":
                told.notes((Alarmed(NOW, "x", f"Alarm {number}."),), STATE, at=at)
            case "crash":
                told.trouble("crash", f"Crash {number}.", at=at)
            case _:
                pass
    for later in range(int(3 * REFILL_S)):
        message = told.due(at=at + later)
        sent += [] if message is None else [(at + later, message)]
    return sent, went, stops


@given(steps=STEPS)
def test_whatever_happens_nothing_is_told_twice_or_lost_and_the_limit_holds(steps: list[tuple[str, float]]) -> None:
    sent, went, stops = play(steps)
    lines = [line for _, message in sent for line in message.text.splitlines() if not line.startswith("Before that")]
    assert max(Counter(lines).values(), default=1) == 1
    fills = sum(_count_of(message.headline, "fill") for _, message in sent)
    assert fills == went["fill"] + 30 * went["fills"]
    for number, pressed in stops.items():
        when = [at for at, message in sent if f"for the {number}. time" in message.text]
        crowd = any(pressed <= at <= pressed + 61 and "stop" in m.headline for at, m in sent)
        assert crowd and (not when or pressed <= when[0] <= pressed + 61)
    paced = [at for at, message in sent if not message.urgent]
    for first in paced:
        assert sum(first <= at < first + HOUR_S for at in paced) <= BURST + HOUR_S / REFILL_S == 20
    urgent = [at for at, message in sent if message.urgent]
    for first in urgent:
        assert sum(first <= at < first + PATIENCE_S for at in urgent) <= 2


def _count_of(headline: str, word: str) -> int:
    return sum(int(part.split()[0]) for part in headline.split(", ") if part.split()[1].rstrip("s") == word)


@given(steps=STEPS)
def test_a_message_is_short_and_told_in_the_order_in_which_it_happened(steps: list[tuple[str, float]]) -> None:
    sent, _, _ = play(steps)
    assert all(len(message.text.splitlines()) <= MOST_LINES + 1 for _, message in sent)
    numbers = [
        int(line.split()[1].rstrip("."))
        for _, message in sent
        for line in message.text.splitlines()
        if line.startswith(("Alarm ", "Breaker ", "Crash "))
    ]
    assert numbers == sorted(numbers)
