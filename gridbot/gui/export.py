"""The export of log lines and of a support bundle: what goes in, where to, how far it is, and stop."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QDateTime, QTimeZone, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QComboBox,
    QDateTimeEdit,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QSizePolicy,
    QWidget,
)

from gridbot.core.values import evolve
from gridbot.gui.bundle_page import BundlePage
from gridbot.gui.context import Context
from gridbot.gui.dialogs import Dialog
from gridbot.gui.errand_requests import ErrandRequests
from gridbot.gui.parts import button, label, picker, set_role, set_text
from gridbot.shell.errands import Done, Refused, Standing
from gridbot.shell.upkeep_desk import (
    LineFilter,
    UpkeepReply,
    UpkeepWish,
    WriteBundle,
    WriteLogs,
    Written,
)

HOUR_MS = 3_600_000
NOT_HERE = (
    "The log files cannot be reached from this window. `gridbot export logs` writes them on the machine that trades."
)
_ALL, _HOUR, _TODAY, _BETWEEN = "all", "hour", "today", "between"
_RANGES = (
    ("All that is kept", _ALL),
    ("The last hour", _HOUR),
    ("Today (UTC)", _TODAY),
    ("From … to …", _BETWEEN),
)
_BUNDLE = "zip"
_FORMATS = (
    ("Log lines, one JSON object a line (.jsonl)", "jsonl"),
    ("Log lines, a table with commas (.csv)", "csv"),
    ("A support bundle: all that helps to find a fault (.zip)", _BUNDLE),
)


class ExportDialog(Dialog):
    """Asks for what, which, and where to; shows progress; can be stopped.

    `lines` are those that the tab's filter shows, `folder` is where the file is to lie to begin with.
    """

    def __init__(self, context: Context, *, lines: LineFilter, parent: QWidget, folder: Path | None = None) -> None:
        super().__init__("Export", parent)
        self.setMinimumWidth(600)
        self._lines = lines
        desk = context.desks.upkeep
        self._requests: ErrandRequests[UpkeepWish, UpkeepReply] | None = (
            None if desk is None else ErrandRequests(desk, self)
        )
        self._errand: int | None = None
        self._folder = folder or Path.home()
        self.format = picker("What to write", _FORMATS, lambda _format: self._show_format())
        self.range = picker("Which time", _RANGES, lambda _range: self._show_range())
        narrowed = lines != LineFilter()
        choices = [("What the filter shows", True), ("All lines", False)] if narrowed else [("All lines", False)]
        self.lines = picker("Which lines", choices)
        self.since, self.until = _moment_field("From (UTC)"), _moment_field("To (UTC)")
        self.bundle = BundlePage()
        self.bundle.changed.connect(self._weigh)
        self.bundle.changed.connect(self._fit)
        self.path = QLineEdit(str(self._folder / f"gridbot-logs-{_now().toString('yyyyMMdd-HHmm')}.jsonl"))
        self.path.setAccessibleName("File")
        self._browse = button("Choose…", self._choose_file, name="Choose the file")
        self.progress = QProgressBar()
        self.progress.setAccessibleName("Progress")
        self.progress.setRange(0, 1000)
        self.said = label("", role="muted", name="Result", wrap=True)
        self.start = button("Export", self._begin, role="primary", name="Begin the export")
        self.stop = button("Close", self._stop, name="Close, or stop the export")
        self._open = button("Open folder", self._open_folder)
        self._titles: dict[QWidget, QWidget] = {}
        self._build()
        self.progress.hide()
        self._open.hide()
        self._show_format()
        self._show_range()
        if self._requests is None:
            self._say(NOT_HERE, ok=False)
        self.finished.connect(lambda _result: self._give_up())

    def _build(self) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(8)
        self._between = QWidget()
        row = QHBoxLayout(self._between)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.since)
        row.addWidget(label("to"))
        row.addWidget(self.until)
        row.addWidget(label("UTC", role="muted"))
        row.addStretch()
        for at, (title, widget) in enumerate(
            (
                ("What", self.format),
                ("Time", self.range),
                ("", self._between),
                ("Lines", self.lines),
                ("File", self.path),
            )
        ):
            self._titles[widget] = label(title)
            grid.addWidget(self._titles[widget], at, 0)
            grid.addWidget(widget, at, 1)
        grid.addWidget(self._browse, 4, 2)
        grid.setColumnStretch(1, 1)
        for each in (self.format, self.range, self.lines):
            each.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            each.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.box.addLayout(grid)
        self.box.addWidget(self.bundle)
        self.box.addStretch()
        self.box.addWidget(self.progress)
        self.box.addWidget(self.said)
        self.buttons.addWidget(self._open)
        self.add_buttons(self.start, self.stop)

    # --------------------------------------------------------------------------------------- chosen

    def _show_format(self) -> None:
        chosen = str(self.format.currentData())
        bundled = chosen == _BUNDLE
        path = Path(self.path.text().strip())
        if path.suffix in {".jsonl", ".csv", ".zip"}:
            stem = path.stem
            for old, new in (("gridbot-logs", "gridbot-support"), ("gridbot-support", "gridbot-logs")):
                if bundled is (old == "gridbot-logs") and stem.startswith(old):
                    stem = stem.replace(old, new, 1)
                    break
            self.path.setText(str(path.with_name(f"{stem}.{chosen}")))
        for each in (self.range, self.lines):
            each.setVisible(not bundled)
            self._titles[each].setVisible(not bundled)
        self.bundle.setVisible(bundled)
        if bundled and self._requests is not None:
            self.bundle.look(self._requests)
        self._show_range()

    def _show_range(self) -> None:
        between = self.range.currentData() == _BETWEEN and self.format.currentData() != _BUNDLE
        self._between.setVisible(between)
        self._titles[self._between].setVisible(between)
        self._weigh()
        self._fit()

    def _fit(self) -> None:
        """Give wrapped sentences their height: a dialog would keep its size, and cut them."""
        self.box.activate()
        needed = self.box.heightForWidth(max(self.width(), self.minimumWidth()))
        self.setMinimumHeight(max(needed, self.box.minimumSize().height()))
        self.adjustSize()

    def _weigh(self) -> None:
        """Let it begin only when there is something to write and nothing is being written."""
        ready = self._requests is not None and self._errand is None
        bundled = self.format.currentData() == _BUNDLE
        self.start.setEnabled(ready and (not bundled or bool(self.bundle.chosen())))

    def _choose_file(self) -> None:
        # Qt's own dialog is shown like ours: beside the window, never over STOP.
        chooser = QFileDialog(self, "Export to", self.path.text())
        chooser.setOption(QFileDialog.Option.DontUseNativeDialog)
        chooser.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        chooser.fileSelected.connect(self.path.setText)
        chooser.setModal(False)
        chooser.show()

    def wish(self, target: Path) -> WriteLogs | WriteBundle:
        """Return what the dialog asks for."""
        chosen = str(self.format.currentData())
        if chosen == _BUNDLE:
            return WriteBundle(target, self.bundle.chosen())
        since, until = self._bounds()
        lines = self._lines if self.lines.currentData() else LineFilter()
        return WriteLogs(target, chosen, evolve(lines, since_ms=since, until_ms=until))

    def _bounds(self) -> tuple[int | None, int | None]:
        now = _now()
        match self.range.currentData():
            case "hour":
                return now.toMSecsSinceEpoch() - HOUR_MS, None
            case "today":
                return now.toMSecsSinceEpoch() // (24 * HOUR_MS) * 24 * HOUR_MS, None
            case "between":
                # To the end of the minute that is named.
                return self.since.dateTime().toMSecsSinceEpoch(), self.until.dateTime().toMSecsSinceEpoch() + 60_000
            case _:
                return None, None

    # --------------------------------------------------------------------------------------- asked

    def _begin(self) -> None:
        text = self.path.text().strip()
        if not text:
            self._say("Give a file to write to.", ok=False)
            return
        wish = self.wish(Path(text).expanduser())
        if isinstance(wish, WriteLogs) and _is_backwards(wish.lines):
            self._say("The time to begin with must be before the time to end with.", ok=False)
            return
        if self._requests is None:
            return
        self._open.hide()
        self.progress.setRange(0, 1000)
        self.progress.setValue(0)
        self.progress.show()
        set_text(self.stop, "Stop")
        self._say("Writing…", ok=True)
        self._errand = self._requests.ask(wish, self._answered, self._progressed)
        self._weigh()

    def _stop(self) -> None:
        if self._errand is None:
            self.reject()
        else:
            self._give_up()

    def _give_up(self) -> None:
        if self._errand is not None and self._requests is not None:
            self._requests.cancel(self._errand)

    def _progressed(self, standing: Standing) -> None:
        self.progress.setRange(0, 0 if standing.share is None else 1000)
        self.progress.setValue(round((standing.share or 0) * 1000))
        self._say(standing.sentence, ok=True)

    def _answered(self, outcome: Done[UpkeepReply] | Refused) -> None:
        self._errand = None
        self._weigh()
        set_text(self.stop, "Close")
        self.progress.setRange(0, 1000)
        self.progress.setValue(1000)
        if isinstance(outcome, Refused):
            self.progress.hide()
            stopped = "The export was stopped; nothing of it was left behind."
            self._say(stopped if outcome.given_up else outcome.sentence(), ok=False)
            return
        assert isinstance(outcome.reply, Written)
        self._folder = outcome.reply.path.parent
        self._open.show()
        self._say(outcome.reply.sentence, ok=True)

    def _say(self, text: str, *, ok: bool) -> None:
        set_role(self.said, "muted" if ok else "error")
        set_text(self.said, text)

    def _open_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._folder)))


def _now() -> QDateTime:
    return QDateTime.currentDateTimeUtc()


def _is_backwards(lines: LineFilter) -> bool:
    return lines.since_ms is not None and lines.until_ms is not None and lines.since_ms >= lines.until_ms


def _moment_field(name: str) -> QDateTimeEdit:
    now = _now()
    field = QDateTimeEdit()
    field.setTimeZone(QTimeZone(QTimeZone.Initialization.UTC))
    field.setDateTime(now.addSecs(-3600) if name.startswith("From") else now)
    field.setDisplayFormat("yyyy-MM-dd HH:mm")
    field.setAccessibleName(name)
    field.lineEdit().setAccessibleName(name)
    return field
