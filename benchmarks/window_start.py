"""Opens a window in this process, the real application or a bare one, and tells when it was painted.

Nothing is imported here that a window needs: the application does it in its own order, as the command does.

`python window_start.py gridbot|peer SECONDS`: the window stays for so long after its first paint, then its
memory is told. The application takes its folder from the environment, as always.
"""

from __future__ import annotations

import sys
from time import perf_counter, process_time
from typing import TYPE_CHECKING

from window_figures import resident_bytes, tell

if TYPE_CHECKING:
    from PySide6.QtGui import QPaintEvent

    from gridbot.adapters.files.home import Home


class Witness:
    """Stands in a main window's paintEvent: tells the first one once all within the window is painted too."""

    def __init__(self, stays_s: float) -> None:
        self._stays_s = stays_s
        self._seen = False
        self._began = self._used = 0.0

    def saw(self) -> None:
        """Note a paint event of the main window; its children are painted before the next turn of the loop."""
        from PySide6.QtCore import QTimer

        if not self._seen:
            self._seen = True
            QTimer.singleShot(0, self._painted)

    def _painted(self) -> None:
        from PySide6.QtCore import QTimer

        tell("painted")
        self._began, self._used = perf_counter(), process_time()
        QTimer.singleShot(round(self._stays_s * 1000), self._leave)

    def _leave(self) -> None:
        from PySide6.QtWidgets import QApplication

        if self._stays_s:
            used = (process_time() - self._used) / (perf_counter() - self._began)
            tell("lived", resident_bytes=resident_bytes(), core_share=used)
        QApplication.closeAllWindows()


def open_application(witness: Witness) -> None:
    """Do what the command `gridbot` does, with a witness in the window's paintEvent."""
    import gridbot.cli as command
    from gridbot.cli_app import gridbot_home as find_home

    def home_found() -> Home:
        # The command asks for it when all that the window needs is imported, and before anything is built.
        from PySide6.QtWidgets import QMainWindow

        from gridbot.gui.window import Window

        def paint(window: Window, event: QPaintEvent) -> None:
            QMainWindow.paintEvent(window, event)
            witness.saw()

        Window.paintEvent = paint  # type: ignore[assignment, method-assign]
        return find_home()

    vars(command)["gridbot_home"] = home_found
    sys.exit(command.ending([]))


def open_bare_window(witness: Witness) -> None:
    """Open a main window with an empty plot and nothing else."""
    import pyqtgraph as pg
    from PySide6.QtWidgets import QApplication, QMainWindow

    class Seen(pg.PlotWidget):  # type: ignore[misc]
        # It covers the main window, which therefore is never painted itself.
        def paintEvent(self, event: QPaintEvent) -> None:
            super().paintEvent(event)
            witness.saw()

    app = QApplication(sys.argv[:1])
    window = QMainWindow()
    window.setCentralWidget(Seen())
    window.resize(1240, 800)
    window.show()
    sys.exit(app.exec())


if __name__ == "__main__":
    {"gridbot": open_application, "peer": open_bare_window}[sys.argv[1]](Witness(float(sys.argv[2])))
