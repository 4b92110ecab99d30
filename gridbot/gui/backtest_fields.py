"""The small parts of the backtest's form: a field for a number that refuses to guess, a section, its rows and notes."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from PySide6.QtWidgets import QComboBox, QFrame, QGridLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from gridbot.gui import numbers
from gridbot.gui.measures import XS, M, S
from gridbot.gui.parts import label, set_role, set_text

NAME_PX, FIELD_PX = 108, 130
"""How wide a field's name and the field are at least: the form stands beside what came of it."""


def narrow(box: QComboBox) -> QComboBox:
    """Let a combo box be as narrow as any field; its list is as wide as it must be."""
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(6)
    return box


class AmountField(QLineEdit):
    """A field for one number of at least `least`; `whole` numbers have no decimals."""

    def __init__(
        self,
        name: str,
        amount: Decimal | None,
        changed: Callable[[], object],
        *,
        least: Decimal = Decimal(0),
        most: Decimal | None = None,
        whole: bool = False,
    ) -> None:
        super().__init__()
        self._name, self._least, self._most, self._whole = name, least, most, whole
        self.setAccessibleName(name)
        self.set_amount(amount)
        self.textChanged.connect(lambda _text: changed())

    def set_amount(self, amount: Decimal | None) -> None:
        """Show a number; None empties the field."""
        self.setText("" if amount is None else numbers.written(amount))

    def amount(self) -> Decimal | None:
        """Return the number, None while the text is none that may stand here."""
        number = numbers.read_number(self.text()).number
        return None if number is None or self._against(number) else number

    def complaint(self) -> str:
        """Return what is wrong as a sentence, "" for nothing, and mark the field."""
        read = numbers.read_number(self.text())
        why = read.complaint if read.number is None else self._against(read.number)
        set_role(self, "wrong", "true" if why else "false")
        return f"{self._name} {why}" if why else ""

    def _against(self, number: Decimal) -> str:
        if number < self._least:
            return f"must be {numbers.plain(self._least)} or more."
        if self._most is not None and number > self._most:
            return f"must be {numbers.plain(self._most)} or less."
        if self._whole and number != number.to_integral_value():
            return "must be a whole number."
        return ""


class Section(QFrame):
    """A part of the form: a heading, rows of a label and a field, and notes under them."""

    def __init__(self, heading: str) -> None:
        super().__init__()
        set_role(self, "card")
        self.rows = QGridLayout()
        self.rows.setContentsMargins(0, 0, 0, 0)
        self.rows.setHorizontalSpacing(M)
        self.rows.setVerticalSpacing(XS + 2)
        self.rows.setColumnMinimumWidth(0, NAME_PX)
        self.rows.setColumnMinimumWidth(1, FIELD_PX)
        self.rows.setColumnStretch(1, 1)
        box = QVBoxLayout(self)
        box.setContentsMargins(M, S, M, M)
        box.setSpacing(S)
        box.addWidget(label(heading, role="heading"))
        box.addLayout(self.rows)

    def add(self, title: str, field: QWidget, *, tip: str = "") -> Row:
        """Add a row; it can be shown and hidden."""
        name = label(title, wrap=True)
        name.setBuddy(field)
        if tip:
            name.setToolTip(tip)
            field.setToolTip(tip)
            field.setAccessibleDescription(tip)
        place = self.rows.rowCount()
        self.rows.addWidget(name, place, 0)
        self.rows.addWidget(field, place, 1)
        return Row(name, field)

    def add_wide(self, widget: QWidget) -> None:
        """Add something over the whole width."""
        self.rows.addWidget(widget, self.rows.rowCount(), 0, 1, 2)


class Row:
    """A label and its field."""

    def __init__(self, name: QWidget, field: QWidget) -> None:
        self._parts = (name, field)

    def show(self, shown: bool) -> None:
        """Show or hide both."""
        for part in self._parts:
            part.setVisible(shown)


class Note(QWidget):
    """A line under a section: what is known, or in another colour what is wrong."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._label = label("", role="muted", name=name, wrap=True)
        box = QHBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self._label)
        self.hide()

    def say(self, sentence: str, *, wrong: bool = False) -> None:
        """Say something; an empty sentence takes no room."""
        set_role(self._label, "error" if wrong else "muted")
        set_text(self._label, sentence)
        self.setVisible(bool(sentence))

    def text(self) -> str:
        """Return what stands there."""
        return self._label.text()
