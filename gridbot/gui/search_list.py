"""The kept searches as a table, newest first; over it how far the one is that is under way."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QVBoxLayout

from gridbot.gui.context import Context
from gridbot.gui.empty_state import EmptyOver
from gridbot.gui.kept_list import KeptList
from gridbot.gui.measures import M, S
from gridbot.gui.parts import button, label, set_role, set_text
from gridbot.gui.search_tables import SEARCHES, SearchRow, search_rows
from gridbot.shell.errands import Standing
from gridbot.shell.search_desk import KeptSearch

NONE_KEPT = (
    "No search is kept yet. Optimise… and Walk forward… under the form try many settings on one part of the past, and "
    "judge the best of them on another that it has not seen."
)


class UnderWay(QFrame):
    """How far a search is: a sentence, a bar, and a button that ends it.

    Signals:
        cancel_wanted: the running search is given up.
    """

    cancel_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        set_role(self, "card")
        self.said = label("", name="What the search does", wrap=True)
        self.bar = QProgressBar()
        self.bar.setAccessibleName("Progress of the search")
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(S)
        self.cancel = button("Cancel", self.cancel_wanted.emit, name="Cancel the search")
        words_and_bar = QVBoxLayout()
        words_and_bar.setSpacing(S)
        words_and_bar.addWidget(self.said)
        words_and_bar.addWidget(self.bar)
        box = QHBoxLayout(self)
        box.setContentsMargins(M, S, M, S)
        box.setSpacing(M)
        box.addLayout(words_and_bar, 1)
        box.addWidget(self.cancel)
        self.hide()

    def show_standing(self, standing: Standing | None) -> None:
        """Show how far it is; None where nobody knows yet."""
        share = None if standing is None else standing.share
        # Nobody knows how far: the bar wanders.
        self.bar.setRange(0, 0 if share is None else 1000)
        self.bar.setValue(0 if share is None else round(share * 1000))
        set_text(self.said, "The search begins." if standing is None else standing.sentence)


class SearchesPage(KeptList[SearchRow]):
    """The table of kept searches, under the one that runs."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, SEARCHES, key=lambda row: row.search.id, one="search", many="searches")
        self.under_way = UnderWay()
        self.empty = EmptyOver(self.table, "No kept searches", context.colours)
        self.empty.say("search", NONE_KEPT)
        self.lay_out(above=(self.under_way,))

    def show_searches(self, searches: tuple[KeptSearch, ...], troubles: tuple[str, ...]) -> None:
        """Show the kept searches, and what could not be read."""
        self.show_rows(search_rows(searches), troubles)

    def set_colours(self) -> None:
        """Paint with the colours of the context."""
        super().set_colours()
        self.empty.set_colours(self._context.colours)
