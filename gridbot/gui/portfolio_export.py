"""The dialog that writes the past to a file: fills, round trips, or a tax year."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QLabel, QWidget

from gridbot.core.units import CostMethod
from gridbot.gui import numbers
from gridbot.gui.parts import label, picker
from gridbot.gui.saving_dialog import SavingDialog
from gridbot.gui.words import counted
from gridbot.shell.errands import Errands
from gridbot.shell.history_desk import (
    Exported,
    ExportHistory,
    HistoryReply,
    HistoryWish,
    LookBack,
    PortfolioView,
    Spelling,
    Written,
)

KINDS = (
    ("Fills", Exported.FILLS),
    ("Round trips", Exported.TRIPS),
    ("Tax report of a year", Exported.TAX),
)
METHODS = (
    ("First in, first out (FIFO)", CostMethod.FIFO),
    ("Average cost", CostMethod.AVERAGE),
)
DAYS = (("UTC", False), ("This computer's clock", True))
FORMS = (
    ("For programs: a point in numbers, times as ISO 8601", False),
    ("For Excel (my locale): numbers as in Settings > Display", True),
)
TAX_NOTE = (
    "Each sale with what the coins cost, by market, in the market's currency. It is arithmetic, not tax advice, and "
    "holds only what gridbot traded: what counts where you live, a person must say who knows."
)
_NOUNS = {Exported.FILLS: "fill", Exported.TRIPS: "round trip", Exported.TAX: "disposal"}
_FILES = {Exported.FILLS: "gridbot-fills", Exported.TRIPS: "gridbot-round-trips"}


class PortfolioExport(SavingDialog[HistoryWish, HistoryReply]):
    """Asks what, of when and where to. `shown` is what the tab shows at the moment."""

    def __init__(
        self, desk: Errands[HistoryWish, HistoryReply], look: LookBack, shown: PortfolioView, parent: QWidget
    ) -> None:
        super().__init__("Export the past", desk, parent)
        self.setMinimumWidth(580)
        self._look, self._named = look, ""
        whose = shown.scope.grid or f"all grids that earn {shown.asset}"
        self.kind = picker("What to export", KINDS, lambda _kind: self._follow())
        narrow = (f"What the tab shows ({look.period.value}, {whose})", True)
        self.rows = picker("Which rows", (("Everything", False), narrow) if shown.asset else (("Everything", False),))
        self.year = picker("Year", [(str(year), year) for year in shown.years], lambda _year: self._follow())
        self.method = picker("Which coins a sale takes first", METHODS, lambda _method: self._follow())
        self.days = picker("Where a year begins and ends", DAYS)
        self.days.setCurrentIndex(int(look.local_days))
        self.form = picker("Form", FORMS)
        self.path.textChanged.connect(lambda _text: self.look_at_path())
        self.note = label(TAX_NOTE, role="muted", name="About the tax report", wrap=True)
        self._of: dict[QWidget, QLabel] = {}
        self._build()
        self._follow()

    def choose(self, kind: Exported) -> None:
        """Choose what is exported, as if a person had."""
        self.kind.setCurrentIndex(self.kind.findData(kind))
        self._follow()

    def _build(self) -> None:
        fields: tuple[tuple[str, QWidget], ...] = (
            ("What", self.kind),
            ("Rows", self.rows),
            ("Year", self.year),
            ("Cost", self.method),
            ("Days", self.days),
            ("Form", self.form),
            ("File", self.path),
        )
        for row, (title, widget) in enumerate(fields):
            text = label(title)
            text.setBuddy(widget)
            self._of[widget] = text
            self.grid.addWidget(text, row, 0)
            self.grid.addWidget(widget, row, 1)
        self.grid.addWidget(self.browse, len(fields) - 1, 2)
        self.box.addLayout(self.grid)
        self.box.addWidget(self.note)
        self.add_end(wish_for=self.wish_for, saved=self.saved)

    def _follow(self) -> None:
        """Show the fields of what is chosen, and offer a name for its file unless a person has given one."""
        kind = Exported(self.kind.currentData())
        tax = kind is Exported.TAX
        for widget, wanted in ((self.rows, not tax), (self.year, tax), (self.method, tax), (self.days, tax)):
            widget.setVisible(wanted)
            self._of[widget].setVisible(wanted)
        self.note.setVisible(tax)
        name = _FILES.get(kind, f"gridbot-tax-{self.year.currentData()}-{self.method.currentData()}")
        if self.path.text() in ("", self._named):
            self._named = str(Path.home() / f"{name}.csv")
            self.path.setText(self._named)
        self.weigh()
        if tax and not self.year.count():
            self.say("Nothing was traded yet, so there is no year to report.", ok=True)
        else:
            self.look_at_path()

    def weigh(self) -> None:
        """Let it begin only while nothing is being written, and a tax report only of a year."""
        super().weigh()
        if self.kind.currentData() == Exported.TAX and not self.year.count():
            self.start.setEnabled(False)

    def wish_for(self, target: Path) -> ExportHistory:
        """Return the wish for what is chosen."""
        kind = Exported(self.kind.currentData())
        spelling = Spelling()
        if self.form.currentData():
            decimal = numbers.style().decimal
            spelling = Spelling(decimal=decimal, separator=";" if decimal == "," else ",", excel=True)
        if kind is Exported.TAX:
            return ExportHistory(
                kind,
                target,
                spelling,
                year=int(self.year.currentData()),
                method=CostMethod(self.method.currentData()),
                local_days=bool(self.days.currentData()),
            )
        if not self.rows.currentData():
            return ExportHistory(kind, target, spelling)
        return ExportHistory(kind, target, spelling, self._look.period, self._look.scope)

    def saved(self, reply: HistoryReply) -> str:
        """Return where the rows are, and how many."""
        assert isinstance(reply, Written)
        return f"Saved to {reply.target}: {counted(reply.rows, _NOUNS[Exported(self.kind.currentData())])}."
