"""One search: what its choice was worth on days that it had not seen, first and largest; then how it came to that."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from PySide6.QtCore import Signal, SignalInstance
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from gridbot.gui.backtest_fields import Note
from gridbot.gui.backtest_result import Cards, Elided
from gridbot.gui.chart_small import Curve, SmallPlot, percent_figure
from gridbot.gui.context import Context
from gridbot.gui.measures import M, S
from gridbot.gui.parts import button, label, set_text
from gridbot.gui.rows_model import RowsModel
from gridbot.gui.search_doubts import doubts
from gridbot.gui.search_knobs import changed
from gridbot.gui.search_tables import ROUNDS, RoundRow, TryRow, try_columns
from gridbot.gui.search_words import (
    Said,
    chosen_words,
    figures_of,
    heading,
    headline,
    present_of,
    sentences,
    subtitle,
)
from gridbot.gui.sentence_cards import SentenceCards, scroll_down
from gridbot.gui.table import Table
from gridbot.gui.view_switch import view_switch
from gridbot.shell.search_desk import Course, KeptSearch, Settings, WholeSearch
from gridbot.shell.search_sums import chosen_now

VIEWS = ("Course", "Rounds", "Tries", "What it does not know")
TRIES = 2
LEAST_VIEW_PX = 132
NOT_JUDGED = (
    "The selected settings were not chosen, so nothing judged them on unseen days. They did this on the days that they "
    "were tried on, and nothing more is known of them."
)


class SearchPage(QWidget):
    """Shows a search.

    Signals:
        back_wanted: the list of searches is wanted.
        use_wanted: (settings) these are wanted in the form of a grid.
        load_wanted: (settings) they are wanted in the form of the next backtest.
        again_wanted: the form of a search is wanted as this one asked.
    """

    back_wanted = Signal()
    use_wanted = Signal(object)
    load_wanted = Signal(object)
    again_wanted = Signal()

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self.search: WholeSearch | None = None
        self._title = label("", role="heading", name="What was searched")
        self._line = Elided("How it was searched")
        self.headline = label("", role="title", name="What the search came to", wrap=True)
        self.verdict = label("", name="What that means", wrap=True)
        self.chosen = label("", role="heading", name="What was chosen", wrap=True)
        self.told = label("", name="How it compares", wrap=True)
        self.cards = Cards()
        self.course = SmallPlot("Growth", context.colours, figure=percent_figure)
        self.rounds: RowsModel[RoundRow] = RowsModel(ROUNDS, key=lambda row: row.number)
        self.rounds.set_colours(context.colours)
        self.round_table = Table(self.rounds, name="Rounds of the search")
        self.round_table.sort_by(0, descending=False)
        self.tries: RowsModel[TryRow] | None = None
        self.try_table: Table | None = None
        self.try_note = Note("About the selected settings")
        self.doubts = SentenceCards("What the search does not know")
        self.views = QStackedWidget()
        self.back = button("All searches", self.back_wanted.emit, icon="chevron-left")
        self.again = button(
            "Search again…",
            self.again_wanted.emit,
            tip="Open the form as this search asked, to try other values. This search is kept.",
        )
        self.load = button(
            "Backtest these",
            lambda: self._act(self.load_wanted),
            name="Backtest these settings",
            tip="Put these settings into the form on the left, to look at one run of them closely.",
            icon="edit",
        )
        self.use = button(
            "Use these settings…",
            lambda: self._act(self.use_wanted),
            role="primary",
            name="Use the settings of the search",
            tip="Open the form of a grid with these settings. Nothing is saved before you say so there.",
        )
        self._build()

    def _build(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(S)
        top.addWidget(self.back)
        top.addStretch()
        top.addWidget(self.again)
        top.addWidget(self.load)
        top.addWidget(self.use)
        head = QHBoxLayout()
        head.setSpacing(M)
        head.addWidget(self._title)
        head.addWidget(self._line, 1)
        switch, self.toggles = view_switch(self, VIEWS, name="Show of the search", choose=self.show_part)
        self._tries_page = QWidget()
        self._tries_box = QVBoxLayout(self._tries_page)
        self._tries_box.setContentsMargins(0, 0, 0, 0)
        self._tries_box.setSpacing(S)
        self._tries_box.addWidget(self.try_note)
        for page in (self.course, self.round_table, self._tries_page, self.doubts):
            self.views.addWidget(page)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(S)
        column.addLayout(head)
        for each in (self.headline, self.verdict, self.told, self.chosen, self.cards):
            column.addWidget(each)
        column.addLayout(switch)
        column.addWidget(self.views, 1)
        self.views.setMinimumHeight(LEAST_VIEW_PX)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(S)
        box.addLayout(top)
        # In a low window all of it scrolls: the words come first, and are never cut for the pictures under them.
        scrolled = QScrollArea()
        scroll_down(scrolled, inside, "The search")
        box.addWidget(scrolled, 1)
        self.show_part(0)

    # ---------------------------------------------------------------------------------- what is shown

    def show_part(self, number: int) -> None:
        """Show one of the VIEWS."""
        self.toggles[number].setChecked(True)
        self.views.setCurrentIndex(number)
        self._look()

    def show_search(self, whole: WholeSearch, *, others: Sequence[KeptSearch]) -> None:
        """Show a search; `others` are all that are kept."""
        fresh = self.search is None or self.search.search.id != whole.search.id
        self.search = whole
        search = whole.search
        set_text(self._title, heading(search))
        set_text(self._line, subtitle(search))
        self._line.setToolTip(subtitle(search))
        self._write()
        self.doubts.say(doubts(whole, others=others))
        self.rounds.replace([RoundRow(number + 1, each) for number, each in enumerate(search.rounds)])
        self._show_course(whole.course, chose=any(each.chosen is not None for each in search.rounds))
        if fresh or self.tries is None:
            self._show_tries(whole)
            self.show_part(0)
        self._look()

    def set_colours(self) -> None:
        """Paint with the colours of the context, and write numbers as they are written now."""
        self.course.set_colours(self._context.colours)
        self.rounds.set_colours(self._context.colours)
        if self.tries is not None:
            self.tries.set_colours(self._context.colours)
        if self.search is not None:
            self._write()

    def tables(self) -> tuple[Table, ...]:
        """Return the tables whose columns are remembered."""
        return (self.round_table,) if self.try_table is None else (self.round_table, self.try_table)

    def acting(self) -> Settings | None:
        """Return the settings that the buttons are about: the selected try's, or else the chosen ones."""
        selected = self._selected()
        if selected is not None:
            return None if selected.tried.refused else selected.tried.settings
        return None if self.search is None else chosen_now(self.search.search)

    # ----------------------------------------------------------------------------------------- inside

    def _write(self) -> None:
        assert self.search is not None
        first, *rest = (headline(self.search), *sentences(self.search))
        self._say(self.headline, first)
        loud = [said for said in rest if said.ink]
        self._say(self.verdict, Said(" ".join(said.sentence for said in loud), _worst(loud)))
        self._say(self.told, Said(" ".join(said.sentence for said in rest if not said.ink)))
        known = bool(rest)
        self._say(self.chosen, Said(chosen_words(self.search.search) if known else ""))
        self.cards.setVisible(known)
        if known:
            self.cards.show_figures(figures_of(self.search.search), self._context.colours)

    def _say(self, where: QLabel, said: Said) -> None:
        set_text(where, said.sentence)
        where.setVisible(bool(said.sentence))
        palette = QPalette(where.palette())
        palette.setColor(QPalette.ColorRole.WindowText, QColor(getattr(self._context.colours, said.ink or "text")))
        where.setPalette(palette)

    def _show_course(self, course: Course, *, chose: bool) -> None:
        """Draw the growth; of a search that chose nothing only what it would have been compared with."""
        if not len(course.time):
            self.course.set_apart(None)
            self.course.show_nothing("Nothing was chosen, so there is no course to show.")
            return
        unseen = course.time >= course.unseen_from
        beside = (Curve("present", course.present - 1, "ema_slow"), Curve("buy and hold", course.hold - 1, "caution"))
        if not chose:
            self.course.set_apart(None)
            self.course.show_curves(course.time, *beside)
            return
        curves = [Curve("chosen", np.where(unseen, course.chosen, np.nan) - 1), *beside]
        if not unseen.all():
            seen = np.where(course.time <= _first(course.time, course.unseen_from), course.chosen, np.nan) - 1
            curves.append(Curve("while choosing", seen, "muted"))
            self.course.set_apart(course.unseen_from, "the days it was chosen on", "days it had not seen")
        else:
            self.course.set_apart(None)
        self.course.show_curves(course.time, *curves)

    def _show_tries(self, whole: WholeSearch) -> None:
        """Make the table of tries anew, for its columns are the settings that were varied."""
        preferences = self._context.preferences
        if self.try_table is not None:
            preferences.columns[self.try_table.objectName()] = self.try_table.arrangement()
            self._tries_box.removeWidget(self.try_table)
            self.try_table.hide()
            self.try_table.deleteLater()
        chosen, present = chosen_now(whole.search), present_of(whole.search)
        rows = [
            TryRow(
                place + 1,
                each,
                chosen=each.settings == chosen and each.worth is not None,
                present=not changed(each.settings, present),
            )
            for place, each in enumerate(whole.tries)
        ]
        self.tries = RowsModel(
            try_columns(whole.search.search.knobs),
            key=lambda row: row.place,
            ink=lambda row: "muted" if row.tried.worth is None else "",
        )
        self.tries.set_colours(self._context.colours)
        self.try_table = Table(self.tries, name="Tries of the search")
        self.try_table.sort_by(0, descending=False)
        titles = [column.title for column in self.tries.columns]
        self.try_table.arrange(_with_settings(preferences.columns.get(self.try_table.objectName(), {}), titles))
        self.try_table.menu_for = self._menu
        self.tries.replace(rows)
        self.try_table.selectionModel().selectionChanged.connect(lambda _now, _before: self._look())
        self._tries_box.insertWidget(0, self.try_table, 1)

    def _selected(self) -> TryRow | None:
        if self.views.currentIndex() != TRIES or self.try_table is None:
            return None
        rows: list[TryRow] = self.try_table.selected()
        return rows[0] if len(rows) == 1 else None

    def _look(self) -> None:
        """Let the buttons be pressed where there is something to use, and say what was not judged."""
        selected, settings = self._selected(), self.acting()
        for each in (self.load, self.use):
            each.setEnabled(settings is not None)
        if selected is not None and selected.tried.refused:
            self.try_note.say(f"These settings could not be tried: {selected.tried.refused}", wrong=True)
        else:
            # What one has already was run on the unseen days, too.
            judged = selected is None or selected.chosen or selected.present
            self.try_note.say("" if judged else NOT_JUDGED)

    def _act(self, wanted: SignalInstance) -> None:
        settings = self.acting()
        if settings is not None:
            wanted.emit(settings)

    def _menu(self) -> tuple[tuple[str, Callable[[], None] | None], ...]:
        able = self.acting() is not None
        return (
            ("Backtest these settings", self.load.click if able else None),
            ("Use these settings…", self.use.click if able else None),
        )


def _with_settings(arrangement: Mapping[str, Sequence[str]], titles: Sequence[str]) -> dict[str, Sequence[str]]:
    """Return how columns were arranged, with those that it does not know (other settings) behind the first one."""
    known = [title for title in arrangement.get("order", ()) if title in titles]
    fresh = [title for title in titles if title not in known]
    return {**arrangement, "order": [*known[:1], *fresh, *known[1:]]} if known else dict(arrangement)


def _worst(said: Sequence[Said]) -> str:
    inks = [each.ink for each in said]
    return "down" if "down" in inks else inks[0] if inks else ""


def _first(times: np.ndarray, moment: int) -> int:
    """Return the first time from a moment on, so that the one curve ends where the other begins."""
    return int(times[min(int(np.searchsorted(times, moment)), len(times) - 1)])
