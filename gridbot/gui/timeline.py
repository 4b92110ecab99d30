"""An order's life from the account's journals: every step with its time and the event that it is written under."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QGuiApplication, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QProgressBar, QScrollArea, QVBoxLayout, QWidget

from gridbot.core.units import OrderId
from gridbot.gui import numbers, words
from gridbot.gui.context import Context
from gridbot.gui.dialogs import Dialog
from gridbot.gui.errand_requests import ErrandRequests
from gridbot.gui.parts import button, label, set_role, set_text
from gridbot.gui.theme import Colours
from gridbot.shell.errands import Done, Refused, Standing
from gridbot.shell.record_desk import Life, RecordReply, RecordWish, TellLife

NOT_HERE = (
    "The journals cannot be read from this window. On the machine that trades, `gridbot replay --explain {}` tells."
)
UNKNOWN = "The journals that are kept know no order {}. It is older than the oldest of them, or of another account."


class Step(QWidget):
    """The mark before a step: a dot on the line that joins the steps."""

    def __init__(self, colours: Colours, *, first: bool, last: bool) -> None:
        super().__init__()
        self._line, self._dot = QColor(colours.border), QColor(colours.accent)
        self._first, self._last = first, last
        self.setFixedWidth(18)

    def sizeHint(self) -> QSize:
        return QSize(18, 22)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter, middle, at = QPainter(self), self.width() / 2, 10.0
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._line)
        top, bottom = at if self._first else 0.0, at if self._last else float(self.height())
        painter.drawRect(QRectF(middle - 1, top, 2, bottom - top))
        painter.setBrush(self._dot)
        painter.drawEllipse(QRectF(middle - 4, at - 4, 8, 8))
        painter.end()


class TimelineDialog(Dialog):
    """Asks for an order's life and shows it; the rest of the window goes on working meanwhile."""

    def __init__(self, context: Context, order: OrderId, about: str, parent: QWidget) -> None:
        super().__init__(f"Timeline of order {order}", parent)
        self.setMinimumSize(680, 420)
        self._order, self._colours = order, context.colours
        self._told = ""
        desk = context.desks.records
        self._requests: ErrandRequests[RecordWish, RecordReply] | None = (
            None if desk is None else ErrandRequests(desk, self)
        )
        self._errand: int | None = None
        self.said = label("", role="muted", name="State of the timeline", wrap=True)
        self._bar = QProgressBar()
        self._bar.setRange(0, 0)
        self._bar.setTextVisible(False)
        self._bar.setMaximumHeight(6)
        self._bar.setAccessibleName("The journals are being read")
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setAccessibleName("Steps of the order")
        self.copy = button("Copy", self._copy, name="Copy the timeline as text")
        self.again = button("Look again", self.ask, name="Read the journals again")
        self.safe = button("Close", self.reject)
        self.box.addWidget(label(about, role="heading", name="Order", wrap=True))
        note = label(
            f"Order {order}. Times are UTC; each step names the event of the journal that it is written under."
        )
        set_role(note, "muted")
        note.setWordWrap(True)
        note.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.box.addWidget(note)
        self.box.addWidget(self._bar)
        self.box.addWidget(self._scroll, 1)
        self.box.addWidget(self.said)
        self.buttons.addWidget(self.copy)
        self.add_buttons(self.again, self.safe)
        self.finished.connect(lambda _result: self._give_up())
        self.ask()

    def ask(self) -> None:
        """Read the journals."""
        if self._requests is None:
            self._say(NOT_HERE.format(self._order), ok=False)
        else:
            self._say("The journals are being read…", ok=True)
            self._errand = self._requests.ask(TellLife(self._order), self._answered, self._stands)
        self._show_state()

    def steps(self) -> list[str]:
        """Return the sentences that are shown, oldest first."""
        return self._told.splitlines()

    def _show_state(self) -> None:
        self._bar.setVisible(self._errand is not None)
        self.again.setEnabled(self._requests is not None and self._errand is None)
        self.copy.setEnabled(bool(self._told))

    def _stands(self, standing: Standing) -> None:
        self._say(standing.sentence, ok=True)

    def _answered(self, outcome: Done[RecordReply] | Refused) -> None:
        self._errand = None
        if isinstance(outcome, Refused):
            self._say(outcome.sentence(), ok=False)
        elif isinstance(outcome.reply, Life):
            self._show_life(outcome.reply)
        self._show_state()

    def _show_life(self, life: Life) -> None:
        self._told = "\n".join(line.text() for line in life.lines)
        if not life.lines:
            self._say(UNKNOWN.format(self._order), ok=True)
            return
        whole, grid = QWidget(), QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(0)
        grid.setColumnStretch(3, 1)
        day = ""
        for row, line in enumerate(life.lines):
            date, _, clock = words.moment(line.time).partition(" ")
            time = label(clock if date == day else f"{date}\n{clock}", role="muted", name=f"Time of step {row + 1}")
            event = label(f"event {numbers.whole(line.sequence)}", role="muted", name=f"Event of step {row + 1}")
            sentence = label(line.sentence, name=f"Step {row + 1}", wrap=True)
            sentence.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            top = Qt.AlignmentFlag.AlignTop
            for each in (time, event, sentence):
                each.setContentsMargins(0, 2, 0, 8)
            grid.addWidget(time, row, 0, top | Qt.AlignmentFlag.AlignRight)
            grid.addWidget(Step(self._colours, first=row == 0, last=row == len(life.lines) - 1), row, 1)
            grid.addWidget(sentence, row, 3, top)
            grid.addWidget(event, row, 2, top)
            day = date
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 4, 8, 4)
        column.addLayout(grid)
        column.addStretch()
        self._scroll.setWidget(whole)
        self._say(f"{words.counted(len(life.lines), 'step')}.", ok=True)

    def _say(self, text: str, *, ok: bool) -> None:
        set_role(self.said, "muted" if ok else "error")
        set_text(self.said, text)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._told)

    def _give_up(self) -> None:
        if self._requests is not None and self._errand is not None:
            self._requests.cancel(self._errand)
