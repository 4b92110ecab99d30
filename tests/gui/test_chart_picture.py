"""A new price paints its own strip of the chart, and what is seen then is what a whole new picture would show."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, QObject, QPoint, QRect
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPaintEvent, QRegion
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from gridbot.core.units import Price
from gridbot.core.values import evolve
from gridbot.gui.chart import Chart
from gridbot.gui.chart_layers import Sheet
from gridbot.gui.chart_panel import CHART_PAUSE_MS
from gridbot.gui.chart_picture import Picture
from gridbot.gui.chart_scene import Fills, Level, LevelKind
from gridbot.gui.theme import Theme, Trading, colours_of
from gridbot.gui.window import Window
from tests.gui.fake_facade import FakeFacade
from tests.gui.test_chart import candles, ladder

WIDE, TALL = 640, 420
DARK = colours_of(Theme.DARK, Trading.GREEN_RED)


class Regions(QObject):
    """Notes what of a widget each paint event is about."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[QRegion] = []

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QPaintEvent):
            self.seen.append(QRegion(event.region()))
        return False


def charted(prices: list[float]) -> list[Sheet]:
    """Return the sheets of one chart at some newest prices, all within what is in view."""
    chart, data = Chart(DARK), candles(200)
    chart.resize(WIDE, TALL)
    chart.show_candles(data, timeframe=60_000, fresh=True)
    newest = float(data.open_time[-1]) / 1000
    seconds = data.open_time[-8:] / 1000 + 30
    fills = Fills(seconds, data.close[-8:], seconds > newest - 200)
    low, high = float(data.low[-60:].min()), float(data.high[-60:].max())
    sheets = []
    for price in prices:
        last = low + (high - low) * price
        levels = (*ladder(12, low, high), Level(last, LevelKind.LAST, f"{last:,.2f}"))
        chart.show_marks(levels=levels, bands=(), last=last, fills=fills, empty="")
        sheets.append(chart.sheet())
    return sheets


def painted(picture: Picture, sheet: Sheet, image: QImage, part: QRect | None = None) -> None:
    painter = QPainter(image)
    if part is not None:
        painter.setClipRect(part)
    picture.paint(painter, sheet, image.size(), QFont(), 1.0)
    painter.end()


def blank() -> QImage:
    image = QImage(WIDE, TALL, QImage.Format.Format_RGB32)
    image.fill(QColor("black"))
    return image


@settings(max_examples=40, deadline=None)
@given(prices=st.lists(st.floats(0, 1), min_size=2, max_size=5))
def test_strip_by_strip_it_becomes_what_a_whole_picture_would_be(qapp: QApplication, prices: list[float]) -> None:
    whole, seen, picture = QRect(0, 0, WIDE, TALL), blank(), Picture()
    sheets = charted(prices)
    painted(picture, sheets[0], seen)
    waiting = QRect()
    for before, now in pairwise(sheets):
        waiting = waiting.united(picture.touched(before, now, whole))
    painted(picture, sheets[-1], seen, waiting)
    anew = blank()
    painted(Picture(), sheets[-1], anew)
    assert seen == anew


@pytest.fixture
def watched(window: Window, qtbot: QtBot) -> tuple[Chart, Regions]:
    chart, regions = window.market.chart, Regions()
    qtbot.waitUntil(lambda: chart.picture.grounds > 0)
    chart.installEventFilter(regions)
    return chart, regions


def with_price(facade: FakeFacade, part: str) -> None:
    """Let the first market trade a little away from where it is."""
    view = facade.view()
    market = view.markets[0]
    assert market.last is not None
    moved = Price(market.last + market.last * Decimal(part) / 100)
    facade.show(evolve(view, beat=view.beat + 1, markets=(evolve(market, last=Price(moved)), *view.markets[1:])))


def test_a_new_price_paints_a_strip_and_no_candles(
    window: Window, facade: FakeFacade, watched: tuple[Chart, Regions], qtbot: QtBot
) -> None:
    chart, regions = watched
    grounds = chart.picture.grounds
    with_price(facade, "0.001")
    window.drain.take()
    qtbot.waitUntil(lambda: bool(regions.seen))
    assert chart.picture.grounds == grounds, "the candles were painted again"
    spots = [QPoint(x, y) for x in range(0, chart.width(), 9) for y in range(0, chart.height(), 9)]
    assert 0 < sum(region.contains(spot) for spot in spots for region in regions.seen) < len(spots) / 3


def test_an_equal_view_paints_nothing(
    window: Window, facade: FakeFacade, watched: tuple[Chart, Regions], qtbot: QtBot
) -> None:
    chart, regions = watched
    with_price(facade, "0")
    window.drain.take()
    qtbot.wait(60)
    assert not regions.seen and chart.pointer() is None


def test_a_new_minute_paints_the_candles(
    window: Window, facade: FakeFacade, watched: tuple[Chart, Regions], qtbot: QtBot
) -> None:
    chart, _ = watched
    grounds = chart.picture.grounds
    facade.live(30)
    qtbot.wait(CHART_PAUSE_MS + 10)
    window.drain.take()
    qtbot.waitUntil(lambda: chart.picture.grounds > grounds)
