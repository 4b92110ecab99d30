"""The Risk tab shows the account as the snapshot has it, and a dash where nothing is known."""

from __future__ import annotations

from decimal import Decimal

import pytest
from PySide6.QtWidgets import QCheckBox

from gridbot.core.state import Level
from gridbot.core.units import Mode
from gridbot.core.values import evolve
from gridbot.gui.window import Window
from gridbot.shell.facade import StopTrading
from tests.gui.conftest import Opened
from tests.gui.fake_facade import FakeFacade
from tests.gui.finding import said, texts


@pytest.fixture
def risk(window: Window) -> Window:
    window.tabs.setCurrentWidget(window.risk)
    return window


@pytest.mark.parametrize("level", list(Level))
def test_the_level_is_said_with_its_cause(risk: Window, facade: FakeFacade, level: Level) -> None:
    facade.level, facade.causes = level, ("The spread is 0.8 %, its limit is 0.5 %.",)
    facade.publish()
    risk.drain.take()
    assert said(risk.risk, "Risk level") == level.value.upper()
    assert said(risk.risk, "Why") == "The spread is 0.8 %, its limit is 0.5 %."


def test_a_spike_is_named_where_nothing_tripped(risk: Window, facade: FakeFacade) -> None:
    view = facade.view()
    first, *others = view.snapshot.grids
    unusual = evolve(view.snapshot, level=Level.YELLOW, grids=(evolve(first, spike=True), *others))
    risk.risk.show_view(evolve(view, snapshot=unusual))
    assert said(risk.risk, "Why") == "btc-usdt: volatility spiked."


def test_the_cards_are_those_of_the_snapshot(risk: Window, facade: FakeFacade) -> None:
    snapshot = facade.view().snapshot
    assert said(risk.risk, "Equity") == f"{snapshot.equity:,.2f} USDT"
    assert said(risk.risk, "Profit today (UTC)") == f"{snapshot.day_profit:+,.2f} USDT"
    assert said(risk.risk, "Profit of the grids, in detail") == (
        f"from {snapshot.round_trips} round trips, {snapshot.fills} fills"
    )


def test_every_limit_stands_in_the_table(risk: Window, facade: FakeFacade) -> None:
    limits = facade.view().snapshot.limits
    assert len(texts(risk.risk.model, "Limit")) == len(limits)
    row = texts(risk.risk.model, "Limit").index("Drawdown from the peak")
    assert texts(risk.risk.model, "Limit at")[row] == "20.00 %"
    assert texts(risk.risk.model, "Beyond it")[row] == "trading stops"
    unknown = texts(risk.risk.model, "Limit").index("Value at risk (95 %, one day)")
    assert texts(risk.risk.model, "Now")[unknown] == "-"


def test_what_is_not_known_is_a_dash_and_not_zero(opened: Opened, facade: FakeFacade) -> None:
    window = opened(facade)
    view = facade.view()
    empty = evolve(view.snapshot, equity=None, day_profit=None, peak=None, grids=(), limits=(), orders=())
    window.tabs.setCurrentWidget(window.risk)
    window.risk.show_view(evolve(view, snapshot=empty))
    for card in ("Equity", "Profit today (UTC)", "Drawdown", "Profit of the grids"):
        assert said(window.risk, card) == "-"


def test_a_bar_is_the_share_of_its_limit(risk: Window, facade: FakeFacade) -> None:
    limit = next(each for each in facade.view().snapshot.limits if each.code == "max_total_exposure")
    assert limit.now is not None and limit.limit == Decimal("0.80")
    assert said(risk.risk, "Exposure of all together") == "23.7 % of 80 %"


def test_the_demo_has_no_dry_run_to_switch_and_says_where_there_is_one(opened: Opened) -> None:
    window = opened(FakeFacade(mode=Mode.DEMO))
    window.tabs.setCurrentWidget(window.risk)
    switch = next(each for each in window.risk.findChildren(QCheckBox))
    assert switch.isChecked() and not switch.isEnabled()
    assert "the mode dry, under Settings" in said(window.risk, "About the mode")


def test_the_stop_is_shown_with_its_reason(risk: Window, facade: FakeFacade) -> None:
    assert said(risk.risk, "Stop") == "Trading is not stopped."
    facade.ask(StopTrading("Too much at once."))
    risk.drain.take()
    assert "Too much at once." in said(risk.risk, "Stop")
