"""The settings that a search may vary, as rows: a tick, the value now, and from where to where in which steps."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QCheckBox, QGridLayout, QLineEdit, QWidget

from gridbot.config import GridConfig
from gridbot.gui.measures import XS, M, S
from gridbot.gui.parts import label, set_role, set_text
from gridbot.gui.search_knobs import (
    Range,
    Variable,
    complaint,
    mistake_in,
    range_of,
    read,
    said_setting,
    same_values,
    short_title,
    shown,
    values_of,
    variables,
)
from gridbot.gui.setting_words import named
from gridbot.shell.search_desk import Knob

CHECK_MS = 80
FIELD_PX = 84
_ENDS = ("From", "To", "Step")
_IN_A_ROW, _MOST_LISTED = 2, 6


class KnobRow:
    """One setting's widgets.

    Attributes:
        box: ticked where the setting is varied.
        fields: from, to and step of a number; none for a setting of which each value is tried.
        unset: ticked where it is tried as not set, too; None for a setting that is always set.
        boxes: the values that may be tried of such a setting, by their texts.
    """

    def __init__(self, grid: GridConfig, variable: Variable) -> None:
        self.variable = variable
        self._grid = grid
        self.box = QCheckBox(named(variable.title, variable.path))
        self.box.setAccessibleName(f"Vary {variable.title}")
        self.box.setAccessibleDescription(variable.about)
        self.box.setToolTip(variable.about)
        self.now = label(said_setting(variable.path, variable.now), role="muted", name=f"{variable.title} now")
        self.note = label("", role="error", name=f"What is wrong with {variable.title}", wrap=True)
        self.fields: tuple[QLineEdit, ...] = ()
        self.unset = self._make_unset() if variable.optional else None
        self.boxes: dict[str, QCheckBox] = {}
        self._choices: QWidget | None = None
        if variable.range is None:
            self._choices = self._make_boxes()
        else:
            ends = (variable.range.first, variable.range.last, variable.range.step)
            self.fields = tuple(self._field(end, shown(variable.path, at)) for end, at in zip(_ENDS, ends, strict=True))
        self.box.setChecked(variable.ticked)

    def _field(self, end: str, text: str) -> QLineEdit:
        made = QLineEdit(text)
        made.setAccessibleName(f"{self.variable.title}: {end}")
        made.setFixedWidth(FIELD_PX)
        return made

    def _make_unset(self) -> QCheckBox:
        made = QCheckBox("Also without")
        made.setAccessibleName(f"{self.variable.title}: also without")
        made.setToolTip(f"One more value: {said_setting(self.variable.path, '')}.")
        made.setChecked(not self.variable.now)
        return made

    def _make_boxes(self) -> QWidget:
        holder = QWidget()
        grid = QGridLayout(holder)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(M)
        grid.setVerticalSpacing(0)
        for number, text in enumerate(self.variable.choices):
            said = said_setting(self.variable.path, text)
            box = QCheckBox(said)
            box.setAccessibleName(f"{self.variable.title}: {said}")
            box.setChecked(True)
            self.boxes[text] = box
            grid.addWidget(box, number // _IN_A_ROW, number % _IN_A_ROW)
        grid.setColumnStretch(_IN_A_ROW, 1)
        return holder

    def lay(self, grid: QGridLayout) -> None:
        """Put the row into a grid of five columns, with room for what is wrong under it."""
        place, middle = grid.rowCount(), Qt.AlignmentFlag.AlignVCenter
        grid.addWidget(self.box, place, 0, middle)
        grid.addWidget(self.now, place, 1, middle)
        if self.fields:
            for number, field in enumerate(self.fields):
                grid.addWidget(field, place, 2 + number)
            # The row keeps its height where its fields are not shown.
            grid.setRowMinimumHeight(place, self.fields[0].sizeHint().height())
        else:
            assert self._choices is not None
            grid.addWidget(self._choices, place, 2, 1, 3, middle)
            grid.setRowMinimumHeight(place, self.box.sizeHint().height() + S)
        if self.unset is not None:
            grid.addWidget(self.unset, place + 1, 2, 1, 3)
        grid.addWidget(self.note, place + 2, 0, 1, 5)
        self.note.hide()

    def take(self, knob: Knob | None) -> None:
        """Vary it over the values of a knob as nearly as the row can say them, or not at all."""
        self.box.setChecked(knob is not None)
        if knob is None:
            return
        for text, box in self.boxes.items():
            box.setChecked(text in knob.texts)
        if self.unset is not None:
            self.unset.setChecked("" in knob.texts)
        chosen = range_of(knob.texts)
        if self.fields and chosen is not None:
            for field, at in zip(self.fields, (chosen.first, chosen.last, chosen.step), strict=True):
                field.setText(shown(self.variable.path, at))

    def check(self) -> str:
        """Mark what is wrong, say it under the row, and return it; "" for nothing, and for what is not varied."""
        ticked = self.box.isChecked()
        for field in self.fields:
            field.setVisible(ticked)
        for part in (self._choices, self.unset):
            if part is not None:
                part.setVisible(ticked)
        wrong, at = self._wrong() if ticked else ("", ())
        for number, field in enumerate(self.fields):
            set_role(field, "wrong", "true" if number in at else "false")
        set_text(self.note, wrong)
        self.note.setVisible(bool(wrong))
        return wrong

    def knob(self) -> Knob | None:
        """Return what is varied, None where nothing is or something is wrong."""
        if not self.box.isChecked() or self._wrong()[0]:
            return None
        if self.fields:
            chosen = self._range()
            unset = ("",) if self.unset is not None and self.unset.isChecked() else ()
            texts = () if chosen is None else (*values_of(chosen), *unset)
        else:
            texts = tuple(text for text, box in self.boxes.items() if box.isChecked())
        return Knob(self.variable.path, texts) if texts else None

    def _wrong(self) -> tuple[str, tuple[int, ...]]:
        """Return what is wrong and which fields it is about."""
        variable = self.variable
        if not self.fields:
            chosen = [text for text, box in self.boxes.items() if box.isChecked()]
            if not chosen:
                return f"{variable.title}: tick at least one value.", ()
            return next(filter(None, (mistake_in(self._grid, variable, text) for text in chosen)), ""), ()
        for number, (end, field) in enumerate(zip(_ENDS, self.fields, strict=True)):
            reading = read(variable.path, field.text())
            if reading.number is None:
                return f"{variable.title}: {end} {reading.complaint}", (number,)
        chosen_range = self._range()
        assert chosen_range is not None
        said = complaint(self._grid, variable, chosen_range)
        return said, self._about(chosen_range) if said else ()

    def _about(self, chosen: Range) -> tuple[int, ...]:
        """Return which of the fields a complaint is about: the end that may not be, or else the step."""
        if chosen.first > chosen.last:
            return (0, 1)
        ends = (chosen.first, chosen.last)
        bad = tuple(n for n, end in enumerate(ends) if mistake_in(self._grid, self.variable, f"{end:f}"))
        return bad or (2,)

    def _range(self) -> Range | None:
        numbers = [read(self.variable.path, field.text()).number for field in self.fields]
        first, last, step = numbers
        return None if first is None or last is None or step is None else Range(first, last, step)


class KnobRows(QWidget):
    """All settings that may be varied: as it is proposed, or as `knobs` have it.

    Attributes:
        other: a sentence about what the rows cannot say as `knobs` have it, "" for nothing.

    Signals:
        edited: something is another than before, and has been looked at.
    """

    edited = Signal()

    def __init__(self, grid: GridConfig, knobs: Sequence[Knob] = ()) -> None:
        super().__init__()
        self.rows = {each.path: KnobRow(grid, each) for each in variables(grid)}
        if knobs:
            by_path = {knob.path: knob for knob in knobs}
            for path, row in self.rows.items():
                row.take(by_path.get(path))
        self.other = _other(knobs, self.knobs())
        box = QGridLayout(self)
        box.setContentsMargins(0, 0, M, 0)
        box.setHorizontalSpacing(M)
        box.setVerticalSpacing(XS)
        for number, title in enumerate(("Setting", "Now", *_ENDS)):
            box.addWidget(label(title, role="muted"), 0, number)
        for row in self.rows.values():
            row.lay(box)
        box.setRowStretch(box.rowCount(), 1)
        box.setColumnStretch(0, 1)
        for number in range(2, 5):
            box.setColumnMinimumWidth(number, FIELD_PX)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(CHECK_MS)
        self._later.timeout.connect(self.check)
        for row in self.rows.values():
            row.box.toggled.connect(lambda on, row=row: self._ticked(row, on=on))
            for field in row.fields:
                field.textChanged.connect(lambda _text: self._later.start())
            for choice in (*row.boxes.values(), *((row.unset,) if row.unset is not None else ())):
                choice.toggled.connect(lambda _on: self.check())
        self.wrong = ""
        self.check()

    def check(self) -> None:
        """Look at every row."""
        self._later.stop()
        said = [row.check() for row in self.rows.values()]
        self.wrong = next(filter(None, said), "")
        self.edited.emit()

    def knobs(self) -> tuple[Knob, ...]:
        """Return what is varied."""
        found = [row.knob() for row in self.rows.values()]
        return tuple(knob for knob in found if knob is not None)

    def _ticked(self, row: KnobRow, *, on: bool) -> None:
        self.check()
        if on and row.fields:
            row.fields[0].setFocus(Qt.FocusReason.OtherFocusReason)
            row.fields[0].selectAll()


def _other(wanted: Sequence[Knob], made: Sequence[Knob]) -> str:
    """Return as a sentence what of a search's values these are not, "" for nothing."""
    have = {knob.path: knob.texts for knob in made}
    lost = [knob for knob in wanted if not same_values(have.get(knob.path, ()), knob.texts)]
    told = (f"{short_title(knob.path)} over {_listed(knob)}" for knob in lost)
    return f"This form cannot ask for all that the search varied: {'; '.join(told)}." if lost else ""


def _listed(knob: Knob) -> str:
    said = [said_setting(knob.path, text) for text in knob.texts]
    return ", ".join(said if len(said) <= _MOST_LISTED else (*said[:_MOST_LISTED], "…"))
