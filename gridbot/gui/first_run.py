"""The first three steps: where, how much, how wide; at their end a grid trades on play money, at no risk."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QRadioButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from gridbot.config import KNOWN_EXCHANGES, AppConfig, FirstChoices, first_config, parse_config, preset
from gridbot.config.presets import DEFAULT_SYMBOL
from gridbot.core.units import Mode
from gridbot.errors import ConfigError
from gridbot.gui import words
from gridbot.gui.context import Context
from gridbot.gui.dialogs import Dialog
from gridbot.gui.named_list import NamedList
from gridbot.gui.numbers import whole
from gridbot.gui.parts import button, label, set_role, set_text
from gridbot.shell.facade import Answered, SaveConfig

TITLES = ("Market", "Budget", "Range")
AMOUNTS = (500, 2_000, 10_000)
RANGES = (
    (
        "classic",
        "Narrow",
        "5 rungs, close together. Many small trips, and it is soon through its ladder when prices fall.",
    ),
    ("balanced", "Balanced", "10 rungs, each as far from the next as the price moves in four hours."),
    ("wide", "Wide", "20 rungs. Few trips, each with less money, and the ladder reaches far down."),
)
DEMO_WORDS = "Generated prices and play money, 600 times faster than the clock. It begins at once and needs no network."
DRY_WORDS = "The prices of a real exchange; orders are only simulated. It needs a network, and no key."


class FirstRunDialog(Dialog):
    """Asks the three questions and saves what comes of the answers; nothing is changed before the last click.

    Signals:
        tour_wanted: a person wants to be shown round.
        restart_wanted: what was saved begins with a new start.
    """

    tour_wanted = Signal()
    restart_wanted = Signal()

    def __init__(self, context: Context, config_text: str, parent: QWidget) -> None:
        super().__init__("First steps", parent)
        self._context = context
        self._config = parse_config(config_text, source="The saved configuration")
        self.setMinimumSize(560, 440)
        self._step = label("", role="muted", name="Which step")
        self._question = label("", role="heading", name="What is asked", wrap=True)
        self._wrong = label("", role="error", name="What is wrong", wrap=True)
        self.pages = QStackedWidget()
        for page in (self._market_page(), self._budget_page(), self._range_page()):
            self.pages.addWidget(page)
        self.later = button("Not now", self.reject)
        self.back = button("Back", self._back)
        self.next = button("Next", self._onward, role="primary")
        self._build()
        self._turn_to(0)

    def _build(self) -> None:
        self.box.setContentsMargins(24, 20, 24, 16)
        for each in (self._step, self._question):
            self.box.addWidget(each)
        self.box.addWidget(self.pages, 1)
        self.box.addWidget(self._wrong)
        self.buttons.insertWidget(0, self.later)
        self.buttons.addWidget(self.back)
        self.buttons.addWidget(self.next)
        self.box.addLayout(self.buttons)

    # ------------------------------------------------------------------------------------- the pages

    def _market_page(self) -> QWidget:
        self.demo = QRadioButton("The demo market")
        self.dry = QRadioButton("The prices of a real exchange (dry run)")
        self.exchange = NamedList()
        self.exchange.setEditable(True)
        self.exchange.setAccessibleName("Exchange")
        self.exchange.addItems(KNOWN_EXCHANGES)
        self.exchange.setCurrentText(self._config.exchange.id)
        self.symbol = QLineEdit(DEFAULT_SYMBOL)
        self.symbol.setAccessibleName("Market, as base and quote")
        self.symbol.setToolTip("What is traded, and in what it is paid: BTC/USDT, ETH/EUR, …")
        self._group(self.demo, self.dry)
        self.demo.setChecked(True)
        row = QWidget()
        fields = QHBoxLayout(row)
        fields.setContentsMargins(26, 0, 0, 0)
        for each in (label("Exchange"), self.exchange, label("Market"), self.symbol):
            fields.addWidget(each)
        self.dry.toggled.connect(row.setEnabled)
        row.setEnabled(False)
        return _page(_choice(self.demo, DEMO_WORDS), _choice(self.dry, DRY_WORDS, row))

    def _budget_page(self) -> QWidget:
        self.amount = QLineEdit(str(AMOUNTS[1]))
        self.amount.setAccessibleName("Budget")
        self.amount.setMaximumWidth(180)
        self._unit = label("", name="Currency of the budget")
        row, quick = QHBoxLayout(), QHBoxLayout()
        row.addWidget(self.amount)
        row.addWidget(self._unit)
        row.addStretch()
        for each in AMOUNTS:
            quick.addWidget(button(f"{whole(each)}", lambda n=each: self.amount.setText(str(n)), name=f"Budget {each}"))  # type: ignore[misc]
        quick.addStretch()
        text = "The grid never ties up more than this, fees included, whatever the price does. It is play money here."
        return _page(label(text, wrap=True), row, quick)

    def _range_page(self) -> QWidget:
        self.ranges: dict[str, QRadioButton] = {name: QRadioButton(title) for name, title, _ in RANGES}
        self._group(*self.ranges.values())
        self.ranges["balanced"].setChecked(True)
        self._outcome = label("", role="muted", name="What will be saved", wrap=True)
        for each in self.ranges.values():
            each.toggled.connect(lambda _on: set_text(self._outcome, self._outcome_words()))
        cards = [_choice(self.ranges[name], text) for name, _, text in RANGES]
        return _page(*cards, self._outcome)

    def _group(self, *choices: QRadioButton) -> None:
        group = QButtonGroup(self)
        for each in choices:
            each.setAccessibleName(each.text())
            group.addButton(each)

    # --------------------------------------------------------------------------------------- the way

    def _turn_to(self, number: int) -> None:
        self.pages.setCurrentIndex(number)
        last = number + 1 == len(TITLES)
        set_text(self._step, f"Step {number + 1} of {len(TITLES)}: {TITLES[number]}")
        questions = ("Where do you want to begin?", "How much may the grid use?", "How far apart should it buy?")
        set_text(self._question, questions[number])
        set_text(self._wrong, "")
        self.back.setEnabled(number > 0)
        set_text(self.next, "Next" if not last else "Save and restart" if self._restarts() else "Start the grid")
        set_text(self._unit, self._symbol().partition("/")[2])
        set_text(self._outcome, self._outcome_words())
        # Enter goes on while nothing can happen, and changes nothing at the end.
        self.next.setDefault(not last)
        self.later.setDefault(last)

    def _back(self) -> None:
        self._turn_to(self.pages.currentIndex() - 1)

    def _onward(self) -> None:
        made = self._made()
        if made is None:
            return
        if self.pages.currentIndex() + 1 < len(TITLES):
            self._turn_to(self.pages.currentIndex() + 1)
        else:
            self.next.setEnabled(False)
            self._context.desk.ask(SaveConfig(made.to_json()), self._answered)

    def _made(self) -> AppConfig | None:
        """Return what the answers make, None after what is wrong with them was said, on its page."""
        try:
            amount = Decimal(self.amount.text().strip())
        except InvalidOperation:
            amount = Decimal("NaN")
        if not amount.is_finite():
            self._refuse(1, "The budget must be a number, such as 2000 or 2000.50.")
            return None
        name = next(each for each, choice in self.ranges.items() if choice.isChecked())
        try:
            return first_config(self._config, FirstChoices(self._exchange(), self._symbol(), amount, name))[0]
        except ConfigError as error:
            first = error.mistakes[0] if error.mistakes else None
            page = 1 if first is not None and first.path.endswith("investment") else 0
            self._refuse(page, error.message if first is None else first.sentence())
            return None

    def _refuse(self, page: int, sentence: str) -> None:
        if self.pages.currentIndex() < page:
            # Its question has not been asked yet.
            self._turn_to(self.pages.currentIndex() + 1)
            return
        self._turn_to(page)
        set_text(self._wrong, sentence)

    def _answered(self, answer: Answered) -> None:
        self.next.setEnabled(True)
        if not answer.ok:
            set_text(self._wrong, answer.message)
            return
        restarts = self._restarts()
        self.accept()
        (self.restart_wanted if restarts else self.tour_wanted).emit()

    def _exchange(self) -> str:
        return self.exchange.currentText().strip().lower() if self.dry.isChecked() else ""

    def _symbol(self) -> str:
        return self.symbol.text().strip().upper() if self.dry.isChecked() else DEFAULT_SYMBOL

    def _restarts(self) -> bool:
        """Whether what is chosen begins with a new start: mode and exchange are those of a start."""
        wanted = Mode.DRY if self.dry.isChecked() else Mode.DEMO
        return wanted is not self._config.mode or (wanted is Mode.DRY and self._exchange() != self._config.exchange.id)

    def _outcome_words(self) -> str:
        name = next(each for each, choice in self.ranges.items() if choice.isChecked())
        rungs = words.counted(preset(name).levels, "rung")
        where = f"{self._exchange()}, dry run" if self._exchange() else "the demo market"
        return (
            f"A grid of {rungs} on {self._symbol()} at {where}, with {self.amount.text().strip()} {self._unit.text()}."
        )


def _choice(choice: QRadioButton, text: str, *more: QWidget) -> QFrame:
    """Return a card with a choice, a line that explains it, and what belongs to it."""
    card = QFrame()
    set_role(card, "card")
    box = QVBoxLayout(card)
    box.setContentsMargins(12, 10, 12, 10)
    box.setSpacing(6)
    box.addWidget(choice)
    said = label(text, role="muted", wrap=True)
    said.setContentsMargins(26, 0, 0, 0)
    box.addWidget(said)
    for each in more:
        box.addWidget(each)
    return card


def _page(*content: QWidget | QHBoxLayout) -> QWidget:
    page = QWidget()
    box = QVBoxLayout(page)
    box.setContentsMargins(0, 4, 0, 4)
    box.setSpacing(12)
    for each in content:
        if isinstance(each, QWidget):
            box.addWidget(each)
        else:
            box.addLayout(each)
    box.addStretch()
    return page
