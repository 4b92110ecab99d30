"""The application opens, takes its picture and leaves; without a display it says so; it imports nothing heavy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QTimer
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from gridbot.core.units import Side
from gridbot.errors import EnvironmentProblem
from gridbot.gui.app import require_display, run_window
from gridbot.gui.backtest_plot import BacktestPlot, FillMark, SlotStep, plot_backtest
from gridbot.gui.dialogs import Dialog
from gridbot.gui.plot_ticks import time_ticks, value_ticks
from gridbot.gui.theme import Theme
from gridbot.gui.window import RESTART, Window
from tests.gui.fake_facade import FakeFacade, MemoryStore

HEAVY = "ccxt duckdb structlog rich typer scipy pandas matplotlib numba sqlite3 sqlalchemy asyncio"


def test_the_window_imports_nothing_heavy_before_it_paints() -> None:
    code = f"import sys, gridbot.gui.app; print([m for m in '{HEAVY}'.split() if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_it_saves_a_picture_and_leaves(qtbot: QtBot, tmp_path: Path) -> None:
    store = MemoryStore()
    target = tmp_path / "window.png"
    code = run_window(FakeFacade(), preferences=store, exit_after=0.2, screenshot=target, theme=Theme.DARK)
    assert code == 0 and QImage(str(target)).width() >= 960
    assert store.saved["theme"] == "system", "a theme of the command line is not remembered"
    assert store.saved["geometry"]


def test_a_picture_that_cannot_be_written_is_an_error(qtbot: QtBot, tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem, match="cannot be written"):
        run_window(FakeFacade(), preferences=MemoryStore(), exit_after=0, screenshot=tmp_path / "no" / "where.png")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux can be without a display")
def test_without_a_display_it_is_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(EnvironmentProblem, match="no display") as caught:
        require_display()
    assert "gridbot run" in caught.value.hint
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    require_display()


def plot(count: int) -> BacktestPlot:
    rng = np.random.default_rng(5)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, count)))
    equity = 1000 + np.cumsum(rng.normal(0, 1, count))
    peak = np.maximum.accumulate(equity) if count else equity
    return BacktestPlot(
        title="a test",
        base="BTC",
        quote="USDT",
        open_time=1_700_000_000_000 + 60_000 * np.arange(count, dtype=np.int64),
        low=close * 0.99,
        high=close * 1.01,
        close=close,
        fills=[FillMark(time=1_700_000_000_000 + 60_000 * n, side=Side.BUY, price=100.0) for n in range(0, count, 50)],
        slots=[SlotStep(time=1_700_000_000_000, prices=(99.0, 98.0))] if count else [],
        equity=equity,
        buy_and_hold=1000 * close / 100,
        drawdown=1 - equity / peak,
    )


@pytest.mark.parametrize("count", [0, 1, 2, 5000])
def test_a_backtest_becomes_a_picture(qtbot: QtBot, tmp_path: Path, count: int) -> None:
    target = tmp_path / "out.png"
    plot_backtest(plot(count), target)
    image = QImage(str(target))
    assert (image.width(), image.height()) == (1600, 1200)
    colours = {image.pixelColor(x, y).name() for x in range(0, 1600, 4) for y in range(80, 1200, 4)}
    assert ("#1d5dbf" in colours) is (count > 0), "the equity curve is drawn where there is one"


def test_a_picture_of_a_backtest_that_cannot_be_written_is_an_error(qtbot: QtBot, tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem, match="cannot be written"):
        plot_backtest(plot(10), tmp_path / "no" / "out.png")


def test_ticks_are_round_and_few() -> None:
    assert [text for _, text in value_ticks(0.0, 1.0, 5)] == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]
    assert [text for _, text in time_ticks(0, 3 * 86_400, 4)][:2] == ["01 Jan 1970", "02 Jan 1970"]
    year = time_ticks(0, 365 * 86_400, 9)
    assert 3 <= len(year) <= 10 and year[1][1].endswith("1970")


@pytest.mark.parametrize("again", [False, True], ids=["closed", "begun anew"])
def test_hidden_beside_the_clock_it_goes_on_until_it_is_closed(qtbot: QtBot, again: bool) -> None:
    seen: list[str] = []

    def window() -> Window:
        return next(each for each in QApplication.topLevelWidgets() if isinstance(each, Window) and each.isVisible())

    def hide() -> None:
        shown = window()
        shown.tray.toggle.trigger()
        asked = Dialog("A question", shown)
        asked.present()
        asked.close()
        QTimer.singleShot(300, shown, lambda: go_on(shown))

    def go_on(hidden: Window) -> None:
        seen.append("hidden" if not hidden.isVisible() else "seen")
        if again:
            hidden.restart()
        else:
            hidden.leave()

    QTimer.singleShot(200, hide)
    code = run_window(FakeFacade(), preferences=MemoryStore({"welcomed": True}))
    assert seen == ["hidden"] and code == (RESTART if again else 0)
