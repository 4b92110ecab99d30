"""What a start has to say and to ask, above every tab: a live account that waits, balances, coins left behind."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from gridbot.core.units import Mode
from gridbot.gui import words
from gridbot.gui.banners import banner
from gridbot.gui.measures import XS, S
from gridbot.gui.parts import button, label, set_text
from gridbot.shell.facade import View

MOST_DIFFERENCES = 6
"""How many changed settings are named; the rest is counted, and stands in the log."""


class StartBanners(QWidget):
    """The strip below the other banners; it takes no room while there is nothing to say.

    Signals:
        resume_wanted: a person lets the account trade on.
        acceptance_wanted: a person looks at accepting the exchange's balances.
        choice_wanted: a person wants to choose what becomes of the coins of this grid (its id).
    """

    resume_wanted = Signal()
    choice_wanted = Signal(object)
    acceptance_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._read: tuple[str, ...] = ()
        self._differences: tuple[str, ...] = ()
        self._grid: object = None
        self._waiting_words = label("", name="The account waits", wrap=True)
        self._resume = button("Resume", self.resume_wanted.emit, name="Let the grids trade on")
        self._waiting = banner("problem", self._waiting_words, self._resume)
        self._gap_words = label("", name="Balances that differ", wrap=True)
        accept = button("Accept balances…", self.acceptance_wanted.emit, name="Look at accepting the balances")
        self._gap = banner("problem", self._gap_words, accept)
        self._left_words = label("", name="Coins of a grid that is gone", wrap=True)
        self._choose = button("Choose…", self._ask, name="Choose what becomes of the coins")
        self._left = banner("problem", self._left_words, self._choose)
        self._changed_words = label("", name="What was changed in the configuration", wrap=True)
        self._seen = button("OK", self._hide_changed, name="I have read what was changed")
        self._changed = banner("told", self._changed_words, self._seen)
        self._caution_words = label("", name="What to know of the exchange", wrap=True)
        self._caution_seen = button("OK", self._hide_caution, name="I have read what to know of the exchange")
        self._caution = banner("told", self._caution_words, self._caution_seen)
        self._caution_read = False
        box = QVBoxLayout(self)
        box.setContentsMargins(S, 0, S, 0)
        box.setSpacing(XS)
        for each in (self._waiting, self._gap, self._left, self._changed, self._caution):
            each.hide()
            box.addWidget(each)

    def show_view(self, view: View) -> None:
        """Show what the view says of this start."""
        start = view.start
        self._waiting.setVisible(start.waits)
        if start.waits:
            set_text(self._waiting_words, waiting_sentence(view))
            # While trading is stopped, releasing the stop comes first.
            self._resume.setEnabled(view.snapshot.kill is None)
        self._gap.setVisible(bool(start.gaps))
        if start.gaps:
            set_text(self._gap_words, f"{' '.join(start.gaps)} Nothing but cancels leaves until that is explained.")
        self._left.setVisible(bool(start.taken_away))
        if start.taken_away:
            self._grid = start.taken_away[0]
            set_text(self._left_words, left_sentence(view))
        self._differences = start.differences
        self._changed.setVisible(bool(start.differences) and start.differences != self._read)
        if start.differences:
            set_text(self._changed_words, changed_sentence(start.differences))
        set_text(self._caution_words, view.words.caution)
        self._caution.setVisible(bool(view.words.caution) and not self._caution_read)

    def _ask(self) -> None:
        self.choice_wanted.emit(self._grid)

    def _hide_caution(self) -> None:
        self._caution_read = True
        self._caution.hide()

    def _hide_changed(self) -> None:
        self._read = self._differences
        self._changed.hide()


def waiting_sentence(view: View) -> str:
    """Return what is said while an account waits for a person."""
    money = "trades real money and " if view.snapshot.mode is Mode.LIVE else ""
    count = sum(order.venue_id is not None for order in view.snapshot.orders)
    rests = f"{words.counted(count, 'order')} {'rests' if count == 1 else 'rest'} on the exchange as before. "
    return f"This account {money}waits for you: nothing new is sent. {rests if count else ''}Shall the grids trade on?"


def left_sentence(view: View) -> str:
    """Return what is said of grids that the configuration no longer has and that hold coins."""
    names = " and ".join(view.start.taken_away)
    is_, it = ("is", "it") if len(view.start.taken_away) == 1 else ("are", "they")
    verb = "holds" if it == "it" else "hold"
    sells = "sells" if it == "it" else "sell"
    return (
        f"{names} {is_} gone from the configuration and still {verb} coins. Unless you choose otherwise, {it} only "
        f"{sells} them at their targets."
    )


def changed_sentence(differences: tuple[str, ...]) -> str:
    """Return what was changed in the configuration while gridbot did not run."""
    named = " ".join(differences[:MOST_DIFFERENCES])
    more = len(differences) - MOST_DIFFERENCES
    rest = f" And {words.counted(more, 'more change')}; the log has them all." if more > 0 else ""
    return f"The configuration was changed since the last run, and that is applied. {named}{rest}"
