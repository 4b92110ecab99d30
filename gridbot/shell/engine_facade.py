"""The facade as the engine's own thread serves it: latest-wins views, a queue that keeps every note, one way in."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from threading import Lock

from gridbot.core.commands import Note
from gridbot.core.units import GridId, Symbol
from gridbot.core.values import evolve
from gridbot.shell.facade import (
    STOPPED,
    Answered,
    ChartData,
    Happened,
    LogLine,
    ReleaseKill,
    Request,
    StopTrading,
    View,
)
from gridbot.shell.kill_thread import KillThread
from gridbot.shell.messages import Asked

MOST_LOG_LINES = 5_000
"""Log lines that wait for a window that does not ask; beyond it they are counted, and the count is told."""
UNSEEN = 6
"""Views in a row that nobody looked at, after which nobody looks: a window that is not in front takes every fourth."""

Chart = Callable[[Symbol, int, GridId | None], ChartData]


class EngineFacade:
    """Satisfies Facade for windows and Outlet for the trader. Every method may be called from any thread.

    `first` is what is shown until the engine has published; `past` what was known before this start.
    """

    def __init__(self, first: View, past: tuple[Note, ...]) -> None:
        self._view = first
        self._unseen = 0
        self._with_stop = (first, first)
        self._past = past
        self._lock = Lock()
        self._items: deque[Happened] = deque()
        self._lines = 0
        self._left_out = 0
        self._number = 0
        self._hand_in: Callable[[Asked], bool] | None = None
        self._chart: Chart | None = None
        self._kill: KillThread | None = None
        self._answered: set[int] = set()
        self._listeners: dict[int, Callable[[Answered], None]] = {}

    def connect(self, hand_in: Callable[[Asked], bool], chart: Chart, kill: KillThread | None = None) -> None:
        """Serve requests and charts from now on; `hand_in` tells whether the engine took the request.

        A stop goes to `kill` first, which does not need the engine.
        """
        self._hand_in, self._chart, self._kill = hand_in, chart, kill

    def publish(self, view: View) -> bool:
        """Replace the newest view; tell whether somebody has looked at one lately."""
        self._view = view
        self._unseen += 1
        return self._unseen <= UNSEEN

    def tell(self, items: Iterable[Happened]) -> None:
        """Add what happened. Notes and answers are all kept, log lines up to a limit."""
        self._keep([item for item in items if not self._is_answered(item)])

    def _is_answered(self, item: Happened) -> bool:
        """Tell whether this is the engine's answer to a stop, which the kill switch answers before it."""
        if not isinstance(item, Answered) or item.request not in self._answered:
            return False
        self._answered.discard(item.request)
        return True

    def _keep(self, items: Iterable[Happened]) -> None:
        heard: list[tuple[Callable[[Answered], None], Answered]] = []
        with self._lock:
            for item in items:
                if isinstance(item, Answered):
                    listener = self._listeners.pop(item.request, None)
                    if listener is not None:
                        heard.append((listener, item))
                if isinstance(item, LogLine):
                    if self._lines >= MOST_LOG_LINES:
                        self._left_out += 1
                        continue
                    self._lines += 1
                self._items.append(item)
        for listener, answer in heard:
            listener(answer)

    def view(self) -> View:
        """Return the newest view, and in it how far a stop is, which needs no engine that turns."""
        seen, self._unseen = self._view, 0
        stop = None if self._kill is None else self._kill.view()
        if stop is None:
            return seen
        known, shown = self._with_stop
        if known is not seen or shown.stop != stop:
            shown = evolve(seen, stop=stop)
            self._with_stop = (seen, shown)
        return shown

    def happened(self) -> tuple[Happened, ...]:
        """Return everything since the last call; log lines that were too many are one line that counts them."""
        with self._lock:
            items, left_out = tuple(self._items), self._left_out
            self._items.clear()
            self._lines = self._left_out = 0
        if not left_out:
            return items
        message = f"{left_out} log lines were too many to show here; they are in the log file."
        return (*items, LogLine(self._view.time, "WARNING", "system", "lines_left_out", message, "", "{}"))

    def past(self) -> tuple[Note, ...]:
        """Return the notes from before this start, oldest first."""
        return self._past

    def ask(self, request: Request, listener: Callable[[Answered], None] | None = None) -> int:
        """Hand in a request; a stopped engine answers at once that it is. `listener` hears the answer as well.

        A stop holds before anything else is done, and is answered by the kill switch's thread, which needs no engine.
        """
        with self._lock:
            self._number += 1
            number = self._number
            if listener is not None:
                self._listeners[number] = listener
        if self._kill is not None and isinstance(request, StopTrading):
            self._answered.add(number)
            self._kill.press(request, partial(self._stopped, number))
        refusal = self._too_early() if isinstance(request, ReleaseKill) else ""
        if refusal:
            self.tell((Answered(number, False, refusal),))
            return number
        if self._kill is not None and isinstance(request, ReleaseKill):
            # Whoever presses STOP from now on means it, though the engine takes the release later.
            request = evolve(request, presses=self._kill.presses)
        if self._hand_in is None or not self._hand_in(Asked(number, request)):
            self.tell((Answered(number, False, "The engine does not run."),))
        return number

    def _stopped(self, number: int, unwritten: str) -> None:
        """Answer a stop: the latch is durable, or the disk said why not."""
        only = f" But only until a restart: {unwritten}" if unwritten else ""
        self._keep((Answered(number, True, f"{STOPPED}{only}"),))

    def _too_early(self) -> str:
        """Return why trading may not be released yet, "" if nothing stands against it here."""
        stop = None if self._kill is None else self._kill.view()
        return "" if stop is None or stop.flat else f"{stop.sentence()} Try again when no order rests."

    def chart(self, symbol: Symbol, timeframe: int, grid: GridId | None) -> ChartData:
        """Return a chart's candles; nothing before the engine runs."""
        if self._chart is None:
            return no_candles()
        return self._chart(symbol, timeframe, grid)


def no_candles() -> ChartData:
    """Return a chart without candles."""
    from gridbot.shell.charts import Track

    return Track(60_000, 60_000).data(None)
