"""Which settings a search tries: all combinations of its knobs, or as many of them as are wanted, drawn by a seed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from math import prod

from gridbot.config import GridConfig, form_of, grid_from_form
from gridbot.errors import ConfigError
from gridbot.shell.search_desk import Knob, Search, Settings

MOST_TRIES = 20_000


def possible(knobs: tuple[Knob, ...]) -> int:
    """Return how many combinations there are."""
    return prod(len(knob.texts) for knob in knobs)


def combinations(search: Search) -> tuple[Settings, ...]:
    """Return what is tried, in the order of the knobs' texts, the last knob changing fastest.

    ConfigError for a search that varies nothing, a setting twice, or more than anybody waits for.
    """
    _check(search)
    count = possible(search.knobs)
    if count <= search.tries:
        return tuple(_at(search.knobs, number) for number in range(count))
    # A draw for figures, not for secrets: it has to be the same for the same seed.
    drawn = random.Random(search.seed).sample(range(count), search.tries)
    return tuple(_at(search.knobs, number) for number in sorted(drawn))


def varied(grid: GridConfig, settings: Settings) -> GridConfig:
    """Return the grid with these settings; ConfigError where they contradict each other or the rest."""
    return grid_from_form({**form_of(grid), **dict(settings)})


def as_it_is(grid: GridConfig, knobs: tuple[Knob, ...]) -> Settings:
    """Return what the grid has for each knob."""
    form = form_of(grid)
    return tuple((knob.path, form.get(knob.path, "")) for knob in knobs)


def _at(knobs: tuple[Knob, ...], number: int) -> Settings:
    return tuple(reversed(list(_digits(knobs, number))))


def _digits(knobs: tuple[Knob, ...], number: int) -> Iterator[tuple[str, str]]:
    """Yield a combination's settings, the last knob first: the number's digits in mixed radix."""
    for knob in reversed(knobs):
        number, digit = divmod(number, len(knob.texts))
        yield knob.path, knob.texts[digit]


def _check(search: Search) -> None:
    paths = [knob.path for knob in search.knobs]
    if not paths or not all(knob.texts for knob in search.knobs):
        raise ConfigError("Nothing is varied.", hint="Choose at least one setting, and the values that it takes.")
    twice = sorted({path for path in paths if paths.count(path) > 1})
    if twice:
        raise ConfigError(f"{twice[0]} is varied twice.", hint="Name each setting once.")
    if not 1 <= search.tries <= MOST_TRIES:
        raise ConfigError(f"{search.tries} tries are not possible.", hint=f"Choose 1 to {MOST_TRIES:,}.")
