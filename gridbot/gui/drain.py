"""The one door between the threads: one timer takes the newest view and everything that happened since.

Views are latest-wins; what happened is never left out. Nothing here blocks: the facade's methods return at once.
"""

from __future__ import annotations

from enum import IntEnum

from PySide6.QtCore import QElapsedTimer, QObject, QTimer, Signal

from gridbot.shell.facade import Facade, View

ENGINE_SILENT_MS = 1_600
"""After this long without a turn of its loop the engine counts as hung; said, with the looks between, within 2 s."""
BEAT_LOOK_MS = 300
"""How often it is looked whether the engine turns, also while a minimised window looks for nothing else."""


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
        silence: milliseconds since the engine's last turn, at every look; a long one also between them.
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
        self._listening = QTimer(self)
        self._listening.setInterval(BEAT_LOOK_MS)
        self._listening.timeout.connect(self.listen)
        self._beat = -1

    def start(self) -> None:
        """Begin to look; the first look is at once."""
        self._since_beat.start()
        self._timer.start()
        self._listening.start()
        self.take()

    def stop(self) -> None:
        """Look no more."""
        self._timer.stop()
        self._listening.stop()

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
        old, self._view = self._view, view
        if view is not old:
            self.view_changed.emit(view)
        self._hear(view)

    def listen(self) -> None:
        """Look only whether the engine turns, and tell of its silence when that counts."""
        self._hear(self._facade.view(), least=ENGINE_SILENT_MS)

    def _hear(self, view: View, *, least: int = 0) -> None:
        if view.beat != self._beat:
            self._beat = view.beat
            self._since_beat.restart()
        if self._since_beat.elapsed() >= least:
            self.silence.emit(int(self._since_beat.elapsed()))
