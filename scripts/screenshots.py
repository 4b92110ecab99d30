"""Takes the pictures of README.md from the real application: a demo account of its own, thrown away afterwards."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from gridbot.adapters.files.home import Home
from gridbot.bootstrap import open_engine, window_preferences
from gridbot.config import default_config
from gridbot.gui.theme import Theme
from gridbot.gui.window import TITLES, Window

TARGET = Path(__file__).resolve().parent.parent / "docs" / "screenshots"
WIDTH, HEIGHT = 1240, 780
SPEED = 7_200
"""Two hours of the market in a second, so that a picture has a few days of trading in it."""
LIVED_S = 25.0
LIMIT_BYTES = 300_000
DARK = ("Orders", "Logs")
"""These are shown in the dark theme, so that the pictures show both."""


def wait(seconds: float) -> None:
    """Let the window live."""
    loop = QEventLoop()
    QTimer.singleShot(round(seconds * 1000), loop.quit)
    loop.exec()


def take_pictures(window: Window) -> None:
    """Save each tab."""
    TARGET.mkdir(parents=True, exist_ok=True)
    for number, title in enumerate(TITLES):
        window.show_theme(Theme.DARK if title in DARK else Theme.LIGHT)
        window.tabs.setCurrentIndex(number)
        if title == "Orders":
            window.orders.show_page("Round trips")
        elif title == "Logs":
            window.logs.table.selectRow(1)
        elif title == "Settings":
            window.settings.open_section("risk")
        wait(0.5)
        path = TARGET / f"{title.lower()}.png"
        if not window.grab().save(str(path)) or path.stat().st_size > LIMIT_BYTES:
            sys.exit(f"{path} could not be written, or is larger than {LIMIT_BYTES} bytes.")
        print(path.relative_to(TARGET.parent.parent), path.stat().st_size, "bytes")


def main() -> None:
    """Open the demo, let it trade, take the pictures."""
    app = QApplication(sys.argv[:1])
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        config = default_config()
        config = config.model_copy(update={"demo": config.demo.model_copy(update={"speed": SPEED})})
        engine = open_engine(home, config)
        engine.start()
        try:
            window = Window(engine.facade, window_preferences(home))
            window.resize(WIDTH, HEIGHT)
            window.show()
            wait(LIVED_S)
            take_pictures(window)
            window.close()
        finally:
            engine.stop()
    app.quit()


if __name__ == "__main__":
    main()
