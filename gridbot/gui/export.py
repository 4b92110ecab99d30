"""The export of log lines and of a support bundle: what goes in, and of which time."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QDateTime, QTimeZone
from PySide6.QtWidgets import QComboBox, QDateTimeEdit, QHBoxLayout, QSizePolicy, QWidget

from gridbot.core.values import evolve
from gridbot.gui.bundle_page import BundlePage
from gridbot.gui.context import Context
from gridbot.gui.parts import label, picker
from gridbot.gui.saving_dialog import SavingDialog
from gridbot.shell.upkeep_desk import LineFilter, UpkeepReply, UpkeepWish, WriteBundle, WriteLogs, Written

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


class ExportDialog(SavingDialog[UpkeepWish, UpkeepReply]):
    """Asks for what, which, and where to.

    `lines` are those that the tab's filter shows, `folder` is where the file is to lie to begin with.
    """

    def __init__(self, context: Context, *, lines: LineFilter, parent: QWidget, folder: Path | None = None) -> None:
        super().__init__("Export", context.desks.upkeep, parent)
        self.setMinimumWidth(600)
        self._lines = lines
        self._folder = folder or Path.home()
        self.format = picker("What to write", _FORMATS, lambda _format: self._show_format())
        self.range = picker("Which time", _RANGES, lambda _range: self._show_range())
        narrowed = lines != LineFilter()
        choices = [("What the filter shows", True), ("All lines", False)] if narrowed else [("All lines", False)]
        self.lines = picker("Which lines", choices)
        self.since, self.until = _moment_field("From (UTC)"), _moment_field("To (UTC)")
        self.bundle = BundlePage()
        self.bundle.changed.connect(self.weigh)
        self.bundle.changed.connect(self._fit)
        self.path.setText(str(self._folder / f"gridbot-logs-{_now().toString('yyyyMMdd-HHmm')}.jsonl"))
        self._titles: dict[QWidget, QWidget] = {}
        self._build()
        self._show_format()
        self._show_range()
        if self._requests is None:
            self.say(NOT_HERE, ok=False)

    def _build(self) -> None:
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
            self.grid.addWidget(self._titles[widget], at, 0)
            self.grid.addWidget(widget, at, 1)
        self.grid.addWidget(self.browse, 4, 2)
        for each in (self.format, self.range, self.lines):
            each.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            each.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.box.addLayout(self.grid)
        self.box.addWidget(self.bundle)
        self.box.addStretch()
        self.add_end(wish_for=self.wish_for, saved=self.saved)

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
        self.weigh()
        self._fit()

    def _fit(self) -> None:
        """Give wrapped sentences their height: a dialog would keep its size, and cut them."""
        self.box.activate()
        needed = self.box.heightForWidth(max(self.width(), self.minimumWidth()))
        self.setMinimumHeight(max(needed, self.box.minimumSize().height()))
        self.adjustSize()

    def weigh(self) -> None:
        """Let it begin only when there is something to write and nothing is being written."""
        super().weigh()
        if self.format.currentData() == _BUNDLE and not self.bundle.chosen():
            self.start.setEnabled(False)

    def wish_for(self, target: Path) -> WriteLogs | WriteBundle | None:
        """Return what the dialog asks for; None for times that are the wrong way round."""
        chosen = str(self.format.currentData())
        if chosen == _BUNDLE:
            return WriteBundle(target, self.bundle.chosen())
        since, until = self._bounds()
        lines = self._lines if self.lines.currentData() else LineFilter()
        if since is not None and until is not None and since >= until:
            self.say("The time to begin with must be before the time to end with.", ok=False)
            return None
        return WriteLogs(target, chosen, evolve(lines, since_ms=since, until_ms=until))

    def saved(self, reply: UpkeepReply) -> str:
        """Return what was written, and where."""
        assert isinstance(reply, Written)
        return reply.sentence

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


def _now() -> QDateTime:
    return QDateTime.currentDateTimeUtc()


def _moment_field(name: str) -> QDateTimeEdit:
    now = _now()
    field = QDateTimeEdit()
    field.setTimeZone(QTimeZone(QTimeZone.Initialization.UTC))
    field.setDateTime(now.addSecs(-3600) if name.startswith("From") else now)
    field.setDisplayFormat("yyyy-MM-dd HH:mm")
    field.setAccessibleName(name)
    field.lineEdit().setAccessibleName(name)
    return field
