"""Presses STOP in the real application, over and over, and tells when the stop held and a cancel left.

`python window_stop.py PRESSES demo|live EVENTS_PER_SECOND`: on the demo, whose venue is in this process, or as
GRIDBOT_HOME says, which is a live account at the sandbox exchange, where a cancel counts when the first bytes of its
request are handed to the socket; beside it so many log lines a second reach the window. A press is two mouse events
posted to the button from another thread at an arbitrary moment, so the window's own work is waited for as a person's
click waits for it. Engine and files are the application's own; between presses the stop is released through the facade.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from threading import Event, Thread
from time import perf_counter, sleep
from typing import Any

from PySide6.QtCore import QCoreApplication, QEvent, QPointF, Qt, QTimer
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication
from window_figures import spread, tell

from gridbot.adapters.config_files import load
from gridbot.adapters.files.home import Home
from gridbot.bootstrap import open_engine, window_preferences
from gridbot.config import default_config
from gridbot.core.commands import CancelOrder, Note
from gridbot.core.events import KillKind
from gridbot.core.orders import OrderState
from gridbot.core.units import GridId, Symbol
from gridbot.gui.app import SWITCH_INTERVAL_S
from gridbot.gui.window import Window
from gridbot.shell.brake import Brake
from gridbot.shell.engine_facade import EngineFacade
from gridbot.shell.engine_thread import EngineThread
from gridbot.shell.facade import ChartData, Facade, Happened, LogLine, ReleaseKill, Request, StopTrading, View
from gridbot.sim.venue import KillDoor

LONGEST_S = 20.0
FEWEST_ORDERS = 5
CANCEL = b"DELETE /api/v3/order"


class Times:
    """The moments of one press, by name; the first of each name counts."""

    def __init__(self) -> None:
        self.at: dict[str, float] = {}
        self.cancelled = Event()

    def note(self, name: str) -> None:
        """Note that it happens now."""
        self.at.setdefault(name, perf_counter())

    def clear(self) -> None:
        """Begin a new press."""
        self.cancelled.clear()
        self.at = {}


class WatchedFacade:
    """The facade, with the moment noted in which STOP is handed to it."""

    def __init__(self, inner: Facade, times: Times) -> None:
        self._inner, self._times = inner, times

    def view(self) -> View:
        return self._inner.view()

    def happened(self) -> tuple[Happened, ...]:
        return self._inner.happened()

    def past(self) -> tuple[Note, ...]:
        return self._inner.past()

    def ask(self, request: Request) -> int:
        if isinstance(request, StopTrading):
            self._times.note("handed")
        return self._inner.ask(request)

    def chart(self, symbol: Symbol, timeframe: int, grid: GridId | None) -> ChartData:
        return self._inner.chart(symbol, timeframe, grid)


def watch_engine(times: Times) -> None:
    """Note when the brake holds (in memory, then on disk) and when a cancel reaches the venue."""
    press, write, cancel = Brake.press, Brake.write, KillDoor.cancel

    def watched_press(brake: Brake, reason: str, kind: KillKind = KillKind.MANUAL) -> None:
        press(brake, reason, kind)
        times.note("braking")

    def watched_write(brake: Brake) -> str:
        refusal = write(brake)
        if not refusal:
            times.note("latched")
        return refusal

    def watched_cancel(door: KillDoor, order: CancelOrder) -> None:
        times.note("cancel")
        times.cancelled.set()
        cancel(door, order)

    send = HTTPConnection.send

    def watched_send(connection: HTTPConnection, data: Any) -> None:
        # The kill switch is the only one here that speaks through http.client.
        if bytes(data[: len(CANCEL)]) == CANCEL:
            times.note("cancel")
            times.cancelled.set()
        send(connection, data)

    HTTPConnection.send = watched_send  # type: ignore[method-assign, assignment]
    Brake.press = watched_press  # type: ignore[method-assign, assignment]
    Brake.write = watched_write  # type: ignore[method-assign, assignment]
    KillDoor.cancel = watched_cancel  # type: ignore[method-assign, assignment]


class WatchedWindow(Window):
    """The window, with the moment noted in which the handler of STOP starts."""

    def __init__(self, facade: Facade, home: Home, times: Times) -> None:
        self._times = times
        super().__init__(facade, window_preferences(home))

    def stop(self) -> None:
        self._times.note("handler")
        super().stop()


class Presser(Thread):
    """Presses STOP, waits until all is cancelled, releases it, waits until orders rest again."""

    def __init__(self, window: WatchedWindow, facade: Facade, times: Times, presses: int) -> None:
        super().__init__(daemon=True)
        self._window, self._facade, self._times = window, facade, times
        self._presses = presses
        self._source = random.Random(5)
        self.taken: list[dict[str, float]] = []
        self.orders: list[int] = []
        self.failure = ""

    def run(self) -> None:
        for _ in range(self._presses):
            if not self._wait(resting):
                self.failure = "Orders do not rest again."
                return
            sleep(self._source.uniform(0.1, 0.2))
            self.orders.append(len(self._facade.view().snapshot.orders))
            self._times.clear()
            self._press()
            if not self._times.cancelled.wait(LONGEST_S):
                self.failure = "No cancel left after STOP."
                return
            self._wait(lambda view: cancelled(view) and view.stop is not None and view.stop.flat)
            self.taken.append(dict(self._times.at))
            self._facade.ask(ReleaseKill("benchmark"))

    def _press(self) -> None:
        button = self._window.frame.stop
        middle = QPointF(button.width() / 2, button.height() / 2)
        where = button.mapToGlobal(middle)
        left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
        plain = Qt.KeyboardModifier.NoModifier
        self._times.note("click")
        for kind, held in ((QEvent.Type.MouseButtonPress, left), (QEvent.Type.MouseButtonRelease, none)):
            QCoreApplication.postEvent(button, QMouseEvent(kind, middle, where, left, held, plain))

    def _wait(self, holds: Callable[[View], bool]) -> bool:
        latest = perf_counter() + LONGEST_S
        while not holds(self._facade.view()):
            if perf_counter() > latest:
                return False
            sleep(0.005)
        return True


def cancelled(view: View) -> bool:
    """Tell whether the engine knows that it is stopped and that nothing rests."""
    return view.snapshot.kill is not None and not view.snapshot.orders


def resting(view: View) -> bool:
    """Tell whether there is something to cancel."""
    orders = view.snapshot.orders
    return (
        view.snapshot.kill is None
        and len(orders) >= FEWEST_ORDERS
        and all(order.state is OrderState.OPEN for order in orders)
    )


class Chatter(Thread):
    """Lets log lines reach the window, so many a second."""

    def __init__(self, facade: EngineFacade, per_second: int) -> None:
        super().__init__(daemon=True)
        self._facade, self._per_second = facade, per_second

    def run(self) -> None:
        began, sent = perf_counter(), 0
        while True:
            due = int((perf_counter() - began) * self._per_second)
            time = self._facade.view().time
            self._facade.tell(
                LogLine(time, "INFO", "price", "price", f"event {number}", "trace-1", "{}")
                for number in range(sent, due)
            )
            sent = due
            sleep(0.002)


def opened(folder: Path, where: str) -> tuple[Home, EngineThread]:
    """Return the engine that is pressed, and its folder."""
    if where == "demo":
        home = Home(folder)
        return home, open_engine(home, default_config())
    home = Home(Path(os.environ["GRIDBOT_HOME"]))
    return home, open_engine(home, load(home.config), environment=os.environ, resume=True)


def measure(presses: int, folder: Path, where: str, per_second: int) -> Presser:
    """Open the application, press, close it."""
    times = Times()
    watch_engine(times)
    home, engine = opened(folder, where)
    engine.start()
    if per_second:
        Chatter(engine.facade, per_second).start()
    try:
        facade = WatchedFacade(engine.facade, times)
        window = WatchedWindow(facade, home, times)
        window.show()
        presser, look = Presser(window, facade, times, presses), QTimer(window)
        look.timeout.connect(lambda: None if presser.is_alive() else window.close())
        QTimer.singleShot(500, presser.start)
        QTimer.singleShot(1_000, lambda: look.start(100))
        QApplication.exec()
    finally:
        engine.stop()
    return presser


def main() -> None:
    """Press, and tell the spread of each way."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    app = QApplication(sys.argv[:1])
    with tempfile.TemporaryDirectory() as folder:
        presser = measure(int(sys.argv[1]), Path(folder), sys.argv[2], int(sys.argv[3]))
    app.quit()
    if presser.failure:
        sys.exit(presser.failure)

    def way(begin: str, end: str) -> dict[str, float]:
        return spread([at[end] - at[begin] for at in presser.taken])

    tell(
        "stop",
        orders=min(presser.orders),
        handler_to_handed=way("handler", "handed"),
        click_to_handed=way("click", "handed"),
        click_to_braking=way("click", "braking"),
        click_to_latched=way("click", "latched"),
        click_to_cancel=way("click", "cancel"),
    )


if __name__ == "__main__":
    main()
