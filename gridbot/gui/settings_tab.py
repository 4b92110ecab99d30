"""The Settings tab: the whole configuration as a form or as text, each mistake beside its field, saved as one."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QScrollArea,
    QSizePolicy,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from gridbot.config import AppConfig, parse_config
from gridbot.errors import Mistake
from gridbot.gui import words
from gridbot.gui.context import Context
from gridbot.gui.display_page import DisplayPage
from gridbot.gui.form import FormPage
from gridbot.gui.go_live_dialog import save_in_mode
from gridbot.gui.grid_form import grid_sections
from gridbot.gui.key_panel import KeyPanel
from gridbot.gui.parts import button, label, search_field, set_role, set_text
from gridbot.gui.schema import Field, fields_of
from gridbot.gui.settings_draft import Draft
from gridbot.shell.facade import Answered, SaveConfig, View
from gridbot.shell.key_desk import KeyPlace

_TITLES = {
    "": "General",
    "exchange": "Exchange and keys",
    "risk": "Risk limits",
    "orders": "Orders",
    "demo": "Demo market",
    "logging": "Logging",
    "notifications": "Notifications",
}
_PLACE = Qt.ItemDataRole.UserRole
_TEXT, _DISPLAY = "text", "display"
Section = tuple[str, int | None]
"""A section of the form: the key of its object in the file, and the place of its grid."""


def app_sections() -> dict[str, tuple[Field, ...]]:
    """Return the fields of the configuration by section."""
    sections: dict[str, list[Field]] = {key: [] for key in _TITLES}
    for field in fields_of(AppConfig):
        top = field.path.partition(".")[0] if "." in field.path else ""
        sections[top].append(field)
    return {key: tuple(fields) for key, fields in sections.items()}


class SettingsTab(QWidget):
    """Signals:
    display_changed: a person chose other colours.
    """

    display_changed = Signal()

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self.draft = Draft("{}")
        self._loaded = False
        self._request: int | None = None
        self._previous: list[str] = []
        self._pages: dict[Section, FormPage] = {}
        self._scrolls: dict[Section, QScrollArea] = {}
        self.keys: KeyPanel | None = None
        self._fields = app_sections()
        self._grid_fields = grid_sections()
        self._sections = QListWidget()
        self._sections.setAccessibleName("Sections")
        self._sections.currentItemChanged.connect(lambda _now, _before: self._show_section())
        self._stack = QStackedWidget()
        self.search: QLineEdit = search_field("Search settings", "Search settings", lambda _text: self._narrow())
        self.text = QPlainTextEdit()
        self.text.setAccessibleName("Configuration as text")
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.text.setTabChangesFocus(True)
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.wrong = QListWidget()
        self.wrong.setAccessibleName("What is wrong")
        self.wrong.setWordWrap(True)
        self.wrong.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.wrong.itemActivated.connect(self._go_to)
        self.wrong.itemClicked.connect(self._go_to)
        self.said = label("", role="muted", name="State of the settings", wrap=True)
        self.save = button("Save", self._save, role="primary", name="Save the settings")
        self.discard = button("Discard edits", self._discard, tip="Back to the settings in force")
        self.undo = button("Undo last save", self._undo, tip="Back to the settings before the last save")
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(150)
        self._later.timeout.connect(self._take_text)
        self.text.textChanged.connect(self._later.start)
        self._build()

    def _build(self) -> None:
        self._stack.addWidget(self.text)
        self._display = DisplayPage(self._context)
        self._display.changed.connect(self.display_changed)
        self._stack.addWidget(self._display)
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.search)
        column.addWidget(self._sections, 1)
        right = QWidget()
        side = QVBoxLayout(right)
        side.setContentsMargins(0, 0, 0, 0)
        side.addWidget(self._stack, 1)
        self.wrong.setMaximumHeight(110)
        side.addWidget(self.wrong)
        row = QHBoxLayout()
        row.addWidget(self.said, 1)
        for each in (self.undo, self.discard, self.save):
            row.addWidget(each)
        side.addLayout(row)
        splitter = QSplitter()
        splitter.addWidget(left)
        splitter.addWidget(right)
        splitter.setStretchFactor(1, 1)
        splitter.setSizes([180, 820])
        splitter.setChildrenCollapsible(False)
        box = QVBoxLayout(self)
        box.setContentsMargins(8, 8, 8, 8)
        box.addWidget(splitter)
        self._report()

    # --------------------------------------------------------------------------------------- shown

    def show_view(self, view: View) -> None:
        """Take in the configuration in force; edits that a person began are kept."""
        if self._loaded and view.config_text == self.draft.text:
            return
        if self._loaded and self.draft.is_touched() and self._request is None:
            self._say("The configuration was changed elsewhere. Discard your edits to see it.", ok=False)
            return
        self._loaded = True
        self.draft.load(view.config_text)
        self._refresh()

    def focus_filter(self) -> None:
        """Put the cursor into the search field."""
        self.search.setFocus()
        self.search.selectAll()

    def open_section(self, key: str, grid: int | None = None) -> FormPage | None:
        """Show a section; return its page, None for those that are no form."""
        for at in range(self._sections.count()):
            if self._sections.item(at).data(_PLACE) == (key, grid):
                self._sections.setCurrentRow(at)
        return self._pages.get((key, grid))

    def _refresh(self) -> None:
        """Show the draft, whose grids may be others than before."""
        current = self._section()
        for place in [place for place in self._pages if place[1] is not None]:
            del self._pages[place]
            self._scrolls.pop(place).deleteLater()
        self._sections.blockSignals(True)
        self._sections.clear()
        places: list[tuple[str, Section]] = [(title, (key, None)) for key, title in _TITLES.items()]
        places += [(f"Grid {name}", ("grids", at)) for at, name in enumerate(self.draft.grids())]
        places += [("Window", (_DISPLAY, None)), ("As text", (_TEXT, None))]
        for title, place in places:
            item = QListWidgetItem(title)
            item.setData(_PLACE, place)
            self._sections.addItem(item)
        self._sections.blockSignals(False)
        known = [place for _, place in places]
        self._sections.setCurrentRow(known.index(current) if current in known else 0)
        self._show_section()
        for place in self._pages:
            self._fill(place)
        self._narrow()
        self._report()

    def _section(self) -> Section:
        at = self._sections.currentRow()
        key, grid = ("", None) if at < 0 else self._sections.item(at).data(_PLACE)
        return key, grid

    def _show_section(self) -> None:
        place = self._section()
        if place[0] == _TEXT:
            self.text.blockSignals(True)
            if self.text.toPlainText() != self.draft.as_text():
                self.text.setPlainText(self.draft.as_text())
            self.text.blockSignals(False)
            self._stack.setCurrentWidget(self.text)
        elif place[0] == _DISPLAY:
            self._stack.setCurrentWidget(self._display)
        else:
            if place not in self._pages:
                self._make_page(place)
            self._fill(place)
            self._stack.setCurrentWidget(self._scrolls[place])
        self._report()
        self._show_key()

    def _show_key(self) -> None:
        """Show the key of the account that the draft names; while that is wrong, the last right one."""
        config = self.draft.config
        if self.keys is not None and config is not None and self._loaded and self._section()[0] == "exchange":
            self.keys.show_place(KeyPlace(config.exchange.id, config.account, config.exchange.base_url))

    def _make_page(self, place: Section) -> None:
        key, grid = place
        groups = [("", list(self._fields[key]))] if grid is None else self._grid_fields
        page = FormPage(groups)
        page.edited.connect(lambda path, text: self._edited(place, path, text))
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        if key == "exchange" and self._context.desks.keys is not None:
            self.keys = KeyPanel(self._context.desks.keys)
        scroll.setWidget(_together(page, self.keys) if key == "exchange" and self.keys is not None else page)
        scroll.setAccessibleName(_TITLES.get(key, "Grid"))
        self._stack.addWidget(scroll)
        self._pages[place], self._scrolls[place] = page, scroll
        page.narrow(self.search.text())

    def _fill(self, place: Section) -> None:
        fields = tuple(row.field for row in self._pages[place].rows.values())
        self._pages[place].set_values(self.draft.values(fields, grid=place[1]))

    def _narrow(self) -> None:
        """Hide the sections and fields that do not name what is searched."""
        text = self.search.text()
        for at in range(self._sections.count()):
            item = self._sections.item(at)
            key, grid = item.data(_PLACE)
            if key in (_TEXT, _DISPLAY):
                item.setHidden(bool(text.strip()))
                continue
            groups = [self._fields[key]] if grid is None else [fields for _, fields in self._grid_fields]
            said = [f"{f.path} {f.title} {f.description}".lower() for fields in groups for f in fields]
            item.setHidden(not any(all(word in each for word in text.lower().split()) for each in said))
        for page in self._pages.values():
            page.narrow(text)
        at = self._sections.currentRow()
        if at >= 0 and self._sections.item(at).isHidden():
            shown = [at for at in range(self._sections.count()) if not self._sections.item(at).isHidden()]
            if shown:
                self._sections.setCurrentRow(shown[0])

    # --------------------------------------------------------------------------------------- edited

    def _edited(self, place: Section, path: str, text: str) -> None:
        self.draft.edit(self._pages[place].rows[path].field, text, grid=place[1])
        self._report()
        self._show_key()

    def _take_text(self) -> None:
        self.draft.edit_text(self.text.toPlainText())
        self._report()

    def _report(self) -> None:
        """Say what is wrong, beside the fields and in the list, and what saving would change."""
        mistakes = self.draft.mistakes
        for (_, grid), page in self._pages.items():
            page.show_mistakes(self.draft.by_field(mistakes, grid=grid))
        self._list(mistakes)
        set_role(self.text, "wrong", "true" if self.draft.is_broken_text() else "false")
        changed = self.draft.changes()
        busy = self._request is not None
        self.save.setEnabled(self._loaded and bool(changed) and not busy)
        self.discard.setEnabled(self._loaded and self.draft.is_touched() and not busy)
        self.undo.setEnabled(bool(self._previous) and not busy)
        set_text(self.save, f"Save {words.counted(len(changed), 'change')}" if changed else "Save")
        if mistakes:
            self._say(f"{words.counted(len(mistakes), 'mistake')}. Nothing can be saved before it is right.", ok=False)
        elif changed:
            self._say("   ".join(f"{c.path}: {c.old} -> {c.new}" for c in changed[:3]), ok=True)
        else:
            self._say("These are the settings in force.", ok=True)

    def _list(self, mistakes: tuple[Mistake, ...]) -> None:
        lines = [mistake.sentence() for mistake in mistakes]
        if lines != [self.wrong.item(at).text() for at in range(self.wrong.count())]:
            self.wrong.clear()
            for mistake, line in zip(mistakes, lines, strict=True):
                item = QListWidgetItem(line)
                item.setData(_PLACE, mistake.path)
                self.wrong.addItem(item)
        self.wrong.setVisible(bool(lines))

    def _go_to(self, item: QListWidgetItem) -> None:
        """Go to the field of a mistake."""
        path, grid = str(item.data(_PLACE)), None
        if path.startswith("grids[") and "]." in path:
            number, _, path = path.removeprefix("grids[").partition("].")
            grid = int(number)
        key = "grids" if grid is not None else path.partition(".")[0] if "." in path else ""
        page = self.open_section(key, grid)
        if page is not None:
            page.focus(path)

    # --------------------------------------------------------------------------------------- asked

    def _save(self) -> None:
        config = self.draft.config
        if config is not None and self._loaded:
            before = self.draft.text

            def save() -> None:
                self._previous.append(before)
                self._ask(config.to_json())

            save_in_mode(self._context, before, config, save, self)

    def _undo(self) -> None:
        if self._previous:
            wanted = self._previous[-1]
            config = parse_config(wanted, source="The settings before")
            save_in_mode(self._context, self.draft.text, config, lambda: self._ask(wanted, undoing=True), self)

    def _ask(self, text: str, *, undoing: bool = False) -> None:
        def answered(answer: Answered) -> None:
            self._request = None
            if undoing == answer.ok:
                # The undo succeeded, or the save failed: either way that step is no longer there.
                self._previous.pop()
            if answer.ok:
                self.draft.load(text)
                self._refresh()
                self._say(answer.message, ok=True)
            else:
                self.draft.mistakes = answer.mistakes
                self._report()
                self._say(answer.message, ok=False)

        self._request = self._context.desk.ask(SaveConfig(text), answered)
        self._report()

    def _discard(self) -> None:
        self._loaded = False
        view = self._context.facade.view()
        self.show_view(view)

    def _say(self, text: str, *, ok: bool) -> None:
        set_role(self.said, "muted" if ok else "error")
        set_text(self.said, text)


def _together(page: FormPage, keys: KeyPanel) -> QWidget:
    """Return the exchange's settings with the key below them."""
    whole = QWidget()
    box = QVBoxLayout(whole)
    box.setContentsMargins(0, 0, 0, 0)
    page.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
    box.addWidget(page)
    box.addWidget(keys)
    box.addStretch()
    return whole
