"""The Portfolio tab: asks the history how the account did, while it is looked at, and says what hinders that."""

from __future__ import annotations

from PySide6.QtCore import QElapsedTimer
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from gridbot.gui import words
from gridbot.gui.context import Context
from gridbot.gui.empty_state import EmptyState
from gridbot.gui.errand_requests import ErrandRequests
from gridbot.gui.measures import M, S
from gridbot.gui.parts import button, label, picker, set_role, set_text
from gridbot.gui.portfolio_export import PortfolioExport
from gridbot.gui.portfolio_page import PortfolioPage
from gridbot.gui.table import Table
from gridbot.shell.errands import Done, Refused, Standing
from gridbot.shell.facade import View
from gridbot.shell.history_desk import HistoryReply, HistoryWish, LookBack, Period, PortfolioView, Scope

NEWS_MS, EVERY_MS = 10_000, 60_000
"""The past is asked for again so long after the last answer: where there were fills, and in any case."""
_EASE = 20
"""An answer that took long is not asked for again before so many times as long: years of trades are work."""
NOT_HERE = (
    "The past cannot be read from this window. On the machine that trades, `gridbot export fills`, "
    "`export round-trips` and `export tax` write it to files."
)
_PERIODS = [(f"Last {period.value}" if period is not Period.ALL else "Everything", period) for period in Period]
_DAYS = (("Days in UTC", False), ("Days of this computer", True))


class PortfolioTab(QWidget):
    """Balances from the engine's view; everything else from the history's desk."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._desk = context.desks.history
        self._requests: ErrandRequests[HistoryWish, HistoryReply] | None = (
            None if self._desk is None else ErrandRequests(self._desk, self)
        )
        self._errand: int | None = None
        self._again = False
        self._asked = LookBack()
        self._shown: PortfolioView | None = None
        self._fills, self._since, self._took = -1, QElapsedTimer(), 0
        self.period = picker("Period", _PERIODS, lambda _period: self.ask())
        self.period.setCurrentIndex(self.period.findData(Period.MONTH))
        self.scope = picker("Grids", [("All grids", Scope())], lambda _scope: self.ask())
        self.scope.setMinimumContentsLength(16)
        self.days = picker("Days", _DAYS, lambda _local: self.ask())
        self.days.setToolTip("Whose midnight ends a day. Tax and times in tables have their own.")
        self.said = label("", role="muted", name="How far the past is read")
        self.refresh = button("", self.ask, name="Read the past again", tip="Read the past again", icon="refresh")
        self.export_button = button("Export…", self.export, name="Export the past", icon="export")
        self.page = PortfolioPage(context.colours)
        self.empty = EmptyState("About the past", context.colours)
        self._stack = QStackedWidget()
        self._build()
        if self._requests is None:
            for widget in (self.period, self.scope, self.days, self.refresh):
                widget.setEnabled(False)
            self.empty.say("offline", NOT_HERE)
            self._stack.setCurrentWidget(self.empty)

    def _build(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(S)
        for widget in (self.period, self.scope, self.days):
            top.addWidget(widget)
        top.addWidget(self.said, 1)
        top.addWidget(self.refresh)
        top.addWidget(self.export_button)
        self._stack.addWidget(self.page)
        self._stack.addWidget(self.empty)
        self.export_button.setEnabled(False)
        box = QVBoxLayout(self)
        box.setContentsMargins(M, S, M, S)
        box.setSpacing(S)
        box.addLayout(top)
        box.addWidget(self._stack, 1)

    def tables(self) -> tuple[Table, ...]:
        """Return the tables whose columns are remembered."""
        return self.page.tables()

    def set_colours(self) -> None:
        """Paint with the colours of the context, and write numbers as they are written now."""
        self.page.set_colours(self._context.colours)
        if self._shown is not None:
            self.page.show_past(self._shown)
        self.empty.set_colours(self._context.colours)

    # ------------------------------------------------------------------------------------ what is asked

    def show_view(self, view: View) -> None:
        """Show what the account has, and ask for its past where there may be news of it."""
        self.page.show_balances(view)
        if self._requests is None or self._errand is not None:
            return
        waited = self._since.elapsed() if self._since.isValid() else EVERY_MS
        if waited < _EASE * self._took:
            return
        if waited >= EVERY_MS or (waited >= NEWS_MS and view.snapshot.fills != self._fills):
            self._fills = view.snapshot.fills
            self.ask()

    def ask(self) -> None:
        """Ask for what is chosen; a question that is still open is given up for it."""
        if self._requests is None:
            return
        if self._errand is not None:
            self._again = True
            self._requests.cancel(self._errand)
            return
        scope = self.scope.currentData()
        self._asked = LookBack(Period(self.period.currentData()), scope, bool(self.days.currentData()))
        self._since.start()
        if self._shown is None:
            self.empty.say("loading", "The past is being read…", "Stop", self._give_up)
            self._stack.setCurrentWidget(self.empty)
        self._errand = self._requests.ask(self._asked, self._answered, self._stands)

    def _give_up(self) -> None:
        if self._requests is not None and self._errand is not None:
            self._requests.cancel(self._errand)

    def _stands(self, standing: Standing) -> None:
        share = "" if standing.share is None else f" {standing.share:.0%}"
        sentence = f"{standing.sentence}{share}"
        if self._shown is None:
            self.empty.say("loading", sentence, "Stop", self._give_up)
        elif standing.share is not None:
            self._say(sentence)

    def _answered(self, outcome: Done[HistoryReply] | Refused) -> None:
        self._errand = None
        self._took = self._since.elapsed()
        self._since.start()
        if self._again:
            self._again = False
            self.ask()
            return
        if isinstance(outcome, Refused):
            self._refused(outcome)
        elif isinstance(outcome.reply, PortfolioView):
            self._show(outcome.reply)

    def _refused(self, refused: Refused) -> None:
        sentence = "Reading was stopped. What was read is kept." if refused.given_up else refused.sentence()
        if self._shown is None:
            self.empty.say("clock" if refused.given_up else "error", sentence, "Read on", self.ask)
            self._stack.setCurrentWidget(self.empty)
        else:
            self._say(sentence, wrong=not refused.given_up)

    def _show(self, shown: PortfolioView) -> None:
        self._shown = shown
        self.export_button.setEnabled(True)
        self._offer_scopes(shown)
        self.page.show_past(shown)
        self._stack.setCurrentWidget(self.page)
        if shown.note:
            self._say(shown.note, wrong=True)
        elif shown.kept_since is not None:
            self._say(f"Kept from {words.moment(shown.kept_since)} on; older journals are not there any more.")
        else:
            self._say(f"{words.moment(shown.since)} to {words.moment(shown.until)} UTC" if shown.until else "")

    def _offer_scopes(self, shown: PortfolioView) -> None:
        """Offer all grids of each currency, and each grid; the choice stays."""
        quotes = shown.quotes or ((shown.asset,) if shown.asset else ())
        several = len(quotes) > 1
        choices = [(f"All grids in {quote}" if several else "All grids", Scope(quote=quote)) for quote in quotes]
        choices += [(f"{name.id} ({name.symbol})", Scope(grid=name.id)) for name in shown.grids]
        choices = choices or [("All grids", Scope())]
        now = [(self.scope.itemText(at), self.scope.itemData(at)) for at in range(self.scope.count())]
        wanted = shown.scope if shown.scope.grid else Scope(quote=shown.asset)
        if now != choices:
            self.scope.clear()
            for text, scope in choices:
                self.scope.addItem(text, scope)
        place = next((at for at, (_, scope) in enumerate(choices) if scope == wanted), 0)
        self.scope.setCurrentIndex(place)

    def _say(self, sentence: str, *, wrong: bool = False) -> None:
        set_role(self.said, "error" if wrong else "muted")
        set_text(self.said, sentence)
        self.said.setToolTip(sentence)

    # ---------------------------------------------------------------------------------------- export

    def export(self) -> None:
        """Ask what is to be written where."""
        if self._desk is not None and self._shown is not None:
            PortfolioExport(self._desk, self._asked, self._shown, self).present()
