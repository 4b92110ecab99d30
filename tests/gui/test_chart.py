"""The chart shows what the engine says, joins candles that are narrower than a pixel, and stays where one wants."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QCoreApplication, QPoint, QPointF, Qt
from PySide6.QtGui import QFontMetricsF, QWheelEvent
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from gridbot.core.commands import FillBooked
from gridbot.core.units import Side
from gridbot.core.values import evolve
from gridbot.gui import words
from gridbot.gui.chart import Chart
from gridbot.gui.chart_axes import price_marks, time_marks
from gridbot.gui.chart_labels import labelled, placed
from gridbot.gui.chart_math import Scale, columns, forming, price_range, segments, spread_out
from gridbot.gui.chart_scene import FillColumns, Level, LevelKind, no_candles
from gridbot.gui.theme import Theme, Trading, colours_of
from gridbot.gui.window import Window
from gridbot.shell.facade import ChartData
from tests.gui.fake_facade import FakeFacade

LIGHT = colours_of(Theme.LIGHT, Trading.GREEN_RED)


def candles(count: int, seed: int = 1) -> ChartData:
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, count)))
    opened = np.concatenate(([100.0], close[:-1]))
    high, low = np.maximum(opened, close) * 1.001, np.minimum(opened, close) * 0.999
    none = np.full(count, np.nan)
    volume = rng.uniform(1, 9, count)
    times = 60_000 * np.arange(count, dtype=np.int64)
    return ChartData(times, opened, high, low, close, none, close, high - low, volume)


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
    assert seen.volume is not None and data.volume is not None
    # Whole columns of volume are summed; at the left edge the first column may begin a candle later.
    assert seen.volume.sum() <= data.volume[max(0, first - 1) :].sum() * (1 + 1e-9)


def test_levels_are_taken_in_while_the_candles_keep_half_of_the_height() -> None:
    low, high = np.array([100.0]), np.array([110.0])
    assert price_range(low, high, [95.0, 80.0, 10.0], last=None) == pytest.approx((95 - 0.9, 110 + 0.9))
    assert price_range(np.empty(0), np.empty(0), [95.0], last=None) is None


def test_labels_never_lie_on_each_other_and_the_first_win() -> None:
    assert spread_out([50.0, 55.0, 80.0, 45.0, 66.0], 14) == [0, 2, 4]


@given(st.lists(st.floats(-50, 900), max_size=80), st.floats(1, 40))
def test_whatever_label_was_left_out_would_have_lain_on_an_earlier_one(rows: list[float], height: float) -> None:
    chosen = spread_out(rows, height)
    taken: list[float] = []
    for number, row in enumerate(rows):
        assert (number in chosen) == all(abs(row - other) >= height for other in taken)
        if number in chosen:
            taken.append(row)


def test_a_missing_value_breaks_the_line() -> None:
    lines = segments(np.arange(4.0), np.array([1.0, 2.0, np.nan, 3.0]))
    assert lines.tolist() == [[0.0, 1.0, 1.0, 2.0]]


def shown(qtbot: QtBot, *, width: int = 700, height: int = 500) -> Chart:
    chart = Chart(LIGHT)
    qtbot.addWidget(chart)
    chart.resize(width, height)
    chart.show()
    qtbot.waitExposed(chart)
    return chart


def ladder(count: int, low: float, high: float) -> tuple[Level, ...]:
    kinds = (LevelKind.BUY, LevelKind.SELL, LevelKind.UNARMED, LevelKind.AVERAGE, LevelKind.ANCHOR)
    prices = np.linspace(low, high, count).tolist()
    return tuple(Level(price, kinds[at % 5], f"line {at}", "0.0123", "+1.23") for at, price in enumerate(prices))


def test_the_lines_are_those_of_the_snapshot(window: Window, facade: FakeFacade) -> None:
    snapshot, scene = facade.view().snapshot, window.market.chart.scene_now()
    grid = snapshot.grids[0]
    sells = [order for order in snapshot.orders if order.symbol == grid.symbol and order.side is Side.SELL]
    by_kind = {kind: sorted(each.price for each in scene.levels if each.kind is kind) for kind in LevelKind}
    assert by_kind[LevelKind.SELL] == sorted(float(order.price) for order in sells) != []
    assert by_kind[LevelKind.BUY] == sorted(float(slot.price) for slot in grid.slots if slot.order is not None) != []
    assert by_kind[LevelKind.AVERAGE] == [float(grid.average_cost or 0)]
    assert by_kind[LevelKind.ANCHOR] == [float(grid.anchor or 0)]
    assert by_kind[LevelKind.LAST] == [float(facade.view().markets[0].last or 0)]
    assert {band.bought for band in scene.bands} == {float(cell.buy_price) for cell in grid.cells}
    fills = [note for note in facade.past() if isinstance(note, FillBooked) and note.grid == grid.id]
    assert scene.fills.prices.tolist() == [float(fill.price) for fill in fills] != []
    buy = next(order for order in snapshot.orders if order.symbol == grid.symbol and order.side is Side.BUY)
    level = next(each for each in scene.levels if each.price == float(buy.price))
    assert (level.size, level.profit) == (f"{buy.quantity:.5f}", words.money(buy.profit, signed=True))


def test_fills_that_come_are_added_and_those_of_another_market_are_left_out(facade: FakeFacade) -> None:
    notes = [note for note in facade.past() if isinstance(note, FillBooked)]
    columns_of, grid = FillColumns(), frozenset({notes[0].grid})
    first = columns_of.take(notes[:-5], grid)
    assert first is not None and columns_of.take(notes[:-5], grid) is None
    grown = columns_of.take(notes, grid) or first
    assert list(grown.notes) == [note for note in notes if note.grid in grid]
    assert grown.prices.tolist() == [float(note.price) for note in grown.notes]
    assert columns_of.take(notes, frozenset()) is not None, "another market is told once"


@pytest.mark.parametrize(("count", "height"), [(3, 300), (60, 300), (200, 700)])
def test_labels_lie_in_the_view_and_none_on_another(qtbot: QtBot, count: int, height: int) -> None:
    chart = shown(qtbot, height=height)
    data = candles(300)
    chart.show_candles(data, timeframe=60_000, fresh=True)
    levels = ladder(count, float(data.low[-60:].min()), float(data.high[-60:].max()))
    chart.show_marks(levels=levels, bands=(), last=float(data.close[-1]), fills=None, empty="")
    labels = placed(chart.sheet(), *labelled(chart.sheet()), QFontMetricsF(chart.font()))
    area = chart.sheet().layout.prices
    assert len(labels) >= min(count, 5)
    for at, one in enumerate(labels):
        assert area.contains(one.place)
        assert not any(one.place.intersects(other.place) for other in labels[at + 1 :])
    newest = chart.sheet().prices.x(float(data.open_time[-1]) / 1000 + 60)
    armed = [each.place.left() for each in labels if each.level.kind in (LevelKind.BUY, LevelKind.SELL)]
    assert newest <= min(armed), "no label lies on the newest candle"


def test_the_chart_follows_the_newest_candle_until_one_moves_away(window: Window, facade: FakeFacade) -> None:
    chart = window.market.chart
    assert chart.follows()
    QTest.keyClick(chart, Qt.Key.Key_Home)
    assert not chart.follows()
    assert chart.lens.left <= float(chart.scene_now().times[0])
    QTest.keyClick(chart, Qt.Key.Key_F)
    assert chart.follows() and chart.lens.right > float(chart.scene_now().times[-1])
    QTest.keyClick(chart, Qt.Key.Key_Left)
    assert not chart.follows()
    QTest.keyClick(chart, Qt.Key.Key_Right)
    assert chart.follows(), "back where it was"
    QTest.keyClick(chart, Qt.Key.Key_Left)
    QTest.keyClick(chart, Qt.Key.Key_End)
    assert chart.follows()


def test_a_chart_whose_candles_come_late_shows_as_many_as_any(qtbot: QtBot) -> None:
    chart = shown(qtbot)
    chart.show_candles(no_candles(), timeframe=60_000, fresh=True)
    chart.show_candles(candles(900), timeframe=60_000, fresh=False)
    times = chart.scene_now().times
    assert 100 < np.count_nonzero((times > chart.lens.left) & (times < chart.lens.right)) < 200


def test_candles_in_front_leave_the_view_where_it_is(qtbot: QtBot) -> None:
    chart, whole = shown(qtbot), candles(900)
    part = ChartData(*(None if c is None else c[400:] for c in columns_in(whole)))  # type: ignore[arg-type]
    chart.show_candles(part, timeframe=60_000, fresh=True)
    chart.to_oldest()
    edges = (chart.lens.left, chart.lens.right)
    chart.show_candles(whole, timeframe=60_000, fresh=False)
    assert (chart.lens.left, chart.lens.right) == edges


def columns_in(data: ChartData) -> list[np.ndarray[tuple[int, ...], np.dtype[np.float64]] | None]:
    names = ("open_time", "open", "high", "low", "close", "ema_fast", "ema_slow", "atr", "volume")
    return [getattr(data, name) for name in names]


def test_plus_and_minus_zoom_around_the_newest_candle(window: Window) -> None:
    chart = window.market.chart
    left, right, span = chart.lens.left, chart.lens.right, chart.lens.span
    QTest.keyClick(chart, Qt.Key.Key_Plus)
    assert chart.lens.left > left
    QTest.keyClick(chart, Qt.Key.Key_Minus)
    assert chart.lens.left == pytest.approx(left, abs=span * 0.05)
    assert chart.lens.right == pytest.approx(right, abs=span * 0.05)


def wheel(chart: Chart, x: float, *, up: bool, shift: bool = False) -> None:
    where = QPointF(x, 100.0)
    modifiers = Qt.KeyboardModifier.ShiftModifier if shift else Qt.KeyboardModifier.NoModifier
    turned = QPoint(0, 120 if up else -120)
    phase, button = Qt.ScrollPhase.NoScrollPhase, Qt.MouseButton.NoButton
    event = QWheelEvent(where, where, QPoint(), turned, button, modifiers, phase, False)
    QCoreApplication.sendEvent(chart, event)


def test_the_wheel_zooms_around_the_pointer_and_with_shift_moves(qtbot: QtBot) -> None:
    chart = shown(qtbot)
    chart.show_candles(candles(2000), timeframe=60_000, fresh=True)
    chart.pan(-40_000)
    under, span = chart.sheet().prices.seconds(200.0), chart.lens.span
    wheel(chart, 200.0, up=True)
    assert chart.lens.span == pytest.approx(span * 0.85)
    assert chart.sheet().prices.seconds(200.0) == pytest.approx(under)
    left = chart.lens.left
    wheel(chart, 200.0, up=True, shift=True)
    assert chart.lens.left < left


def test_a_drag_moves_the_candles_with_the_mouse_and_the_axis_stretches_prices(qtbot: QtBot) -> None:
    chart = shown(qtbot)
    chart.show_candles(candles(2000), timeframe=60_000, fresh=True)
    under = chart.sheet().prices.seconds(200.0)
    QTest.mousePress(chart, Qt.MouseButton.LeftButton, pos=QPoint(200, 100))
    QTest.mouseMove(chart, QPoint(320, 100))
    QTest.mouseRelease(chart, Qt.MouseButton.LeftButton, pos=QPoint(320, 100))
    assert chart.sheet().prices.seconds(320.0) == pytest.approx(under) and not chart.follows()
    reach = chart.lens.top - chart.lens.bottom
    QTest.mousePress(chart, Qt.MouseButton.LeftButton, pos=QPoint(680, 100))
    QTest.mouseMove(chart, QPoint(680, 180))
    QTest.mouseRelease(chart, Qt.MouseButton.LeftButton, pos=QPoint(680, 180))
    assert chart.lens.top - chart.lens.bottom > reach
    QTest.mouseDClick(chart, Qt.MouseButton.LeftButton, pos=QPoint(300, 100))
    assert chart.follows() and chart.lens.fits


def test_who_looks_beyond_the_oldest_candle_wants_older_ones(qtbot: QtBot) -> None:
    chart = shown(qtbot)
    chart.show_candles(candles(300), timeframe=60_000, fresh=True)
    with qtbot.waitSignal(chart.history_wanted) as wanted:
        QTest.keyClick(chart, Qt.Key.Key_Home)
    assert wanted.args == [0]


def test_the_crosshair_reads_a_candle_and_keys_move_it_from_line_to_line(qtbot: QtBot) -> None:
    chart, data = shown(qtbot), candles(300)
    heard: list[str] = []
    chart.said.connect(heard.append)
    chart.show_candles(data, timeframe=60_000, fresh=True)
    chart.show_marks(levels=ladder(9, 100.0, 110.0), bands=(), last=None, fills=None, empty="", places=2)
    middle = chart.sheet().prices.x(250 * 60.0 + 30)
    chart.point(QPointF(middle, 50))
    assert heard[-1].startswith("1970-01-01 04:10") and f"C {data.close[250]:,.2f}" in heard[-1]
    QTest.keyClick(chart, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert heard[-1].startswith("1970-01-01 04:11")
    QTest.keyClick(chart, Qt.Key.Key_Down)
    pointer = chart.pointer()
    rows = [chart.sheet().prices.y(level.price) for level in chart.scene_now().levels]
    assert pointer is not None and pointer.y() in rows
    QTest.keyClick(chart, Qt.Key.Key_C)
    assert not chart.crosshair()
    chart.grab()
    chart.point(None)
    assert f"C {data.close[-1]:,.2f}" in heard[-1], "without a pointer the newest candle is told"


def test_the_candle_that_has_not_closed_stands_behind_the_newest_one() -> None:
    data = candles(10)
    last = float(data.close[-1])
    assert forming(data, 60.0, None) is None and forming(no_candles(), 60.0, last) is None
    now = forming(data, 60.0, last * 2)
    assert now is not None
    assert (now.opened, now.open, now.high, now.low, now.close) == (600.0, last, last * 2, last, last * 2)
    known = evolve(data, forming=(600_000, 5.0, 9.0, 4.0))
    now = forming(known, 60.0, 3.0)
    assert now is not None and (now.open, now.high, now.low, now.close) == (5.0, 9.0, 3.0, 3.0)
    stale = forming(evolve(data, forming=(540_000, 5.0, 9.0, 4.0)), 60.0, last)
    assert stale is not None and (stale.opened, stale.open) == (600.0, last), "that one has closed"


def test_panes_give_way_where_prices_would_have_too_little_room(qtbot: QtBot) -> None:
    chart = shown(qtbot, height=600)
    chart.show_candles(candles(300), timeframe=60_000, fresh=True)
    layout = chart.sheet().layout
    assert layout.atr is not None and layout.volume is not None
    assert not layout.atr.intersects(layout.volume) and not layout.volume.intersects(layout.prices)
    chart.show_pane("volume", False)
    assert chart.sheet().layout.volume is None and chart.sheet().layout.atr is not None
    chart.resize(500, 190)
    assert chart.sheet().layout.atr is None and chart.sheet().layout.prices.height() > 150
    chart.grab()


@given(
    left=st.integers(-86_400 * 400, 86_400 * 20_000),
    span=st.sampled_from([480, 3600, 86_400, 86_400 * 30, 86_400 * 900]),
    width=st.integers(200, 3000),
)
def test_times_on_the_axis_are_round_in_the_view_and_not_too_many(left: int, span: int, width: int) -> None:
    marks = time_marks(float(left), float(left + span), float(width))
    assert all(left <= mark.at <= left + span and mark.at % 60 == 0 for mark in marks)
    assert len(marks) <= max(2, width / 90) + 2
    assert all(mark.strong for mark in marks if mark.at % 86_400 == 0 and ":" not in mark.text and span <= 86_400)


def test_prices_on_the_axis_have_no_more_decimals_than_the_market() -> None:
    assert next(tick.text for tick in price_marks(99.9, 100.1, 200.0, places=1)).count(".") == 1
    assert all("." not in tick.text for tick in price_marks(90_000, 120_000, 400.0, places=2))


def test_a_chart_without_candles_measures_nothing_and_measures_once_they_come(qtbot: QtBot) -> None:
    chart = shown(qtbot)
    chart.grab()
    assert not chart.sheet().price_ticks and not chart.sheet().time_ticks
    chart.show_candles(candles(300), timeframe=60_000, fresh=True)
    chart.grab()
    assert len(chart.sheet().price_ticks) > 2 and len(chart.sheet().time_ticks) > 2


def test_the_candles_of_up_and_down_are_painted_in_their_colours(qtbot: QtBot) -> None:
    chart = shown(qtbot)
    chart.show_candles(candles(300), timeframe=60_000, fresh=True)
    picture = chart.grab().toImage()
    seen = {picture.pixelColor(x, y).name() for x in range(0, 600) for y in range(0, 330)}
    assert {LIGHT.up, LIGHT.down} <= seen
    chart.set_old(True, "No data for 12 s - no new orders until prices return")
    picture = chart.grab().toImage()
    seen = {picture.pixelColor(x, y).name() for x in range(0, 600) for y in range(0, 330)}
    assert not {LIGHT.up, LIGHT.down} & seen and LIGHT.warning in seen
