"""The Logs tab: live lines, narrowed by level, component and words; it follows until a person scrolls away."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence

from PySide6.QtCore import QPersistentModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QSplitter, QVBoxLayout, QWidget

from gridbot.gui import words
from gridbot.gui.chips import Chips
from gridbot.gui.context import Context
from gridbot.gui.empty_state import EmptyOver
from gridbot.gui.export import ExportDialog
from gridbot.gui.icons import put_icon
from gridbot.gui.log_details import LogDetails
from gridbot.gui.measures import S
from gridbot.gui.numbers import whole
from gridbot.gui.parts import button, label, search_field, set_role, set_text
from gridbot.gui.rows import LOG_COLUMNS, Logged
from gridbot.gui.rows_model import RowsModel
from gridbot.gui.table import Table
from gridbot.shell.facade import LogLine
from gridbot.shell.upkeep_desk import LineFilter

LEVELS = {
    "Debug": frozenset({"debug"}),
    "Info": frozenset({"info"}),
    "Warning": frozenset({"warning"}),
    "Error": frozenset({"error", "critical"}),
}
COMPONENTS = ("trading", "risk", "security", "audit", "system", "ui")
WIDE = 1_200
"""Pixels from which on the details stand beside the table, and no longer below it."""
_LEVEL_OF = {level: title for title, levels in LEVELS.items() for level in levels}


class LogsTab(QWidget):
    """Newest line first; "follow" keeps the newest in sight.

    Signals:
        order_wanted: (id, about) of the order that a line is about, whose timeline a person wants to see.
    """

    order_wanted = Signal(str, str)

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._number = 0
        self._unseen = 0
        self._follows = True
        self._moving = False
        self._kept: deque[tuple[str, str]] = deque()
        self._levels: Counter[str] = Counter()
        self._components: Counter[str] = Counter()
        self.model: RowsModel[Logged] = RowsModel(LOG_COLUMNS, key=lambda row: row.number)
        self.model.set_colours(context.colours)
        self.table = Table(self.model, name="Log lines")
        self.table.sort_by(0, descending=True)
        self.table.verticalScrollBar().valueChanged.connect(self._scrolled)
        self.table.selectionModel().currentRowChanged.connect(lambda _now, _before: self._show_details())
        self._empty = EmptyOver(self.table, "Why no line is shown", context.colours)
        self.filter: QLineEdit = search_field(
            "Filter log lines", "Filter by any word or order id", lambda _text: self._narrow()
        )
        self.levels, self.components = Chips("Levels"), Chips("Components")
        self.levels.offer(tuple(LEVELS))
        self.components.offer(COMPONENTS)
        for each in (self.levels, self.components):
            each.changed.connect(self._narrow)
        self.follow: QPushButton = button(
            "Following", self._toggle_follow, name="Follow the newest line", role="toggle", icon="follow"
        )
        self.follow.setToolTip("Keep the newest line in sight. Scrolling away pauses it.")
        self.follow.setMinimumWidth(self.follow.fontMetrics().horizontalAdvance("00,000 new") + 56)
        self.export_button = button(
            "Export…", self.export, name="Export", icon="export", tip="Save log lines or a support bundle (Ctrl+E)"
        )
        self.details = LogDetails()
        self.details.order_wanted.connect(self.order_wanted)
        self._shown = label("", role="muted", name="How many are shown")
        self._splitter = QSplitter(Qt.Orientation.Vertical)
        self._build()
        self._say()

    def _build(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(S)
        top.addWidget(self.filter, 1)
        top.addWidget(self._shown)
        top.addWidget(self.follow)
        top.addWidget(self.export_button)
        chips = QHBoxLayout()
        chips.setSpacing(S)
        chips.addWidget(self.levels)
        chips.addSpacing(S)
        chips.addWidget(self.components)
        chips.addStretch()
        self._splitter.addWidget(self.table)
        self._splitter.addWidget(self.details)
        self._splitter.setStretchFactor(0, 1)
        self._splitter.setChildrenCollapsible(False)
        box = QVBoxLayout(self)
        box.setContentsMargins(S, S, S, S)
        box.setSpacing(S)
        box.addLayout(top)
        box.addLayout(chips)
        box.addWidget(self._splitter, 1)
        self._lay_out(self._splitter.orientation())

    def _lay_out(self, orientation: Qt.Orientation) -> None:
        self._splitter.setOrientation(orientation)
        beside = orientation is Qt.Orientation.Horizontal
        self.details.stand(beside=beside)
        self._splitter.setSizes([820, 400] if beside else [330, 190])

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        wanted = Qt.Orientation.Horizontal if self.width() >= WIDE else Qt.Orientation.Vertical
        if wanted is not self._splitter.orientation():
            self._lay_out(wanted)

    def add(self, lines: Sequence[LogLine]) -> None:
        """Take in new lines."""
        if not lines:
            return
        rows = []
        for line in lines:
            self._number += 1
            rows.append(Logged(self._number, line))
        before, read = self.model.rowCount(), QPersistentModelIndex(self.table.indexAt(QPoint(1, 1)))
        self._moving = True
        self.model.append(rows)
        came = max(0, self.model.rowCount() - before)
        if self._follows:
            self.table.scrollToTop()
        else:
            self._unseen += came
            if read.isValid():
                # New rows come in above; what is read stays where it is.
                self.table.put_on_top(read.row())
        self._moving = False
        self._count(lines)
        self._say()

    def _count(self, lines: Sequence[LogLine]) -> None:
        """Count the lines that came, and no longer those that the table has let go of."""
        for line in lines:
            kinds = (_LEVEL_OF.get(line.level.lower(), "Info"), line.dataset)
            self._kept.append(kinds)
            self._levels[kinds[0]] += 1
            self._components[kinds[1]] += 1
        while len(self._kept) > len(self.model.rows()):
            level, component = self._kept.popleft()
            self._levels[level] -= 1
            self._components[component] -= 1

    def set_colours(self) -> None:
        """Write with the context's colours."""
        self.model.set_colours(self._context.colours)
        self._empty.set_colours(self._context.colours)

    def export(self) -> None:
        """Ask what and where to, then write the lines of the log files."""
        ExportDialog(self._context, lines=self.wanted(), parent=self).present()

    def wanted(self) -> LineFilter:
        """Return which lines the filter shows."""
        levels = frozenset[str]().union(*(LEVELS[title] for title in self.levels.chosen()))
        return LineFilter(levels=levels, components=self.components.chosen(), text=self.filter.text().strip())

    def focus_filter(self) -> None:
        """Put the cursor into the filter."""
        self.filter.setFocus()
        self.filter.selectAll()

    def _narrow(self) -> None:
        wanted = self.wanted()

        def accepts(row: Logged) -> bool:
            fits = not wanted.levels or row.line.level.lower() in wanted.levels
            return fits and (not wanted.components or row.line.dataset in wanted.components)

        self.model.set_filter(wanted.text, accepts if wanted.levels or wanted.components else None)
        self._say()

    def _clear(self) -> None:
        self.levels.clear()
        self.components.clear()
        self.filter.clear()
        self._narrow()

    def _scrolled(self, value: int) -> None:
        if not self._moving:
            self._follows = value == 0
            self._unseen = 0 if self._follows else self._unseen
            self._say()

    def _toggle_follow(self) -> None:
        self._follows = not self._follows
        if self._follows:
            self._unseen = 0
            self.table.scrollToTop()
        self._say()

    def _say(self) -> None:
        said = "Following" if self._follows else f"{whole(self._unseen)} new" if self._unseen else "Paused"
        set_text(self.follow, said)
        put_icon(self.follow, "follow" if self._follows else "up" if self._unseen else "pause")
        set_role(self.follow, "primary" if self._unseen and not self._follows else "toggle")
        self.follow.setAccessibleDescription(said)
        shown, kept = self.model.rowCount(), len(self.model.rows())
        of = words.counted(shown, "line") if shown == kept else f"{whole(shown)} of {words.counted(kept, 'line')}"
        set_text(self._shown, of)
        self.levels.show_counts(self._levels)
        self.components.show_counts(self._components)
        if kept and not shown:
            self._empty.say("filter", "No line passes the filter.", "Show all lines", self._clear)
        elif not kept:
            self._empty.say("logs", "Nothing has been logged since the window opened. Older lines are in Export….")

    def _show_details(self) -> None:
        index = self.table.currentIndex()
        if index.isValid():
            self.details.show_line(self.model.row(index).line)
