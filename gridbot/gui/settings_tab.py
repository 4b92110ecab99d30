"""The Settings tab: a searchable list of sections; a change is applied at once, said in a bar, undone there."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from gridbot.config import AppConfig, Change, loosened, parse_config, waiting
from gridbot.errors import Mistake
from gridbot.gui import words
from gridbot.gui.context import Context
from gridbot.gui.form import FormPage
from gridbot.gui.go_live_dialog import save_in_mode
from gridbot.gui.icons import icon
from gridbot.gui.looser_settings import LooserSettingsDialog
from gridbot.gui.measures import ICON, M, S
from gridbot.gui.parts import button, label, search_field, set_role, set_text
from gridbot.gui.schema import Kind
from gridbot.gui.settings_draft import Draft
from gridbot.gui.settings_pages import SettingsPages
from gridbot.gui.settings_places import EXCHANGE, PLACES, TEXT, fields_by_place, sentence_of
from gridbot.gui.update_watch import UpdateWatch
from gridbot.shell.facade import Answered, SaveConfig, View
from gridbot.shell.key_desk import KeyPlace

_KEY = Qt.ItemDataRole.UserRole
IN_FORCE = "These are the settings in force. A change is applied at once."
_URLS_SECRET = "notifications.urls_secret"


class SettingsTab(QWidget):
    """Signals:
    display_changed: a person chose other colours, numbers or sounds.
    restart_wanted: what was changed begins with the next start, and a person wants that now.
    first_steps_wanted: a person wants the first steps again.
    tour_wanted: a person wants to be shown round.
    """

    display_changed = Signal()
    restart_wanted = Signal()
    first_steps_wanted = Signal()
    tour_wanted = Signal()

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self.draft = Draft("{}")
        self._loaded = False
        self._request: int | None = None
        self._before: list[str] = []
        self._last = IN_FORCE
        self._fields = fields_by_place()
        self._words = {place.key: self._searched(place.key, f"{place.title} {place.words}") for place in PLACES}
        self.pages = SettingsPages(context, self)
        self.pages.made.connect(self._made)
        self._sections = QListWidget()
        self._sections.setAccessibleName("Sections")
        self._sections.setIconSize(QSize(ICON, ICON))
        self._sections.currentItemChanged.connect(lambda _now, _old: self._show_section())
        self._stack = QStackedWidget()
        self.search: QLineEdit = search_field("Search settings", "Search settings", lambda _text: self._narrow())
        self.title = label("", role="title", name="Section")
        self.text = QPlainTextEdit()
        self.wrong = QListWidget()
        self.said = label("", role="muted", name="State of the settings", wrap=True)
        self.save = button("Apply", self._apply, role="primary", name="Save the settings", icon="check")
        self.discard = button("Discard edits", self._discard, tip="Back to the settings in force")
        self.restart = button(
            "Restart now", self.restart_wanted.emit, icon="refresh", tip="End gridbot and start it anew"
        )
        self.undo = button("Undo", self._undo, name="Undo last change", icon="undo")
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(150)
        self._later.timeout.connect(self._take_text)
        self._build()
        self.watch = UpdateWatch(context, lambda sentence: context.desk.told.emit(sentence, True), self)

    @staticmethod
    def _searched(key: str, more: str) -> str:
        fields = [field for _, some in fields_by_place().get(key, ()) for field in some]
        return " ".join([more, *(f"{f.path} {f.title} {f.description}" for f in fields)]).lower()

    def _build(self) -> None:
        self.text.setAccessibleName("Configuration as text")
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.text.setTabChangesFocus(True)
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.textChanged.connect(self._later.start)
        self._stack.addWidget(self.text)
        self.wrong.setAccessibleName("What is wrong")
        self.wrong.setWordWrap(True)
        self.wrong.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        for signal in (self.wrong.itemActivated, self.wrong.itemClicked):
            signal.connect(self._go_to)
        for place in PLACES:
            item = QListWidgetItem(place.title)
            item.setData(_KEY, place.key)
            self._sections.addItem(item)
        left, right = QWidget(), QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.search)
        column.addWidget(self._sections, 1)
        self._bar = QFrame()
        set_role(self._bar, "bar")
        row = QHBoxLayout(self._bar)
        row.setContentsMargins(M, S, M, S)
        row.setSpacing(S)
        row.addWidget(self.said, 1)
        for each in (self.undo, self.restart, self.discard, self.save):
            row.addWidget(each)
        side = QVBoxLayout(right)
        side.setContentsMargins(M, 0, 0, 0)
        side.setSpacing(S)
        side.addWidget(self.title)
        side.addWidget(self._stack, 1)
        side.addWidget(self.wrong)
        side.addWidget(self._bar)
        splitter = QSplitter()
        splitter.addWidget(left)
        splitter.addWidget(right)
        splitter.setStretchFactor(1, 1)
        splitter.setSizes([200, 800])
        splitter.setChildrenCollapsible(False)
        box = QVBoxLayout(self)
        box.setContentsMargins(S, S, S, S)
        box.addWidget(splitter)
        self.set_colours()
        self._sections.setCurrentRow(0)
        self.restart.hide()
        self._report()

    # --------------------------------------------------------------------------------------- shown

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.set_colours()

    def set_colours(self) -> None:
        """Draw the sections' icons in the context's colours."""
        for at, place in enumerate(PLACES):
            self._sections.item(at).setIcon(icon(place.icon, self._context.colours.text))

    def show_view(self, view: View) -> None:
        """Take in the configuration in force; edits that a person began are kept."""
        if self._loaded and view.config_text == self.draft.text:
            return
        if self._loaded and self._request is not None:
            return
        if self._loaded and self.draft.is_touched():
            self._say("The configuration was changed elsewhere. Discard your edits to see it.", ok=False)
            return
        self._loaded = True
        self._load(view.config_text)

    def _load(self, text: str) -> None:
        self.draft.load(text)
        self.refill()
        self._show_section()
        self._report()

    def focus_filter(self) -> None:
        """Put the cursor into the search field."""
        self.search.setFocus()
        self.search.selectAll()

    def open_section(self, key: str) -> FormPage | None:
        """Show a section; return its fields, None for one that has none."""
        self._sections.setCurrentRow([place.key for place in PLACES].index(key))
        return self.pages.forms.get(key)

    def refill(self) -> None:
        """Write the fields anew, as after another way of writing numbers was chosen."""
        for key in self.pages.forms:
            self._fill(key)

    def _key(self) -> str:
        return PLACES[max(0, self._sections.currentRow())].key

    def _show_section(self) -> None:
        key = self._key()
        set_text(self.title, PLACES[max(0, self._sections.currentRow())].title)
        if key == TEXT:
            self.text.blockSignals(True)
            if self.text.toPlainText() != self.draft.as_text():
                self.text.setPlainText(self.draft.as_text())
            self.text.blockSignals(False)
            self._stack.setCurrentWidget(self.text)
        else:
            page = self.pages.page(key)
            if self._stack.indexOf(page) < 0:
                self._stack.addWidget(page)
            self._stack.setCurrentWidget(page)
            for asking in (self.pages.data, self.pages.about):
                if asking is not None and asking.isVisibleTo(self._stack):
                    asking.look()
        self._show_key()

    def _made(self, key: str) -> None:
        """Listen to a page that was made just now."""
        form, pages = self.pages.forms.get(key), self.pages
        if form is not None:
            form.edited.connect(lambda path, text: self._edited(key, path, text))
            for row in form.rows.values():
                if isinstance(row.editor, QLineEdit):
                    row.editor.editingFinished.connect(self._apply_edit)
            form.narrow(self._words_for(key))
            self._fill(key)
        elif pages.display is not None and key == "display":
            pages.display.changed.connect(self.display_changed)
            pages.display.changed.connect(self.refill)
        elif pages.about is not None and key == "about":
            pages.about.first_steps_wanted.connect(self.first_steps_wanted)
            pages.about.tour_wanted.connect(self.tour_wanted)
        if pages.notify is not None and key == "notifications":
            pages.notify.kept.connect(self._name_addresses)
        if pages.data is not None and key == "data":
            pages.data.restart_wanted.connect(self.restart_wanted)

    def _show_key(self) -> None:
        """Show the key of the account that the draft names; while that is wrong, the last right one."""
        config, pages = self.draft.config, self.pages
        if config is not None and self._loaded:
            if pages.keys is not None and self._key() == EXCHANGE:
                pages.keys.show_place(KeyPlace(config.exchange.id, config.account, config.exchange.base_url))
            if pages.notify is not None:
                pages.notify.use_name(config.notifications.urls_secret or "")

    def _fill(self, key: str) -> None:
        form = self.pages.forms[key]
        form.set_values(self.draft.values(tuple(row.field for row in form.rows.values())))

    def _words_for(self, key: str) -> str:
        """Return what narrows a section's fields: nothing where its title or its other content is what is meant."""
        text, place = self.search.text().lower(), next(place for place in PLACES if place.key == key)
        named = f"{place.title} {place.words}".lower()
        return "" if all(word in named for word in text.split()) else text

    def _narrow(self) -> None:
        """Hide the sections and fields that do not name what is searched."""
        searched = self.search.text().lower().split()
        for at, place in enumerate(PLACES):
            self._sections.item(at).setHidden(not all(word in self._words[place.key] for word in searched))
        for key, form in self.pages.forms.items():
            form.narrow(self._words_for(key))
        shown = [at for at in range(self._sections.count()) if not self._sections.item(at).isHidden()]
        if shown and self._sections.currentRow() not in shown:
            self._sections.setCurrentRow(shown[0])
        self._report()
        if not shown:
            self._say(f"No setting names {self.search.text().strip()}.", ok=True)

    # --------------------------------------------------------------------------------------- edited

    def _edited(self, key: str, path: str, text: str) -> None:
        row = self.pages.forms[key].rows[path]
        self.draft.edit(row.field, text)
        self._report()
        self._show_key()
        if row.field.kind is not Kind.TEXT:
            self._apply_edit()

    def _take_text(self) -> None:
        self.draft.edit_text(self.text.toPlainText())
        self.refill()
        self._report()

    def _name_addresses(self, name: str) -> None:
        """Let the settings name the addresses that were kept."""
        field = next(f for _, some in self._fields["notifications"] for f in some if f.path == _URLS_SECRET)
        if self.draft.config is not None and self.draft.config.notifications.urls_secret != name:
            self.draft.edit(field, name)
            self.refill()
            self._apply_edit()

    def _report(self) -> None:
        """Say what is wrong, beside the fields and in the list, and what waits to be applied."""
        mistakes, changed = self.draft.mistakes, self.draft.changes()
        for form in self.pages.forms.values():
            form.show_mistakes(self.draft.by_field(mistakes))
        self._list(mistakes)
        set_role(self.text, "wrong", "true" if self.draft.is_broken_text() else "false")
        idle = self._request is None
        self.save.setVisible(self._loaded and bool(changed) and idle)
        self.discard.setVisible(self._loaded and self.draft.is_touched() and idle)
        self.undo.setVisible(bool(self._before) and not self.draft.is_touched() and idle)
        self.restart.setVisible(self.restart.isVisibleTo(self) and not self.draft.is_touched())
        set_text(self.save, f"Apply {words.counted(len(changed), 'change')}" if changed else "Apply")
        if mistakes:
            self._say(f"{words.counted(len(mistakes), 'mistake')}. Nothing is applied before it is right.", ok=False)
        elif changed:
            self._say(f"Not applied yet: {sentence_of(changed)}", ok=True)
        else:
            self._say(self._last, ok=True)

    def _list(self, mistakes: tuple[Mistake, ...]) -> None:
        lines = [self.pages.sentence(mistake) for mistake in mistakes]
        if lines != [self.wrong.item(at).text() for at in range(self.wrong.count())]:
            self.wrong.clear()
            for mistake, line in zip(mistakes, lines, strict=True):
                item = QListWidgetItem(line)
                item.setData(_KEY, mistake.path)
                self.wrong.addItem(item)
        self.wrong.setVisible(bool(lines))
        self.wrong.setFixedHeight(min(120, 44 * len(lines) + 4))

    def _go_to(self, item: QListWidgetItem) -> None:
        """Go to the field of a mistake; one of a grid stands in the text."""
        path = str(item.data(_KEY))
        for key, groups in self._fields.items():
            if any(field.path == path for _, some in groups for field in some):
                form = self.open_section(key)
                if form is not None:
                    form.focus(path)
                return
        self.open_section(TEXT)

    # --------------------------------------------------------------------------------------- asked

    def _apply_edit(self) -> None:
        """Apply what a person has just done, unless it is wrong, or waits for an answer already."""
        if self._key() != TEXT and self._request is None and self.draft.changes():
            self._apply()

    def _apply(self) -> None:
        config = self.draft.config
        if config is None or not self._loaded or self._request is not None:
            return
        before, changed = self.draft.text, self.draft.changes()

        def save() -> None:
            self._before.append(before)
            self._ask(config.to_json(), f"Changed {sentence_of(changed)}", changed)

        self._ask_first(before, config, changed, save)

    def _undo(self) -> None:
        if self._before and self.draft.saved is not None:
            text, before = self._before[-1], self.draft.text
            config = parse_config(text, source="The settings before")
            current = Draft(before)
            current.edit_text(text)
            changed = current.changes()
            undone = f"Undone: {sentence_of(changed)}"
            self._ask_first(before, config, changed, lambda: self._ask(text, undone, changed, undoing=True))

    def _ask_first(self, before: str, config: AppConfig, changed: tuple[Change, ...], save: object) -> None:
        """Save at once, or after a person was asked: about real money, and about a limit that is loosened."""
        assert callable(save)
        looser = loosened(changed)

        def go_on() -> None:
            save_in_mode(self._context, before, config, save, self)

        if looser:
            LooserSettingsDialog(looser, go_on, self).present()
        else:
            go_on()

    def _ask(self, text: str, sentence: str, changed: tuple[Change, ...], *, undoing: bool = False) -> None:
        def answered(answer: Answered) -> None:
            self._request = None
            if undoing == answer.ok:
                # The undo succeeded, or the save failed: either way that step is no longer there.
                self._before.pop()
            if answer.ok:
                later = waiting(changed)
                self._last = f"{sentence}{' It takes effect at the next start.' if later else ''}"
                self._load(text)
                self.restart.setVisible(bool(later))
            else:
                self.draft.mistakes = answer.mistakes
                self._report()
                self._say(answer.message, ok=False)

        self._request = self._context.desk.ask(SaveConfig(text), answered)
        self._report()

    def _discard(self) -> None:
        self._loaded, self._last = False, IN_FORCE
        self.show_view(self._context.facade.view())

    def _say(self, text: str, *, ok: bool) -> None:
        set_role(self.said, "muted" if ok else "error")
        set_text(self.said, text)
