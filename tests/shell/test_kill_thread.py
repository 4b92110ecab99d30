"""The kill switch's own thread over a shaky venue and a bad disk, and in a real engine whose loop hangs."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import pytest

from gridbot.adapters.files.disk import SystemDisk
from gridbot.adapters.files.kill_latch import KillLatchFile
from gridbot.adapters.files.mailbox import MailboxFiles
from gridbot.adapters.system_clock import SystemClock
from gridbot.core.events import KillKind
from gridbot.core.rules import Rules
from gridbot.core.state import State, new_state
from gridbot.core.units import Mode
from gridbot.core.values import evolve
from gridbot.errors import EnvironmentProblem
from gridbot.ports import Ask
from gridbot.shell.brake import Brake
from gridbot.shell.engine_thread import EngineThread
from gridbot.shell.facade import STOPPED, AcceptBalances, Answered, ReleaseKill, StopTrading
from gridbot.shell.kill_thread import KillThread
from gridbot.shell.problems import Problems
from gridbot.sim.demo_feed import demo_instrument
from tests.core.builders import Rig as CoreRig
from tests.fakes.engine import open_orders, trading, until
from tests.fakes.killing import BTC, ETH, ShakyVenue, resting
from tests.fakes.record import MemoryLatch

_state = evolve(
    new_state(Rules(Mode.DEMO, (), None)), instruments={BTC: demo_instrument(BTC), ETH: demo_instrument(ETH)}
)


class Rig:
    """A kill thread beside nothing but a venue, a latch and a mailbox."""

    def __init__(
        self,
        folder: Path,
        venue: ShakyVenue,
        latch: MemoryLatch | None = None,
        state: Callable[[], State] = lambda: _state,
    ) -> None:
        self.venue, self.latch = venue, latch or MemoryLatch()
        self.problems = Problems(lambda key, sentence: None)
        self.brake = Brake(self.latch, self.problems)
        self.mailbox = MailboxFiles(SystemDisk(), folder)
        self.asked: list[StopTrading | ReleaseKill | AcceptBalances] = []
        self.thread = KillThread(
            venue=venue,
            brake=self.brake,
            clock=SystemClock(),
            state=state,
            ours=lambda id_: id_.startswith("gb"),
            mailbox=self.mailbox,
            watch_s=0.1,
        )

    def ask(self, request: StopTrading | ReleaseKill | AcceptBalances, told: Callable[[Answered], None]) -> None:
        self.asked.append(request)
        if isinstance(request, StopTrading):
            self.thread.press(request)
        told(Answered(1, True, "So be it."))

    def flat(self) -> bool:
        seen = self.thread.view()
        return seen is not None and seen.flat


def said(rig: Rig) -> str:
    seen = rig.thread.view()
    return "" if seen is None else seen.sentence()


@contextmanager
def waiting(rig: Rig) -> Iterator[Rig]:
    rig.thread.start(rig.ask)
    try:
        yield rig
    finally:
        rig.thread.stop()


def test_a_press_latches_cancels_and_confirms_over_a_venue_that_loses_a_third(tmp_path: Path) -> None:
    orders = [resting(f"gb{n}", (BTC, ETH)[n % 2]) for n in range(20)]
    with waiting(Rig(tmp_path, ShakyVenue(orders, seed=3, lose=0.3))) as rig:
        assert rig.thread.view() is None
        rig.thread.press(StopTrading("enough"))
        assert rig.brake.refusal() == "Trading is stopped: enough"
        assert until(rig.flat)
        assert not rig.venue.book and rig.latch.reason == "enough"


def test_while_the_exchange_is_away_it_says_how_many_are_not_confirmed_and_ends_when_it_is_back(tmp_path: Path) -> None:
    with waiting(Rig(tmp_path, ShakyVenue([resting("gb1"), resting("gb2")]))) as rig:
        rig.thread.press(StopTrading("enough"))
        assert until(rig.flat)
        rig.venue.book.update({order.ref.id: order for order in (resting("gb3"), resting("gb4"), resting("gb5"))})
        rig.venue.lose_cancels = True
        assert until(lambda: said(rig).startswith("3 orders not confirmed - retrying. The request was lost"))
        rig.venue.lose_cancels = False
        assert until(rig.flat) and not rig.venue.book


class RefusingLatch(MemoryLatch):
    """A latch on a disk that is full until `room` is set, or that hangs until `answer` is."""

    def __init__(self, *, hangs: bool) -> None:
        super().__init__()
        self.room, self.answer, self.hangs = False, Event(), hangs

    def set(self, reason: str, kind: KillKind = KillKind.MANUAL) -> None:
        if self.hangs:
            self.answer.wait()
        elif not self.room:
            raise EnvironmentProblem("There is no room left on the disk.")
        super().set(reason, kind)

    def read(self) -> str | None:
        if self.hangs:
            self.answer.wait()
        return super().read()


def test_a_full_disk_delays_no_cancel_is_shown_and_the_latch_follows_when_there_is_room(tmp_path: Path) -> None:
    latch = RefusingLatch(hangs=False)
    with waiting(Rig(tmp_path, ShakyVenue([resting("gb1")]), latch)) as rig:
        rig.thread.press(StopTrading("enough"))
        assert until(rig.flat) and not rig.venue.book
        assert any("only until a restart" in sentence for sentence in rig.problems.sentences())
        assert rig.brake.refusal() is not None and latch.reason is None
        latch.room = True
        assert until(lambda: latch.reason == "enough") and until(lambda: not rig.problems.sentences())


def test_a_disk_that_answers_neither_reads_nor_writes_delays_no_cancel(tmp_path: Path) -> None:
    latch = RefusingLatch(hangs=True)
    with waiting(Rig(tmp_path, ShakyVenue([resting("gb1")]), latch)) as rig:
        rig.thread.press(StopTrading("enough"))
        assert until(rig.flat) and not rig.venue.book
        seen = rig.thread.view()
        assert seen is not None and seen.unlatched and latch.reason is None
        latch.answer.set()
        assert until(lambda: latch.reason == "enough")


def test_whoever_pressed_hears_that_the_latch_is_durable_or_why_it_is_not(tmp_path: Path) -> None:
    latch = RefusingLatch(hangs=False)
    with waiting(Rig(tmp_path, ShakyVenue([resting("gb1")]), latch)) as rig:
        heard: list[str] = []
        rig.venue.away = True
        rig.thread.press(StopTrading("enough"), heard.append)
        assert until(lambda: heard == ["There is no room left on the disk."])
        latch.room = True
        rig.thread.press(StopTrading("again"), lambda said: heard.append(f"{said}{latch.reason}"))
        assert until(lambda: heard[1:] == ["enough"]), "while the exchange is still away"


def test_after_a_release_nothing_more_is_cancelled(tmp_path: Path) -> None:
    with waiting(Rig(tmp_path, ShakyVenue([resting("gb1")]))) as rig:
        rig.thread.press(StopTrading("enough"))
        assert until(rig.flat) and rig.brake.release(rig.brake.presses)
        rig.venue.book["gb2"] = resting("gb2")  # type: ignore[index]
        listed = len(rig.venue.listed)
        assert not until(lambda: len(rig.venue.listed) > listed, turns=50)
        assert list(rig.venue.book) == ["gb2"] and rig.thread.view() is None


class SlowLatch(RefusingLatch):
    """A latch on a disk that takes its time, and then is full."""

    def set(self, reason: str, kind: KillKind = KillKind.MANUAL) -> None:
        self.answer.wait(0.03)
        super().set(reason, kind)


def test_what_was_flat_before_a_new_press_is_not_taken_for_its_end(tmp_path: Path) -> None:
    with waiting(Rig(tmp_path, ShakyVenue([resting("gb1")]), SlowLatch(hangs=False))) as rig:
        rig.thread.press(StopTrading("enough"))
        assert until(rig.flat)
        for _ in range(4):
            assert rig.brake.release(rig.brake.presses)
            rig.venue.away = True
            asked = len(rig.venue.listed)
            rig.thread.press(StopTrading("again"))
            seen = [rig.flat()]
            while len(rig.venue.listed) == asked:
                seen.append(rig.flat())
            assert not any(seen)
            rig.venue.away = False
            assert until(rig.flat)


def test_everything_may_be_asked_for_later(tmp_path: Path) -> None:
    with waiting(Rig(tmp_path, ShakyVenue([resting("gb1"), resting("other")]))) as rig:
        rig.thread.press(StopTrading("enough"))
        assert until(rig.flat) and list(rig.venue.book) == ["other"]
        rig.thread.press(StopTrading("all of it", everything=True))
        assert until(lambda: not rig.venue.book) and rig.latch.reason == "enough"


def test_letters_are_handed_on_and_answered(tmp_path: Path) -> None:
    with waiting(Rig(tmp_path, ShakyVenue([resting("gb1")]))) as rig:
        stop = rig.mailbox.post(Ask.STOP, "by letter", liquidate=True)
        assert until(lambda: rig.mailbox.reply(stop))
        assert rig.asked == [StopTrading("by letter", liquidate=True)] and not rig.venue.book
        rearm = rig.mailbox.post(Ask.REARM, "me")
        assert until(lambda: rig.mailbox.reply(rearm)) and rig.asked[-1] == ReleaseKill("me")
        reply = rig.mailbox.reply(rearm)
        assert reply is not None and (reply.ok, reply.message) == (True, "So be it.")
        accept = rig.mailbox.post(Ask.ACCEPT, "one\nother")
        assert until(lambda: rig.mailbox.reply(accept)) and rig.asked[-1:] == [AcceptBalances(("one", "other"))]


def test_creates_that_were_never_answered_keep_a_kill_by_letter_from_being_confirmed(tmp_path: Path) -> None:
    laid = CoreRig().laid().state
    with waiting(Rig(tmp_path, ShakyVenue([]), state=lambda: laid)) as rig:
        stop = rig.mailbox.post(Ask.STOP, "enough")
        assert until(lambda: rig.mailbox.reply(stop))
        reply = rig.mailbox.reply(stop)
        assert reply is not None and not reply.ok
        assert "4 orders are not confirmed: the exchange never answered" in reply.message and rig.flat()


def test_a_letter_to_re_arm_does_not_outlive_the_process_it_was_meant_for(tmp_path: Path) -> None:
    rig = Rig(tmp_path, ShakyVenue([]))
    rig.mailbox.post(Ask.REARM, "me")
    with waiting(rig):
        stop = rig.mailbox.post(Ask.STOP, "enough")
        assert until(lambda: rig.mailbox.reply(stop))
    assert rig.asked == [StopTrading("enough")]


def test_a_thread_that_dies_of_a_bug_says_so_and_leaves_the_cancels_to_the_trader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    died: list[object] = []
    monkeypatch.setattr("threading.excepthook", died.append)

    def broken() -> State:
        raise KeyError("a bug")

    with waiting(Rig(tmp_path, ShakyVenue([]), state=broken)) as rig:
        rig.thread.press(StopTrading("enough"))
        assert until(rig.problems.sentences) and until(lambda: not rig.thread.works())
        assert died and not rig.brake.cancelled_elsewhere()
        rig.thread.press(StopTrading("again"))
        assert rig.latch.reason == "enough"


# ------------------------------------------------------------------------- in a real engine's thread


@contextmanager
def hung(engine: EngineThread) -> Iterator[None]:
    """Block the engine's loop, as a bug or a hanging system call would."""
    inside, leave = Event(), Event()

    def hang() -> None:
        inside.set()
        leave.wait()

    assert engine._loop is not None
    engine._loop.call_soon_threadsafe(hang)
    assert inside.wait(10)
    try:
        yield
    finally:
        leave.set()


def rests(engine: EngineThread) -> int:
    venue = engine._kill._venue
    return sum(len(venue.open_orders(symbol)) for symbol in {g.symbol for g in engine.facade.view().snapshot.grids})


def latched(home: Path) -> str | None:
    return KillLatchFile(SystemDisk(), home, SystemClock()).read()


def is_flat(engine: EngineThread) -> bool:
    stop = engine.facade.view().stop
    return stop is not None and stop.flat


def answers(engine: EngineThread, count: int = 0) -> list[Answered]:
    """Return what was answered, having waited for `count` of them; nothing more may come after that."""
    seen: list[Answered] = []

    def enough() -> bool:
        seen.extend(item for item in engine.facade.happened() if isinstance(item, Answered))
        return len(seen) >= count

    assert until(enough)
    return seen


def test_stop_works_while_the_loop_hangs_is_answered_once_and_the_engine_learns_of_it(tmp_path: Path) -> None:
    with trading(tmp_path) as engine:
        # An order is known before it rests: it waits at the gate until the exchange was asked.
        assert until(lambda: rests(engine) > 3)
        with hung(engine):
            assert rests(engine)
            engine.facade.ask(StopTrading("You pressed STOP."))
            assert [answer.message for answer in answers(engine, 1)] == [STOPPED]
            assert latched(tmp_path) == "You pressed STOP.", "it is durable before anybody is told"
            assert until(lambda: is_flat(engine)) and rests(engine) == 0
            assert engine.facade.view().snapshot.kill is None, "the engine hangs and cannot know yet"
        assert until(lambda: engine.facade.view().snapshot.kill and not open_orders(engine))
        assert answers(engine) == []
        engine.facade.ask(ReleaseKill("a test"))
        assert until(lambda: open_orders(engine) > 3)
        assert [answer.ok for answer in answers(engine, 1)] == [True] and not (tmp_path / "KILL").exists()


def test_a_stop_that_is_pressed_after_a_release_was_asked_for_stands(tmp_path: Path) -> None:
    with trading(tmp_path) as engine:
        assert until(lambda: rests(engine) > 3)
        engine.facade.ask(StopTrading("You pressed STOP."))
        assert until(lambda: is_flat(engine) and engine.facade.view().snapshot.kill and not open_orders(engine))
        assert [answer.message for answer in answers(engine, 1)] == [STOPPED]
        with hung(engine):
            release = engine.facade.ask(ReleaseKill("a test"))
            engine.facade.ask(StopTrading("No, stop."))
            assert [answer.message for answer in answers(engine, 1)] == [STOPPED]
        refused = answers(engine, 1)
        assert [(answer.request, answer.ok) for answer in refused] == [(release, False)]
        assert "pressed STOP again" in refused[0].message and latched(tmp_path) == "You pressed STOP."
        assert engine.facade.view().snapshot.kill is not None and rests(engine) == 0


def make_empty(path: Path) -> None:
    path.touch()


def make_damaged(path: Path) -> None:
    path.write_bytes(b"\x00\xff{")


def make_folder(path: Path) -> None:
    path.mkdir()


def make_unreadable(path: Path) -> None:
    path.write_bytes(b'{"reason":"secret"}')
    path.chmod(0)


@pytest.mark.parametrize("make", [make_empty, make_damaged, make_folder, make_unreadable])
def test_a_kill_file_made_by_hand_stops_an_engine_that_hangs(make: Callable[[Path], None], tmp_path: Path) -> None:
    if make is make_unreadable and (sys.platform == "win32" or os.geteuid() == 0):
        pytest.skip("nothing is unreadable here: root reads everything, and Windows has access lists")
    with trading(tmp_path) as engine:
        assert until(lambda: rests(engine) > 3)
        with hung(engine):
            make(tmp_path / "KILL")
            assert until(lambda: is_flat(engine)) and rests(engine) == 0
        assert until(lambda: engine.facade.view().snapshot.kill and not open_orders(engine))


def test_a_kill_file_that_is_taken_away_by_hand_releases_nothing(tmp_path: Path) -> None:
    with trading(tmp_path) as engine:
        assert until(lambda: open_orders(engine) > 3)
        (tmp_path / "KILL").touch()
        assert until(lambda: engine.facade.view().snapshot.kill)
        (tmp_path / "KILL").unlink()
        beat = engine.facade.view().beat
        assert until(lambda: engine.facade.view().beat > beat + 20)
        assert engine.facade.view().snapshot.kill is not None and rests(engine) == 0
    with trading(tmp_path) as again:
        assert until((tmp_path / "KILL").exists), "a start makes the file anew"
        assert until(lambda: again.facade.view().snapshot.kill) and rests(again) == 0


def test_a_stop_is_released_only_after_the_exchange_has_said_zero_twice(tmp_path: Path) -> None:
    with trading(tmp_path) as engine:
        assert until(lambda: rests(engine) > 3)
        engine.facade.ask(StopTrading("You pressed STOP."))
        engine.facade.ask(ReleaseKill("too early"))
        assert {answer.request: answer.ok for answer in answers(engine, 2)} == {1: True, 2: False}
        assert until(lambda: is_flat(engine) and not open_orders(engine))
        engine.facade.ask(ReleaseKill("now"))
        assert until(lambda: open_orders(engine) > 3)
