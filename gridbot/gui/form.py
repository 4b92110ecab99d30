"""A form made from fields: a label, an editor, and beside it what the field means or what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QGridLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from gridbot.errors import Mistake
from gridbot.gui import numbers
from gridbot.gui.named_list import NamedList
from gridbot.gui.parts import label, set_role, set_text
from gridbot.gui.schema import Field, Kind
from gridbot.gui.setting_words import choice_words, fraction_of, in_percent, named, percent_of, reason_of


class CalmComboBox(NamedList):
    """A combo box that scrolling past does not change."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


class FieldRow:
    """One field's three widgets."""

    def __init__(self, field: Field, edited: Callable[[], None]) -> None:
        self.field = field
        self._percent = in_percent(field.path)
        self._given = ""
        self.title = label(named(field.title, field.path), wrap=True)
        self.title.setContentsMargins(0, 4, 0, 0)
        self.title.setToolTip(field.path)
        self.note = label(_meaning(field), role="muted", wrap=True, name=f"About {field.title}")
        self.note.setContentsMargins(0, 4, 0, 0)
        self._boxes: dict[str, QCheckBox] = {}
        self.editor = self._make_editor(edited)
        self.editor.setAccessibleName(field.title)
        self.editor.setAccessibleDescription(field.description)
        self.title.setBuddy(self.editor)

    def text(self) -> str:
        """Return what the editor holds, as a form's text."""
        if self.field.kind is Kind.MANY:
            return ",".join(choice for choice, box in self._boxes.items() if box.isChecked())
        if isinstance(self.editor, QCheckBox):
            return "true" if self.editor.isChecked() else "false"
        if isinstance(self.editor, QComboBox):
            return str(self.editor.currentData())
        assert isinstance(self.editor, QLineEdit)
        if not self._is_number:
            return self.editor.text()
        return self._fraction() if self._percent else _read(self.editor.text())

    def _fraction(self) -> str:
        """Return the fraction that a person's percent are; what was put in and is the same number, as it was."""
        text = self.editor_text().replace("%", "").strip()
        number = numbers.read_number(text).number
        if number is None:
            return _read(text)
        fraction = fraction_of(number)
        return self._given if _same(self._given, fraction) else f"{fraction:f}"

    def editor_text(self) -> str:
        """Return what a person has typed, as it stands there; "" where nothing is typed."""
        return self.editor.text() if isinstance(self.editor, QLineEdit) else ""

    def set_text(self, text: str) -> None:
        """Put a form's text into the editor without telling anyone."""
        if text == self.text():
            return
        self.editor.blockSignals(True)
        if self.field.kind is Kind.MANY:
            chosen = set(text.split(","))
            for choice, box in self._boxes.items():
                box.blockSignals(True)
                box.setChecked(choice in chosen)
                box.blockSignals(False)
        elif isinstance(self.editor, QCheckBox):
            self.editor.setChecked(text == "true")
        elif isinstance(self.editor, QComboBox):
            self.editor.setCurrentIndex(max(0, self.editor.findData(text)))
        elif isinstance(self.editor, QLineEdit):
            self._given = text
            self.editor.setText(_written(text, percent=self._percent) if self._is_number else text)
        self.editor.blockSignals(False)

    def show_mistake(self, mistake: Mistake | None) -> None:
        """Say what is wrong, or what the field means."""
        set_role(self.editor, "wrong", "true" if mistake is not None else "false")
        set_role(self.note, "muted" if mistake is None else "error")
        set_text(self.note, _meaning(self.field) if mistake is None else self.sentence(mistake))

    def show_trouble(self, sentence: str) -> None:
        """Say what stands against the field's value, though it can be read."""
        set_role(self.editor, "wrong", "true")
        set_role(self.note, "error")
        set_text(self.note, sentence)

    def _complaint(self, mistake: Mistake) -> str:
        if self._is_number and isinstance(self.editor, QLineEdit):
            reading = numbers.read_number(self.editor.text())
            if reading.twofold:
                return reading.complaint
        return reason_of(mistake, self.field.path, self.editor_text())

    def sentence(self, mistake: Mistake) -> str:
        """Return what is wrong with the field as a whole sentence."""
        return f"{self.field.title} {self._complaint(mistake)}"

    @property
    def _is_number(self) -> bool:
        field = self.field
        # A breaker is one setting in the reference, so that its figures have no type of their own.
        figure = not field.type and field.path.endswith((".limit", ".warn"))
        return field.kind is Kind.TEXT and (figure or field.type.startswith(("amount", "number", "whole number")))

    def set_visible(self, visible: bool) -> None:
        """Show or hide the row."""
        for widget in (self.title, self.editor, self.note):
            widget.setVisible(visible)

    def _make_editor(self, edited: Callable[[], None]) -> QWidget:
        field = self.field
        if field.kind is Kind.SWITCH:
            box = QCheckBox()
            box.toggled.connect(lambda _on: edited())
            return box
        if field.kind is Kind.CHOICE:
            choice = CalmComboBox()
            choice.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            for text in (*([""] if field.nullable or field.group else []), *field.choices):
                choice.addItem(choice_words(field.path, text), text)
            choice.currentIndexChanged.connect(lambda _index: edited())
            return choice
        if field.kind is Kind.MANY:
            return self._make_boxes(edited)
        line = QLineEdit()
        line.setPlaceholderText("none" if field.nullable else "")
        line.textChanged.connect(lambda _text: edited())
        return line

    def _make_boxes(self, edited: Callable[[], None]) -> QWidget:
        holder = QWidget()
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        for choice in self.field.choices:
            said = choice_words(self.field.path, choice)
            box = QCheckBox(said)
            box.setAccessibleName(f"{self.field.title}: {said}")
            box.toggled.connect(lambda _on: edited())
            self._boxes[choice] = box
            column.addWidget(box)
        holder.setFocusProxy(self._boxes[self.field.choices[0]])
        return holder


_UNCLEAR = " ?"
"""Behind a number that could be two: the configuration refuses it, whatever it would make of the digits."""


def _read(text: str) -> str:
    """Return a person's number as the configuration has it: digits and a point. What is none stays as it stands."""
    number = numbers.read_number(text).number
    if number is not None:
        return f"{number:f}"
    means_another = numbers.style().decimal != "." and "." in text and "," not in text
    return f"{text}{_UNCLEAR}" if means_another else text


def _same(text: str, number: Decimal) -> bool:
    try:
        return Decimal(text) == number
    except InvalidOperation:
        return False


def _written(text: str, *, percent: bool) -> str:
    """Return the configuration's number as a field shows it, with the decimal sign that its reader writes."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    return numbers.written(percent_of(number) if percent else number)


def _meaning(field: Field) -> str:
    return field.description


class FormPage(QWidget):
    """Rows of fields under headings.

    Signals:
        edited: (path, text) when a person changed a field.
    """

    edited = Signal(str, str)

    def __init__(self, groups: Sequence[tuple[str, Sequence[Field]]]) -> None:
        super().__init__()
        self.rows: dict[str, FieldRow] = {}
        self._headings: list[tuple[QLabel | None, list[FieldRow]]] = []
        self._hidden: frozenset[str] = frozenset()
        grid = QGridLayout(self)
        grid.setContentsMargins(8, 8, 8, 8)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(6)
        grid.setColumnMinimumWidth(0, 150)
        grid.setColumnMinimumWidth(1, 150)
        grid.setColumnStretch(2, 1)
        for heading, fields in groups:
            title = label(heading, role="heading") if heading else None
            if title is not None:
                grid.addWidget(title, grid.rowCount(), 0, 1, 3)
            rows = [self._row(grid, field) for field in fields]
            self._headings.append((title, rows))
        grid.setRowStretch(grid.rowCount(), 1)

    def values(self) -> dict[str, str]:
        """Return every field's text by path."""
        return {path: row.text() for path, row in self.rows.items()}

    def set_values(self, values: Mapping[str, str]) -> None:
        """Put texts into the fields; what `values` does not name gets its default."""
        for path, row in self.rows.items():
            row.set_text(values.get(path, row.field.default))

    def show_mistakes(self, mistakes: Mapping[str, Mistake]) -> None:
        """Say beside each field what is wrong with it; one under an object that is wrong as a whole says so too."""
        for path, row in self.rows.items():
            row.show_mistake(mistakes.get(path))

    def narrow(self, text: str, *, hidden: frozenset[str] = frozenset()) -> int:
        """Show only the fields that name `text` and are not `hidden`; return how many."""
        words, shown = text.lower().split(), 0
        for heading, rows in self._headings:
            here = 0
            for row in rows:
                field = row.field
                said = f"{field.path} {field.title} {field.description}".lower()
                fits = field.path not in hidden and all(word in said for word in words)
                row.set_visible(fits)
                here += fits
            if heading is not None:
                heading.setVisible(here > 0)
            shown += here
        return shown

    def focus(self, path: str) -> None:
        """Put the cursor into a field."""
        if path in self.rows:
            self.rows[path].editor.setFocus(Qt.FocusReason.OtherFocusReason)

    def _row(self, grid: QGridLayout, field: Field) -> FieldRow:
        made = FieldRow(field, lambda: self.edited.emit(field.path, self.rows[field.path].text()))
        self.rows[field.path] = made
        place = grid.rowCount()
        top = Qt.AlignmentFlag.AlignTop
        grid.addWidget(made.title, place, 0, top)
        grid.addWidget(made.editor, place, 1, top)
        grid.addWidget(made.note, place, 2, top)
        return made
