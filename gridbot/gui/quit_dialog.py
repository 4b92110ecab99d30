"""What becomes of real orders when the window closes: a person says so, and Stay is the answer to Enter and Escape."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QProgressBar, QWidget

from gridbot.core.orders import OrderState
from gridbot.core.units import Mode
from gridbot.gui import words
from gridbot.gui.banners import said_of_stop
from gridbot.gui.dialogs import Dialog
from gridbot.gui.parts import button, label, set_text
from gridbot.shell.facade import View


class QuitDialog(Dialog):
    """Asks, and once the cancels were chosen shows how far they are; it may be left at any time.

    `cancel` begins to cancel every order of ours, `leave` closes the window for good.
    """

    def __init__(self, view: View, cancel: Callable[[], object], leave: Callable[[], object], parent: QWidget) -> None:
        super().__init__("Quit gridbot", parent)
        self.setMinimumWidth(520)
        self._cancel, self._leave = cancel, leave
        self._total = 0
        self._begun = False
        self._asked = label("", role="heading", name="What is asked", wrap=True)
        self.said = label("", name="What becomes of the open orders", wrap=True)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setMaximumHeight(6)
        self._bar.setAccessibleName("How many orders are cancelled")
        self._bar.hide()
        for each in (self._asked, self.said, self._bar):
            self.box.addWidget(each)
        self.safe = button("Stay", self.reject)
        self.leave = button("Quit, leave orders on the exchange", self._go)
        self.cancels = button("Cancel orders and quit", self._begin)
        self.add_buttons(self.leave, self.safe)
        self.buttons.insertWidget(1, self.cancels)
        self.show_view(view)

    def show_view(self, view: View) -> None:
        """Show what still rests; when nothing does after the cancels, the window closes."""
        count = resting(view)
        if not self._begun:
            self._total = count
            set_text(
                self._asked,
                f"Quit while {words.counted(count, 'order')} {'rests' if count == 1 else 'rest'}?"
                if count
                else "Quit?",
            )
            set_text(self.said, quit_sentence(view))
            return
        left = view.stop.unconfirmed if view.stop is not None else count
        if view.snapshot.kill is not None:
            left = view.snapshot.kill.unconfirmed
        # A stop that has not counted yet knows of none that is left; how far it is nobody knows then.
        total = max(self._total, left) if left else 0
        self._bar.setRange(0, total)
        self._bar.setValue(total - left)
        set_text(self.said, said_of_stop(view, total=self._total) or "Stopping trading…")
        if nothing_rests(view):
            self._go()

    def _begin(self) -> None:
        self._begun = True
        set_text(self._asked, "The orders are being cancelled. Then gridbot quits.")
        set_text(self.said, "Stopping trading…")
        set_text(self.leave, "Quit now, leave the rest")
        self.cancels.hide()
        self._bar.setRange(0, 0)
        self._bar.show()
        self._cancel()

    def _go(self) -> None:
        self.accept()
        self._leave()


def resting(view: View) -> int:
    """Return how many orders of ours may rest at an exchange; what waits at the gate for a start has not left."""
    if view.snapshot.mode is not Mode.LIVE:
        return 0
    shut = view.starting or view.start.waits
    return sum(not (shut and order.state is OrderState.INTENT) for order in view.snapshot.orders)


def nothing_rests(view: View) -> bool:
    """Tell whether trading is stopped and engine and exchange both say that nothing rests any more."""
    kill, stop = view.snapshot.kill, view.stop
    if kill is None:
        # An engine that hangs says nothing; the kill switch asks the exchange by itself.
        return stop is not None and stop.flat
    return kill.unconfirmed == 0 and (stop is None or stop.flat)


def quit_sentence(view: View) -> str:
    """Return what is said before gridbot quits."""
    count = resting(view)
    if not count:
        return "No order rests any more."
    if view.snapshot.kill is not None:
        left = f"{words.counted(count, 'order')} {'is' if count == 1 else 'are'} not cancelled for certain yet."
        return f"Trading is stopped, but {left} Left there, they can still be filled while gridbot does not run."
    verb = "rests" if count == 1 else "rest"
    return (
        f"{words.counted(count, 'order')} of ours {verb} on the exchange. Left there, they can be filled while gridbot "
        "does not look after them; the next start books what happened. Cancelling them presses STOP: nothing is placed "
        "any more until you reset it, also not after the next start. Your coins stay yours either way."
    )
