"""What need not be there for the first paint comes after it, a piece a turn of the event loop."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QWidget

AFTER_MS = 10
"""So long after the paint event: what was painted has left for the screen by then."""
AT_LATEST_MS = 500
"""A window that is opened out of sight is never painted; what waits for that comes all the same."""


class FirstPaint(QObject):
    """Calls `acts` in turn, once `window` was painted for the first time."""

    def __init__(self, window: QWidget, *acts: Callable[[], object]) -> None:
        super().__init__(window)
        self._acts = deque(acts)
        self._begun = False
        window.installEventFilter(self)
        QTimer.singleShot(AT_LATEST_MS, self, self._begin)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Paint:
            watched.removeEventFilter(self)
            QTimer.singleShot(AFTER_MS, self, self._begin)
        return False

    def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            self._next()

    def _next(self) -> None:
        if self._acts:
            act = self._acts.popleft()
            QTimer.singleShot(0, self, self._next)
            act()
