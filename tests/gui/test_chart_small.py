"""A small plot tells the values under the pointer, keeps the extremes of what it joins, and shows why it is empty."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from gridbot.gui.chart_math import Scale, pixel_columns
from gridbot.gui.chart_small import Curve, Drawn, SmallPlot, percent_figure
from gridbot.gui.theme import Theme, Trading, colours_of

HOUR = 3_600_000
START = 1_760_000_000_000 // HOUR * HOUR
LIGHT = colours_of(Theme.LIGHT, Trading.GREEN_RED)


def plot(qtbot: QtBot, name: str = "Equity (USDT)") -> SmallPlot:
    made = SmallPlot(name, LIGHT)
    qtbot.addWidget(made)
    made.resize(500, 160)
    made.show()
    qtbot.waitExposed(made)
    return made


def hours(count: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return START + HOUR * np.arange(count, dtype=np.int64)


def colours_in(picture: QImage) -> set[str]:
    return {picture.pixelColor(x, y).name() for x in range(picture.width()) for y in range(picture.height())}


@given(count=st.integers(1, 4000), width=st.integers(20, 700))
def test_joined_values_lose_no_extreme(count: int, width: int) -> None:
    seconds = np.arange(count, dtype=float)
    values = np.random.default_rng(count).normal(0, 1, count)
    starts, ends = pixel_columns(seconds, Scale(0.0, max(1.0, count - 1.0), 0.0, 1.0, float(width), 10.0))
    assert starts[0] == 0 and ends[-1] == count - 1 and (starts[1:] == ends[:-1] + 1).all()
    assert np.maximum.reduceat(values, starts).max() == values.max()
    assert len(starts) <= width


def test_the_heading_tells_the_newest_values_and_those_under_the_pointer(qtbot: QtBot) -> None:
    made = plot(qtbot)
    made.show_curves(hours(11), Curve("grid", np.linspace(100, 110, 11)), Curve("held", np.linspace(100, 90, 11), "up"))
    assert made.reading().endswith("grid 110.00   held 90.00")
    assert made.accessibleDescription() == made.reading()
    with qtbot.waitSignal(made.pointed) as told:
        QTest.mouseMove(made, made.rect().topLeft() + made.rect().center())
    assert told.args is not None and START < told.args[0] < START + 10 * HOUR
    assert "grid 110.00" not in made.reading()
    QTest.keyClick(made, Qt.Key.Key_Home)
    assert made.reading().endswith("grid 100.00   held 100.00")
    QTest.keyClick(made, Qt.Key.Key_Right)
    assert made.reading().endswith("grid 101.00   held 99.00")


def test_plots_beside_each_other_tell_the_same_moment(qtbot: QtBot) -> None:
    upper, lower = plot(qtbot), plot(qtbot, "Drawdown")
    upper.show_curves(hours(10), Curve("grid", np.arange(10.0)))
    lower.show_curves(hours(5), Curve("drawdown", np.arange(5.0)))
    upper.pointed.connect(lower.point_at)
    upper.setFocus()
    QTest.keyClick(upper, Qt.Key.Key_Home)
    QTest.keyClick(upper, Qt.Key.Key_Right)
    assert lower.reading().endswith("drawdown 1.00")


def test_bars_have_the_colours_of_up_and_down_and_a_missing_value_is_a_dash(qtbot: QtBot) -> None:
    made = plot(qtbot, "Profit by day")
    made.show_curves(hours(4), Curve("profit", np.array([3.0, -2.0, 1.0, np.nan]), "up", Drawn.BARS))
    assert made.reading().endswith("profit -")
    seen = colours_in(made.grab().toImage())
    assert {LIGHT.up, LIGHT.down} <= seen
    assert QColor(LIGHT.base).name() in seen


def test_what_is_empty_says_why_and_one_value_alone_is_shown(qtbot: QtBot) -> None:
    made = plot(qtbot)
    made.show_nothing("No round trip yet.")
    assert made.accessibleDescription() == "No round trip yet."
    made.grab()
    made.show_curves(hours(1), Curve("grid", np.array([5.0]), "accent", Drawn.AREA))
    assert LIGHT.accent in colours_in(made.grab().toImage())


def test_curves_that_do_not_fit_their_times_are_refused(qtbot: QtBot) -> None:
    with pytest.raises(ValueError, match="one value for each time"):
        plot(qtbot).show_curves(hours(3), Curve("grid", np.arange(2.0)))
    assert percent_figure(-0.0123) == "-1.23 %"


def test_a_part_that_is_set_apart_has_a_ground_of_its_own(qtbot: QtBot) -> None:
    made = plot(qtbot)
    made.show_curves(hours(11), Curve("grid", np.linspace(100, 110, 11)))
    made.set_apart(START + 5 * HOUR, "learnt", "unseen")
    picture = made.grab().toImage()
    left, right = picture.copy(8, 24, 190, 20), picture.copy(240, 100, 180, 20)
    assert LIGHT.hover in colours_in(left) and LIGHT.base not in colours_in(left)
    assert LIGHT.base in colours_in(right) and LIGHT.hover not in colours_in(right)
    made.set_apart(None)
    assert LIGHT.hover not in colours_in(made.grab().toImage())


@pytest.mark.parametrize("drawn", list(Drawn))
@pytest.mark.parametrize("level", [0.0, -3.0, 250.0])
def test_what_never_moves_is_painted_too(drawn: Drawn, level: float, qtbot: QtBot) -> None:
    """The falls of a run that never fell are zeros from end to end."""
    made = plot(qtbot)
    made.show_curves(hours(11), Curve("grid", np.full(11, level), "accent", drawn))
    assert LIGHT.accent in colours_in(made.grab().toImage())
