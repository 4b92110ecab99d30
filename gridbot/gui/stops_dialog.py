"""Every stop that the account's journals know: when, by what, why, and when and by whom it was released."""

from __future__ import annotations

from PySide6.QtWidgets import QProgressBar, QWidget

from gridbot.gui import words
from gridbot.gui.context import Context
from gridbot.gui.dialogs import Dialog
from gridbot.gui.empty_state import EmptyOver
from gridbot.gui.errand_requests import ErrandRequests
from gridbot.gui.numbers import whole
from gridbot.gui.parts import button, label, set_role, set_text
from gridbot.gui.rows_model import Column, RowsModel
from gridbot.gui.table import Table
from gridbot.shell.errands import Done, Refused, Standing
from gridbot.shell.record_desk import RecordReply, RecordWish, Stops, StopThen, TellStops

NOT_HERE = "The journals cannot be read from this window, so only a stop of now is shown on the Risk tab."
NEVER = "Trading was never stopped, as far back as the journals reach."
STOPPED_BY = {
    "manual": "you",
    "drawdown": "the drawdown limit",
    "loss_limit": "the daily loss limit",
    "var_breach": "the value-at-risk limit",
    "exposure_breach": "an exposure limit",
    "volatility_spike": "a volatility spike",
    "system_error": "a fault in gridbot",
    "integrity": "books that did not agree",
}
RELEASED_BY = {"window": "you, in the window", "cli": "you, by command"}


def stopped_by(kind: str) -> str:
    """Return who or what stopped, in words."""
    return STOPPED_BY.get(kind, kind.replace("_", " "))


def _released(stop: StopThen) -> str:
    return "not yet" if stop.released is None else words.moment(stop.released)


STOP_COLUMNS: tuple[Column[StopThen], ...] = (
    Column(
        title="Stopped (UTC)",
        text=lambda s: words.moment(s.time),
        order=lambda s: s.time,
        width=152,
        bare=lambda s: words.iso(s.time),
    ),
    Column(title="By", text=lambda s: stopped_by(s.kind), order=lambda s: s.kind, width=160),
    Column(title="Why", text=lambda s: s.reason, order=lambda s: s.reason, width=260),
    Column(
        title="Released (UTC)",
        text=_released,
        order=lambda s: s.released,
        width=152,
        bare=lambda s: "" if s.released is None else words.iso(s.released),
        ink=lambda s: "error" if s.released is None else "",
    ),
    Column(title="Released by", text=lambda s: RELEASED_BY.get(s.by, s.by), order=lambda s: s.by, width=130),
    Column(
        title="Event",
        text=lambda s: f"{whole(s.sequence)}",
        order=lambda s: s.sequence,
        width=80,
        right=True,
        bare=lambda s: str(s.sequence),
        extra=True,
    ),
)


class StopsDialog(Dialog):
    """Reads the journals and lists the stops, newest first."""

    def __init__(self, context: Context, parent: QWidget) -> None:
        super().__init__("History of stops", parent)
        self.setMinimumSize(880, 360)
        desk = context.desks.records
        self._requests: ErrandRequests[RecordWish, RecordReply] | None = (
            None if desk is None else ErrandRequests(desk, self)
        )
        self._errand: int | None = None
        self.model: RowsModel[StopThen] = RowsModel(STOP_COLUMNS, key=lambda stop: (stop.sequence, stop.time))
        self.model.set_colours(context.colours)
        self.table = Table(self.model, name="Stops")
        self.table.sort_by(0, descending=True)
        self._empty = EmptyOver(self.table, "Stops: why there are none", context.colours)
        self._bar = QProgressBar()
        self._bar.setRange(0, 1000)
        self._bar.setTextVisible(False)
        self._bar.setMaximumHeight(6)
        self._bar.setAccessibleName("The journals are being read")
        self.said = label("", role="muted", name="State of the history", wrap=True)
        self.safe = button("Close", self.reject)
        self.again = button("Look again", self.ask, name="Read the journals again", icon="refresh")
        self.box.addWidget(self._bar)
        self.box.addWidget(self.table, 1)
        self.box.addWidget(self.said)
        self.add_buttons(self.again, self.safe)
        self.finished.connect(lambda _result: self._give_up())
        self.ask()

    def ask(self) -> None:
        """Read the journals."""
        if self._requests is None:
            self._empty.say("info", NOT_HERE)
        else:
            self._empty.say("loading", "The journals are being read…")
            self._errand = self._requests.ask(TellStops(), self._answered, self._stands)
        self._show_state()

    def _show_state(self) -> None:
        self._bar.setVisible(self._errand is not None)
        self.again.setEnabled(self._requests is not None and self._errand is None)

    def _stands(self, standing: Standing) -> None:
        self._bar.setValue(round((standing.share or 0.0) * 1000))

    def _answered(self, outcome: Done[RecordReply] | Refused) -> None:
        self._errand = None
        if isinstance(outcome, Refused):
            self._say("", ok=False)
            self._empty.say("error", outcome.sentence())
            self.model.replace(())
        elif isinstance(outcome.reply, Stops):
            self._empty.say("check", NEVER)
            self.model.replace(outcome.reply.stops)
            since = outcome.reply.since
            older = f" The journals are kept from event {whole(since)} on." if since > 1 else ""
            self._say(f"{words.counted(len(outcome.reply.stops), 'stop')}.{older}", ok=True)
        self._show_state()

    def _say(self, text: str, *, ok: bool) -> None:
        set_role(self.said, "muted" if ok else "error")
        set_text(self.said, text)

    def _give_up(self) -> None:
        if self._requests is not None and self._errand is not None:
            self._requests.cancel(self._errand)
