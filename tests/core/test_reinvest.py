"""A grid that reinvests: new layings grow with what it has earned, never beyond it, and nothing else moves."""

from __future__ import annotations

from decimal import Decimal

from gridbot.core.cells import tied_up
from gridbot.core.commands import OrderDenied
from gridbot.core.ladder import lay
from gridbot.core.orders import Fact
from gridbot.core.rules import SpacingMode, SpacingRules
from gridbot.core.units import Side
from gridbot.core.values import evolve
from tests.core.builders import Rig, d, instrument, loose, open_grid, rules


def earning(*, reinvest: bool, risk: bool = False) -> Rig:
    """Return a grid that has closed one round trip: bought 1.110 at 90, sold at 100, 10.8891 earned."""
    rig = Rig(rules(open_grid(reinvest=reinvest), risk=loose() if risk else None)).laid().accept()
    rig.fill(rig.order("90")).accept()
    rig.fill(rig.order("100", Side.SELL)).accept()
    assert rig.grid.tally.realised == d("10.8891")
    return rig


def sizes(rig: Rig) -> list[str]:
    return [f"{rung.quantity:f}" for rung in rig.grid.ladder.rungs] if rig.grid.ladder is not None else []


def test_what_rests_stays_and_the_next_laying_is_larger() -> None:
    rig = earning(reinvest=True)
    assert sizes(rig) == ["1.110", "1.248", "1.427", "1.665"], "profit alone lays nothing anew"
    rig.bars("111")
    # The anchor trails to 110: (400 + 10.8891) / 4 / (100 * 1.001) = 1.0261 at the first slot.
    assert sizes(rig)[0] == "1.026"
    plain = earning(reinvest=False).bars("111")
    assert sizes(plain)[0] == "0.999"


def test_all_cells_together_never_cost_more_than_investment_and_profit() -> None:
    rig = earning(reinvest=True, risk=True).bars("111")
    rig.mark("111").accept().cancelled().accept()
    fee = instrument().maker_fee
    assert d(400) < tied_up(rig.grid.cells, fee=fee) <= d("410.8891")
    assert not rig.all_heard(OrderDenied)


def test_a_loss_takes_nothing_from_the_investment() -> None:
    grid = open_grid(reinvest=True)
    assert grid.capital(d(-50)) == d(400) and grid.capital(d(50)) == d(450)
    assert open_grid().capital(d(50)) == d(400)


def test_after_a_loss_a_buy_that_would_go_beyond_is_refused_by_itself() -> None:
    rig = earning(reinvest=True).bars("111")
    rig.cancelled().accept()
    rig.fill(rig.order("100", Side.BUY)).accept()
    held = rig.grid.cells[0]
    assert held.lot is not None
    # As a sale under its cost leaves it: the cells that bought with more keep what they bought.
    lost = evolve(rig.grid.tally, realised=Decimal(0), cash=rig.grid.tally.cash - d("10.8891"))
    rig.state = evolve(rig.state, grids={rig.grid.rules.id: evolve(rig.grid, tally=lost)})
    gone = rig.order("90", Side.BUY)
    rig.report(gone, Fact.CANCELED)
    assert [denied.code for denied in rig.all_heard(OrderDenied)] == ["investment"]
    assert tied_up(rig.grid.cells, fee=instrument().maker_fee) <= d(400)


def test_switching_it_on_lays_anew_with_what_was_earned() -> None:
    rig = earning(reinvest=False)
    rig.edit(open_grid(reinvest=True))
    assert sizes(rig)[0] == "1.140" and len(rig.buys()) == 0, "each order moves to its new size"
    rig.cancelled().accept()
    assert rig.buys() == ["90", "80", "70", "60"]


def test_the_shares_are_divided_as_the_investment_is() -> None:
    wanted = open_grid(reinvest=True, spacing=SpacingRules(SpacingMode.ABSOLUTE, absolute=d(10)))
    more = lay(wanted, instrument(), anchor=d(100), spacing=d(10), realised=d(40))
    same = lay(evolve(wanted, investment=d(440)), instrument(), anchor=d(100), spacing=d(10))
    assert more == same
