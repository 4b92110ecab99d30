"""What must hold of the engine under marks, risk, refusals, parts, kills and releases: seeded walks of live events."""

from __future__ import annotations

import pytest

from gridbot.core import engine
from gridbot.core.cells import at_rest
from gridbot.core.draft import Draft, GridDraft
from gridbot.core.engine import general_step, step
from gridbot.core.events import KillKind, KillRequested, Marked
from gridbot.core.orders import TERMINAL
from gridbot.core.rules import Rules
from gridbot.core.state import Grid, State, new_state
from gridbot.core.units import Mode
from gridbot.errors import IllegalTransition
from tests.core.engine_walk import Walk

SEEDS = tuple(range(12))
STEPS = 400


def _check(state: State) -> None:
    for account in state.accounts.values():
        account.check()
    for grid in state.grids.values():
        grid.tally.check()
        assert grid.loose == sum(1 for cell in grid.cells if not at_rest(cell))
        for cell in grid.cells:
            assert cell.order is None or cell.order.state not in TERMINAL


@pytest.mark.parametrize("seed", SEEDS)
def test_every_live_event_twice_is_once_and_the_books_agree(seed: int) -> None:
    walk = Walk(seed=seed)
    walk.walk(STEPS)
    state = new_state(Rules(Mode.DEMO, (), None))
    for event in walk.events:
        answer = step(state, event)
        assert answer == general_step(state, event), f"seed {seed}, {event}"
        state = answer.state
        _check(state)
        try:
            again = step(state, event)
        except IllegalTransition:
            continue
        assert again.state == state, f"seed {seed}, {event}"
    assert state == walk.state


@pytest.mark.parametrize("seed", SEEDS)
def test_while_killed_nothing_is_placed(seed: int) -> None:
    walk = Walk(seed=1_000 + seed)
    walk.walk(STEPS // 2)
    walk.tell(KillRequested(walk.state.now, KillKind.MANUAL, "the test"))
    walk.walk(STEPS // 2)
    state = new_state(Rules(Mode.DEMO, (), None))
    killed = 0
    for event in walk.events:
        answer = step(state, event)
        state = answer.state
        if state.kill is not None:
            killed += 1
            assert all(type(command).__name__ == "CancelOrder" for command in answer.commands), f"seed {seed}"
    assert killed


def test_a_mark_passes_over_a_grid_only_where_looking_at_it_would_change_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    passed = 0
    stays = engine._stays

    def counted(draft: Draft, grid: Grid | GridDraft) -> bool:
        nonlocal passed
        passed += stays(draft, grid)
        return stays(draft, grid)

    for seed in SEEDS:
        walk = Walk(seed=2_000 + seed)
        walk.walk(STEPS)
        state = new_state(Rules(Mode.DEMO, (), None))
        for event in walk.events:
            monkeypatch.setattr(engine, "_stays", counted)
            answer = step(state, event)
            if isinstance(event, Marked):
                monkeypatch.setattr(engine, "_stays", lambda draft, grid: False)
                assert answer == step(state, event), f"seed {2_000 + seed}, {event}"
            state = answer.state
    assert passed > 10
