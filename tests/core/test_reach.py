"""What a dragged line promises is what the engine does once the dragged setting holds."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridbot.core.commands import CancelOrder
from gridbot.core.events import RulesChanged
from gridbot.core.reach import Drag, Handle, drag, exit_price, lines
from gridbot.core.rules import GridRules, Progression, SignalRules, SpacingMode, SpacingRules
from gridbot.core.snapshot import GridView, snapshot
from gridbot.core.units import Price, Symbol, TimeMs
from gridbot.core.values import evolve
from tests.core.builders import Rig, d, open_grid, rules


def spacing(mode: SpacingMode, progression: Progression) -> SpacingRules:
    return SpacingRules(
        mode=mode, absolute=d(10), fraction=d("0.1"), multiplier=d(5), progression=progression, respace=d("1000")
    )


def seen(rig: Rig) -> GridView:
    return snapshot(rig.state).grids[0]


def changed(rig: Rig, dragged: Drag) -> GridRules:
    """Return the grid's rules with the dragged setting, as the form would read its text."""
    old, (section, _, name) = rig.grid.rules, dragged.path.partition(".")
    if name:
        return evolve(old, spacing=evolve(old.spacing, **{name: d(dragged.after)}))
    return evolve(old, **{section: d(dragged.after)})


@pytest.mark.parametrize("mode", list(SpacingMode))
@pytest.mark.parametrize("progression", list(Progression))
@given(price=st.decimals(min_value="5", max_value="99.5", places=2), bought=st.integers(0, 2))
def test_dragging_the_lowest_slot_shows_the_slots_that_the_engine_then_lays(
    mode: SpacingMode, progression: Progression, price: Decimal, bought: int
) -> None:
    rig = Rig(rules(open_grid(spacing=spacing(mode, progression)))).laid().accept()
    for slot in [slot.price for slot in seen(rig).slots][:bought]:
        rig.fill(rig.order(str(slot))).accept()
    dragged = drag(seen(rig), Handle.LOWEST, price)
    assert dragged is not None and dragged.spacing is not None
    if dragged.spacing[1] == rig.grid.ladder.spacing:  # type: ignore[union-attr]
        assert dragged.moved == 0
        return
    rig.tell(RulesChanged(TimeMs(rig.now), rules(changed(rig, dragged))))
    cancels = [command for command in rig.commands if isinstance(command, CancelOrder)]
    ladder = rig.grid.ladder
    assert ladder is not None and ladder.rungs == dragged.rungs and ladder.spacing == dragged.spacing[1]
    assert dragged.price == ladder.rungs[-1].price
    # A slot that a held cell keeps from being armed takes its order along.
    assert dragged.moved <= len(cancels) if bought else dragged.moved == len(cancels)


def test_a_spacing_that_would_not_earn_its_fees_is_held_back_and_says_so() -> None:
    rig = Rig(rules(open_grid())).laid().accept()
    dragged = drag(seen(rig), Handle.LOWEST, d("99.99"))
    assert dragged is not None and "would not earn" in dragged.note
    assert dragged.spacing is not None and dragged.spacing[1] > d("0.3")


def test_where_another_market_decides_the_spacing_nothing_can_be_dragged() -> None:
    mode = spacing(SpacingMode.ATR, Progression.ARITHMETIC)
    own = Rig(rules(open_grid(spacing=mode))).laid().accept()
    assert Handle.LOWEST in lines(seen(own))
    view = seen(own)
    assert view.rules is not None
    elsewhere = evolve(view, rules=evolve(view.rules, signal=SignalRules(symbol=Symbol("ETH/USD"))))
    assert Handle.LOWEST not in lines(elsewhere)
    assert drag(elsewhere, Handle.LOWEST, d(50)) is None


def test_the_exits_lie_where_the_total_profit_reaches_them() -> None:
    rig = Rig(rules(open_grid(stop_loss=d("0.1"), take_profit_total=d("0.2")))).laid().accept()
    assert Handle.STOP_LOSS not in lines(seen(rig)), "nothing is held yet"
    for price in ("90", "80"):
        rig.fill(rig.order(price)).accept()
    at = lines(seen(rig))
    tally = rig.grid.tally
    assert tally.total(Price(round(at[Handle.STOP_LOSS], 12))) == pytest.approx(d(-40))
    assert tally.total(Price(round(at[Handle.TAKE_PROFIT], 12))) == pytest.approx(d(80))


@given(price=st.decimals(min_value="1", max_value="400", places=2), handle=st.sampled_from(list(Handle)[2:]))
def test_a_dragged_exit_is_the_share_that_the_line_stands_for(price: Decimal, handle: Handle) -> None:
    rig = Rig(rules(open_grid(stop_loss=d("0.1"), take_profit_total=d("0.2")))).laid().accept()
    rig.fill(rig.order("90")).accept()
    dragged = drag(seen(rig), handle, price)
    if dragged is None:
        # The whole investment cannot be lost with one cell at any price above nothing.
        assert handle is Handle.STOP_LOSS
        return
    assert d(dragged.after) > 0
    rig.tell(RulesChanged(TimeMs(rig.now), rules(changed(rig, dragged))))
    assert lines(seen(rig))[handle] == dragged.price
    if not dragged.note:
        assert abs(dragged.price - price) < d("0.01")


def test_a_trigger_is_dragged_on_the_tick_while_the_grid_waits_for_it() -> None:
    rig = Rig(rules(open_grid(trigger_price=Price(d(95))))).laid()
    view = seen(rig)
    assert lines(view)[Handle.TRIGGER] == 95
    dragged = drag(view, Handle.TRIGGER, d("93.4567"))
    assert dragged is not None
    assert (dragged.path, dragged.before, dragged.after, dragged.price) == ("trigger_price", "95", "93.45", d("93.45"))
    assert exit_price(view, d(10)) is None
