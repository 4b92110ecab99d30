"""Before an engine is started its kill switch works already, and what is asked for waits."""

from __future__ import annotations

from pathlib import Path

from gridbot.adapters.files.home import Home
from gridbot.bootstrap import open_engine
from gridbot.shell.facade import Answered, Happened, LogLine, SetRunning, StopTrading
from tests.fakes.engine import settings, until


def test_what_is_asked_before_the_start_is_answered_after_it(tmp_path: Path) -> None:
    engine = open_engine(Home(tmp_path), settings())
    engine.stand_by()
    number = engine.facade.ask(SetRunning(False))
    assert engine.facade.happened() == () and engine.facade.view().starting
    engine.start()
    taken: list[Happened] = []

    def answered() -> bool:
        taken.extend(engine.facade.happened())
        return any(isinstance(item, Answered) and item.request == number and item.ok for item in taken)

    assert until(answered)
    assert engine.stop()
    lines = [item.action for item in taken if isinstance(item, LogLine)]
    assert lines[0] == "started" and "request" in lines


def test_a_stop_before_the_start_holds_at_once_and_the_engine_begins_stopped(tmp_path: Path) -> None:
    engine = open_engine(Home(tmp_path), settings())
    engine.stand_by()
    number = engine.facade.ask(StopTrading("before it began"))
    stop = engine.facade.view().stop
    assert stop is not None and stop.reason == "before it began"
    assert until((tmp_path / "KILL").exists), "the latch is on the disk without the engine"
    engine.start()
    assert until(lambda: engine.facade.view().snapshot.kill is not None)
    assert engine.stop()
    assert [item.ok for item in engine.facade.happened() if isinstance(item, Answered) and item.request == number]


def test_one_that_was_never_started_gives_the_account_back(tmp_path: Path) -> None:
    first = open_engine(Home(tmp_path), settings())
    first.stand_by()
    assert first.stop() and first.ended_well()
    first.start()
    number = first.facade.ask(SetRunning(False))
    refusals = [item for item in first.facade.happened() if isinstance(item, Answered) and item.request == number]
    assert [answer.ok for answer in refusals] == [False], "nobody is there to answer later"
    again = open_engine(Home(tmp_path), settings())
    again.start()
    assert until(lambda: again.facade.view().beat > 0)
    assert again.stop()


def test_before_the_start_the_markets_are_named_and_nothing_is_claimed_of_them(tmp_path: Path) -> None:
    engine = open_engine(Home(tmp_path), settings())
    (market,) = engine.facade.view().markets
    assert (market.symbol, market.connected, market.last, market.age_ms) == ("BTC/USDT", False, None, None)
    assert engine.facade.view().starting and engine.stop()
