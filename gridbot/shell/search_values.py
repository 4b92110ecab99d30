"""The values that a search gives a setting, from the first to the last, a step apart; as a form's texts."""

from __future__ import annotations

from decimal import Decimal

from gridbot.core.units import plain_text

MOST_VALUES = 200
"""A setting that takes more values than this was given a step that is too short."""


def how_many(*, first: Decimal, last: Decimal, step: Decimal) -> int:
    """Return how many values there are; `step` is above 0, `last` not under `first`."""
    return int((last - first) / step) + 1


def stepped(*, first: Decimal, last: Decimal, step: Decimal) -> tuple[str, ...]:
    """Return the values as texts without trailing zeros; () where there are none, or far too many. One value needs no
    step."""
    if first == last:
        return (plain_text(first),)
    if step <= 0 or last < first or how_many(first=first, last=last, step=step) > MOST_VALUES:
        return ()
    return tuple(plain_text(first + number * step) for number in range(how_many(first=first, last=last, step=step)))
