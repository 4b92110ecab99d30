"""The Backtest tab: what is to be tested on the left, what came of it on the right; the work is done elsewhere."""

from __future__ import annotations

from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from gridbot.config import GridConfig, form_of, parse_config, parse_grid_or_app, preset
from gridbot.errors import ConfigError
from gridbot.gui import numbers, words
from gridbot.gui.backtest_compare import ComparePage
from gridbot.gui.backtest_result import ResultPage
from gridbot.gui.backtest_runs import RunsPage
from gridbot.gui.backtest_setup import Setup
from gridbot.gui.backtest_words import same_ground
from gridbot.gui.context import Context
from gridbot.gui.empty_state import EmptyState
from gridbot.gui.errand_requests import ErrandRequests
from gridbot.gui.grid_dialog import GridDialog
from gridbot.gui.measures import XS, S
from gridbot.gui.parts import button, set_text
from gridbot.gui.search_room import SearchRoom
from gridbot.gui.table import Table
from gridbot.shell.errands import Done, Refused, Standing
from gridbot.shell.facade import View
from gridbot.shell.research_desk import (
    CandlesCounted,
    CountCandles,
    DataKind,
    DeleteRuns,
    ExchangesNamed,
    KeptRun,
    ListRuns,
    NameExchanges,
    OpenRuns,
    ResearchReply,
    ResearchWish,
    RestoreRuns,
    RunId,
    RunsListed,
    RunsOpened,
    RunTrial,
    Trial,
)

PARTS = ("Result", "Runs", "Compare", "Searches")
SEARCHES = 3
SEARCHING = "A search is under way. The next can begin when it has ended, or when you cancel it."
FORM_PX = 330
FIRST_SENTENCE = (
    "See what a grid would have made of the past, before it may touch your money. Choose candles and settings on the "
    "left, and run the backtest."
)
Outcome = Done[ResearchReply] | Refused


class BacktestRoom(QWidget):
    """All that the tab shows: tests a grid on the past, and keeps and compares what came of it."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._view: View | None = None
        self._desk: ErrandRequests[ResearchWish, ResearchReply] | None = None
        if context.desks.research is not None:
            self._desk = ErrandRequests(context.desks.research, self)
        self._number: int | None = None
        self._asked = False
        self._runs: tuple[KeptRun, ...] = ()
        self._troubles: tuple[str, ...] = ()
        self.setup = Setup()
        self.result = ResultPage(context)
        self.runs = RunsPage(context)
        self.compare = ComparePage(context)
        self.search = SearchRoom(context)
        self.empty = EmptyState("About the result", context.colours)
        self.empty.say("backtest", FIRST_SENTENCE)
        self._results = QStackedWidget()
        self._results.addWidget(self.empty)
        self._results.addWidget(self.result)
        self.parts = QStackedWidget()
        for page in (self._results, self.runs, self.compare, self.search):
            self.parts.addWidget(page)
        self.toggles: list[QPushButton] = []
        self._build()
        self._connect()
        if self._desk is None:
            self.empty.say("offline", "This window cannot reach the room where backtests are run.")
            self.setup.setEnabled(False)

    def _build(self) -> None:
        switch = QHBoxLayout()
        switch.setSpacing(XS)
        group = QButtonGroup(self)
        for number, title in enumerate(PARTS):
            made = button(title, lambda n=number: self.show_part(n), role="toggle", name=f"Backtest: {title}")  # type: ignore[misc]
            made.setCheckable(True)
            group.addButton(made)
            self.toggles.append(made)
            switch.addWidget(made)
        switch.addStretch()
        for made in (self.result.change, self.result.use):
            made.hide()
            switch.addWidget(made)
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(S, 0, 0, 0)
        column.setSpacing(S)
        column.addLayout(switch)
        column.addWidget(self.parts, 1)
        splitter = QSplitter()
        splitter.addWidget(self.setup)
        splitter.addWidget(right)
        splitter.setStretchFactor(0, 0)
        splitter.setStretchFactor(1, 1)
        splitter.setChildrenCollapsible(False)
        self.setup.setMinimumWidth(FORM_PX)
        splitter.setSizes([FORM_PX, 1000])
        box = QVBoxLayout(self)
        box.setContentsMargins(S, S, S, S)
        box.addWidget(splitter)
        self.show_part(0)

    def _connect(self) -> None:
        self.setup.run_wanted.connect(self._run)
        self.setup.cancel_wanted.connect(self._cancel)
        self.setup.data_chosen.connect(self._count)
        self.result.use_wanted.connect(self._use_tested)
        self.result.load_wanted.connect(self._load)
        self.runs.open_wanted.connect(lambda id_: self._ask(OpenRuns((id_,))))
        self.runs.compare_wanted.connect(lambda ids: self._ask(OpenRuns(ids)))
        self.runs.delete_wanted.connect(self._delete)
        self.runs.restore_wanted.connect(self._restore)
        self.setup.search_wanted.connect(lambda trial, walking: self.search.ask_for_one(trial, walking=walking))
        self.search.title_changed.connect(lambda title: set_text(self.toggles[SEARCHES], title))
        self.search.running_changed.connect(lambda on: self.setup.forbid_search(SEARCHING if on else ""))
        self.search.seen_wanted.connect(lambda: self.show_part(SEARCHES))
        self.search.use_wanted.connect(self._use)
        self.search.load_wanted.connect(self.setup.show_trial)
        if not self.search.reachable:
            self.setup.forbid_search("This window cannot reach the room where settings are searched for.")

    # ---------------------------------------------------------------------------------- from the window

    def show_view(self, view: View) -> None:
        """Take over what the configuration knows; the first time, look at what is kept."""
        self._view = view
        self.setup.learn(view.config_text)
        self.search.look_in()
        if not self._asked and self._desk is not None:
            self._asked = True
            self._ask(ListRuns())
            self._ask(NameExchanges())
            self._count()

    def show_grid(self, text: str) -> None:
        """Put a grid (JSON) into the form."""
        self.setup.show_grid(parse_grid_or_app(text, source="The grid").grids[0])

    def show_part(self, number: int) -> None:
        """Show the result, the runs, or the comparison."""
        self.toggles[number].setChecked(True)
        self.parts.setCurrentIndex(number)
        shown = number == 0 and self.result.run is not None
        self.result.change.setVisible(shown)
        self.result.use.setVisible(shown)

    def set_colours(self) -> None:
        """Paint with the colours of the context."""
        self.empty.set_colours(self._context.colours)
        for page in (self.result, self.runs, self.compare, self.search):
            page.set_colours()

    def tables(self) -> tuple[Table, ...]:
        """Return the tables whose columns are remembered."""
        return (self.runs.table, self.result.table, *self.search.tables())

    # --------------------------------------------------------------------------------------- the desk

    def _ask(self, wish: ResearchWish) -> None:
        if self._desk is not None:
            self._desk.ask(wish, self._take)

    def _take(self, outcome: Outcome) -> None:
        """Show what came; what could not be done is said where the runs are."""
        if isinstance(outcome, Refused):
            self.runs.note.say(outcome.sentence(), wrong=True)
            self.show_part(1)
            return
        match outcome.reply:
            case RunsListed(runs=runs, troubles=troubles):
                self._runs, self._troubles = runs, troubles
                self.runs.show_runs(runs, troubles)
                set_text(self.toggles[1], f"Runs ({numbers.grouped(len(runs), 0)})" if runs else "Runs")
            case RunsOpened(runs=(whole,)):
                tries = sum(same_ground(whole.run, other) for other in self._runs)
                self.result.show_run(whole, tries=tries)
                self._results.setCurrentWidget(self.result)
                self.show_part(0)
            case RunsOpened(runs=several):
                self.compare.show_runs(several)
                self.show_part(2)
            case ExchangesNamed(exchanges=exchanges):
                self.setup.data.name_exchanges(exchanges)
            case CandlesCounted(wanted=wanted, kept=kept):
                self.setup.data.note.say(_counted(wanted, kept))

    def _count(self) -> None:
        choice = self.setup.data.choice(self.setup.grid.symbol())
        if choice.kind is DataKind.EXCHANGE and choice.place and "/" in choice.symbol:
            self._ask(CountCandles(choice))
        else:
            self.setup.data.note.say("")

    def _delete(self, ids: tuple[RunId, ...]) -> None:
        self.runs.offer_undo(ids)
        self._ask(DeleteRuns(ids))

    def _restore(self, ids: tuple[RunId, ...]) -> None:
        self.runs.offer_undo(())
        self._ask(RestoreRuns(ids))

    # ------------------------------------------------------------------------------------------ a run

    def _run(self, trial: Trial) -> None:
        if self._desk is None or self._number is not None:
            return
        self.setup.show_running(None, running=True)
        if self.result.run is None:
            self.empty.say("loading", "The backtest is under way. Trading and the window go on meanwhile.")
        self._number = self._desk.ask(RunTrial(trial), self._ended, self._progressed)

    def _progressed(self, standing: Standing) -> None:
        if self._number is not None:
            self.setup.show_running(standing, running=True)

    def _cancel(self) -> None:
        if self._desk is not None and self._number is not None:
            self._desk.cancel(self._number)

    def _ended(self, outcome: Outcome) -> None:
        self._number = None
        self.setup.show_running(None)
        self._count()
        if isinstance(outcome, Refused):
            said = "You cancelled the backtest. What was downloaded is kept, and the next run goes on from there."
            self.setup.say(said if outcome.given_up else outcome.sentence(), wrong=not outcome.given_up)
            if self.result.run is None:
                self.empty.say(
                    "backtest" if outcome.given_up else "error",
                    FIRST_SENTENCE if outcome.given_up else outcome.sentence(),
                )
            return
        if isinstance(outcome.reply, RunsOpened):
            # So that it counts among the tries over these candles.
            self._runs = (outcome.reply.runs[0].run, *self._runs)
        self._take(outcome)
        self._ask(ListRuns())

    # -------------------------------------------------------------------------------- its settings

    def _tested(self) -> GridConfig | None:
        """Return the shown run's grid, without the rules of the market that it was tested with."""
        if self.result.run is None:
            return None
        try:
            grid = parse_grid_or_app(self.result.run.run.trial.grid, source="The tested grid").grids[0]
        except ConfigError as error:
            self.setup.say(error.message, wrong=True)
            return None
        return grid.model_copy(update={"instrument": None})

    def _use_tested(self) -> None:
        grid = self._tested()
        if grid is not None:
            self._use(grid)

    def _use(self, grid: GridConfig) -> None:
        """Open the form of the grid that these settings are for: nothing is saved before a person says so there."""
        if self._view is None:
            return
        known = parse_config(self._view.config_text, source="The saved configuration").grid(grid.id)
        edited = known if known is not None and known.symbol == grid.symbol else None
        before = form_of(edited or preset("balanced", symbol=grid.symbol))
        wanted = {
            path: text for path, text in form_of(grid).items() if path == "symbol" or text != before.get(path, "")
        }
        for path in ("id", "enabled", "sell_only", "instrument"):
            wanted.pop(path, None)
        edited_id = None if edited is None else edited.id
        dialog = GridDialog(self._context, self._view.config_text, edited_id, self.window(), prefill=wanted)
        dialog.backtest_wanted.connect(self.show_grid)
        dialog.present()

    def _load(self) -> None:
        if self.result.run is not None:
            self.setup.show_trial(self.result.run.run.trial)


class BacktestTab(QWidget):
    """The tab, whose content is built when it is looked at first: it has many fields, and a start has no time."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._view: View | None = None
        self._room: BacktestRoom | None = None
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)

    @property
    def room(self) -> BacktestRoom:
        """What the tab shows."""
        if self._room is None:
            self._room = BacktestRoom(self._context)
            self._box.addWidget(self._room)
            for table in self._room.tables():
                table.arrange(self._context.preferences.columns.get(table.objectName(), {}))
                table.set_widths(self._context.preferences.widths.get(table.objectName(), ()))
            if self._view is not None:
                self._room.show_view(self._view)
        return self._room

    def show_view(self, view: View) -> None:
        """Take over what the configuration knows."""
        self._view = view
        self.room.show_view(view)

    def show_grid(self, text: str) -> None:
        """Put a grid (JSON, as another form has it) into the form, to be tested."""
        self.show_view(self._context.facade.view())
        self.room.show_grid(text)

    def set_colours(self) -> None:
        """Paint with the colours of the context."""
        if self._room is not None:
            self._room.set_colours()

    def tables(self) -> tuple[Table, ...]:
        """Return the tables whose columns are remembered."""
        return () if self._room is None else self._room.tables()


def _counted(wanted: int, kept: int) -> str:
    count = words.counted(wanted, "candle")
    if kept >= wanted:
        return f"{count}, all on this computer."
    if not kept:
        return f"{count}, which are downloaded once."
    return f"{count}, {numbers.grouped(kept, 0)} of them on this computer; the others are downloaded once."
