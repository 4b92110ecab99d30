"""What must hold of the engine on any candles and any grid: hypothesis draws both, seeds are printed on failure.

`make soak` runs 2,000 examples of each, `make test` 200.
"""

from __future__ import annotations

from decimal import ROUND_UP, Context, Decimal, Underflow, localcontext
from typing import Any

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from gridbot.core.arming import walk
from gridbot.core.cells import at_rest, tied_up
from gridbot.core.codec import canonical, state_to_plain
from gridbot.core.draft import Draft, GridDraft, Step
from gridbot.core.engine import general_step, step
from gridbot.core.events import Event
from gridbot.core.explain import SlotReason, explain_grid
from gridbot.core.plan import settle_all
from gridbot.core.rules import Instrument
from gridbot.core.state import Grid, Phase, State
from gridbot.core.units import FeeCurrency, FillRule
from gridbot.errors import ConfigError
from gridbot.research.backtest import Backtest, run_backtest
from tests.properties.runs import arrays_of, fills_of, rules_of
from tests.reference.market import random_walk

EXAMPLES = pytest.param(200, id="200"), pytest.param(2_000, id="2000", marks=[pytest.mark.soak])

grids = st.fixed_dictionaries(
    {
        "symbol": st.just("BASE/QUOTE"),
        "levels": st.integers(1, 14),
        "investment": st.sampled_from(["400", "1000", "25000"]),
        "take_profit": st.sampled_from(["0.7", "1.0", "1.6"]),
        "spacing": st.fixed_dictionaries(
            {
                "mode": st.sampled_from(["atr", "fraction", "absolute"]),
                "multiplier": st.sampled_from(["0.3", "1.0", "2.5"]),
                "fraction": st.sampled_from(["0.002", "0.01"]),
                "absolute": st.sampled_from(["0.03", "0.4", "1.7"]),
                "progression": st.sampled_from(["arithmetic", "geometric"]),
                "min_profit": st.sampled_from(["0.0001", "0.001"]),
                "respace": st.sampled_from(["0.05", "0.25", "3"]),
                "trail_down": st.booleans(),
            }
        ),
        "signal": st.fixed_dictionaries(
            {
                "timeframe": st.sampled_from(["5m", "15m"]),
                "atr_period": st.sampled_from([2, 7]),
                "spike_multiple": st.sampled_from([1.1, 1.5]),
                "atr_jump": st.sampled_from([0.1, 0.3, 5.0]),
            }
        ),
        "trend": st.fixed_dictionaries(
            {
                "timeframe": st.sampled_from(["5m", "15m"]),
                "ema_fast": st.just(3),
                "ema_slow": st.just(9),
                "threshold": st.sampled_from([0.0005, 0.004]),
                "down_trend_buys": st.sampled_from([None, 1]),
            }
        ),
        "stop_loss": st.sampled_from([None, None, "0.02"]),
        "take_profit_total": st.sampled_from([None, None, "0.01"]),
        "trigger_price": st.sampled_from([None, None, "99.5"]),
        "reinvest": st.sampled_from([False, False, True]),
        "instrument": st.fixed_dictionaries(
            {
                "tick_size": st.sampled_from(["0.01", "0.05"]),
                "lot_size": st.sampled_from(["0.001", "0.02"]),
                "min_qty": st.just("0.001"),
                "min_notional": st.just("1"),
                "maker_fee": st.sampled_from(["0", "0.0007", "0.002"]),
                "taker_fee": st.just("0.002"),
                "fee_currency": st.sampled_from(["quote", "base"]),
            }
        ),
    }
)
seeds = st.integers(0, 2**32 - 1)
rules = st.sampled_from(list(FillRule))
latencies = st.sampled_from([0, 0, 0, 45_000, 200_000])
CANDLES = 1_400


class Watched(Backtest):
    """A backtest that looks at every step: identities, limits, and what the step would have been on the general way."""

    def _tell(self, event: Event) -> None:
        self.settle()
        before = self.state
        super()._tell(event)
        self.settle()
        check_state(self.state)
        assert_twice_is_once(before, event)


class OneByOne(Backtest):
    """A backtest that answers every event with a step of its own."""

    def _tell(self, event: Event) -> None:
        answer = step(self.state, event)
        self.state = answer.state
        self.grid = self.state.grids[self.rules.id]
        self._skipped = float("inf") if self.grid.skipped is None else float(self.grid.skipped)
        self.recorder.take(self._index, answer.notes, self.grid)
        for command in answer.commands:
            self._carry_out(command)


def balances_of(run: Backtest) -> list[tuple[int, str, str, int]]:
    """Return the balances that differ from the one before, to the last digit that is written."""
    kept = run.recorder.balances
    rows = [
        (at, str(kept.cash[place]), str(kept.inventory[place]), kept.held[place]) for place, at in enumerate(kept.at)
    ]
    return [row for before, row in zip([None, *rows], rows, strict=False) if before is None or row[1:] != before[1:]]


def check_state(state: State) -> None:
    """Assert what must hold after every step of a plain backtest."""
    for account in state.accounts.values():
        account.check()
    for grid in state.grids.values():
        grid.tally.check()
        assert grid.loose == sum(1 for cell in grid.cells if not at_rest(cell))
        instrument = grid.instrument
        assert instrument is not None
        assert_within_investment(grid, instrument)
        lots = sum((cell.lot.quantity for cell in grid.cells if cell.lot is not None), Decimal(0))
        assert lots + grid.tally.dust == grid.tally.inventory
        places = [(cell.number, cell.order.side) for cell in grid.cells if cell.order is not None]
        assert len(places) == len(set(places))
        assert_explained(grid)


def assert_within_investment(grid: Grid, instrument: Instrument) -> None:
    """Assert that a grid never ties up more than its investment and, where it reinvests, what it has earned.

    Where fees are taken in base, a cell may hold one lot of dust above what its own budget bought; dust was paid for
    by earlier rounds of other cells. With fees in quote there is no slack at all.
    """
    spent = tied_up(grid.cells, fee=instrument.maker_fee)
    slack = Decimal(0)
    if instrument.fee_currency is FeeCurrency.BASE:
        highest = max((cell.lot.buy_price for cell in grid.cells if cell.lot is not None), default=Decimal(0))
        slack = instrument.lot_size * highest * grid.rules.levels * 2
    assert spent <= grid.rules.capital(grid.tally.realised) + slack


def assert_explained(grid: Grid) -> None:
    """Assert that `explain` and the walk name the same armed slots."""
    if grid.phase is not Phase.ACTIVE or grid.price is None:
        return
    armed = {rung.number for rung in walk(GridDraft(grid), grid.price).armed}
    not_armed = {
        SlotReason.HELD_NEARBY,
        SlotReason.UNDER_MINIMUM,
        SlotReason.NOT_UNDER_PRICE,
        SlotReason.BEYOND_LIMIT,
        SlotReason.NO_FREE_CELL,
    }
    assert armed == {view.number for view in explain_grid(grid) if view.reason not in not_armed}


def assert_twice_is_once(before: State, event: Event) -> None:
    """Assert that the step is the general one's, and that the event's repetition changes nothing and sends nothing."""
    first = step(before, event)
    assert first == general_step(before, event)
    again = step(first.state, event)
    assert again.state == first.state
    assert again.commands == ()


def assert_nothing_left(state: State) -> None:
    """Assert that settling every cell anew, from scratch, finds nothing to send: incremental is whole."""
    for id_ in state.grids:
        draft = Draft(state, state.now)
        g = draft.grid(id_)
        g.touched.update(range(len(g.cells)))
        g.loose = 1
        settle_all(draft, g)
        answer: Step = draft.close()
        assert answer.commands == ()


def assert_watched_run(grid: dict[str, Any], rows: list[Any], fills: FillRule) -> None:
    """Run a backtest in which every step is checked; a grid that cannot start is no example."""
    candles = arrays_of(rows)
    try:
        run = Watched(candles, rules_of(grid), fills=fills, latency_ms=0, risk=None, equity=None)
        run.run(every_candle=False, progress=None)
    except ConfigError as refused:
        assert "cannot start" in refused.message
        return
    assert_nothing_left(run.state)


@pytest.mark.parametrize("examples", EXAMPLES)
def test_skipping_ahead_is_the_same_as_walking_every_candle(examples: int) -> None:
    @settings(max_examples=examples)
    @given(grid=grids, walk_seed=seeds, fills=rules, latency=latencies)
    def holds(grid: dict[str, Any], walk_seed: int, fills: FillRule, latency: int) -> None:
        candles, grid_rules = arrays_of(random_walk(walk_seed, count=CANDLES)), rules_of(grid)
        try:
            skipping = run_backtest(candles, grid_rules, fills=fills, latency_ms=latency)
        except ConfigError as refused:
            assert "cannot start" in refused.message
            return
        walking = run_backtest(candles, grid_rules, fills=fills, latency_ms=latency, every_candle=True)
        assert fills_of(skipping) == fills_of(walking)
        assert skipping.to_plain() == walking.to_plain()

    holds()


@pytest.mark.parametrize("examples", EXAMPLES)
def test_a_stretch_of_many_events_is_their_steps_one_by_one(examples: int) -> None:
    @settings(max_examples=examples)
    @given(grid=grids, walk_seed=seeds, fills=rules, latency=latencies)
    def holds(grid: dict[str, Any], walk_seed: int, fills: FillRule, latency: int) -> None:
        candles, grid_rules = arrays_of(random_walk(walk_seed, count=CANDLES)), rules_of(grid)
        states, notes = [], []
        try:
            for kind in (Backtest, OneByOne):
                run = kind(candles, grid_rules, fills=fills, latency_ms=latency, risk=None, equity=None)
                run.run(every_candle=False, progress=None)
                states.append(canonical(state_to_plain(run.state)))
                notes.append((run.recorder.fills(), run.recorder.trips(), balances_of(run)))
        except ConfigError as refused:
            assert "cannot start" in refused.message
            return
        assert states[0] == states[-1]
        assert notes[0] == notes[-1]

    holds()


@pytest.mark.parametrize("examples", EXAMPLES)
def test_every_step_keeps_the_books_the_limits_and_the_general_way(examples: int) -> None:
    @settings(max_examples=examples)
    @given(grid=grids, walk_seed=seeds, fills=rules)
    def holds(grid: dict[str, Any], walk_seed: int, fills: FillRule) -> None:
        assert_watched_run(grid, random_walk(walk_seed, count=CANDLES // 2), fills)

    holds()


@pytest.mark.parametrize("examples", EXAMPLES)
def test_no_decision_changes_when_the_future_is_cut_off(examples: int) -> None:
    @settings(max_examples=examples)
    @given(grid=grids, walk_seed=seeds, cut=st.integers(400, CANDLES - 1))
    def holds(grid: dict[str, Any], walk_seed: int, cut: int) -> None:
        rows = random_walk(walk_seed, count=CANDLES)
        cut = min(cut, len(rows) - 1)
        grid_rules = rules_of(grid)
        try:
            whole = run_backtest(arrays_of(rows), grid_rules)
            short = run_backtest(arrays_of(rows[:cut]), grid_rules)
        except ConfigError as refused:
            assert "cannot start" in refused.message
            return
        last = rows[cut - 1][0]
        assert fills_of(short) == [fill for fill in fills_of(whole) if fill[0] <= last]

    holds()


@seed(7)
@settings(max_examples=20)
@given(grid=grids, walk_seed=seeds)
def test_the_same_events_give_byte_identical_states(grid: dict[str, Any], walk_seed: int) -> None:
    candles = arrays_of(random_walk(walk_seed, count=CANDLES))

    def final() -> str:
        run = Backtest(candles, rules_of(grid), fills=FillRule.THROUGH, latency_ms=0, risk=None, equity=None)
        run.run(every_candle=False, progress=None)
        return repr(state_to_plain(run.state))

    try:
        first = final()
        # As a library leaves it to whoever computes after it in the same thread.
        with localcontext(Context(prec=28, rounding=ROUND_UP, traps=[Underflow])):
            assert final() == first
    except ConfigError as refused:
        assert "cannot start" in refused.message
