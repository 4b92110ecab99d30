"""Every mistake that is planted in production's code is seen: a quick handful here, all of them by `make mutants`."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.simulation.mutants import HOURS, INVARIANTS, look_for, main, weathered
from tests.simulation.planted import MISTAKES
from tests.simulation.planting import Planted, edit

pytestmark = pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
"""A process that is killed leaves coroutines that never began."""
TRIES = 12
QUICK = [mistake for mistake in MISTAKES if mistake.quick]


@pytest.mark.parametrize("mistake", QUICK, ids=lambda mistake: mistake.name)
def test_a_planted_mistake_is_seen(mistake: Planted) -> None:
    search = look_for(mistake, seeds=TRIES, hours=HOURS)
    assert search.caught, f"{mistake.name}: {search.said or f'nobody saw it in {TRIES} seeds'}"


def test_without_a_mistake_the_same_weather_is_survived() -> None:
    skies = list(dict.fromkeys(mistake.sky for mistake in QUICK))
    assert len(skies) > 3
    for sky in skies:
        verdict = weathered(sky, 1, hours=HOURS / 12)
        assert verdict.passed, verdict.violations[0]


def test_every_mistake_can_still_be_planted() -> None:
    misfits = []
    for mistake in MISTAKES:
        try:
            with mistake.patch():
                pass
        except AssertionError as moved_on:
            misfits.append(f"{mistake.name}: {moved_on}")
    assert not misfits, "\n".join(misfits)


def _doubled(number: int) -> int:
    return number + number


def test_a_mistake_is_in_the_function_itself_and_taken_out_again() -> None:
    imported_by_name = _doubled
    with edit(_doubled, ("number + number", "number + 1"))():
        assert imported_by_name(5) == 6
    assert imported_by_name(5) == 10
    for text, count in (("number", 3), ("nothing", 0)):
        with pytest.raises(AssertionError, match=f"{count} times"), edit(_doubled, (text, "0"))():
            pass


def test_there_are_sixty_mistakes_and_one_at_least_for_each_invariant() -> None:
    assert len(MISTAKES) >= 60
    assert not [name for name, count in Counter(mistake.name for mistake in MISTAKES).items() if count > 1]
    aimed_at = {mistake.names[0] for mistake in MISTAKES}
    assert aimed_at == set(INVARIANTS)


@pytest.mark.soak
def test_every_planted_mistake_is_seen_and_the_true_code_survives_the_same() -> None:
    assert main([]) == 0
