"""A figure of an exchange is read strictly or not at all: text becomes Decimal, and nothing becomes a default.

A number that is missing, negative where that cannot be, NaN, beyond all measure or smeared by binary arithmetic raises
CallFailed with MALFORMED, as does an id that is none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from gridbot.adapters.exchange.unified import CallFailed, Cause, Proof
from gridbot.core.units import Asset, TimeMs

_NUMBER = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,2})?")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_:/+=-]{0,79}")
_NOT_AN_ID = frozenset({"nan", "inf", "infinity", "none", "null", "true", "false", "undefined"})
_ASSET = re.compile(r"[^\s,;{}\[\]]{1,24}")
LONGEST_INTEGER_ID = 20
"""Digits of the largest id that 64 bits hold; a longer row of digits is a number that was blown up."""
SHORTEST_NAME_ID = 8
"""Characters of an id that is more than a number: shorter ones could not tell all orders apart."""
GREATEST = Decimal("1E+24")
"""No price, amount or balance is as large."""
FINEST = 30
"""No figure has more decimals than that."""
FIRST_TIME = TimeMs(1_000_000_000_000)
LAST_TIME = TimeMs(10_000_000_000_000)


def malformed(what: str) -> CallFailed:
    """Return the failure that says what is wrong with an answer; nothing is proven by it."""
    return CallFailed(f"The exchange's answer cannot be used: {what}.", proof=Proof.SILENT, cause=Cause.MALFORMED)


def mapping(raw: object, what: str) -> Mapping[str, Any]:
    """Return `raw` as a structure."""
    if not isinstance(raw, Mapping):
        raise malformed(f"{what} is no structure")
    return raw


def rows(raw: object, what: str) -> Sequence[Any]:
    """Return `raw` as a list."""
    if not isinstance(raw, Sequence) or isinstance(raw, str | bytes):
        raise malformed(f"{what} is no list")
    return raw


def number(raw: object, what: str) -> Decimal:
    """Return a figure of any sign that is told as text or as an integer."""
    if isinstance(raw, bool) or not isinstance(raw, str | int | Decimal):
        raise malformed(f"{what} is missing or no number")
    text = str(raw)
    if _NUMBER.fullmatch(text) is None:
        raise malformed(f"{what} is no number")
    try:
        figure = Decimal(text)
    except InvalidOperation as error:
        raise malformed(f"{what} is no number") from error
    if abs(figure) >= GREATEST or -_exponent(figure) > FINEST:
        raise malformed(f"{what} is beyond all measure")
    return figure


def amount(raw: object, what: str) -> Decimal:
    """Return a figure of money or coins: not negative, and not smeared by binary arithmetic."""
    figure = number(raw, what)
    if figure < 0:
        raise malformed(f"{what} is negative")
    if is_smeared(figure):
        raise malformed(f"{what} was rounded by the exchange's own arithmetic")
    return figure


def positive(raw: object, what: str) -> Decimal:
    """Return a figure that cannot be zero."""
    figure = amount(raw, what)
    if figure == 0:
        raise malformed(f"{what} is zero")
    return figure


def rate(raw: object, what: str) -> Decimal:
    """Return a figure that ccxt keeps as a binary number in its own tables, such as a fee or a step."""
    if isinstance(raw, float):
        raw = repr(raw)
    return number(raw, what)


def is_smeared(figure: Decimal) -> bool:
    """Tell whether a figure looks like 0.30000000000000004, what is left of a sum in binary floating point."""
    text = f"{figure:f}"
    if "." not in text:
        return False
    whole, _, fraction = text.rstrip("0").partition(".")
    digits, decimals = (whole + fraction).lstrip("-0"), len(fraction)
    return 15 <= len(digits) <= 17 and decimals >= 10 and digits[-8:-2] in ("000000", "999999")


def identity(raw: object, what: str) -> str:
    """Return an id; a number that was blown up, a word such as null and a broken structure are none."""
    text = str(raw) if isinstance(raw, int) and not isinstance(raw, bool) else raw
    if not isinstance(text, str) or _ID.fullmatch(text) is None or text.lower() in _NOT_AN_ID:
        raise malformed(f"{what} is missing or no id")
    if text.isdigit():
        is_one = len(text) <= LONGEST_INTEGER_ID and text.strip("0") != ""
    else:
        is_one = len(text) >= SHORTEST_NAME_ID
    if not is_one:
        raise malformed(f"{what} is no id")
    return text


def optional_text(raw: object, what: str) -> str | None:
    """Return a text, None where none is told; anything else is malformed."""
    if raw is None or raw == "":
        return None
    if not isinstance(raw, str):
        raise malformed(f"{what} is no text")
    return raw


def asset(raw: object, what: str) -> Asset:
    """Return the name of an asset."""
    if not isinstance(raw, str) or _ASSET.fullmatch(raw) is None:
        raise malformed(f"{what} is missing or no asset")
    return Asset(raw)


def moment(raw: object, what: str) -> TimeMs:
    """Return a time in ms UTC that lies within this epoch."""
    if isinstance(raw, bool) or not isinstance(raw, int) or not FIRST_TIME <= raw <= LAST_TIME:
        raise malformed(f"{what} is missing or no time")
    return TimeMs(raw)


def optional_moment(raw: object, what: str) -> TimeMs | None:
    """Return a time, None where none is told."""
    return None if raw is None else moment(raw, what)


def _exponent(figure: Decimal) -> int:
    exponent = figure.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0
