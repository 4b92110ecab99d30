"""The application: opens the window on a facade, and returns when it is closed. Nothing heavy is imported before."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGINT, SIGTERM, signal

from PySide6.QtCore import QProcessEnvironment, QTimer
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

from gridbot.assets_folder import assets_folder
from gridbot.errors import EnvironmentProblem
from gridbot.gui.first_paint import FirstPaint
from gridbot.gui.preferences import PreferenceStore
from gridbot.gui.theme import Theme
from gridbot.gui.window import Window
from gridbot.shell.errands import Desks
from gridbot.shell.facade import Facade

SWITCH_INTERVAL_S = 0.0005
"""How long a busy thread may keep the window waiting; with Python's own 5 ms a click on STOP takes 42 ms, not 9."""

_NO_DISPLAY_NEEDED = ("offscreen", "minimal", "vnc", "linuxfb", "eglfs")


def require_display() -> None:
    """Raise EnvironmentProblem where Qt would find no display, for which it would abort the whole process."""
    if not sys.platform.startswith("linux"):
        return
    # Qt reads these by itself, so they are asked of Qt.
    environment = QProcessEnvironment.systemEnvironment()
    platform = environment.value("QT_QPA_PLATFORM", "")
    if platform.split(":")[0] in _NO_DISPLAY_NEEDED:
        return
    if not environment.value("DISPLAY", "") and not environment.value("WAYLAND_DISPLAY", ""):
        raise EnvironmentProblem(
            "There is no display to open a window on.",
            hint="Start it on a desktop, or use `gridbot run`, which trades without a window.",
        )


@contextmanager
def _ended_by_signals(window: Window) -> Iterator[None]:
    """Close the window on Ctrl-C and on TERM; Python hears them because the drain's timer runs Python all the time.

    Without this the KeyboardInterrupt would be raised inside a slot, where Qt swallows it.
    """
    before = {each: signal(each, lambda *_: window.leave()) for each in (SIGINT, SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal(each, handler)


def run_window(
    facade: Facade,
    *,
    preferences: PreferenceStore,
    exit_after: float | None = None,
    screenshot: Path | None = None,
    theme: Theme | None = None,
    desks: Desks | None = None,
    painted: Callable[[], object] | None = None,
) -> int:
    """Open the window and return the exit code once it is closed.

    Args:
        exit_after: close after this many seconds.
        screenshot: save the window as PNG before it closes; without `exit_after` that is after 3 s.
        theme: these colours, whatever the preferences say.
        desks: the rooms beside the engine; what is not there the window does not show.
        painted: called once the window was painted for the first time.

    Raises:
        EnvironmentProblem: there is no display, or the picture cannot be written.
    """
    require_display()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    app.setApplicationName("gridbot")
    app.setApplicationDisplayName("gridbot")
    app.setWindowIcon(QIcon(str(assets_folder() / "gridbot.svg")))
    window = Window(facade, preferences, desks)
    # Hidden beside the clock it goes on: a dialog that closes then must not be the end. Its own close is.
    app.setQuitOnLastWindowClosed(False)
    window.closed.connect(lambda: app.exit(0))
    if theme is not None:
        window.show_theme(theme)
    if painted is not None:
        FirstPaint(window, painted)
    window.show()
    saved: list[bool] = []

    def leave() -> None:
        if screenshot is not None:
            saved.append(window.grab().save(str(screenshot), "PNG"))
        window.leave()

    if exit_after is not None or screenshot is not None:
        seconds = 3.0 if exit_after is None else exit_after
        QTimer.singleShot(round(seconds * 1000), window, leave)
    with _ended_by_signals(window):
        code = app.exec()
    if saved == [False]:
        raise EnvironmentProblem(
            f"The picture {screenshot} cannot be written.", hint="Is the folder there, and may you write to it?"
        )
    return code
