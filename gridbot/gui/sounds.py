"""Two sounds, off until a person wants them, made by the desktop: one for a fill, one for what needs a person.

A sound of our own would need a library that is not shipped (QtMultimedia is not in PySide6-Essentials).
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QElapsedTimer, QObject, QTimer
from PySide6.QtWidgets import QApplication

from gridbot.core.commands import FillBooked
from gridbot.gui.drain import ENGINE_SILENT_MS
from gridbot.gui.preferences import Preferences
from gridbot.shell.facade import Happened, View

PAUSE_MS = 1_000
ALARM_BEEPS, ALARM_MS = 3, 250


class Sounds(QObject):
    """Hears what happens and beeps once for fills, three times for an alarm.

    Attributes:
        beep: makes one sound; a test listens here.
    """

    def __init__(self, preferences: Preferences, parent: QObject) -> None:
        super().__init__(parent)
        self.beep: Callable[[], None] = QApplication.beep
        self._preferences = preferences
        self._alarmed = False
        self._left = 0
        self._since = QElapsedTimer()
        self._timer = QTimer(self)
        self._timer.setInterval(ALARM_MS)
        self._timer.timeout.connect(self._beep_on)

    def hear(self, happened: tuple[Happened, ...]) -> None:
        """Beep for fills."""
        if not self._preferences.fill_sound or not any(isinstance(each, FillBooked) for each in happened):
            return
        if not self._since.isValid() or self._since.elapsed() >= PAUSE_MS:
            self._since.start()
            self.beep()

    def look(self, view: View | None, silence_ms: int) -> None:
        """Beep when something begins that needs a person: a stop, a problem, an engine that does not answer."""
        troubled = view is not None and (view.snapshot.kill is not None or bool(view.problems))
        alarm = troubled or silence_ms >= ENGINE_SILENT_MS
        if alarm and not self._alarmed and self._preferences.alarm_sound:
            self._left = ALARM_BEEPS
            self._beep_on()
            self._timer.start()
        self._alarmed = alarm

    def _beep_on(self) -> None:
        if self._left <= 0:
            self._timer.stop()
            return
        self._left -= 1
        self.beep()
