"""The pages of the Settings tab: each section's fields with what stands beside them, made when it is first shown."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFrame, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from gridbot.errors import Mistake
from gridbot.gui.about_page import AboutPage
from gridbot.gui.context import Context
from gridbot.gui.data_page import DataPage
from gridbot.gui.display_page import DisplayPage
from gridbot.gui.form import FormPage
from gridbot.gui.key_panel import KeyPanel
from gridbot.gui.measures import M
from gridbot.gui.notify_panel import NotifyPanel
from gridbot.gui.parts import label
from gridbot.gui.settings_places import (
    ABOUT,
    DATA,
    DISPLAY,
    EXCHANGE,
    NOTIFICATIONS,
    PLACES,
    STRATEGY,
    fields_by_place,
)

_NOT_HERE = "This window cannot reach the files of gridbot. `gridbot backup` and `gridbot restore` do."
_GRIDS = "Each grid has its own settings on the Market tab, with the orders that would move before anything is sent."


class SettingsPages(QObject):
    """Makes and keeps the pages.

    Attributes:
        forms: the fields of each section that was shown, by its key.
        keys, notify, data, about, display: what stands beside the fields; None before it is shown, or where this
            window has no way to it.

    Signals:
        made: the key of a section whose page was made.
    """

    made = Signal(str)

    def __init__(self, context: Context, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        self._fields = fields_by_place()
        self._pages: dict[str, QWidget] = {}
        self.forms: dict[str, FormPage] = {}
        self.keys: KeyPanel | None = None
        self.notify: NotifyPanel | None = None
        self.data: DataPage | None = None
        self.about: AboutPage | None = None
        self.display: DisplayPage | None = None

    def page(self, key: str) -> QWidget:
        """Return the page of a section; it is made at the first call."""
        if key not in self._pages:
            self._pages[key] = self._make(key)
            self.made.emit(key)
        return self._pages[key]

    def sentence(self, mistake: Mistake) -> str:
        """Return a mistake with its field's name where it has one that was shown, else with its path."""
        rows = (form.rows[mistake.path] for form in self.forms.values() if mistake.path in form.rows)
        row = next(rows, None)
        return mistake.sentence() if row is None else row.sentence(mistake)

    def _make(self, key: str) -> QWidget:
        desks = self._context.desks
        if key == ABOUT:
            self.about = AboutPage(desks.upkeep)
            return self.about
        if key == DISPLAY:
            self.display = DisplayPage(self._context)
            return _scrolled(self.display, _title(key))
        above: list[QWidget] = []
        below: list[QWidget] = []
        self.forms[key] = FormPage(self._fields[key])
        if key == EXCHANGE and desks.keys is not None:
            self.keys = KeyPanel(desks.keys)
            below.append(self.keys)
        if key == NOTIFICATIONS and desks.upkeep is not None:
            self.notify = NotifyPanel(desks.upkeep)
            above.append(self.notify)
        if key == DATA and desks.upkeep is not None:
            self.data = DataPage(desks.upkeep)
            above.append(self.data)
        elif key == DATA:
            above.append(label(_NOT_HERE, role="muted", wrap=True))
        if key == STRATEGY:
            below.append(label(_GRIDS, role="muted", wrap=True))
        return _scrolled(_together(above, self.forms[key], below), _title(key))


def _title(key: str) -> str:
    return next(place.title for place in PLACES if place.key == key)


def _together(above: list[QWidget], form: FormPage, below: list[QWidget]) -> QWidget:
    """Return a section's fields with what stands above and below them."""
    whole = QWidget()
    box = QVBoxLayout(whole)
    box.setContentsMargins(0, 0, M, 0)
    box.setSpacing(M)
    form.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
    for each in (*above, form, *below):
        box.addWidget(each)
    box.addStretch()
    return whole


def _scrolled(page: QWidget, name: str) -> QScrollArea:
    scroll = QScrollArea()
    scroll.setWidgetResizable(True)
    scroll.setFrameShape(QFrame.Shape.NoFrame)
    scroll.setWidget(page)
    scroll.setAccessibleName(name)
    return scroll
