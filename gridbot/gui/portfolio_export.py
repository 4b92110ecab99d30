"""The dialog that writes the past to a file: fills, round trips or a tax year, with progress, and a way to stop."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QLocale, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QGridLayout, QLabel, QLineEdit, QProgressBar, QWidget

from gridbot.core.units import CostMethod
from gridbot.gui.dialogs import Dialog
from gridbot.gui.errand_requests import ErrandRequests
from gridbot.gui.measures import M, S
from gridbot.gui.parts import button, label, picker, set_role, set_text
from gridbot.gui.words import counted
from gridbot.shell.errands import Done, Errands, Refused, Standing
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
    ("For Excel (my locale): numbers as this desktop writes them", True),
)
TAX_NOTE = (
    "Each sale with what the coins cost, by market, in the market's currency. It is arithmetic, not tax advice, and "
    "holds only what gridbot traded: what counts where you live, a person must say who knows."
)
_NOUNS = {Exported.FILLS: "fill", Exported.TRIPS: "round trip", Exported.TAX: "disposal"}
_FILES = {Exported.FILLS: "gridbot-fills", Exported.TRIPS: "gridbot-round-trips"}


class PortfolioExport(Dialog):
    """Asks what, of when and where to; writes; tells how it went. `shown` is what the tab shows at the moment."""

    def __init__(
        self, desk: Errands[HistoryWish, HistoryReply], look: LookBack, shown: PortfolioView, parent: QWidget
    ) -> None:
        super().__init__("Export the past", parent)
        self.setMinimumWidth(580)
        self._requests: ErrandRequests[HistoryWish, HistoryReply] = ErrandRequests(desk, self)
        self._errand: int | None = None
        self._look, self._target, self._named = look, Path(), ""
        whose = shown.scope.grid or f"all grids that earn {shown.asset}"
        self.kind = picker("What to export", KINDS, lambda _kind: self._follow())
        narrow = (f"What the tab shows ({look.period.value}, {whose})", True)
        self.rows = picker("Which rows", (("Everything", False), narrow) if shown.asset else (("Everything", False),))
        self.year = picker("Year", [(str(year), year) for year in shown.years], lambda _year: self._follow())
        self.method = picker("Which coins a sale takes first", METHODS, lambda _method: self._follow())
        self.days = picker("Where a year begins and ends", DAYS)
        self.days.setCurrentIndex(int(look.local_days))
        self.form = picker("Form", FORMS)
        self.path = QLineEdit()
        self.path.setAccessibleName("File")
        self.path.textChanged.connect(lambda _text: self._look_at_path())
        self.note = label(TAX_NOTE, role="muted", name="About the tax report", wrap=True)
        self.progress = QProgressBar()
        self.progress.setAccessibleName("Progress")
        self.progress.setRange(0, 1000)
        self.progress.hide()
        self.said = label("", role="muted", name="Result", wrap=True)
        self.start = button("Export", self._begin, role="primary", name="Begin the export", icon="export")
        self.stop = button("Close", self._stop, name="Close, or stop the export")
        self._open = button("Open folder", self._open_folder, icon="folder")
        self._open.hide()
        self._of: dict[QWidget, QLabel] = {}
        self._build()
        self._follow()

    def choose(self, kind: Exported) -> None:
        """Choose what is exported, as if a person had."""
        self.kind.setCurrentIndex(self.kind.findData(kind))
        self._follow()

    def _build(self) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(M)
        grid.setVerticalSpacing(S)
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
            grid.addWidget(text, row, 0)
            grid.addWidget(widget, row, 1)
        grid.addWidget(button("Choose…", self._choose_file, name="Choose the file"), len(fields) - 1, 2)
        grid.setColumnStretch(1, 1)
        self.box.addLayout(grid)
        self.box.addWidget(self.note)
        self.box.addWidget(self.progress)
        self.box.addWidget(self.said)
        self.buttons.addWidget(self._open)
        self.add_buttons(self.start, self.stop)
        self.finished.connect(lambda _result: self._give_up())

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
        self.start.setEnabled(not tax or self.year.count() > 0)
        if tax and not self.year.count():
            self._say("Nothing was traded yet, so there is no year to report.", ok=True)
        else:
            self._look_at_path()

    def _choose_file(self) -> None:
        # Qt's own dialog is shown like ours: beside the window, never over STOP.
        chooser = QFileDialog(self, "Export to", self.path.text())
        chooser.setOption(QFileDialog.Option.DontUseNativeDialog)
        chooser.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        chooser.fileSelected.connect(self.path.setText)
        chooser.setModal(False)
        chooser.show()

    def _look_at_path(self) -> None:
        text = self.path.text().strip()
        there = bool(text) and Path(text).expanduser().exists()
        self._say("There is a file of this name already. It is replaced." if there else "", ok=True)

    def _begin(self) -> None:
        text = self.path.text().strip()
        if not text:
            self._say("Give a file to write to.", ok=False)
            return
        self._target = Path(text).expanduser()
        self.start.setEnabled(False)
        self._open.hide()
        self.progress.setValue(0)
        self.progress.show()
        set_text(self.stop, "Stop")
        self._say("The rows are being gathered…", ok=True)
        self._errand = self._requests.ask(self._wish(), self._answered, self._stands)

    def _wish(self) -> ExportHistory:
        kind = Exported(self.kind.currentData())
        spelling = Spelling()
        if self.form.currentData():
            decimal = QLocale.system().decimalPoint()
            spelling = Spelling(decimal=decimal, separator=";" if decimal == "," else ",", excel=True)
        if kind is Exported.TAX:
            return ExportHistory(
                kind,
                self._target,
                spelling,
                year=int(self.year.currentData()),
                method=CostMethod(self.method.currentData()),
                local_days=bool(self.days.currentData()),
            )
        if not self.rows.currentData():
            return ExportHistory(kind, self._target, spelling)
        return ExportHistory(kind, self._target, spelling, self._look.period, self._look.scope)

    def _stop(self) -> None:
        if self._errand is None:
            self.reject()
        else:
            self._give_up()

    def _give_up(self) -> None:
        if self._errand is not None:
            self._requests.cancel(self._errand)

    def _stands(self, standing: Standing) -> None:
        self.progress.setRange(0, 0 if standing.share is None else 1000)
        self.progress.setValue(round((standing.share or 0.0) * 1000))
        self._say(standing.sentence, ok=True)

    def _answered(self, outcome: Done[HistoryReply] | Refused) -> None:
        self._errand = None
        self.start.setEnabled(True)
        set_text(self.stop, "Close")
        saved = isinstance(outcome, Done)
        self.progress.setRange(0, 1000)
        self.progress.setValue(1000)
        self.progress.setVisible(saved)
        self._open.setVisible(saved)
        if isinstance(outcome, Refused):
            stopped = "The export was stopped. Nothing was left behind."
            self._say(stopped if outcome.given_up else outcome.sentence(), ok=outcome.given_up)
        elif isinstance(outcome.reply, Written):
            noun = _NOUNS[Exported(self.kind.currentData())]
            self._say(f"Saved to {outcome.reply.target}: {counted(outcome.reply.rows, noun)}.", ok=True)

    def _say(self, text: str, *, ok: bool) -> None:
        set_role(self.said, "muted" if ok else "error")
        set_text(self.said, text)

    def _open_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._target.parent)))
