"""The form of a search: what is varied, how it is chosen, and on which days what was chosen is judged."""

from __future__ import annotations

from decimal import Decimal

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from gridbot.config import GridConfig
from gridbot.gui import numbers
from gridbot.gui.backtest_fields import AmountField, Note, Section, narrow
from gridbot.gui.dialogs import Dialog
from gridbot.gui.form import CalmComboBox
from gridbot.gui.glossary import explained
from gridbot.gui.measures import L, M, S
from gridbot.gui.parts import button, label, set_role, set_text
from gridbot.gui.search_knobs import combined, counted_words
from gridbot.gui.search_plan import (
    DAY_MS,
    OBJECTIVE_MEANING,
    USUAL_SHARE,
    period_of,
    said_plan,
    usual_walk,
)
from gridbot.gui.search_rows import KnobRows
from gridbot.gui.setting_words import fraction_of, percent_of
from gridbot.shell.research_desk import Trial
from gridbot.shell.search_desk import OBJECTIVE_WORDS, HoldOut, Objective, Search, WalkForward

MOST_TRIES = 20_000
_MOST_SEED = Decimal(2**63 - 1)
_WHY_KEPT = (
    "Settings that are chosen for a past look good on that past, whatever they are worth. Only days that the choosing "
    "never saw can tell."
)
_WHY_WALKED = (
    "It is what you would have done: choose on the past, trade the days that follow, choose again. Each choice is "
    "judged on days that it never saw, so that one lucky stretch is not enough."
)


class SearchDialog(Dialog):
    """Asks what is to be searched, for one of the two plans; as `before` asked for it, where that is given.

    Attributes:
        rows: the settings that may be varied.
        start: hands the search in.

    Signals:
        search_wanted: the Search that a person wants.
    """

    search_wanted = Signal(object)

    def __init__(
        self, trial: Trial, grid: GridConfig, parent: QWidget, *, walking: bool, before: Search | None = None
    ) -> None:
        super().__init__("Walk forward" if walking else "Optimise", parent)
        self._trial = trial
        self._period = period_of(trial.data)
        self.rows = KnobRows(grid, () if before is None else before.knobs)
        usual = usual_walk(self._period)
        whole = {"changed": self.check, "whole": True, "least": Decimal(1)}
        self.share = AmountField("Kept back", percent_of(USUAL_SHARE), self.check, least=Decimal(1), most=Decimal(99))
        self.train = AmountField("Choose on", Decimal(usual.train // DAY_MS), **whole)  # type: ignore[arg-type]
        self.test = AmountField("Judge on", Decimal(usual.test // DAY_MS), **whole)  # type: ignore[arg-type]
        self.anchored = QCheckBox("Each time from the beginning on")
        self.anchored.setAccessibleName("Choose each time from the beginning on")
        self.anchored.setToolTip("Each choice looks at all days before it, and so knows more than the one before.")
        self.objective = CalmComboBox()
        self.objective.setAccessibleName("Chosen by")
        narrow(self.objective)
        for each in Objective:
            self.objective.addItem(OBJECTIVE_WORDS[each], each)
        self.trips = AmountField("Fewest round trips", Decimal(10), self.check, whole=True)
        self.tries = AmountField("Most tries", Decimal(200), most=Decimal(MOST_TRIES), **whole)  # type: ignore[arg-type]
        self.seed = AmountField("Seed", Decimal(1), self.check, most=_MOST_SEED, whole=True)
        self._walking = walking
        self._plan_note = Note("What the plan means")
        self._other = Note("What is not as in that search")
        self._count = label("", role="heading", name="How many combinations", wrap=True)
        self._wrong = label("", role="error", name="What is wrong", wrap=True)
        self.start = button("Start", self._start, role="primary", name="Start the search")
        self.safe = button("Cancel", self.reject)
        self._build()
        if before is not None:
            self._take(before)
        self.resize(920, 580)
        self.rows.edited.connect(self.check)
        self.anchored.toggled.connect(lambda _on: self.check())
        self.objective.currentIndexChanged.connect(lambda _index: self.check())
        self.check()

    def _build(self) -> None:
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(self.rows)
        scroll.setAccessibleName("What is varied")
        scroll.setMinimumWidth(self.rows.sizeHint().width() + L)
        left = QVBoxLayout()
        left.setSpacing(S)
        left.addWidget(label("What is varied", role="heading"))
        left.addWidget(scroll, 1)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, S, 0)
        column.setSpacing(M)
        column.addWidget(self._judging())
        column.addWidget(self._choosing())
        column.addStretch()
        right = QScrollArea()
        right.setWidgetResizable(True)
        right.setFrameShape(QFrame.Shape.NoFrame)
        right.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        right.setWidget(inside)
        right.setAccessibleName("How it is chosen and judged")
        right.setMinimumWidth(330)
        parts = QHBoxLayout()
        parts.setSpacing(L)
        parts.addLayout(left, 3)
        parts.addWidget(right, 2)
        self.box.addLayout(parts, 1)
        self.box.addWidget(self._other)
        self.box.addWidget(self._count)
        self.box.addWidget(self._wrong)
        self.add_buttons(self.start, self.safe)
        # Nothing is traded and nothing changed by a search, so that Enter may begin it.
        self.safe.setDefault(False)
        self.start.setAutoDefault(True)
        self.start.setDefault(True)

    def _judging(self) -> Section:
        section = Section("How it is judged")
        explained(section, "walking forward" if self._walking else "optimising")
        if self._walking:
            section.add("Choose on, days", self.train, tip="So many days before each choice are looked at.")
            section.add("Judge on, days", self.test, tip="What was chosen is judged on so many days that follow.")
            section.add_wide(self.anchored)
        else:
            section.add("Kept back, %", self.share, tip="The last part of the period, which the search never sees.")
        section.add_wide(self._plan_note)
        section.add_wide(label(_WHY_WALKED if self._walking else _WHY_KEPT, wrap=True))
        return section

    def _choosing(self) -> Section:
        section = Section("How it is chosen")
        # Its words are long: it stands under its name.
        name = label("Chosen by")
        name.setBuddy(self.objective)
        section.add_wide(name)
        section.add_wide(self.objective)
        section.add(
            "Fewest round trips",
            self.trips,
            tip="Settings that made fewer while choosing are not chosen: a handful is luck.",
        )
        section.add("Most tries", self.tries, tip="Where there are more combinations, so many of them are drawn.")
        section.add("Seed", self.seed, tip="The same number draws the same combinations, every time.")
        return section

    def _take(self, before: Search) -> None:
        """Ask for what another search asked for."""
        match before.plan:
            case HoldOut(share=share):
                self.share.set_amount(percent_of(share))
            case WalkForward(train=train, test=test, anchored=anchored):
                self.train.set_amount(Decimal(train) / DAY_MS)
                self.test.set_amount(Decimal(test) / DAY_MS)
                self.anchored.setChecked(anchored)
        self.objective.setCurrentIndex(self.objective.findData(before.objective))
        for field, number in ((self.trips, before.least_trips), (self.tries, before.tries), (self.seed, before.seed)):
            field.set_amount(Decimal(number))
        self._other.say(self.rows.other)

    # ------------------------------------------------------------------------------------ what is wanted

    def search(self) -> Search | None:
        """Return what is to be searched; None while something is wrong."""
        plan, knobs = self.plan(), self.rows.knobs()
        if plan is None or not knobs or self.wrong():
            return None
        return Search(
            trial=self._trial,
            knobs=knobs,
            plan=plan,
            objective=Objective(self.objective.currentData()),
            tries=int(self.tries.amount() or 1),
            seed=int(self.seed.amount() or 0),
            least_trips=int(self.trips.amount() or 0),
        )

    def plan(self) -> HoldOut | WalkForward | None:
        """Return how it is judged; None while that cannot be read."""
        if not self._walking:
            share = self.share.amount()
            return None if share is None else HoldOut(fraction_of(share))
        train, test = self.train.amount(), self.test.amount()
        if train is None or test is None:
            return None
        return WalkForward(int(train) * DAY_MS, int(test) * DAY_MS, anchored=self.anchored.isChecked())

    def wrong(self) -> str:
        """Return the first thing that is wrong as a sentence, "" for nothing; the fields are marked."""
        fields = [*((self.train, self.test) if self._walking else (self.share,)), self.trips, self.tries, self.seed]
        said = [field.complaint() for field in fields]
        plan = self.plan()
        meant = None if plan is None else said_plan(plan, self._period)
        found = [self.rows.wrong, *said, meant.sentence if meant is not None and meant.wrong else ""]
        if not any(found) and combined(self.rows.knobs()) < 2:
            found.append("One combination is nothing to choose from: vary a setting over two values or more.")
        return next(filter(None, found), "")

    def check(self) -> None:
        """Say what the form means now and what is wrong, and let only a right one be started."""
        wrong = self.wrong()
        plan = self.plan()
        if plan is not None:
            meant = said_plan(plan, self._period)
            self._plan_note.say("" if meant.wrong else meant.sentence)
        tries = int(self.tries.amount() or 1)
        seed = int(self.seed.amount() or 0)
        knobs = self.rows.knobs()
        each_round = " in each round" if self._walking and combined(knobs) > 1 and not wrong else ""
        set_text(self._count, f"{counted_words(knobs, tries=tries, seed=seed).rstrip('.')}{each_round}.")
        self.objective.setToolTip(OBJECTIVE_MEANING[Objective(self.objective.currentData())])
        self.seed.setEnabled(combined(knobs) > tries)
        set_role(self._wrong, "error")
        set_text(self._wrong, wrong)
        self._wrong.setVisible(bool(wrong))
        self._count.setVisible(not wrong)
        self.start.setEnabled(not wrong)
        self.start.setToolTip(wrong or f"{numbers.whole(min(tries, combined(knobs)))} backtests are run for a choice.")

    def _start(self) -> None:
        self.rows.check()
        search = self.search()
        if search is not None:
            self.search_wanted.emit(search)
            self.accept()
