"""Whether orders are real, and whether trading is stopped: the switch of the mode, the stop, its reset and history."""

from __future__ import annotations

import json

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QCheckBox, QFrame, QHBoxLayout, QVBoxLayout

from gridbot.core.units import Mode
from gridbot.gui import words
from gridbot.gui.glossary import explained
from gridbot.gui.measures import XS, M, S
from gridbot.gui.parts import button, label, set_role, set_text
from gridbot.gui.stops_dialog import stopped_by
from gridbot.shell.facade import View

MODE_NOTES = {
    Mode.DEMO: "This is the demo market: prices are made up and no order leaves this computer. Real prices with "
    "simulated orders are the mode dry, under Settings > Exchange and keys.",
    Mode.DRY: "Prices are real, orders are only simulated: none is sent to the exchange.",
    Mode.LIVE: "Orders are real and use your money.",
}
NOT_STOPPED = "Trading is not stopped. STOP (Ctrl+Shift+K) cancels all orders and sends no new ones."


class ModeCard(QFrame):
    """Signals:
    reset_wanted: a person wants to trade again.
    history_wanted: a person wants to see the stops there were.
    mode_wanted: a person wants another mode (Mode); nothing is switched by that alone.
    restart_wanted: another mode was chosen, and a person wants it now.
    """

    restart_wanted = Signal()
    reset_wanted = Signal()
    history_wanted = Signal()
    mode_wanted = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        set_role(self, "card")
        self._next = Mode.DEMO
        self._config_text = ""
        self.dry = explained(QCheckBox("Dry run"), "dry run")
        self.dry.setAccessibleName("Dry run: orders are only simulated")
        # Not `clicked`: a screen reader toggles the box without a click.
        self.dry.toggled.connect(lambda _on: self._ask_for_mode())
        self._mode_note = label("", role="muted", name="About the mode", wrap=True)
        self.restart = button(
            "Restart now", self.restart_wanted.emit, icon="refresh", tip="End gridbot and start it anew"
        )
        self.restart.hide()
        self._stop_note = label("", name="Stop", wrap=True)
        self.reset = button("Reset…", self.reset_wanted.emit, name="Reset the stop", icon="undo")
        self.history = button("History…", self.history_wanted.emit, name="History of stops", icon="clock")
        top = QHBoxLayout()
        top.setSpacing(S)
        top.addWidget(label("Mode and stop", role="heading"))
        top.addStretch()
        top.addWidget(self.reset)
        top.addWidget(self.history)
        box = QVBoxLayout(self)
        box.setContentsMargins(M, S, M, S)
        box.setSpacing(XS)
        box.addLayout(top)
        switch = QHBoxLayout()
        switch.setSpacing(S)
        switch.addWidget(self.dry)
        switch.addStretch()
        switch.addWidget(self.restart)
        box.addLayout(switch)
        box.addWidget(self._mode_note)
        box.addWidget(self._stop_note)
        box.addStretch()

    def show_view(self, view: View) -> None:
        """Show the mode of now and of the next start, and the stop."""
        snapshot = view.snapshot
        if view.config_text != self._config_text:
            self._config_text = view.config_text
            self._next = Mode(json.loads(view.config_text)["mode"])
        self.dry.setEnabled(self._next is not Mode.DEMO and snapshot.mode is not Mode.DEMO)
        self._show_box()
        later = "" if self._next is snapshot.mode else f" From the next start on: {words.MODE_WORDS[self._next]}."
        set_text(self._mode_note, MODE_NOTES[snapshot.mode] + later)
        self.restart.setVisible(bool(later))
        self.reset.setVisible(snapshot.kill is not None)
        set_role(self._stop_note, "plain" if snapshot.kill is None else "error")
        set_text(self._stop_note, stop_sentence(view))

    def _show_box(self) -> None:
        with QSignalBlocker(self.dry):
            self.dry.setChecked(self._next is not Mode.LIVE)

    def _ask_for_mode(self) -> None:
        # The box shows what is; what a person wants is asked about first, and is true from the next start on.
        self._show_box()
        self.mode_wanted.emit(Mode.DRY if self._next is Mode.LIVE else Mode.LIVE)


def stop_sentence(view: View) -> str:
    """Return whether trading is stopped, since when, by what and why, and how far the cancels are."""
    kill = view.snapshot.kill
    if kill is None:
        return NOT_STOPPED
    why = f": {kill.reason}" if kill.reason else "."
    far = f" {view.stop.sentence()}" if view.stop is not None else ""
    return f"Stopped since {words.moment(kill.time)} UTC by {stopped_by(kill.kind.value)}{why}{far}"
