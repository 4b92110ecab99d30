"""Between a dry run and real money: a checklist that a person goes through, and what becomes of orders on the way back.

Both only save the mode: folder, feed and venue are those of a start, so the change is one of the next start.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal

from PySide6.QtWidgets import QCheckBox, QFrame, QHBoxLayout, QLabel, QProgressBar, QVBoxLayout, QWidget

from gridbot.config import AppConfig
from gridbot.core.rules import Action
from gridbot.core.units import ZERO, Mode
from gridbot.gui import words
from gridbot.gui.context import Context
from gridbot.gui.dialogs import Dialog, TypedDialog
from gridbot.gui.key_requests import KeyRequests
from gridbot.gui.measures import M, S
from gridbot.gui.parts import button, label, set_role, set_text
from gridbot.shell.facade import StopTrading
from gridbot.shell.key_desk import KeyAct, KeyAnswer, KeyDesk, KeyPlace, KeyVerdict, KeyWish

AT_NEXT_START = (
    "It takes effect at the next start. The live account has a folder of its own: it begins without the orders and "
    "coins of the dry run, first compares everything with the exchange, and waits for your click before it trades."
)


class GoLiveDialog(TypedDialog):
    """The key is tested, limits and greatest loss are read and ticked, and LIVE is typed; the default is Cancel."""

    WORD = "LIVE"

    def __init__(self, config: AppConfig, keys: KeyDesk | None, act: Callable[[], object], parent: QWidget) -> None:
        super().__init__("Trade with real money", parent)
        self.setMinimumWidth(560)
        self._place = KeyPlace(config.exchange.id, config.account, config.exchange.base_url)
        self._requests = None if keys is None else KeyRequests(keys, self)
        self._verdict: KeyVerdict | None = None
        where = f"{config.exchange.id} (account {config.account})"
        self.box.addWidget(label(f"Trade with real money on {where}?", role="heading", wrap=True))
        self.key_said = label("", name="What the key may do", wrap=True)
        self.key_details = label("", role="muted", name="What the key may do, in detail", wrap=True)
        self._bar = QProgressBar()
        self._bar.setRange(0, 0)
        self._bar.setTextVisible(False)
        self._bar.setMaximumHeight(6)
        self._bar.setAccessibleName("The key is being tested")
        self.again = button("Test again", self._test, name="Test the key again", icon="refresh")
        self.limits = QCheckBox("I have read the limits, and they are as I want them.")
        self.loss = QCheckBox("I can bear that loss.")
        for each in (self.limits, self.loss):
            each.setAccessibleName(each.text())
        self._add_step(
            "1. The key can trade and cannot withdraw",
            self.key_said,
            self.key_details,
            self._bar,
            self._row(self.again),
        )
        self._add_step("2. The limits", _lines(limit_sentences(config), "The limits"), self.limits)
        self._add_step("3. The greatest loss", _lines(loss_sentences(config), "The greatest loss"), self.loss)
        self.ask_for_word(AT_NEXT_START, act, do="Trade live", name="Trade live from the next start", instead="Cancel")
        self.field.textChanged.connect(self._weigh)
        for each in (self.limits, self.loss):
            each.toggled.connect(self._weigh)
        if self._requests is not None:
            self._requests.changed.connect(self._show_test)
            self.finished.connect(self._requests.cancel)
        self._test()

    def _add_step(self, title: str, *content: QWidget) -> None:
        card = QFrame()
        set_role(card, "card")
        box = QVBoxLayout(card)
        box.setContentsMargins(M, S, M, M)
        box.setSpacing(S)
        box.addWidget(label(title, role="heading"))
        for each in content:
            box.addWidget(each)
        self.box.addWidget(card)

    def _row(self, *widgets: QWidget) -> QWidget:
        whole = QWidget()
        row = QHBoxLayout(whole)
        row.setContentsMargins(0, 0, 0, 0)
        for each in widgets:
            row.addWidget(each)
        row.addStretch()
        return whole

    def _test(self) -> None:
        self._verdict = None
        if self._requests is None:
            self._say("Keys cannot be tested from this window: use `gridbot exchange test`.", ok=False)
        else:
            self._say("The key is tested…", ok=True)
            self._requests.ask(KeyWish(KeyAct.TEST, self._place), self._tested)
        self._show_test()

    def _tested(self, answer: KeyAnswer) -> None:
        self._verdict = answer.verdict
        todo = {
            KeyVerdict.WITHDRAWS: " Make another key without that right, or say under Settings > Exchange and keys "
            "that you want to use this one all the same.",
            None: " Enter a key under Settings > Exchange and keys first.",
        }.get(answer.verdict, "")
        first, _, rest = answer.message.partition("\n")
        self._say(first + todo, rest, ok=answer.ok)
        self._weigh()

    def _show_test(self) -> None:
        busy = self._requests is not None and self._requests.busy
        self._bar.setVisible(busy)
        self.again.setEnabled(self._requests is not None and not busy)
        if busy and self._requests is not None and self._requests.said:
            self._say(self._requests.said, ok=True)
        self._weigh()

    def _say(self, text: str, details: str = "", *, ok: bool) -> None:
        set_role(self.key_said, "plain" if ok else "error")
        set_text(self.key_said, text)
        set_text(self.key_details, details)
        self.key_details.setVisible(bool(details))
        # A label that grew is cut off otherwise: a dialog keeps its size.
        self.setMinimumHeight(self.box.heightForWidth(max(self.width(), self.minimumWidth())))

    def _weigh(self) -> None:
        """Let it be confirmed only when each step is done."""
        if hasattr(self, "confirm"):
            ticked = self.limits.isChecked() and self.loss.isChecked()
            typed = self.field.text() == self.WORD
            self.confirm.setEnabled(self._verdict is KeyVerdict.GOOD and ticked and typed)


class BackToDryDialog(Dialog):
    """Asks what becomes of the open orders when real money is traded no more; the default is to change nothing."""

    def __init__(self, orders: int, act: Callable[[bool], object], parent: QWidget) -> None:
        super().__init__("Back to a dry run", parent)
        self.setMinimumWidth(480)
        self._act = act
        self.box.addWidget(label("Stop trading with real money?", role="heading"))
        self.box.addWidget(label(dry_sentence(orders), wrap=True, name="What becomes of the open orders"))
        self.safe = button("Back", self.reject, name="Back, and change nothing")
        self.leave = button("Leave the orders" if orders else "Dry run", lambda: self._choose(cancels=False))
        self.add_buttons(self.leave, self.safe)
        if orders:
            self.cancels = button("Cancel the orders", lambda: self._choose(cancels=True))
            self.buttons.insertWidget(1, self.cancels)

    def _choose(self, *, cancels: bool) -> None:
        self._act(cancels)
        self.accept()


def save_in_mode(context: Context, before: str, after: AppConfig, save: Callable[[], object], parent: QWidget) -> None:
    """Call `save`: at once where the mode of the configuration `before` stays, else after a person was asked."""
    was = Mode(json.loads(before)["mode"])
    if after.mode is Mode.LIVE is not was:
        GoLiveDialog(after, context.desks.keys, save, parent).present()
    elif was is Mode.LIVE is not after.mode:
        snapshot = context.facade.view().snapshot

        def chosen(cancels: bool) -> None:
            if cancels:
                context.desk.ask(StopTrading("You went back to a dry run."))
            save()

        BackToDryDialog(len(snapshot.orders) if snapshot.mode is Mode.LIVE else 0, chosen, parent).present()
    else:
        save()


def dry_sentence(orders: int) -> str:
    """Return what is said before real money is traded no more."""
    later = "From the next start on orders are only simulated, in the folder of the dry run."
    if not orders:
        return f"No order rests. {later}"
    rest = words.counted(orders, "order")
    verb = "rests" if orders == 1 else "rest"
    return (
        f"{rest} of ours {verb} on the exchange. Left there, they can be filled while gridbot does not look after "
        "them. Cancelling them presses STOP: nothing is placed any more, also not in the dry run, until you reset it. "
        f"{later}"
    )


def limit_sentences(config: AppConfig) -> Iterator[str]:
    """Yield the limits that matter most, for a person."""
    risk = config.risk
    one, all_ = (words.percent(each.limit, places=0) for each in (risk.max_symbol_exposure, risk.max_total_exposure))
    yield f"In one market at most {one} of the account, in all together {all_}."
    for breaker, what in (
        (risk.max_daily_loss, "a loss of {} in a day"),
        (risk.max_drawdown, "a fall of {} from the account's highest value"),
    ):
        then = "trading stops" if breaker.action is Action.KILL else "nothing new is bought"
        yield f"After {what.format(words.percent(breaker.limit, places=0))} {then}."


def loss_sentences(config: AppConfig) -> Iterator[str]:
    """Yield what may be lost, in money."""
    spent: dict[str, Decimal] = {}
    for grid in config.grids:
        if grid.enabled and not grid.sell_only:
            quote = grid.symbol.partition("/")[2]
            spent[quote] = spent.get(quote, ZERO) + grid.investment
    if not spent:
        yield "No grid buys anything yet."
        return
    money = " and ".join(words.money(amount, quote) for quote, amount in sorted(spent.items()))
    yield f"The grids buy for at most {money}. If the coins become worthless, that is what you lose."
    yield "The stops above are meant to end it sooner. They sell nothing, and promise no price."


def _lines(sentences: Iterator[str], name: str) -> QLabel:
    return label("\n".join(sentences), name=name, wrap=True)
