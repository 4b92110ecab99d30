"""Why is there no order here? Each reason has its figures and says what would change it; the pane keeps up."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from gridbot.core.explain import SlotReason
from gridbot.core.state import LimitCause
from gridbot.core.values import evolve
from gridbot.gui.context import Context
from gridbot.gui.grid_details import GridDetails
from gridbot.gui.orders_tab import OrdersTab
from gridbot.gui.slot_dialog import GONE, SlotDialog
from gridbot.gui.slot_words import slot_story
from gridbot.shell.errands import Desks
from tests.gui.alone import alone
from tests.gui.fake_facade import FakeFacade
from tests.gui.fake_records import asks_for_life, tells
from tests.gui.finding import dialog, press, said


@pytest.fixture
def context(qtbot: QtBot, facade: FakeFacade) -> Iterator[Context]:
    made = alone(qtbot, facade, OrdersTab, Desks(records=tells("x")))
    yield made.context
    made.close()


@pytest.fixture
def details(qtbot: QtBot, facade: FakeFacade, context: Context) -> GridDetails:
    made = GridDetails(context)
    qtbot.addWidget(made)
    made.show_grid(facade.view().snapshot.grids[0])
    made.show()
    return made


@pytest.mark.parametrize("reason", list(SlotReason))
@pytest.mark.parametrize("cause", [LimitCause.TREND, LimitCause.KILLED])
def test_every_reason_has_figures_and_a_remedy(facade: FakeFacade, reason: SlotReason, cause: LimitCause) -> None:
    grid = evolve(facade.view().snapshot.grids[0], limit_cause=cause, limit_last=2)
    slot = evolve(grid.slots[0], reason=reason)
    story = slot_story(grid, slot)
    figures = dict(story.figures)
    assert story.now == slot.sentence and story.change.endswith(".") and story.change[0].isupper()
    assert figures["Slots allowed"] == f"2 of {grid.levels}" and figures["It buys at"].endswith(" USDT")
    assert ("Reset the stop" in story.change) is (reason is SlotReason.BEYOND_LIMIT and cause is LimitCause.KILLED)


def test_a_slot_too_near_to_coins_names_the_cell_and_its_price(facade: FakeFacade) -> None:
    grid = facade.view().snapshot.grids[0]
    cell = grid.cells[0]
    slot = next(each for each in grid.slots if each.number == cell.slot)
    figures = dict(slot_story(grid, slot).figures)
    assert slot.reason is SlotReason.HELD_NEARBY
    assert figures[f"Cell {cell.number} bought at"] == f"{cell.buy_price:,.2f} USDT"


def test_the_pane_opens_by_key_keeps_up_and_leads_to_the_order_s_timeline(
    details: GridDetails, facade: FakeFacade, context: Context
) -> None:
    grid = facade.view().snapshot.grids[0]
    resting = next(slot for slot in grid.slots if slot.order is not None)
    details.choose_slot(resting.number)
    QTest.keyClick(details.slots, Qt.Key.Key_Return)
    shown = dialog(SlotDialog)
    assert said(shown, "What stands at the slot") == "Its buy order rests." and shown.safe.isDefault()
    assert said(shown, "Slot: It buys at").endswith(" USDT")
    press(shown, "Timeline of the slot's order")
    records = context.desks.records
    assert records is not None and asks_for_life(records) == [resting.order]  # type: ignore[arg-type]  # it is the fake
    denied = evolve(resting, reason=SlotReason.DENIED, sentence="The order is too large.", order=None)
    slots = tuple(denied if slot.number == resting.number else slot for slot in grid.slots)
    details.show_grid(evolve(grid, slots=slots))
    assert said(shown, "What stands at the slot") == "The order is too large." and not shown.life.isEnabled()
    assert "asked again every second" in said(shown, "What would change it")
    details.show_grid(evolve(grid, slots=()))
    assert said(shown, "What stands at the slot") == GONE
    shown.reject()
    QApplication.processEvents()
    details.show_grid(grid)
    assert details._told is None
