"""The lists of the Market tab: each grid with what it does in chips, each slot with what stands there in few words."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPalette
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from gridbot.core.explain import SlotReason, SlotView
from gridbot.core.rules import Instrument, Wish
from gridbot.core.snapshot import GridView
from gridbot.core.state import Phase, RangeState
from gridbot.gui import words
from gridbot.gui.context import Context
from gridbot.gui.measures import RADIUS_CONTROL, XS, S
from gridbot.gui.rows_model import Column

BETWEEN = " | "
_WISHES = {Wish.RUN: "ON", Wish.PAUSE: "PAUSED", Wish.SELL_ONLY: "SELLING"}
_PHASES = {Phase.WAITING: "WAITING", Phase.EXITING: "EXITING", Phase.STOPPED: "STOPPED"}
_RANGES = {RangeState.FULL: "FULL", RangeState.BELOW_RANGE: "BELOW", RangeState.WARMING_UP: "WARMING UP"}
CHIP_WORDS = {
    "ON": "The grid buys and sells.",
    "PAUSED": "It buys nothing new; its sells stay.",
    "SELLING": "It only sells what it holds, and stops when all is sold.",
    "WAITING": "It waits for its trigger price.",
    "EXITING": "It sells everything now, and then stops.",
    "STOPPED": "It has stopped and sends nothing.",
    "FULL": "Every cell holds coins and waits for its target.",
    "BELOW": "The price is under the lowest slot.",
    "WARMING UP": "It has not seen enough prices yet to begin.",
    "UP": "The trend is upward.",
    "DOWN": "The trend is downward: fewer slots may buy.",
    "VOL": "Volatility spiked: fewer slots may buy.",
    "ATR": "The price range jumped: it buys nothing until it is calm.",
}
"""What each chip means, for its tooltip."""


def chips(grid: GridView) -> tuple[str, ...]:
    """Return what a grid does, as the words of its chips."""
    first = _PHASES.get(grid.phase, _WISHES[grid.wish])
    found = [first]
    if grid.phase is Phase.ACTIVE:
        if grid.range in _RANGES:
            found.append(_RANGES[grid.range])
        if grid.trend in ("up", "down"):
            found.append(grid.trend.upper())
        found += [word for word, on in (("VOL", grid.spike), ("ATR", grid.breaker_open)) if on]
    return tuple(found)


def _chip_tip(grid: GridView) -> str:
    return "\n".join(f"{chip}: {CHIP_WORDS[chip]}" for chip in chips(grid))


def _quote(grid: GridView) -> str:
    return "" if grid.instrument is None else grid.instrument.quote


GRID_COLUMNS: tuple[Column[GridView], ...] = (
    Column(
        title="On",
        text=lambda g: "on" if g.wish is Wish.RUN else "off",
        order=lambda g: g.wish is not Wish.RUN,
        width=52,
        tip=lambda g: "Click to pause the grid." if g.wish is Wish.RUN else "Click to let the grid run.",
        about="Whether the grid buys; a click (or Space) pauses it, or lets it run.",
    ),
    Column(title="Grid", text=lambda g: g.id, order=lambda g: g.id, width=78, tip=lambda g: f"{g.id} on {g.symbol}"),
    Column(title="State", text=lambda g: BETWEEN.join(chips(g)), order=chips, width=104, tip=_chip_tip),
    Column(
        title="Profit",
        text=lambda g: words.money(g.total_profit, _quote(g), signed=True),
        order=lambda g: g.total_profit,
        width=104,
        right=True,
        bare=lambda g: words.bare(g.total_profit),
        ink=lambda g: "" if not g.total_profit else "up" if g.total_profit > 0 else "down",
        about="Everything the grid has won or lost: its round trips, and the coins that it holds at the price now.",
    ),
)
ON, STATE = 0, 2
"""Columns of the list of grids: the switch, and the chips."""

SHORT = {
    SlotReason.RESTING: "buy order rests",
    SlotReason.SENDING: "order on its way",
    SlotReason.UNRESOLVED: "order unclear - checking",
    SlotReason.WAITS_FOR_CANCEL: "waits for a cancel",
    SlotReason.DENIED: "order refused",
    SlotReason.HELD_NEARBY: "coins held near it",
    SlotReason.UNDER_MINIMUM: "under the minimum",
    SlotReason.NOT_UNDER_PRICE: "waits for the price",
    SlotReason.BEYOND_LIMIT: "not allowed now",
    SlotReason.NO_FREE_CELL: "no free cell",
    SlotReason.GRID_WAITING: "waits for the trigger",
    SlotReason.GRID_STOPPED: "grid has stopped",
}


def slot_columns(instrument: Callable[[], Instrument | None]) -> tuple[Column[SlotView], ...]:
    """Return the columns of a grid's slots, prices with the decimals of the market that `instrument` returns."""
    return (
        Column(title="Slot", text=lambda s: str(s.number), order=lambda s: s.number, width=52, right=True),
        Column(
            title="Price",
            text=lambda s: words.price(s.price, instrument()),
            order=lambda s: s.price,
            width=84,
            right=True,
            bare=lambda s: words.bare(s.price),
        ),
        Column(
            title="What stands there",
            text=lambda s: SHORT[s.reason],
            order=lambda s: s.reason.value,
            width=160,
            ink=lambda s: "up" if s.order is not None else "muted",
            tip=lambda s: s.sentence,
        ),
    )


_INKS = {"ON": "text", "UP": "up", "DOWN": "down", "VOL": "notice", "ATR": "error", "PAUSED": "notice"}
Index = QModelIndex | QPersistentModelIndex


class ChipDelegate(QStyledItemDelegate):
    """Draws a cell's words as small rounded tags, as many as fit."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(104, super().sizeHint(option, index).height())

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        bare = QStyleOptionViewItem(option)
        self.initStyleOption(bare, index)
        said, bare.text = bare.text, ""
        style = bare.widget.style()
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, bare, painter, bare.widget)
        colours = self._context.colours
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        letters = painter.font()
        letters.setPixelSize(max(9, bare.fontMetrics.height() - 5))
        painter.setFont(letters)
        x, high = bare.rect.left() + XS, painter.fontMetrics().height() + 2
        for word in said.split(BETWEEN):
            wide = painter.fontMetrics().horizontalAdvance(word) + S + 2
            if x + wide > bare.rect.right() and x > bare.rect.left() + XS:
                break
            box = QRectF(x, bare.rect.center().y() - high / 2 + 0.5, wide, high)
            ink = QColor(str(getattr(colours, _INKS.get(word, "muted"))))
            painter.setPen(ink)
            painter.setBrush(QColor(colours.base))
            painter.drawRoundedRect(box, RADIUS_CONTROL, RADIUS_CONTROL)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, word)
            x += wide + XS
        painter.restore()


class SwitchDelegate(QStyledItemDelegate):
    """Draws "on" and "off" as a small switch."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        bare = QStyleOptionViewItem(option)
        self.initStyleOption(bare, index)
        on, bare.text = bare.text == "on", ""
        bare.widget.style().drawControl(QStyle.ControlElement.CE_ItemViewItem, bare, painter, bare.widget)
        colours = self._context.colours
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle = bare.rect.center()
        groove = QRectF(middle.x() - 13.5, middle.y() - 6.5, 28, 15)
        painter.setPen(QColor(colours.accent if on else colours.outline))
        painter.setBrush(QColor(colours.accent) if on else bare.palette.color(QPalette.ColorRole.Base))
        painter.drawRoundedRect(groove, 7.5, 7.5)
        knob = QRectF(groove.right() - 13 if on else groove.left() + 2, groove.top() + 2, 11, 11)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colours.accent_text if on else colours.outline))
        painter.drawEllipse(knob)
        painter.restore()
