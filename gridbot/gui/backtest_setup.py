"""What is to be tested, as a form: candles, the grid, fees, what is assumed of the exchange, the account's limits."""

from __future__ import annotations

import json
from decimal import Decimal

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QFrame, QHBoxLayout, QProgressBar, QScrollArea, QVBoxLayout, QWidget

from gridbot.config import GridConfig, InstrumentConfig, parse_config, parse_grid_or_app
from gridbot.core.units import FillRule
from gridbot.errors import ConfigError
from gridbot.gui.backtest_data import DataSection
from gridbot.gui.backtest_fields import AmountField, Row, Section, narrow
from gridbot.gui.backtest_grid import TrialGrid
from gridbot.gui.form import CalmComboBox
from gridbot.gui.measures import M, S
from gridbot.gui.parts import button, label, set_role, set_text
from gridbot.shell.errands import Standing
from gridbot.shell.research_desk import DataKind, Trial

_HUNDRED = Decimal(100)
_MOST_LATENCY = Decimal(3_600_000)
_RULE_FIELDS = (
    ("maker_fee", "Fee of waiting orders, %", "What the exchange takes of an order that waited in its book."),
    ("taker_fee", "Fee of orders at once, %", "What it takes of an order that trades at once: when a grid is ended."),
    ("tick_size", "Step of prices", "Prices are whole steps of this, in quote currency."),
    ("lot_size", "Step of amounts", "Amounts are whole steps of this, in coins."),
    ("min_notional", "Smallest order", "The exchange refuses orders of less than this, in quote currency."),
)
OPTIMISE_TIP = (
    "Try many settings on one part of the period, and judge the best on the other part, which the search never sees."
)
WALK_TIP = (
    "Choose settings again and again as time goes on, and judge each choice on the days that followed: what you would "
    "really have got."
)
_RATES = frozenset({"maker_fee", "taker_fee"})


class Setup(QWidget):
    """The form of a backtest, with its button and how far a run is.

    Signals:
        run_wanted: the Trial that a person wants to be run.
        cancel_wanted: the running one is given up.
        data_chosen: other candles are chosen; `choice` says which.
        search_wanted: (trial, walking) settings are to be searched for, walking forward or not.
    """

    run_wanted = Signal(object)
    cancel_wanted = Signal()
    data_chosen = Signal()
    search_wanted = Signal(object, bool)

    def __init__(self) -> None:
        super().__init__()
        self._searching = ""
        self._risk = ""
        self._symbol = ""
        self._config_text = ""
        self._running = False
        self._own_rules: InstrumentConfig | None = None
        self.data = DataSection()
        self.grid = TrialGrid()
        self.rules = QCheckBox("As the market has them now")
        self.rules.setAccessibleName("Fees and rules as the market has them now")
        self.rules.setChecked(True)
        self._rule_fields: dict[str, tuple[AmountField, Row]] = {}
        self.fills = CalmComboBox()
        self.fills.setAccessibleName("Orders are filled")
        narrow(self.fills)
        for text, rule in (("When the price goes through", FillRule.THROUGH), ("At a touch", FillRule.TOUCH)):
            self.fills.addItem(text, rule)
        self.latency = AmountField("Delay", Decimal(0), self.check, most=_MOST_LATENCY, whole=True)
        self.limits = QCheckBox("Apply the account's limits")
        self.limits.setAccessibleName("Apply the account's limits")
        self.equity = AmountField("Money in the account", Decimal(50_000), self.check, least=Decimal(1))
        self.run = button("Run backtest", self._run, role="primary")
        self.cancel = button("Cancel", self.cancel_wanted.emit, name="Cancel the backtest")
        self.optimise = button("Optimise…", lambda: self._search(walking=False), name="Optimise")
        self.walk = button("Walk forward…", lambda: self._search(walking=True), name="Walk forward")
        self.bar = QProgressBar()
        self.bar.setAccessibleName("Progress of the backtest")
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(S)
        self.said = label("", role="muted", name="What the backtest does", wrap=True)
        self._build()
        self.data.edited.connect(self._data_edited)
        self.grid.edited.connect(self._grid_edited)
        for box in (self.rules, self.limits):
            box.toggled.connect(lambda _on: self.check())
        self.show_running(None)

    def _build(self) -> None:
        rules = Section("Fees and rules of the market")
        rules.add_wide(self.rules)
        usual = InstrumentConfig()
        for key, title, tip in _RULE_FIELDS:
            amount: Decimal = getattr(usual, key)
            field = AmountField(title, _shown(key, amount), self.check)
            self._rule_fields[key] = (field, rules.add(title, field, tip=tip))
        assumed = Section("What is assumed of the exchange")
        tip = "A price that only touches an order may leave it waiting; one that goes through has filled it."
        assumed.add("Orders are filled", self.fills, tip=tip)
        assumed.add("Delay, ms", self.latency, tip="How long an order is on its way before it can be filled.")
        account = Section("The account")
        account.add_wide(self.limits)
        self._equity_row = account.add("Its money", self.equity, tip="In quote currency; the limits are parts of it.")
        grid = Section("Settings")
        grid.add_wide(self.grid)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, S, 0)
        column.setSpacing(M)
        for section in (self.data, grid, rules, assumed, account):
            column.addWidget(section)
        column.addStretch()
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(inside)
        scroll.setAccessibleName("What is to be tested")
        buttons = QHBoxLayout()
        buttons.addWidget(self.run, 1)
        buttons.addWidget(self.cancel, 1)
        searches = QHBoxLayout()
        searches.addWidget(self.optimise, 1)
        searches.addWidget(self.walk, 1)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(S)
        box.addWidget(scroll, 1)
        box.addWidget(self.said)
        box.addWidget(self.bar)
        box.addLayout(buttons)
        box.addLayout(searches)

    # ------------------------------------------------------------------------------- what is learned

    def learn(self, config_text: str) -> None:
        """Take over what the configuration knows: the grids, the limits, the exchange."""
        if config_text == self._config_text:
            return
        first, self._config_text = not self._config_text, config_text
        config = parse_config(config_text, source="The saved configuration")
        self._risk = json.dumps(config.to_data()["risk"])
        self.data.home, self.data.base_url = config.exchange.id, config.exchange.base_url
        self.grid.learn(config)
        if first:
            self.data.choose_exchange(config.exchange.id)
            self.data.seed.set_amount(Decimal(config.demo.seed))
            self.equity.set_amount(config.demo.equity)
            self.grid.begin_anew()
        self.check()

    def show_grid(self, grid: GridConfig) -> None:
        """Put a grid into the form."""
        self.grid.show_grid(grid)
        self.grid.form.focus_first()

    def show_trial(self, trial: Trial) -> None:
        """Put all that was tested into the form again."""
        try:
            grid = parse_grid_or_app(trial.grid, source="The tested grid").grids[0]
        except ConfigError as error:
            self._say(error.message, wrong=True)
            return
        self._show_rules(grid.instrument, own=trial.data.kind is DataKind.FILE)
        self.data.show_choice(trial.data)
        self.fills.setCurrentIndex(self.fills.findData(trial.fills))
        self.latency.set_amount(Decimal(trial.latency_ms))
        self.limits.setChecked(bool(trial.risk))
        if trial.equity is not None:
            self.equity.set_amount(trial.equity)
        self.show_grid(grid.model_copy(update={"instrument": None}))

    def trial(self) -> Trial | None:
        """Return what is to be tested; None while something is wrong."""
        grid = self.grid.grid
        if grid is None or self.wrong():
            return None
        wanted = grid.model_copy(update={"instrument": self._instrument()})
        return Trial(
            grid=json.dumps(wanted.to_data()),
            data=self.data.choice(grid.symbol),
            fills=FillRule(self.fills.currentData()),
            latency_ms=int(self.latency.amount() or 0),
            risk=self._risk if self.limits.isChecked() else "",
            equity=self.equity.amount() if self.limits.isChecked() else None,
        )

    def wrong(self) -> str:
        """Return the first thing that is wrong as a sentence, "" for nothing; the fields are marked."""
        fields = [self.latency, *((self.equity,) if self.limits.isChecked() else ())]
        if not self._asks_market():
            fields += [field for field, _ in self._rule_fields.values()]
        said = [self.data.wrong(), *(mistake.sentence() for mistake in self.grid.wrong.values())]
        said += [field.complaint() for field in fields]
        return next(filter(None, said), "")

    def check(self) -> None:
        """Say what is wrong now, and let only a right form be run."""
        own = not self._asks_market()
        self.rules.setVisible(self.data.chosen_kind() is not DataKind.FILE)
        for _, row in self._rule_fields.values():
            row.show(own)
        self._equity_row.show(self.limits.isChecked())
        wrong = self.wrong()
        self.run.setEnabled(not wrong and not self._running)
        self._allow_searches(wrong)
        if not self._running:
            self._say(wrong, wrong=True)

    # ---------------------------------------------------------------------------------- while it runs

    def show_running(self, standing: Standing | None, *, running: bool = False) -> None:
        """Show how far a run is, or that none is under way."""
        self._running = running
        self.run.setVisible(not running)
        self.cancel.setVisible(running)
        self.bar.setVisible(running)
        if running:
            share = None if standing is None else standing.share
            # Nobody knows how far: the bar wanders.
            self.bar.setRange(0, 0 if share is None else 1000)
            self.bar.setValue(0 if share is None else round(share * 1000))
            self._say("Starting." if standing is None else standing.sentence)
        else:
            self.check()

    def forbid_search(self, why: str) -> None:
        """Let no search be asked for, and say why; "" lets them be asked for again."""
        self._searching = why
        self._allow_searches(self.wrong())

    def say(self, sentence: str, *, wrong: bool = False) -> None:
        """Say how a run ended."""
        self._say(sentence, wrong=wrong)

    # ----------------------------------------------------------------------------------------- inside

    def _say(self, sentence: str, *, wrong: bool = False) -> None:
        set_role(self.said, "error" if wrong else "muted")
        set_text(self.said, sentence)
        self.said.setVisible(bool(sentence))

    def _run(self) -> None:
        self.grid.check()
        trial = self.trial()
        if trial is not None:
            self.run_wanted.emit(trial)

    def _allow_searches(self, wrong: str) -> None:
        for each, tip in ((self.optimise, OPTIMISE_TIP), (self.walk, WALK_TIP)):
            each.setEnabled(not wrong and not self._searching)
            each.setToolTip(self._searching or tip)

    def _search(self, *, walking: bool) -> None:
        self.grid.check()
        trial = self.trial()
        if trial is not None:
            self.search_wanted.emit(trial, walking)

    def _data_edited(self) -> None:
        self.check()
        self.data_chosen.emit()

    def _grid_edited(self) -> None:
        self.check()
        if self.grid.symbol() != self._symbol:
            self._symbol = self.grid.symbol()
            self.data_chosen.emit()

    def _asks_market(self) -> bool:
        return self.rules.isChecked() and self.data.chosen_kind() is not DataKind.FILE

    def _instrument(self) -> InstrumentConfig | None:
        if self._asks_market():
            return None
        told = {key: field.amount() for key, (field, _) in self._rule_fields.items()}
        values = {key: amount / _HUNDRED if key in _RATES else amount for key, amount in told.items() if amount}
        base = self._own_rules or InstrumentConfig()
        return InstrumentConfig.model_validate({**base.model_dump(), **_zero_fees(told), **values})

    def _show_rules(self, rules: InstrumentConfig | None, *, own: bool) -> None:
        """Show the rules that a run had; whether they were the market's own is not known any more."""
        self.rules.setChecked(not own)
        self._own_rules = rules
        if rules is not None:
            for key, (field, _) in self._rule_fields.items():
                amount: Decimal = getattr(rules, key)
                field.set_amount(_shown(key, amount))


def _shown(key: str, amount: Decimal) -> Decimal:
    """Return an amount as its field has it: a rate in percent, without zeros at its end."""
    return (amount * _HUNDRED if key in _RATES else amount).normalize() + 0


def _zero_fees(told: dict[str, Decimal | None]) -> dict[str, Decimal]:
    return {key: Decimal(0) for key in (*_RATES, "min_notional") if told[key] is not None and not told[key]}
