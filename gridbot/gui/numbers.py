"""How numbers are written and read: digits in threes and a decimal sign, as a person chose; nothing is ever guessed.

A text that could mean two numbers ("1,234") is no number here: it is refused with the two ways to write it.
"""

from __future__ import annotations

import re
from decimal import Decimal
from enum import StrEnum

from PySide6.QtCore import QLocale

from gridbot.core.values import value

_NBSP = "\u00a0"
_SPACES = str.maketrans(dict.fromkeys(" \u00a0\u202f\u2009\u2007'\u2019", " "))
"""What people put between thousands besides a point and a comma; no one takes these for a decimal sign."""


class Writing(StrEnum):
    """Whose way of writing numbers is used; SYSTEM follows the desktop."""

    SYSTEM = "system"
    ENGLISH = "English (US)"
    GERMAN = "German"
    NORWEGIAN = "Norwegian"


@value
class NumberStyle:
    """A decimal sign, and what stands between the thousands."""

    decimal: str
    group: str


@value
class Reading:
    """What a text means: a number, or why it is none, with the remedy, as the end of a sentence that names the field.

    `twofold` says that it could be two numbers.
    """

    number: Decimal | None = None
    complaint: str = ""
    twofold: bool = False


_STYLES = {
    Writing.ENGLISH: NumberStyle(".", ","),
    Writing.GERMAN: NumberStyle(",", "."),
    Writing.NORWEGIAN: NumberStyle(",", _NBSP),
}
_chosen = [_STYLES[Writing.ENGLISH]]


def style_of(writing: Writing) -> NumberStyle:
    """Return a way of writing numbers."""
    if writing in _STYLES:
        return _STYLES[writing]
    system = QLocale.system()
    decimal, group = system.decimalPoint(), system.groupSeparator()
    decimal = decimal if decimal in (".", ",") else "."
    # A separator that Qt does not know, or that is the decimal sign, would make one number of two.
    return NumberStyle(decimal, group if len(group) == 1 and group != decimal else _NBSP)


def use(style: NumberStyle) -> None:
    """Write and read all numbers of the window in this style from now on (as `QLocale.setDefault` does for Qt)."""
    _chosen[:] = [style]


def style() -> NumberStyle:
    """Return the style in use."""
    return _chosen[-1]


def grouped(amount: Decimal | float, places: int, *, signed: bool = False) -> str:
    """Return a number with `places` decimals and its thousands apart."""
    return in_style(f"{amount:{'+' if signed else ''},.{places}f}")


def plain(amount: Decimal) -> str:
    """Return a number with as many decimals as it has, thousands not apart."""
    return f"{amount:f}".replace(".", style().decimal)


def whole(number: int) -> str:
    """Return a whole number with its thousands apart."""
    return in_style(f"{number:,}")


def in_style(text: str) -> str:
    """Return a number that Python wrote ("1,234.5") in the style in use."""
    chosen = style()
    return text.translate({ord(","): chosen.group, ord("."): chosen.decimal})


def written(amount: Decimal) -> str:
    """Return a number as a field shows it for editing: no thousands apart, and never in two meanings.

    A field must accept what it shows itself, so a number that would read as thousands gets one more decimal.
    """
    text = f"{amount:f}".replace(".", style().decimal)
    return text if read_number(text).number is not None else f"{text}0"


def read_number(text: str) -> Reading:
    """Return what a person's text means in the style in use.

    The decimal sign of the style is accepted, and thousands apart if they are threes. Of two signs the last is the
    decimal one, whichever it is: that has one meaning only. A comma before exactly three digits has two, also where the
    comma is the decimal sign, because amounts are copied from pages that write thousands so; a point has two where
    the point is not the decimal sign.
    """
    wanted = text.translate(_SPACES).replace("\u2212", "-").strip()
    if not wanted:
        return Reading(None, "is empty: write a number.")
    match = re.fullmatch(r"([+-]?)\s*([0-9][0-9., ]*|[.,][0-9]+)", wanted)
    if match is None or wanted[-1] == " ":
        return Reading(None, f"is no number: write digits only, such as {plain(Decimal('1234.5'))}.")
    sign, digits = match.groups()
    signs = [each for each in digits if each in ".,"]
    if len(set(signs)) == 2:
        return _of_two(sign, digits)
    if len(signs) > 1:
        return _whole(sign, digits, signs[0])
    if not signs:
        return _whole(sign, digits, " ")
    return _of_one(sign, digits, signs[0])


def _of_two(sign: str, digits: str) -> Reading:
    decimal = max(".,", key=digits.rfind)
    before, _, after = digits.rpartition(decimal)
    if decimal in before or " " in digits or not after:
        return Reading(None, _how())
    whole = _whole("", before, "." if decimal == "," else ",")
    if whole.number is None:
        return whole
    return Reading(Decimal(f"{sign}{whole.number}.{after}"))


def _of_one(sign: str, digits: str, mark: str) -> Reading:
    before, _, after = digits.partition(mark)
    whole = _whole("", before, " ") if before else Reading(Decimal(0))
    if whole.number is None or " " in after:
        return Reading(None, _how())
    thousands = bool(re.fullmatch(r"[1-9][0-9]{0,2}", before)) and len(after) == 3
    if thousands and not (mark == "." and style().decimal == "."):
        small, large = f"{before}{style().decimal}{after}", f"{before}{after}"
        return Reading(None, f"could mean {small} or {large}: write {small}0 or {large}.", twofold=True)
    return Reading(Decimal(f"{sign}{whole.number}.{after or '0'}")) if after else Reading(None, _how())


def _whole(sign: str, digits: str, mark: str) -> Reading:
    if mark not in digits:
        return Reading(Decimal(sign + digits))
    if re.fullmatch(rf"[0-9]{{1,3}}(?:{re.escape(mark)}[0-9]{{3}})+", digits):
        return Reading(Decimal(sign + digits.replace(mark, "")))
    return Reading(None, _how())


def _how() -> str:
    return f"cannot be read: write it without separators between thousands, such as {plain(Decimal('1234.5'))}."
