"""Small building blocks of the tabs: labels with a role, buttons with a name, cards, bars; they lay out only."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QComboBox, QFrame, QLabel, QLineEdit, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from gridbot.gui.flash import FlashButton, FlashLabel
from gridbot.gui.icons import put_icon
from gridbot.gui.measures import M, S
from gridbot.gui.named_list import NamedList
from gridbot.gui.theme import Colours


def set_role(widget: QWidget, role: str, value: object = None) -> None:
    """Set what the style sheet chooses by (`role`, or another property with `value`), and style the widget anew."""
    name, wanted = ("role", role) if value is None else (role, value)
    if widget.property(name) != wanted:
        widget.setProperty(name, wanted)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


class _Figure(FlashLabel):
    """A number that is lit when it changes, and whose name does not hide it from a screen reader."""

    def setText(self, text: str) -> None:
        super().setText(text)
        if self.accessibleName():
            self.setAccessibleDescription(text)


class _Label(QLabel):
    """A label whose name does not hide its text from a screen reader: the text is its description."""

    def setText(self, text: str) -> None:
        super().setText(text)
        if self.accessibleName():
            self.setAccessibleDescription(text)


def label(text: str = "", *, role: str = "", name: str = "", wrap: bool = False) -> QLabel:
    """Return a label of plain text; `name` is what a screen reader says it is."""
    return _worded(_Label(), text, role=role, name=name, wrap=wrap)


def figure_label(text: str = "", *, role: str = "", name: str = "", wrap: bool = False) -> QLabel:
    """Return a label for a number that changes rarely, and is lit when it does."""
    return _worded(_Figure(), text, role=role, name=name, wrap=wrap)


def _worded(made: QLabel, text: str, *, role: str, name: str, wrap: bool) -> QLabel:
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setWordWrap(wrap)
    if role:
        made.setProperty("role", role)
    if name:
        made.setAccessibleName(name)
    made.setText(text)
    return made


def set_text(widget: QLabel | QPushButton, text: str) -> None:
    """Set a text only when it differs, which spares a repaint and a message to the screen reader."""
    if widget.text() != text:
        widget.setText(text)
        if isinstance(widget, QPushButton):
            # Its name stays what it is found by; a screen reader says what it does now as well.
            widget.setAccessibleDescription("" if text == widget.accessibleName() else text)


def button(
    text: str, act: Callable[[], object], *, name: str = "", tip: str = "", role: str = "", icon: str = ""
) -> QPushButton:
    """Return a button. It is never the default one of a dialog unless the dialog says so.

    `icon` is the name of a file in assets/icons; it follows the theme by itself.
    """
    made = FlashButton(text) if role == "chip" else QPushButton(text)
    made.setAccessibleName(name or text.replace("&", ""))
    made.setAutoDefault(False)
    if tip:
        made.setToolTip(tip)
    if role:
        made.setProperty("role", role)
    if icon:
        put_icon(made, icon)
    made.clicked.connect(lambda _checked=False: act())
    return made


def picker(name: str, choices: Iterable[tuple[str, Any]], act: Callable[[Any], object] | None = None) -> QComboBox:
    """Return a combo box of (text, value); `act` is called with the value that a person chose."""
    made = NamedList()
    made.setAccessibleName(name)
    for text, value in choices:
        made.addItem(text, value)
    if act is not None:
        made.activated.connect(lambda _index: act(made.currentData()))
    return made


def search_field(name: str, hint: str, act: Callable[[str], object]) -> QLineEdit:
    """Return a field whose text filters something."""
    made = QLineEdit()
    made.setAccessibleName(name)
    made.setPlaceholderText(hint)
    made.setClearButtonEnabled(True)
    made.textChanged.connect(act)
    for inner in made.findChildren(QWidget):
        inner.setAccessibleName("Clear the filter")
    return made


class Card(QFrame):
    """A title, a figure and a line that explains it."""

    def __init__(self, title: str) -> None:
        super().__init__()
        set_role(self, "card")
        self._figure = FlashLabel()
        self._figure.setTextFormat(Qt.TextFormat.PlainText)
        self._figure.setText("-")
        self._figure.setProperty("role", "figure")
        self._figure.setAccessibleName(title)
        self._own = label("", name=f"{title}, in your own currency")
        self._own.hide()
        self._note = label("", role="muted", name=f"{title}, in detail", wrap=True)
        box = QVBoxLayout(self)
        box.setContentsMargins(M, S, M, S)
        box.setSpacing(2)
        box.addWidget(label(title, role="muted"))
        box.addWidget(self._figure)
        box.addWidget(self._own)
        box.addWidget(self._note)
        box.addStretch()

    def show_figure(self, figure: str, note: str = "") -> None:
        """Write the figure and its note."""
        set_text(self._figure, figure)
        set_text(self._note, note)

    def show_own(self, text: str, tip: str = "") -> None:
        """Write the figure in the user's own currency under it; "" takes the line away."""
        set_text(self._own, text)
        self._own.setToolTip(tip)
        self._own.setVisible(bool(text))

    def figure(self) -> str:
        """Return what stands there."""
        return self._figure.text()

    def note(self) -> str:
        """Return the explaining line."""
        return self._note.text()


class ShareBar(QWidget):
    """A share against its limit: the bar is full at the limit; the text beside it says both."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._share: float | None = None
        self._ground, self._fill = QColor(), QColor()

    def sizeHint(self) -> QSize:
        return QSize(120, 10)

    def show_share(self, share: float | None, colours: Colours) -> None:
        """Fill the bar to `share` of the limit (1 is the limit, None not known)."""
        used = 0.0 if share is None else share
        fill = colours.danger if used >= 1 else colours.caution if used >= 0.8 else colours.accent
        state = (share, QColor(colours.grid), QColor(fill))
        if state != (self._share, self._ground, self._fill):
            self._share, self._ground, self._fill = state
            self.setAccessibleDescription("not known" if share is None else f"{used * 100:.0f} % of the limit")
            self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        whole = QRectF(0, 0, self.width(), self.height())
        painter.setBrush(self._ground)
        painter.drawRoundedRect(whole, 3, 3)
        if self._share:
            whole.setWidth(max(3.0, self.width() * min(1.0, self._share)))
            painter.setBrush(self._fill)
            painter.drawRoundedRect(whole, 3, 3)
        painter.end()
