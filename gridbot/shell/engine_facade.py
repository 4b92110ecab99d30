"""The facade as the engine's own thread serves it: latest-wins views, a queue that keeps every note, one way in."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from threading import Lock

from gridbot.core.commands import Note
from gridbot.core.units import GridId, Symbol
from gridbot.shell.facade import Answered, ChartData, Happened, LogLine, Request, View
from gridbot.shell.messages import Asked

MOST_LOG_LINES = 5_000
"""Log lines that wait for a window that does not ask; beyond it they are counted, and the count is told."""

Chart = Callable[[Symbol, int, GridId | None], ChartData]


class EngineFacade:
    """Satisfies Facade for windows and Outlet for the trader. Every method may be called from any thread.

    `first` is what is shown until the engine has published; `past` what was known before this start.
    """

    def __init__(self, first: View, past: tuple[Note, ...]) -> None:
        self._view = first
        self._past = past
        self._lock = Lock()
        self._items: deque[Happened] = deque()
        self._lines = 0
        self._left_out = 0
        self._number = 0
        self._hand_in: Callable[[Asked], bool] | None = None
        self._chart: Chart | None = None

    def connect(self, hand_in: Callable[[Asked], bool], chart: Chart) -> None:
        """Serve requests and charts from now on; `hand_in` tells whether the engine took the request."""
        self._hand_in, self._chart = hand_in, chart

    def publish(self, view: View) -> None:
        """Replace the newest view."""
        self._view = view

    def tell(self, items: Iterable[Happened]) -> None:
        """Add what happened. Notes and answers are all kept, log lines up to a limit."""
        with self._lock:
            for item in items:
                if isinstance(item, LogLine):
                    if self._lines >= MOST_LOG_LINES:
                        self._left_out += 1
                        continue
                    self._lines += 1
                self._items.append(item)

    def view(self) -> View:
        """Return the newest view."""
        return self._view

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

    def ask(self, request: Request) -> int:
        """Hand in a request; a stopped engine answers at once that it is."""
        with self._lock:
            self._number += 1
            number = self._number
        if self._hand_in is None or not self._hand_in(Asked(number, request)):
            self.tell((Answered(number, False, "The engine does not run."),))
        return number

    def chart(self, symbol: Symbol, timeframe: int, grid: GridId | None) -> ChartData:
        """Return a chart's candles; nothing before the engine runs."""
        if self._chart is None:
            return no_candles()
        return self._chart(symbol, timeframe, grid)


def no_candles() -> ChartData:
    """Return a chart without candles."""
    from gridbot.shell.charts import Track

    return Track(60_000, 60_000).data(None)
