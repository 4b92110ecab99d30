"""Lets events reach a window and tells how long its event loop was away between two turns.

`python window_events.py gridbot|minimised|peer|bare SECONDS PER_SECOND`. Each event is a new price with a log line; ten
times a second a minute of the hand-written account passes, with its fills. That is harder than the design's "100 ticks
a second", which window_ticks.py measures. "gridbot" is the window as it is: its drain looks 20 times a second
("minimised": once). "peer" is the same window told by one queued Qt signal an event. "bare" is a label and the log's
table and nothing else, told the same way.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from decimal import Decimal
from threading import Event, Lock, Thread
from time import perf_counter, process_time, sleep

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QApplication, QLabel, QVBoxLayout, QWidget
from window_figures import spread, tell

from gridbot.core.units import GridId, Price, Symbol
from gridbot.core.values import evolve
from gridbot.gui.app import SWITCH_INTERVAL_S
from gridbot.gui.rows import LOG_COLUMNS, Logged
from gridbot.gui.rows_model import RowsModel
from gridbot.gui.table import Table
from gridbot.gui.window import Window
from gridbot.shell.engine_facade import EngineFacade
from gridbot.shell.facade import ChartData, Happened, LogLine, View
from tests.gui.fake_facade import FakeFacade, MemoryStore

MINUTES_A_SECOND = 10
TURN_MS = 5
DATASET = "price"
SETTLE_S = 1.0
LATEST_S = 12.0
"""A window that cannot keep up is given up so long after its last event."""

OnEvent = Callable[[tuple[Happened, ...], View], None]


class World(Thread):
    """The hand-written account behind the engine's own facade, moved by a thread as the engine moves its own."""

    def __init__(self, seconds: float, *, per_second: int) -> None:
        super().__init__(daemon=True)
        self._seconds, self._per_second = seconds, per_second
        self.done = Event()
        self._fake = FakeFacade()
        self._fake.live(400, before=True)
        self._lock = Lock()
        self.door = EngineFacade(self._fake.view(), self._fake.past())
        self.door.connect(lambda _asked: False, self._chart)
        self.on_event: OnEvent = self._through_the_door
        self.go = Event()
        self.sent = 0

    def _chart(self, symbol: Symbol, timeframe: int, grid: GridId | None) -> ChartData:
        with self._lock:
            return self._fake.chart(symbol, timeframe, grid)

    def _through_the_door(self, news: tuple[Happened, ...], view: View) -> None:
        self.door.tell(news)
        self.door.publish(view)

    def run(self) -> None:
        self.go.wait()
        began, wanted = perf_counter(), round(self._seconds * self._per_second)
        while self.sent < wanted and not self.done.is_set():
            due = min(wanted, int((perf_counter() - began) * self._per_second))
            while self.sent < due:
                self._event()
            sleep(0.001)

    def _event(self) -> None:
        self.sent += 1
        news: tuple[Happened, ...] = ()
        if self.sent % max(1, self._per_second // MINUTES_A_SECOND) == 0:
            with self._lock:
                self._fake.live(1)
            news = self._fake.happened()
        view = self._fake.view()
        first = view.markets[0]
        assert first.last is not None
        price = Price(first.last + Decimal(self.sent % 97) / 10)
        line = LogLine(view.time, "INFO", DATASET, "price", f"event {self.sent}", "trace-1", "{}")
        markets = (evolve(first, last=price), *view.markets[1:])
        self.on_event((*news, line), evolve(view, beat=self.sent, markets=markets))


class Bell(QObject):
    """One queued signal an event."""

    rang = Signal(object, object)


class Turns(QObject):
    """A fast timer in the window's thread: the seconds between two of its turns are how long the loop was away."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.gaps: list[float] = []
        self._world = world
        self._last = self._began = perf_counter()
        self._used = process_time()
        self.core_share = 0.0
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._turn)

    def begin_after(self, also: Callable[[], object]) -> None:
        """Measure once the window has settled, and do `also` then."""
        QTimer.singleShot(round(SETTLE_S * 1000), self.begin)
        QTimer.singleShot(round(SETTLE_S * 1000) + 1, also)

    def spread(self) -> dict[str, float]:
        """Return how long the loop was away, and what share of a core the process took."""
        return {"core_share": self.core_share, **spread(self.gaps)}

    def begin(self) -> None:
        """Measure from now on."""
        self._last = self._began = perf_counter()
        self._used = process_time()
        self._timer.start(TURN_MS)
        self._world.go.set()

    def _turn(self) -> None:
        now = perf_counter()
        self.gaps.append(now - self._last)
        self._last = now
        if not self._world.is_alive():
            self._timer.stop()
            self.core_share = (process_time() - self._used) / (now - self._began)
            QTimer.singleShot(100, QApplication.quit)


def by_signals(world: World, show: OnEvent, seconds: float) -> Bell:
    """Let each event reach `show` through a signal of its own, until the window is given up."""
    bell = Bell()
    latest = perf_counter() + SETTLE_S + seconds + LATEST_S

    def in_time(news: tuple[Happened, ...], view: View) -> None:
        if perf_counter() < latest:
            show(news, view)

    bell.rang.connect(in_time, Qt.ConnectionType.QueuedConnection)
    world.on_event = bell.rang.emit
    return bell


def our_window(world: World) -> Window:
    """Open gridbot's window on the world."""
    window = Window(world.door, MemoryStore())
    window.resize(1240, 800)
    window.show()
    return window


def bare_window() -> tuple[QWidget, RowsModel[Logged], OnEvent]:
    """Open a label over the log's table; return it, the table's rows, and what shows an event in it."""
    model: RowsModel[Logged] = RowsModel(LOG_COLUMNS, key=lambda row: row.number)
    table, price, window = Table(model, name="Log lines"), QLabel(), QWidget()
    table.sort_by(0, descending=True)
    box = QVBoxLayout(window)
    box.addWidget(price)
    box.addWidget(table)
    window.resize(1240, 800)
    window.show()

    def show(news: tuple[Happened, ...], view: View) -> None:
        price.setText(f"{view.markets[0].last:,f}")
        model.append([Logged(view.beat, item) for item in news if isinstance(item, LogLine)])

    return window, model, show


def main() -> None:
    """Measure one window."""
    kind, seconds, per_second = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    app = QApplication(sys.argv[:1])
    world = World(seconds, per_second=per_second)
    kept: list[object] = []
    if kind == "bare":
        widget, model, show = bare_window()
        kept += [widget, by_signals(world, show, seconds)]
    else:
        window = our_window(world)
        model = window.logs.model
        kept.append(window)
        if kind == "minimised":
            window.showMinimized()
        if kind == "peer":
            window.drain.stop()

            def at_once(news: tuple[Happened, ...], view: View) -> None:
                window.drain.happened.emit(news)
                window.drain.view_changed.emit(view)

            kept.append(by_signals(world, at_once, seconds))
    turns = Turns(world)
    world.start()
    turns.begin_after(lambda: None)
    app.exec()
    if kind == "minimised":
        # What came while nobody looked is shown, and counted, when somebody does.
        kept[0].showNormal()  # type: ignore[attr-defined]
        app.processEvents()
    tell(
        "gaps",
        events=world.sent,
        shown=sum(row.line.dataset == DATASET for row in model.rows()),
        **turns.spread(),
    )


if __name__ == "__main__":
    main()
