"""The kill switch's own thread: it needs neither the engine's loop nor a window, and waits for nobody but the venue.

A press, a KILL file that somebody made, or a letter of another process: whichever comes first starts the one procedure
of `kill_procedure`, which it drives over a connection of its own until nothing rests, and then keeps looking. It never
touches the disk itself: a second thread looks at the folders, a third writes the latch, and both may hang.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from threading import Event, Thread

from gridbot.core.state import State
from gridbot.core.units import OrderId
from gridbot.errors import EnvironmentProblem
from gridbot.ports import Ask, Clock, KillVenue, Letter, Mailbox
from gridbot.shell.brake import Brake
from gridbot.shell.facade import AcceptBalances, Answered, ReleaseKill, StopTrading, StopView, unconfirmed
from gridbot.shell.kill_driver import answer
from gridbot.shell.kill_procedure import KillProcedure, Stage, Steps, Wait
from gridbot.shell.known_orders import known_markets, live_cancels, live_orders

POLL_S = 0.1
"""How often the folders are looked at for a KILL file or a letter."""
WATCH_S = 2.0
"""How often the venue is asked again while stopped: a request of before the stop may arrive late."""
LATCH_PATIENCE_S = 0.05
"""How long the first cancel waits for the disk; one that hangs is asked again later."""
SILENT_S = 5.0
"""A thread that has not turned for so long does not count as working: the trader sends its own cancels again."""
JOIN_S = 2.0
SETTLE_S = 2.0
"""How long the engine may take to learn what became of creates that were on their way, before a letter is answered."""

_NEVER = (-1, False)
"""The press that a stop answers to, by number, and whether it means everything: none yet."""

AskEngine = Callable[[StopTrading | ReleaseKill | AcceptBalances, Callable[[Answered], None]], object]
"""Hands a request to the engine's facade; the answer is told to the second argument, in whatever thread."""


def _tell_nobody(unwritten: str) -> None:
    """Nobody waits to hear whether the latch is durable."""
    _ = unwritten


class KillThread:
    """Waits beside the engine. `press` may be called from any thread and returns at once.

    `state` returns the engine's newest state, `ours` tells whether an order id is of this installation; `ask` is where
    letters from other processes go, whose answers `mailbox` takes. `watch_s` goes between two looks after flat.
    """

    def __init__(
        self,
        *,
        venue: KillVenue,
        brake: Brake,
        clock: Clock,
        state: Callable[[], State],
        ours: Callable[[OrderId], bool],
        mailbox: Mailbox,
        watch_s: float = WATCH_S,
    ) -> None:
        self._venue = venue
        self._brake = brake
        self._clock = clock
        self._state = state
        self._ours = ours
        self._mailbox = mailbox
        self._watch_s = watch_s
        self._ask: AskEngine | None = None
        self._wake, self._post = Event(), Event()
        self._ended = False
        self._everything = False
        self._kill: KillProcedure | None = None
        self._kill_of = _NEVER
        self._looked_at = self._owed_since = 0.0
        self._beat = 0.0
        self._owed: deque[Letter] = deque()
        self._answers: deque[tuple[Letter, Answered]] = deque()
        self._pressed: deque[Callable[[str], None]] = deque()
        self._writer: Thread | None = None
        self._unwritten = ""
        self._thread = Thread(target=self._main, name="kill switch", daemon=True)
        self._watcher = Thread(target=self._watch, name="kill watch", daemon=True)
        brake.leave_cancels_to(self.works)

    def start(self, ask: AskEngine) -> None:
        """Wait for a press from now on. A letter from before this start that asks to re-arm counts no more."""
        self._ask = ask
        with suppress(EnvironmentProblem):
            letter = self._mailbox.take()
            if letter is not None and letter.ask is Ask.STOP:
                self._owe(letter)
        self._beat = self._clock.monotonic()
        self._thread.start()
        self._watcher.start()

    def stop(self) -> None:
        """End; a latch that holds stays, and so do orders that are not confirmed."""
        self._ended = True
        self._wake.set()
        self._post.set()
        for thread in (self._thread, self._watcher):
            if thread.ident is not None:
                thread.join(JOIN_S)

    def press(self, request: StopTrading, told: Callable[[str], None] = _tell_nobody) -> None:
        """Stop trading: when this returns no further create leaves; latch and cancels follow in the thread.

        `told` hears, in that thread, that the latch is durable (""), or why it is not.
        """
        self._brake.press(request.reason)
        self._everything = self._everything or request.everything
        self._pressed.append(told)
        self._wake.set()
        if not self._thread.is_alive():
            self._tell_pressed()

    @property
    def presses(self) -> int:
        """How often somebody has pressed."""
        return self._brake.presses

    def works(self) -> bool:
        """Tell whether the thread is at it."""
        return self._thread.is_alive() and self._clock.monotonic() - self._beat < SILENT_S

    def view(self) -> StopView | None:
        """Return how far the stop is; None while trading is not stopped."""
        reason, kill = self._brake.held, self._kill
        if reason is None:
            return None
        if kill is None:
            return StopView(reason, False, 0, 0, "", "")
        seen = kill.progress
        # What was flat before the newest press need not be it any more.
        flat = seen.stage is Stage.FLAT and self._kill_of[0] == self._brake.presses
        return StopView(reason, flat, seen.met, seen.unconfirmed, seen.trouble, seen.unlatched)

    # ---------------------------------------------------------------------------------- the thread

    def _main(self) -> None:
        try:
            while not self._ended:
                self._turn()
                self._pause(POLL_S)
        finally:
            self._tell_if_lost("STOP now needs the engine.")

    def _watch(self) -> None:
        """Look at the disk, which may refuse and may hang."""
        try:
            while not self._ended:
                self._exchange_letters()
                if self._brake.held is None and self._brake.take_over():
                    self._wake.set()
                self._post.wait(POLL_S)
                self._post.clear()
        finally:
            self._tell_if_lost("A KILL file is heeded by the engine alone now.")

    def _tell_if_lost(self, consequence: str) -> None:
        if not self._ended:
            self._brake.complain(f"A thread of the kill switch has ended by itself. {consequence} Restart gridbot.")

    def _pause(self, seconds: float) -> None:
        self._wake.wait(seconds)
        self._wake.clear()

    def _turn(self) -> None:
        self._beat = self._clock.monotonic()
        self._tell_pressed()
        if self._brake.held is None:
            self._kill, self._kill_of, self._everything = None, _NEVER, False
            return
        wanted = (self._brake.presses, self._everything)
        if self._kill is None or self._kill_of[1] != wanted[1]:
            self._kill = self._procedure()
        if self._kill_of != wanted:
            self._drive(self._kill.run(), wanted)
        elif self._clock.monotonic() >= self._looked_at + self._watch_s:
            self._drive(self._kill.look_again(), wanted)
        self._answer_owed()

    def _tell_pressed(self) -> None:
        """Write the latch for whoever pressed and waits to hear of it."""
        while self._pressed:
            told = self._pressed.popleft()
            told(self._write_latch())

    def _procedure(self) -> KillProcedure:
        return KillProcedure(
            symbols=lambda: known_markets(self._state()),
            known=lambda: live_cancels(self._state()),
            ours=self._ours,
            everything=self._everything,
        )

    def _drive(self, steps: Steps, wanted: tuple[int, bool]) -> None:
        """Answer what the procedure asks, until it is flat, released, asked for more, or the process ends."""
        try:
            request = next(steps)
            # Only now: from here on its progress speaks of this press, and not of what was flat before.
            self._kill_of = wanted
            while not self._ended and self._brake.held is not None:
                self._tell_pressed()
                request = steps.send(answer(request, self._venue, write_latch=self._write_latch, wait=self._pause))
                self._beat = self._clock.monotonic()
                if isinstance(request, Wait) and self._everything and not self._kill_of[1]:
                    return
        except StopIteration:
            self._looked_at = self._clock.monotonic()

    def _write_latch(self) -> str:
        """Write it in a thread beside this one, so that a disk that hangs does not hang the cancels."""
        if self._writer is None or not self._writer.is_alive():
            self._writer = Thread(target=self._write, name="kill latch", daemon=True)
            self._unwritten = "The disk does not answer."
            self._writer.start()
        self._writer.join(LATCH_PATIENCE_S)
        return self._unwritten

    def _write(self) -> None:
        self._unwritten = self._brake.write()

    # --------------------------------------------------------------------------------- the letters

    def _exchange_letters(self) -> None:
        """Hand on what other processes ask, and answer them; a disk that refuses leaves them waiting."""
        try:
            while self._answers:
                of, said = self._answers[0]
                self._mailbox.answer(of, ok=said.ok, message=said.message)
                self._answers.popleft()
            letter = self._mailbox.take()
        except EnvironmentProblem:
            return
        if letter is None or self._ask is None:
            return
        match letter.ask:
            case Ask.STOP:
                stop = StopTrading(letter.text, liquidate=letter.liquidate, everything=letter.everything)
                self._ask(stop, lambda answered: None)
                self._owe(letter)
            case Ask.REARM:
                self._ask(ReleaseKill(letter.text), partial(self._answered, letter))
            case Ask.ACCEPT:
                self._ask(AcceptBalances(tuple(letter.text.splitlines())), partial(self._answered, letter))

    def _owe(self, letter: Letter) -> None:
        self._owed_since = self._clock.monotonic()
        self._owed.append(letter)

    def _answered(self, letter: Letter, answered: Answered) -> None:
        self._answers.append((letter, answered))
        self._post.set()

    def _answer_owed(self) -> None:
        """Tell who stopped trading by letter that nothing rests any more, or what is still in doubt."""
        view = self.view()
        if view is None or not view.flat or not self._owed:
            return
        silent = sum(1 for live in live_orders(self._state()) if live.order.venue_id is None)
        if silent and self._clock.monotonic() < self._owed_since + SETTLE_S:
            return
        said = "the gridbot that holds it has stopped. "
        said += f"{view.met} cancelled. {view.sentence()}" if view.met else view.sentence()
        if silent:
            said += (
                f" But {unconfirmed(silent)}: the exchange never answered when they were placed. They rest nowhere "
                "now, and are cancelled if they appear while gridbot runs. Ask again in some minutes."
            )
        while self._owed:
            self._answered(self._owed.popleft(), Answered(0, not silent and not view.unlatched, said))
