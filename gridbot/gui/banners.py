"""What must not be overlooked, above every tab: the stop and its progress, and what is wrong with the program."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from gridbot.core.snapshot import GridView, Snapshot
from gridbot.core.units import ZERO, Asset, Mode, Symbol
from gridbot.gui import words
from gridbot.gui.drain import ENGINE_SILENT_MS
from gridbot.gui.measures import XS, M, S
from gridbot.gui.numbers import whole
from gridbot.gui.parts import button, label, set_role, set_text
from gridbot.shell.facade import StopView, View

QUIET_MS = 10_000
"""From this age of a price on it is said that no data come in, and what that means."""


PRESSED = "You pressed STOP."
"""The reason of a stop by the red button."""


class Banners(QWidget):
    """The strip of banners; it takes no room while there is nothing to say.

    Signals:
        show_orders_wanted: the orders that are not confirmed are to be shown.
        reset_wanted: a person wants to trade again.
        sale_wanted: a person wants to sell what the grids hold.
    """

    show_orders_wanted = Signal()
    reset_wanted = Signal()
    sale_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._total = 0
        self._sent = False
        self._stop_words = label("", name="Trading is stopped", wrap=True)
        self._stop_words.setToolTip("Times are in UTC.")
        self._show = button("Show them", self.show_orders_wanted.emit, name="Show the unconfirmed orders")
        self._reset = button("Reset…", self.reset_wanted.emit, name="Reset the stop")
        self._sell = button("Sell position too…", self.sale_wanted.emit, name="Sell what the grids hold")
        self._stopped = banner("stopped", self._stop_words, self._show, self._sell, self._reset)
        self._problem_words = label("", name="Problems", wrap=True)
        self._problem = banner("problem", self._problem_words)
        self._quiet_words = label("", name="No data", wrap=True)
        self._quiet = banner("problem", self._quiet_words)
        self._silent_words = label("", name="The engine", wrap=True)
        self._silent = banner("problem", self._silent_words)
        box = QVBoxLayout(self)
        box.setContentsMargins(S, 0, S, 0)
        box.setSpacing(XS)
        for each in (self._stopped, self._silent, self._quiet, self._problem):
            each.hide()
            box.addWidget(each)

    def stop_sent(self) -> None:
        """Say that STOP was sent, before the engine has answered."""
        self._sent = True
        set_text(self._stop_words, "Stopping trading…")
        for offer in (self._show, self._sell, self._reset):
            offer.hide()
        self._stopped.show()

    def stop_failed(self, sentence: str) -> None:
        """Say that the engine could not do it."""
        self._sent = False
        set_text(self._stop_words, sentence)
        self._stopped.show()

    def show_view(self, view: View) -> None:
        """Show what the view says."""
        kill = view.snapshot.kill
        if kill is not None:
            self._sent = False
            self._total = max(self._total, kill.unconfirmed)
            set_text(self._stop_words, said_of_stop(view, total=self._total))
            self._show.setVisible(kill.unconfirmed > 0)
            self._sell.setVisible(not kill.liquidate and any(grid.inventory for grid in view.snapshot.grids))
            self._reset.show()
            self._stopped.show()
        elif view.stop is not None:
            # The engine has not taken notice yet, or hangs: what is known comes from the kill switch's own thread.
            self._sent = False
            self._total = max(self._total, view.stop.met)
            set_text(self._stop_words, said_of_stop(view, total=self._total))
            self._stopped.show()
        else:
            if not self._sent:
                self._stopped.hide()
            # What rests now is what a stop will have to cancel; it may be done before the next look.
            self._total = len(view.snapshot.orders)
        quiet = quiet_sentence(view)
        set_text(self._quiet_words, quiet)
        self._quiet.setVisible(bool(quiet))
        set_text(self._problem_words, "\n".join(view.problems))
        self._problem.setVisible(bool(view.problems))

    def show_silence(self, silence_ms: int) -> None:
        """Say when the engine has not turned for so long that it may be dead."""
        if silence_ms >= ENGINE_SILENT_MS:
            seconds = silence_ms // 1000
            set_text(
                self._silent_words,
                f"The trading engine has not answered for {seconds} s. What you see is old. Orders on the exchange "
                "stay as they are; STOP works all the same, it does not need the engine.",
            )
        self._silent.setVisible(silence_ms >= ENGINE_SILENT_MS)

    def sentence(self) -> str:
        """Return what the stop banner says, empty while it is hidden."""
        return "" if self._stopped.isHidden() else self._stop_words.text()


def banner(role: str, text: QLabel, *buttons: QWidget) -> QFrame:
    """Return a banner with its text and its buttons; `role` is stopped or problem."""
    made = QFrame()
    set_role(made, role)
    row = QHBoxLayout(made)
    row.setContentsMargins(M, XS, S, XS)
    row.setSpacing(S)
    row.addWidget(text, 1)
    for each in buttons:
        row.addWidget(each)
    return made


def stop_sentence(view: View, *, total: int) -> str:
    """Return what the banner says while trading is stopped; `total` is how many orders rested at the stop."""
    kill = view.snapshot.kill
    if kill is None:
        return ""
    # Of one's own click nobody needs to be told.
    why = f" Why: {kill.reason.rstrip('.')}." if kill.reason and kill.reason != PRESSED else ""
    how_far = _cancels(view, total=total, left=kill.unconfirmed)
    return f"Trading stopped {words.clock(kill.time)}. {how_far}{why}{_unlatched(view.stop)}"


def _cancels(view: View, *, total: int, left: int) -> str:
    """Return how far the cancels are; "all cancelled" only when the engine and the exchange both say so."""
    stop = view.stop
    if left == 0 and (stop is None or stop.flat):
        orders = "No orders rest."
        if total:
            orders = "The one order is cancelled." if total == 1 else f"All {whole(total)} orders cancelled."
        return f"{orders} {_coins(view.snapshot)}"
    offline = [market.symbol for market in view.markets if not market.connected]
    if any(order.symbol in offline for order in view.snapshot.orders):
        return (
            f"{words.counted(left, 'order')} cannot be cancelled: there is no connection to the exchange. "
            "Cancelling goes on as soon as there is one; until then the orders rest there."
        )
    if stop is not None and (stop.trouble or left == 0):
        return stop.sentence()
    doubtful = sum(order.state in words.UNCONFIRMED for order in view.snapshot.orders)
    if doubtful:
        return f"{words.counted(doubtful, 'order')} not confirmed - retrying."
    return f"Cancelling {left} of {words.counted(max(total, left), 'order')}…"


def quiet_markets(view: View) -> dict[Symbol, int]:
    """Return the markets of which no prices come in, with their age in ms; a demo's may be as slow as it likes."""
    if view.snapshot.mode is Mode.DEMO:
        return {}
    return {each.symbol: each.age_ms for each in view.markets if each.age_ms is not None and each.age_ms >= QUIET_MS}


def quiet_sentence(view: View) -> str:
    """Return what it means that no prices come in, "" while they do."""
    quiet = quiet_markets(view)
    if not quiet:
        return ""
    age = max(quiet.values())
    # Of some markets only, it is said of which.
    of = "" if len(quiet) == len(view.markets) else f" of {' and '.join(quiet)}"
    said = f"No data{of} for {words.lasting(age)}"
    if view.snapshot.kill is not None:
        return f"{said}."
    then = "no new buy orders until prices return. Resting buys are withdrawn, sells stay."
    if view.snapshot.mode is Mode.DRY:
        then += " Simulated orders are not filled meanwhile."
    limits = [
        each.limit for each in view.snapshot.limits if each.code == "max_quote_age_ms" and each.scope in ("", *quiet)
    ]
    if limits and age < min(limits):
        return f"{said}. From {words.lasting(int(min(limits)))} on: {then}"
    return f"{said} - {then}"


def said_of_stop(view: View, *, total: int) -> str:
    """Return how far a stop is, from the engine or, where that has not taken notice, from the kill switch; else ""."""
    if view.snapshot.kill is None and view.stop is not None:
        return _said_beside(view.stop)
    return stop_sentence(view, total=total)


def _said_beside(stop: StopView) -> str:
    why = f" Why: {stop.reason.rstrip('.')}." if stop.reason and stop.reason != PRESSED else ""
    return f"Trading stopped. {stop.sentence()}{why}{_unlatched(stop)}"


def _unlatched(stop: StopView | None) -> str:
    """Return the warning that the stop would not outlive a restart, if that is so."""
    if stop is None or not stop.unlatched:
        return ""
    return f" The KILL file could not be written, so do not restart gridbot: {stop.unlatched}"


def _coins(snapshot: Snapshot) -> str:
    held: dict[Asset, list[GridView]] = {}
    for grid in snapshot.grids:
        if grid.instrument is not None:
            held.setdefault(grid.instrument.base, []).append(grid)
    amounts = {asset: sum((grid.inventory for grid in grids), ZERO) for asset, grids in held.items()}
    coins = [f"{words.quantity(amount)} {asset}" for asset, amount in amounts.items() if amount]
    if snapshot.kill is not None and snapshot.kill.liquidate:
        return f"Selling your {' and '.join(coins)}…" if coins else "What the grids held is sold."
    return f"Your {' and '.join(coins)} are unchanged." if coins else "The grids hold no coins."
