"""The chart shows what the engine says, joins candles that are narrower than a pixel, and stays where one wants it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from gridbot.core.commands import FillBooked
from gridbot.core.units import Side
from gridbot.gui.chart import Chart
from gridbot.gui.chart_math import Scale, columns, price_range, segments, spread_out
from gridbot.gui.chart_scene import LevelKind, no_candles
from gridbot.gui.theme import Theme, Trading, colours_of
from gridbot.gui.window import Window
from gridbot.shell.facade import ChartData
from tests.gui.fake_facade import FakeFacade
from tests.gui.finding import said


def candles(count: int, seed: int = 1) -> ChartData:
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, count)))
    opened = np.concatenate(([100.0], close[:-1]))
    high, low = np.maximum(opened, close) * 1.001, np.minimum(opened, close) * 0.999
    none = np.full(count, np.nan)
    times = 60_000 * np.arange(count, dtype=np.int64)
    return ChartData(times, opened, high, low, close, none, close, none)


@given(count=st.integers(2, 3000), width=st.integers(20, 900), part=st.floats(0.05, 1.0))
def test_joined_candles_lose_no_high_and_no_low(count: int, width: int, part: float) -> None:
    data = candles(count)
    times = data.open_time / 1000
    right = float(times[-1]) + 60
    scale = Scale(right * (1 - part), right, 1.0, 2.0, float(width), 100.0)
    seen = columns(data, times, 60.0, scale)
    # The candle at the left edge may be cut; from the first whole one on nothing is missing.
    first = int(np.searchsorted(times, scale.left - 60, side="left"))
    assert seen.high.max() == data.high[first:].max() and seen.low.min() == data.low[first:].min()
    assert seen.close[-1] == data.close[-1]
    assert len(seen.middle) <= max(width / 2 + 2, 2)


def test_levels_are_taken_in_while_the_candles_keep_half_of_the_height() -> None:
    low, high = np.array([100.0]), np.array([110.0])
    assert price_range(low, high, [95.0, 80.0, 10.0], last=None) == pytest.approx((95 - 0.9, 110 + 0.9))
    assert price_range(np.empty(0), np.empty(0), [95.0], last=None) is None


def test_labels_never_lie_on_each_other_and_the_first_win() -> None:
    assert spread_out([50.0, 55.0, 80.0, 45.0, 66.0], 14) == [0, 2, 4]


def test_a_missing_value_breaks_the_line() -> None:
    lines = segments(np.arange(4.0), np.array([1.0, 2.0, np.nan, 3.0]))
    assert lines.tolist() == [[0.0, 1.0, 1.0, 2.0]]


def test_the_lines_are_those_of_the_snapshot(window: Window, facade: FakeFacade) -> None:
    snapshot, scene = facade.view().snapshot, window.market.chart.scene_now()
    grid = snapshot.grids[0]
    sells = [order for order in snapshot.orders if order.symbol == grid.symbol and order.side is Side.SELL]
    by_kind = {kind: sorted(each.price for each in scene.levels if each.kind is kind) for kind in LevelKind}
    assert by_kind[LevelKind.SELL] == sorted(float(order.price) for order in sells) != []
    assert by_kind[LevelKind.BUY] == sorted(float(slot.price) for slot in grid.slots if slot.order is not None) != []
    assert by_kind[LevelKind.AVERAGE] == [float(grid.average_cost or 0)]
    assert by_kind[LevelKind.LAST] == [float(facade.view().markets[0].last or 0)]
    assert {band.bought for band in scene.bands} == {float(cell.buy_price) for cell in grid.cells}
    fills = [note for note in facade.past() if isinstance(note, FillBooked) and note.grid == grid.id]
    assert scene.fills.prices.tolist() == [float(fill.price) for fill in fills] != []


def test_the_chart_follows_the_newest_candle_until_one_moves_away(window: Window, facade: FakeFacade) -> None:
    chart = window.market.chart
    assert chart.follows()
    QTest.keyClick(chart, Qt.Key.Key_Home)
    assert not chart.follows()
    (left, _), _ = chart.box.viewRange()
    assert left <= float(chart.scene_now().times[0])
    QTest.keyClick(chart, Qt.Key.Key_F)
    (_, right), _ = chart.box.viewRange()
    assert chart.follows() and right > float(chart.scene_now().times[-1])


def test_a_chart_whose_candles_come_late_shows_as_many_as_any(window: Window, facade: FakeFacade) -> None:
    chart = window.market.chart
    whole = facade.chart(facade.markets[0].instrument.symbol, 60_000, None)
    chart.show_candles(no_candles(), timeframe=60_000, fresh=True)
    chart.show_candles(whole, timeframe=60_000, fresh=False)
    (left, right), _ = chart.box.viewRange()
    assert 100 < np.count_nonzero((chart.scene_now().times > left) & (chart.scene_now().times < right)) < 200


def test_plus_and_minus_zoom_around_the_newest_candle(window: Window) -> None:
    chart = window.market.chart
    (left, right), _ = chart.box.viewRange()
    QTest.keyClick(chart, Qt.Key.Key_Plus)
    (nearer, _), _ = chart.box.viewRange()
    assert nearer > left
    QTest.keyClick(chart, Qt.Key.Key_Minus)
    (again, end), _ = chart.box.viewRange()
    assert again == pytest.approx(left, abs=(right - left) * 0.05) and end == pytest.approx(right, abs=right * 1e-3)


def test_another_timeframe_shows_its_own_candles(window: Window, facade: FakeFacade) -> None:
    frames = window.market._frames
    frames.setCurrentIndex(frames.findText("1h"))
    frames.activated.emit(frames.currentIndex())
    scene = window.market.chart.scene_now()
    assert scene.step == 3600 and np.diff(scene.times).min() == 3600
    assert window.context.preferences.timeframe == 3_600_000


def test_under_the_crosshair_stand_the_candle_and_the_reason_of_the_slot(window: Window, facade: FakeFacade) -> None:
    grid = facade.view().snapshot.grids[0]
    slot = next(slot for slot in grid.slots if slot.order is not None)
    chart = window.market.chart
    assert " O " in said(window.market, "Under the crosshair")
    assert "Its buy order rests." in chart.slot_words(slot.price, slot.price / 10_000)
    assert chart.slot_words(slot.price * 2, slot.price / 10_000) == ""


def test_a_chart_without_candles_measures_nothing_and_measures_once_they_come(qtbot: QtBot) -> None:
    chart = Chart(colours_of(Theme.LIGHT, Trading.GREEN_RED))
    qtbot.addWidget(chart)
    chart.resize(600, 400)
    chart.show()
    qtbot.waitExposed(chart)
    chart.grab()
    axes = [chart.getPlotItem().getAxis(name) for name in ("right", "bottom")]
    assert [len(axis.ticks) for axis in axes] == [0, 0]
    chart.show_candles(candles(300), timeframe=60_000, fresh=True)
    chart.grab()
    assert all(len(axis.ticks) > 2 for axis in axes)
