"""Which settings of a grid a search may vary, over which values it is proposed, and what is wrong with a range.

Texts are those of a grid's form (`config.form_of`): digits and a point, fractions where a person reads percent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_DOWN, Decimal, InvalidOperation
from functools import cache
from itertools import pairwise
from math import prod

from gridbot.config import GridConfig, form_of, mistake_of_value
from gridbot.core.values import evolve, value
from gridbot.gui import numbers, words
from gridbot.gui.grid_form import grid_sections
from gridbot.gui.schema import Field, Kind
from gridbot.gui.setting_words import fraction_of, in_percent, percent_of, reason_of, said_value
from gridbot.shell.search_desk import Knob
from gridbot.shell.search_values import MOST_VALUES, how_many, stepped

_STEPS = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10))
_NUMBERS = (
    *("levels", "take_profit", "spacing.multiplier", "spacing.fraction", "spacing.absolute", "spacing.min_profit"),
    *("spacing.respace", "signal.atr_period", "signal.spike_multiple", "trend.ema_fast", "trend.ema_slow"),
    *("trend.threshold", "stop_loss"),
)
_WHOLE = frozenset({"levels", "signal.atr_period", "trend.ema_fast", "trend.ema_slow"})
_EACH: dict[str, tuple[str, ...]] = {
    "spacing.progression": ("arithmetic", "geometric"),
    "spacing.trail_down": ("false", "true"),
    "reinvest": ("false", "true"),
    "signal.timeframe": ("15m", "1h", "4h", "1d"),
    "trend.timeframe": ("15m", "1h", "4h", "1d"),
}
"""Settings of which each value is tried, and the values that are offered besides the present one."""
_ORDER = (
    *("spacing.multiplier", "spacing.fraction", "spacing.absolute", "levels", "take_profit", "spacing.progression"),
    *("spacing.min_profit", "spacing.respace", "spacing.trail_down", "reinvest", "stop_loss", "signal.timeframe"),
    *("signal.atr_period", "signal.spike_multiple", "trend.timeframe", "trend.ema_fast", "trend.ema_slow"),
    "trend.threshold",
)
"""The settings from those that change most to those that change least."""
_SPACING_OF_MODE = {"atr": "spacing.multiplier", "fraction": "spacing.fraction", "absolute": "spacing.absolute"}
_TICKED = frozenset({*_SPACING_OF_MODE.values(), "levels", "take_profit"})
_UNSET = {"stop_loss": (Decimal("0.1"), Decimal("0.3"), Decimal("0.1"))}
_FROM_NOTHING = {"spacing.min_profit": Decimal("0.0005"), "spacing.respace": Decimal("0.1")}
"""Where a setting is 0 now, no part of it is a step: these are."""


@value
class Range:
    """Values from `first` to `last`, `step` apart, in the unit of the form."""

    first: Decimal
    last: Decimal
    step: Decimal


@value
class Variable:
    """A setting that may be varied: its title and meaning, its text now, and what is proposed.

    `range` is proposed for a number, None for a setting of which each of `choices` may be tried; `ticked` says that
    it is varied unless a person takes it out, `optional` that it may be tried as not set, too.
    """

    path: str
    title: str
    about: str
    now: str
    range: Range | None
    choices: tuple[str, ...]
    ticked: bool
    optional: bool = False


def variables(grid: GridConfig) -> tuple[Variable, ...]:
    """Return what makes sense to vary of a grid; of the three ways to measure its spacing, the one that it has."""
    form, fields = form_of(grid), _fields()
    measured = _SPACING_OF_MODE[form["spacing.mode"]]
    passed = frozenset(_SPACING_OF_MODE.values()) - {measured}
    found = (_variable(fields[path], form.get(path, "")) for path in _ORDER if path not in passed)
    return tuple(_fitted(grid, each) for each in found)


def is_whole(path: str) -> bool:
    """Tell whether a setting is a number without decimals."""
    return path in _WHOLE


def shown(path: str, number: Decimal) -> str:
    """Return a number of the form as a field shows it."""
    return numbers.written(percent_of(number) if in_percent(path) else _plain(number))


def read(path: str, text: str) -> numbers.Reading:
    """Return what a person's text means in the unit of the form: percent become a fraction."""
    percent = in_percent(path)
    reading = numbers.read_number(text.replace("%", "").strip() if percent else text)
    if reading.number is None or not percent:
        return reading
    return numbers.Reading(fraction_of(reading.number))


def values_of(chosen: Range) -> tuple[str, ...]:
    """Return the texts of a range's values; () where it has none, or far too many."""
    return stepped(first=chosen.first, last=chosen.last, step=chosen.step)


def range_of(texts: Sequence[str]) -> Range | None:
    """Return the range of a search's values, where they are not a step apart with the shortest of their steps; None
    where no number is among them."""
    found = sorted({Decimal(text) for text in texts if is_number(text)})
    if not found:
        return None
    return Range(found[0], found[-1], min((after - one for one, after in pairwise(found)), default=Decimal(0)))


def is_number(text: str) -> bool:
    """Tell whether the text of a form is a number."""
    try:
        return Decimal(text).is_finite()
    except InvalidOperation:
        return False


def complaint(grid: GridConfig, variable: Variable, chosen: Range) -> str:
    """Return what is wrong with a range as a sentence, "" for nothing; of a value as the grid's form says it."""
    if chosen.first > chosen.last:
        return f"{variable.title}: From must not be above To."
    if chosen.first == chosen.last and chosen.step == 0:
        return ""
    if chosen.step <= 0:
        return f"{variable.title}: Step must be above {numbers.plain(Decimal(0))}."
    if _count(chosen) > MOST_VALUES:
        count, most = numbers.whole(_count(chosen)), numbers.whole(MOST_VALUES)
        return f"{variable.title} would take {count} values; {most} is the most. Take a longer step."
    texts = values_of(chosen)
    # A bound is passed at an end, and a whole number missed with the first step.
    found = (mistake_in(grid, variable, text) for text in dict.fromkeys((texts[0], *texts[1:2], texts[-1])))
    return next(filter(None, found), "")


def mistake_in(grid: GridConfig, variable: Variable, text: str) -> str:
    """Return what is wrong with one value, as the form of the grid says it; "" for nothing."""
    path = variable.path
    mistake = mistake_of_value(grid, path, text)
    return "" if mistake is None else f"{variable.title} {reason_of(mistake, path, _typed(path, text))}"


def combined(knobs: Sequence[Knob]) -> int:
    """Return how many combinations there are."""
    return prod(len(knob.texts) for knob in knobs) if knobs else 0


def counted_words(knobs: Sequence[Knob], *, tries: int, seed: int) -> str:
    """Return how many combinations that makes, and how many of them are tried, as a sentence."""
    if not knobs:
        return "Nothing is varied yet: tick a setting."
    count = combined(knobs)
    sizes = " x ".join(numbers.whole(len(knob.texts)) for knob in knobs)
    whole = words.counted(count, "combination")
    told = f"{sizes} = {whole}" if len(knobs) > 1 else whole
    if count <= tries:
        return f"{told}{', and each is tried' if count > 1 else ''}."
    return f"{told}; {numbers.whole(tries)} of them are tried, drawn by seed {seed}."


def said_setting(path: str, text: str) -> str:
    """Return a varied setting's text as a person reads it."""
    return said_value(path, _bare(text))


def same_text(one: str, other: str) -> bool:
    """Tell whether two texts of a form are one value: 1.0 is 1."""
    return _bare(one) == _bare(other)


def same_values(one: Sequence[str], other: Sequence[str]) -> bool:
    """Tell whether two knobs of a setting try the same values."""
    return {_bare(text) for text in one} == {_bare(text) for text in other}


def short_title(path: str) -> str:
    """Return what a grid's form calls a setting, without its unit."""
    known = _fields().get(path)
    return path if known is None else known.title


def spelled(settings: Sequence[tuple[str, str]]) -> str:
    """Return settings as a line: what each is called, and its value."""
    return ", ".join(f"{short_title(path)} {said_setting(path, text)}" for path, text in settings)


def changed(settings: Sequence[tuple[str, str]], present: Mapping[str, str]) -> bool:
    """Tell whether settings differ from a grid's form as it is."""
    return any(not same_text(text, present.get(path, "")) for path, text in settings)


@cache
def _fields() -> dict[str, Field]:
    return {field.path: field for _, fields in grid_sections() for field in fields}


def _variable(field: Field, now: str) -> Variable:
    path = field.path
    if path in _EACH:
        offered = tuple(dict.fromkeys((*_EACH[path], now)))
        return Variable(path, field.title, field.description, now, None, offered, ticked=False)
    assert path in _NUMBERS and field.kind is Kind.TEXT
    return Variable(path, field.title, field.description, now, _proposed(path, now), (), ticked=path in _TICKED)


def _proposed(path: str, now: str) -> Range:
    """Return two steps under the present value to two above it, of about a quarter of it, in round numbers."""
    if not now:
        return Range(*_UNSET.get(path, (Decimal(1), Decimal(5), Decimal(1))))
    middle = Decimal(now)
    if not middle:
        step = _FROM_NOTHING.get(path, Decimal("0.005"))
        return Range(Decimal(0), 4 * step, step)
    step = _round(middle / 4)
    if path in _WHOLE:
        step = max(Decimal(1), step.to_integral_value(ROUND_HALF_DOWN))
    first = middle - 2 * step
    while first <= 0:
        first += step
    return Range(_plain(first), _plain(middle + 2 * step), _plain(step))


def _fitted(grid: GridConfig, variable: Variable) -> Variable:
    """Return it with a range that stays where the setting may be, and whether it may be not set."""
    chosen = variable.range
    while chosen is not None and chosen.last > chosen.first and mistake_in(grid, variable, words.bare(chosen.last)):
        chosen = Range(chosen.first, chosen.last - chosen.step, chosen.step)
    return evolve(variable, range=chosen, optional=chosen is not None and not mistake_in(grid, variable, ""))


def _round(amount: Decimal) -> Decimal:
    """Return the nearest of 1, 2, 2.5 and 5 times a power of ten."""
    power = Decimal(10) ** amount.adjusted()
    return min((step * power for step in _STEPS), key=lambda step: abs(step - amount))


def _count(chosen: Range) -> int:
    return how_many(first=chosen.first, last=chosen.last, step=chosen.step)


def _plain(number: Decimal) -> Decimal:
    return Decimal(words.bare(number))


def _bare(text: str) -> str:
    try:
        return words.bare(Decimal(text))
    except InvalidOperation:
        return text


def _typed(path: str, text: str) -> str:
    """Return a value as a person would have typed it, where the field takes another unit than the file."""
    try:
        return shown(path, Decimal(text)) if in_percent(path) else ""
    except InvalidOperation:
        return ""
