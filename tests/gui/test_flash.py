"""Which figures are lit when they change: those that change rarely, at the precision that is seen; nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from gridbot.core.snapshot import Snapshot
from gridbot.core.units import GridId
from gridbot.core.values import evolve
from gridbot.gui import flash
from gridbot.gui.chips import Chips
from gridbot.gui.context import context_of
from gridbot.gui.flash import FlashButton, flasher
from gridbot.gui.grid_details import GridDetails
from gridbot.gui.history import History
from gridbot.gui.limit_rows import LIMIT_COLUMNS
from gridbot.gui.limit_table import LimitTable
from gridbot.gui.risk_tab import RiskTab
from tests.gui.fake_facade import FakeFacade, MemoryStore

NOW, LIMIT = ([each.title for each in LIMIT_COLUMNS].index(title) for title in ("Now", "Limit at"))


@pytest.fixture(autouse=True)
def lights(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the light be on, and nothing be remembered of another test's."""
    monkeypatch.setattr(flash, "_desktop_moves", lambda: True)
    flash.set_flashing(True)
    flasher()._lit.clear()
    flasher()._last.clear()
    yield
    flasher()._lit.clear()


def lit(root: QWidget) -> set[str]:
    """Return the names of the labels that are lit."""
    return {each.accessibleName() for each in root.findChildren(QLabel) if flasher().brightness(each, "text") > 0} - {
        ""
    }


def put_up(qtbot: QtBot, widget: QWidget) -> None:
    qtbot.addWidget(widget)
    widget.resize(1000, 560)
    widget.show()
    qtbot.waitExposed(widget)


def test_a_grids_own_figures_are_lit_when_they_change_and_what_follows_the_price_is_not(
    qtbot: QtBot, facade: FakeFacade
) -> None:
    details = GridDetails(context_of(facade, MemoryStore(), None))
    put_up(qtbot, details)
    grid = facade.view().snapshot.grids[0]
    details.show_grid(grid)
    assert not lit(details), "first figures are no change"
    moved = evolve(grid, unrealised=Decimal("-7.5"), atr=12.5, trend="down")
    details.show_grid(moved)
    assert not lit(details)
    details.show_grid(evolve(moved, grid_profit=grid.grid_profit + 3, holding_cells=grid.holding_cells + 1))
    assert lit(details) == {"Grid profit", "State"}


def test_choosing_another_grid_lights_nothing(qtbot: QtBot, facade: FakeFacade) -> None:
    details = GridDetails(context_of(facade, MemoryStore(), None))
    put_up(qtbot, details)
    first, second = facade.view().snapshot.grids
    details.show_grid(first)
    details.show_grid(evolve(second, id=GridId("other"), grid_profit=Decimal(9999)))
    assert not lit(details)
    assert "9,999.00" in details.figures["Grid profit"].text()


def limits_with(snapshot: Snapshot, code: str, now: str) -> Snapshot:
    limits = tuple(
        evolve(each, now=Decimal(now)) if (each.code, each.scope) == (code, "BTC/USDT") else each
        for each in snapshot.limits
    )
    return evolve(snapshot, limits=limits)


@pytest.mark.parametrize(
    ("code", "now", "shines"),
    [
        ("max_symbol_exposure", "0.1832", True),
        ("max_symbol_exposure", "0.173201", False),
        ("max_open_orders", "11", True),
        ("max_quote_age_ms", "480", False),
    ],
)
def test_a_limits_figure_is_lit_where_its_printed_text_changes_but_never_an_age(
    qtbot: QtBot, facade: FakeFacade, code: str, now: str, shines: bool
) -> None:
    tab = RiskTab(context_of(facade, MemoryStore(), None), History())
    put_up(qtbot, tab)
    view = facade.view()
    tab.show_view(view)
    # What a layout is given is shown by the next turn of the loop.
    QApplication.processEvents()
    flasher()._lit.clear()
    tab.show_view(evolve(view, snapshot=limits_with(view.snapshot, code, now)))
    table = tab.limits.table
    assert isinstance(table, LimitTable)
    key = (code, "BTC/USDT")
    assert (flasher().brightness(table.viewport(), (key, NOW)) > 0) is shines
    assert flasher().brightness(table.viewport(), (key, LIMIT)) == 0
    if code == "max_symbol_exposure":
        assert ("Exposure of BTC/USDT" in lit(tab)) is shines


def test_a_cell_of_the_limits_is_painted_lit(qtbot: QtBot, facade: FakeFacade) -> None:
    tab = RiskTab(context_of(facade, MemoryStore(), None), History())
    put_up(qtbot, tab)
    view = facade.view()
    tab.show_view(view)
    table, model = tab.limits.table, tab.limits.model
    index = model.find(("max_open_orders", "BTC/USDT")).siblingAtColumn(NOW)
    table.scrollTo(index)
    cell = table.visualRect(index)
    calm = table.viewport().grab().toImage().pixelColor(cell.left() + 3, cell.center().y())
    tab.show_view(evolve(view, snapshot=limits_with(view.snapshot, "max_open_orders", "12")))
    assert table.viewport().grab().toImage().pixelColor(cell.left() + 3, cell.center().y()) != calm


@pytest.mark.parametrize("wanted", [True, False])
def test_a_chips_count_is_lit_by_its_border_only_where_it_changes_rarely(qtbot: QtBot, wanted: bool) -> None:
    chips = Chips("Status", lit=wanted)
    put_up(qtbot, chips)
    chips.offer(["open", "partly filled"])
    chips.show_counts({"open": 3, "partly filled": 1})
    buttons = {each.text().split("  ")[0]: each for each in chips.findChildren(FlashButton)}
    assert len(buttons) == 2 and not any(flasher().brightness(each, "text") for each in buttons.values())
    calm = buttons["open"].grab().toImage()
    chips.show_counts({"open": 4, "partly filled": 1})
    assert (flasher().brightness(buttons["open"], "text") > 0) is wanted
    assert flasher().brightness(buttons["partly filled"], "text") == 0
    middle = calm.height() // 2
    edge = buttons["open"].grab().toImage().pixelColor(1, middle)
    assert (edge != calm.pixelColor(1, middle)) is wanted
