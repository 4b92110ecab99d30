"""Takes pictures of every screen from the real application, over a demo account that is thrown away afterwards.

All of them, in both themes at three sizes, go into build/screenshots, to be looked at; the chosen ones of README.md go
into docs/screenshots. `--only NAME` takes one screen, in every theme and size, and leaves docs alone.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QDialog, QPushButton, QWidget

from gridbot.adapters.files.home import Home
from gridbot.adapters.logbook.masking import Mask
from gridbot.bootstrap import open_engine, window_preferences
from gridbot.bootstrap_desks import window_desks
from gridbot.config import AppConfig, default_config
from gridbot.gui.preferences import Preferences
from gridbot.gui.theme import Theme
from gridbot.gui.window import TITLES, Window
from gridbot.shell.facade import ReleaseKill

ROOT = Path(__file__).resolve().parent.parent
ALL, CHOSEN = ROOT / "build" / "screenshots", ROOT / "docs" / "screenshots"
SIZES = ((1024, 640), (1440, 900), (2560, 1440))
CHOSEN_SIZE = (1240, 780)
DARK = frozenset({"orders", "logs", "backtest"})
"""These are chosen in the dark theme, so that README's pictures show both."""
SPEED = 7_200
"""Two hours of the market in a second, so that a picture has a few days of trading in it."""
LIVED_S, SETTLED_S, READ_S, TESTED_S, SEARCHED_S = 25.0, 0.6, 3.0, 15.0, 60.0
LIMIT_BYTES = 300_000

Open = Callable[[], QWidget]


def wait(seconds: float) -> None:
    """Let the window live."""
    loop = QEventLoop()
    QTimer.singleShot(round(seconds * 1000), loop.quit)
    loop.exec()


class Screens:
    """Every screen by its name, with what brings it into view and the widget that is its picture."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self._tested = self._searched = False

    def __iter__(self) -> Iterator[tuple[str, Open]]:
        for number, title in enumerate(TITLES):
            yield title.lower(), lambda n=number: self._tab(n)  # type: ignore[misc]
        yield "grid-form", self._grid_form
        yield "search-form", self._search_form
        yield "search", self._search
        yield "first-steps", self._first_steps
        yield "tour", self._tour
        yield "guide", self._guide
        yield "stopped", self._stopped

    def _tab(self, number: int) -> QWidget:
        self._window.tabs.setCurrentIndex(number)
        title = TITLES[number]
        if title == "Orders":
            self._window.orders.show_page("Round trips")
        elif title == "Logs":
            self._window.logs.table.selectRow(1)
        elif title == "Settings":
            self._window.settings.open_section("safety")
        elif title == "Backtest" and not self._tested:
            self._test()
        elif title == "Backtest":
            self._press("Backtest: Result")
        elif title == "Portfolio":
            wait(READ_S)
        return self._window

    def _test(self) -> None:
        """Run a backtest on the demo market, as a person would."""
        wait(SETTLED_S)
        page = self._window.backtest
        kind = next(each for each in page.findChildren(QComboBox) if each.accessibleName() == "Candles from")
        kind.setCurrentText("The demo market")
        kind.activated.emit(kind.currentIndex())
        next(each for each in page.findChildren(QPushButton) if each.text() == "Run backtest").click()
        wait(TESTED_S)
        self._tested = True

    def _dialog(self) -> QWidget:
        return next(each for each in QApplication.topLevelWidgets() if isinstance(each, QDialog) and each.isVisible())

    def _grid_form(self) -> QWidget:
        self._tab(0)
        self._window.market.edit_grid()
        return self._dialog()

    def _search_form(self) -> QWidget:
        self._tab(TITLES.index("Backtest"))
        self._press("Walk forward")
        return self._dialog()

    def _search(self) -> QWidget:
        """Search on the demo market, walking forward over two settings, as a person would."""
        if self._searched:
            self._tab(TITLES.index("Backtest"))
            self._press("Backtest: Searches")
            return self._window
        self._search_form()
        wait(SETTLED_S)
        self._press("Vary Take profit (spacings)")
        self._press("Start the search")
        wait(SEARCHED_S)
        self._searched = True
        return self._window

    def _press(self, name: str) -> None:
        found = (each for top in QApplication.topLevelWidgets() for each in top.findChildren(QAbstractButton))
        next(each for each in found if each.accessibleName() == name).click()

    def _first_steps(self) -> QWidget:
        self._window.welcome.ask(self._window.context.facade.view())
        return self._dialog()

    def _tour(self) -> QWidget:
        self._window.welcome.walk()
        return self._window

    def _guide(self) -> QWidget:
        self._window.welcome.help("grid")
        assert self._window.welcome.guide is not None
        return self._window.welcome.guide

    def _stopped(self) -> QWidget:
        self._window.stop()
        wait(2.0)
        return self._tab(0)

    def close(self) -> None:
        """Put away what lies over the window, and trade again."""
        for each in QApplication.topLevelWidgets():
            if isinstance(each, QDialog) and each.isVisible():
                each.reject()
        if self._window.welcome.guide is not None:
            self._window.welcome.guide.close()
        if self._window.welcome.tour is not None:
            self._window.welcome.tour.end()
        if self._window.context.facade.view().snapshot.kill is not None:
            self._window.context.facade.ask(ReleaseKill("screenshots"))
            wait(2.0)


def save(widget: QWidget, path: Path, *, limit: int | None = None) -> None:
    """Write the picture of a widget; leave with a sentence where that fails."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not widget.grab().save(str(path)) or (limit is not None and path.stat().st_size > limit):
        sys.exit(f"{path} could not be written, or is larger than {limit} bytes.")
    print(path.relative_to(ROOT), path.stat().st_size, "bytes", flush=True)


def take_all(window: Window, screens: Screens, only: str | None) -> None:
    """Save every screen in each theme and size."""
    for theme in (Theme.LIGHT, Theme.DARK):
        window.show_theme(theme)
        for width, height in SIZES:
            window.resize(width, height)
            for name, opened in screens:
                if only in {None, name}:
                    widget = opened()
                    wait(SETTLED_S)
                    save(widget, ALL / f"{theme.value}-{width}x{height}" / f"{name}.png")
                    screens.close()


def take_chosen(window: Window, screens: Screens) -> None:
    """Save the tabs for README.md."""
    window.resize(*CHOSEN_SIZE)
    for name, opened in screens:
        if name in {title.lower() for title in TITLES}:
            window.show_theme(Theme.DARK if name in DARK else Theme.LIGHT)
            widget = opened()
            wait(SETTLED_S)
            save(widget, CHOSEN / f"{name}.png", limit=LIMIT_BYTES)


def demo() -> AppConfig:
    """Return the configuration of the account that is shown."""
    config = default_config()
    return config.model_copy(update={"demo": config.demo.model_copy(update={"speed": SPEED})})


def main() -> None:
    """Open the demo, let it trade, take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="the name of one screen")
    only = parser.parse_args().only
    app = QApplication(sys.argv[:1])
    with tempfile.TemporaryDirectory() as folder:
        home, config = Home(Path(folder)), demo()
        engine = open_engine(home, config)
        engine.start()
        try:
            store = window_preferences(home)
            store.save(Preferences({"welcomed": True}).as_data())
            window = Window(engine.facade, store, window_desks(home, {}, Mask(), config))
            window.resize(*CHOSEN_SIZE)
            window.show()
            wait(LIVED_S)
            screens = Screens(window)
            if only is None:
                take_chosen(window, screens)
            take_all(window, screens, only)
            window.leave()
        finally:
            engine.stop()
    app.quit()


if __name__ == "__main__":
    main()
