"""The one door between the threads: one timer takes the newest view and everything that happened since.

Views are latest-wins; what happened is never left out. Nothing here blocks: the facade's methods return at once.
"""

from __future__ import annotations

from enum import IntEnum

from PySide6.QtCore import QElapsedTimer, QObject, QTimer, Signal

from gridbot.shell.facade import Facade, View

ENGINE_SILENT_MS = 2_000
"""After this long without a turn of its loop the engine counts as hung, and the window says so."""


class Pace(IntEnum):
    """Milliseconds between two looks."""

    FOCUSED = 50
    UNFOCUSED = 200
    MINIMISED = 1_000


class Drain(QObject):
    """Looks at the facade at the pace that the window's attention deserves.

    Signals:
        happened: the tuple of everything that happened since the last look, before the view that shows it.
        view_changed: the newest View.
        silence: milliseconds since the engine's last turn, at every look.
    """

    happened = Signal(object)
    view_changed = Signal(object)
    silence = Signal(int)

    def __init__(self, facade: Facade, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._facade = facade
        self._view: View | None = None
        self._since_beat = QElapsedTimer()
        self._timer = QTimer(self)
        self._timer.setInterval(Pace.FOCUSED)
        self._timer.timeout.connect(self.take)

    def start(self) -> None:
        """Begin to look; the first look is at once."""
        self._since_beat.start()
        self._timer.start()
        self.take()

    def stop(self) -> None:
        """Look no more."""
        self._timer.stop()

    def set_pace(self, pace: Pace) -> None:
        """Look more or less often."""
        if self._timer.interval() != pace:
            self._timer.setInterval(pace)

    def pace(self) -> int:
        """Return the milliseconds between two looks."""
        return self._timer.interval()

    def take(self) -> None:
        """Look once."""
        news = self._facade.happened()
        view = self._facade.view()
        if news:
            self.happened.emit(news)
        old = self._view
        if old is None or view.beat != old.beat:
            self._since_beat.restart()
        self._view = view
        if view is not old:
            self.view_changed.emit(view)
        self.silence.emit(int(self._since_beat.elapsed()))
