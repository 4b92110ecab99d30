"""The part of the Backtest tab for searches: hands one in, says how far it is, lists what is kept, and shows one."""

from __future__ import annotations

import json
from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from gridbot.config import GridConfig, form_of, grid_from_form, parse_grid_or_app
from gridbot.core.values import evolve
from gridbot.errors import ConfigError
from gridbot.gui import numbers
from gridbot.gui.context import Context
from gridbot.gui.empty_state import EmptyState
from gridbot.gui.errand_requests import ErrandRequests
from gridbot.gui.search_dialog import SearchDialog
from gridbot.gui.search_list import SearchesPage
from gridbot.gui.search_page import SearchPage
from gridbot.gui.table import Table
from gridbot.shell.errands import Done, Refused, Standing
from gridbot.shell.research_desk import Trial
from gridbot.shell.search_desk import (
    DeleteSearches,
    KeptSearch,
    ListSearches,
    OpenSearch,
    RestoreSearches,
    RunSearch,
    Search,
    SearchesListed,
    SearchId,
    SearchOpened,
    SearchReply,
    SearchWish,
    Settings,
    WalkForward,
)

Outcome = Done[SearchReply] | Refused


class SearchRoom(QWidget):
    """Everything about searches.

    Signals:
        title_changed: the part's title, with how many searches are kept, or how far one is.
        running_changed: (bool) whether a search is under way.
        seen_wanted: something is to be looked at here.
        use_wanted: (GridConfig) settings of a search are wanted in the form of a grid.
        load_wanted: (Trial) they are wanted in the form of the next backtest.
    """

    title_changed = Signal(str)
    running_changed = Signal(bool)
    seen_wanted = Signal()
    use_wanted = Signal(object)
    load_wanted = Signal(object)

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._desk: ErrandRequests[SearchWish, SearchReply] | None = None
        if context.desks.search is not None:
            self._desk = ErrandRequests(context.desks.search, self)
        self._number: int | None = None
        self._asked = False
        self._standing: Standing | None = None
        self._news = False
        self._searches: tuple[KeptSearch, ...] = ()
        self.list = SearchesPage(context)
        self.page = SearchPage(context)
        self.empty = EmptyState("About searches", context.colours)
        self.empty.say("offline", "This window cannot reach the room where settings are searched for.")
        self._pages = QStackedWidget()
        for page in (self.list, self.page, self.empty):
            self._pages.addWidget(page)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self._pages)
        if self._desk is None:
            self._pages.setCurrentWidget(self.empty)
        self.list.open_wanted.connect(lambda id_: self._ask(OpenSearch(id_)))
        self.list.delete_wanted.connect(self._delete)
        self.list.restore_wanted.connect(self._restore)
        self.list.under_way.cancel_wanted.connect(self._cancel)
        self.page.back_wanted.connect(self.show_list)
        self.page.again_wanted.connect(self._again)
        self.running_changed.connect(self.page.again.setDisabled)
        self.page.use_wanted.connect(lambda settings: self._hand_on(settings, self._use))
        self.page.load_wanted.connect(lambda settings: self._hand_on(settings, self._load))

    # ----------------------------------------------------------------------------------- from the tab

    @property
    def reachable(self) -> bool:
        """Whether there is a room that searches."""
        return self._desk is not None

    def look_in(self) -> None:
        """Ask for what is kept, the first time."""
        if not self._asked and self._desk is not None:
            self._asked = True
            self._ask(ListSearches())

    def ask_for_one(self, trial: Trial, *, walking: bool, before: Search | None = None) -> None:
        """Open the form of a search over a trial, as `before` asked where that is given."""
        grid = parse_grid_or_app(trial.grid, source="The tested grid").grids[0]
        for other in self.window().findChildren(SearchDialog):
            # One at a time: of two forms the second would ask for what cannot begin.
            other.reject()
        dialog = SearchDialog(trial, grid, self.window(), walking=walking, before=before)
        dialog.search_wanted.connect(self.run)
        dialog.present()

    def _again(self) -> None:
        """Open the form as the search that is shown asked."""
        if self.page.search is None:
            return
        search = self.page.search.search.search
        try:
            self.ask_for_one(search.trial, walking=isinstance(search.plan, WalkForward), before=search)
        except ConfigError as error:
            self._refuse(error)

    def run(self, search: Search) -> None:
        """Hand a search in; one at a time."""
        if self._desk is None or self._number is not None:
            return
        self.list.note.say("")
        self.list.under_way.show_standing(None)
        self.list.under_way.show()
        self._standing = None
        self._number = self._desk.ask(RunSearch(search), self._ended, self._progressed)
        self.show_list()
        self.running_changed.emit(True)
        self._tell_title()
        self.seen_wanted.emit()

    def show_list(self) -> None:
        """Show the kept searches."""
        self._pages.setCurrentWidget(self.list if self._desk is not None else self.empty)

    def set_colours(self) -> None:
        """Paint with the colours of the context."""
        self.empty.set_colours(self._context.colours)
        self.list.set_colours()
        self.page.set_colours()

    def tables(self) -> tuple[Table, ...]:
        """Return the tables whose columns are remembered."""
        return (self.list.table, *self.page.tables())

    # --------------------------------------------------------------------------------------- the desk

    def _ask(self, wish: SearchWish) -> None:
        if self._desk is not None:
            self._desk.ask(wish, self._take)

    def _take(self, outcome: Outcome) -> None:
        """Show what came; what could not be done is said over the list."""
        if isinstance(outcome, Refused):
            self.list.note.say(outcome.sentence(), wrong=True)
            self.show_list()
            return
        match outcome.reply:
            case SearchesListed(searches=searches, troubles=troubles):
                self._searches = searches
                self.list.show_searches(searches, troubles)
                self._tell_title()
            case SearchOpened(search=whole):
                self.page.show_search(whole, others=self._searches)
                self._pages.setCurrentWidget(self.page)

    def _delete(self, ids: tuple[SearchId, ...]) -> None:
        self.list.offer_undo(ids)
        self._ask(DeleteSearches(ids))

    def _restore(self, ids: tuple[SearchId, ...]) -> None:
        self.list.offer_undo(())
        self._ask(RestoreSearches(ids))

    # --------------------------------------------------------------------------------------- a search

    def _progressed(self, standing: Standing) -> None:
        if self._number is not None:
            self.list.under_way.show_standing(standing)
            self._standing = standing
            self._tell_title()

    def _cancel(self) -> None:
        if self._desk is not None and self._number is not None:
            self._desk.cancel(self._number)

    def _ended(self, outcome: Outcome) -> None:
        self._number = None
        self.list.under_way.hide()
        self.running_changed.emit(False)
        if isinstance(outcome, Refused):
            said = "You cancelled the search. Nothing of it is kept; candles that were downloaded are."
            self.list.note.say(said if outcome.given_up else outcome.sentence(), wrong=not outcome.given_up)
            self._tell_title()
            return
        self._news = not self.isVisible()
        self._take(outcome)
        self._ask(ListSearches())

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._news:
            self._news = False
            self._tell_title()

    def _tell_title(self) -> None:
        count = len(self._searches)
        title = f"Searches ({numbers.whole(count)})" if count else "Searches"
        if self._news:
            title = "Searches (1 new)"
        if self._number is not None:
            share = None if self._standing is None else self._standing.share
            title = "Searches (under way)" if share is None else f"Searches ({int(share * 100)} %)"
        self.title_changed.emit(title)

    # ------------------------------------------------------------------------------------ its settings

    def _hand_on(self, settings: Settings, act: Callable[[Trial, GridConfig], None]) -> None:
        """Merge settings into the grid that was searched, and hand both on."""
        if self.page.search is None:
            return
        trial = self.page.search.search.search.trial
        try:
            grid = parse_grid_or_app(trial.grid, source="The searched grid").grids[0]
            merged = grid_from_form({**form_of(grid), **dict(settings)})
        except ConfigError as error:
            self._refuse(error)
            return
        act(trial, merged)

    def _refuse(self, error: ConfigError) -> None:
        """Say over the list that a search's grid is none any more."""
        self.list.note.say(error.message, wrong=True)
        self.show_list()

    def _use(self, _trial: Trial, grid: GridConfig) -> None:
        self.use_wanted.emit(grid.model_copy(update={"instrument": None}))

    def _load(self, trial: Trial, grid: GridConfig) -> None:
        self.load_wanted.emit(evolve(trial, grid=json.dumps(grid.to_data())))
