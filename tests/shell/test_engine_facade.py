"""The facade between two threads: the newest view, every note, a bounded log, and an answer for every request."""

from __future__ import annotations

from decimal import Decimal
from threading import Thread

from gridbot.core.commands import Alarmed
from gridbot.core.rules import Rules
from gridbot.core.snapshot import snapshot
from gridbot.core.state import new_state
from gridbot.core.units import Mode, Symbol, TimeMs
from gridbot.core.values import evolve
from gridbot.shell.engine_facade import MOST_LOG_LINES, UNSEEN, EngineFacade
from gridbot.shell.facade import Answered, Happened, LogLine, SetRunning, View
from gridbot.shell.messages import Asked

FIRST = View(0, TimeMs(0), snapshot(new_state(Rules(Mode.DEMO, (), None))), (), True, True, (), "{}")


def line(number: int) -> LogLine:
    return LogLine(TimeMs(number), "INFO", "trading", "fill", f"line {number}", "", "{}")


def note(number: int) -> Alarmed:
    return Alarmed(TimeMs(number), "code", f"note {number}")


def test_the_newest_view_wins() -> None:
    facade = EngineFacade(FIRST, ())
    assert facade.view() is FIRST
    newer = evolve(FIRST, beat=1)
    facade.publish(newer)
    assert facade.view() is newer


def test_an_engine_is_told_when_nobody_looks_any_more() -> None:
    facade = EngineFacade(FIRST, ())
    assert all(facade.publish(FIRST) for _ in range(UNSEEN)) and not facade.publish(FIRST)
    facade.view()
    assert facade.publish(FIRST)


def test_notes_are_never_left_out_and_log_lines_are_counted() -> None:
    facade = EngineFacade(FIRST, ())
    for number in range(MOST_LOG_LINES + 500):
        facade.tell((line(number), note(number)))
    items = facade.happened()
    notes = [item for item in items if isinstance(item, Alarmed)]
    lines = [item for item in items if isinstance(item, LogLine)]
    assert [item.time for item in notes] == list(range(MOST_LOG_LINES + 500))
    assert len(lines) == MOST_LOG_LINES + 1 and lines[-1].message.startswith("500 log lines")
    assert facade.happened() == ()


def test_two_threads_lose_and_repeat_nothing() -> None:
    facade = EngineFacade(FIRST, ())
    taken: list[Happened] = []

    def tell_all() -> None:
        for number in range(20_000):
            facade.tell((note(number),))

    teller = Thread(target=tell_all)
    teller.start()
    while teller.is_alive():
        taken += facade.happened()
    taken += facade.happened()
    assert [item.time for item in taken if isinstance(item, Alarmed)] == list(range(20_000))


def test_a_request_to_an_engine_that_does_not_run_is_answered() -> None:
    facade = EngineFacade(FIRST, ())
    number = facade.ask(SetRunning(True))
    assert facade.happened() == (Answered(number, False, "The engine does not run."),)


def test_each_request_has_its_own_number() -> None:
    facade, handed = EngineFacade(FIRST, (note(1),)), []

    def hand_in(asked: Asked) -> bool:
        handed.append(asked)
        return True

    facade.connect(hand_in, EngineFacade(FIRST, ()).chart)
    numbers = [facade.ask(SetRunning(True)) for _ in range(3)]
    assert [asked.number for asked in handed] == numbers and len(set(numbers)) == 3
    assert facade.past() == (note(1),)


def test_there_is_an_empty_chart_before_the_engine_runs() -> None:
    chart = EngineFacade(FIRST, ()).chart(Symbol("BTC/USDT"), 60_000, None)
    assert len(chart.open_time) == len(chart.ema_fast) == 0 and Decimal(len(chart.close)) == 0
