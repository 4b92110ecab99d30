"""How settings are said and typed: percent, units and words; the configuration itself keeps fractions and codes."""

from __future__ import annotations

import re
from contextlib import suppress
from decimal import Decimal, InvalidOperation

from gridbot.config.risk import FractionBreaker, MillisecondsBreaker, RiskConfig
from gridbot.errors import Mistake
from gridbot.gui import numbers, words
from gridbot.gui.limit_rows import ACTIONS

_OF_A_GRID = frozenset(
    {"spacing.fraction", "spacing.min_profit", "spacing.respace", "signal.atr_jump", "trend.threshold"}
    | {"stop_loss", "take_profit_total", "instrument.maker_fee", "instrument.taker_fee"}
)
_OF_RISK = {code: type(field.default) for code, field in RiskConfig.model_fields.items()}
_BOUND = re.compile(r"\b(above|below|under|at most|at least|than|which is) (\d+(?:\.\d+)?)")
_CHOICES = {
    "mode": {
        "demo": "Demo: a generated market",
        "dry": "Dry run: real prices",
        "live": "Live: real money",
    },
    "new_grid": {"balanced": "Balanced", "classic": "Classic", "wide": "Wide"},
    "logging.level": {
        "DEBUG": "everything",
        "INFO": "what happens",
        "WARNING": "warnings and worse",
        "ERROR": "errors only",
    },
    "notifications.events": {
        "fill": "an order was filled",
        "round_trip": "bought and sold again",
        "breaker": "a limit acted",
        "kill": "trading was stopped",
        "unknown": "it is unclear what became of an order",
        "error": "something failed",
        "idle": "nothing has happened for long",
    },
    "spacing.mode": {
        "atr": "the market's ATR",
        "fraction": "a share of the price",
        "absolute": "a fixed amount",
    },
    "spacing.progression": {"arithmetic": "even in money", "geometric": "even in percent"},
    "instrument.fee_currency": {"quote": "the quote currency", "base": "the coins bought"},
}
_SPANS = {"m": "minute", "h": "hour", "d": "day", "w": "week"}
_TOLD = ((r" \(0\.02 is 2 %\)", ""), (r" \(0\.005 is half a percent\)", ""), (r", 0\.005\.", ", 0.5 %."))
_SHARES = (
    (r"\bas a fraction of\b", "in percent of"),
    (r"\bas a fraction\b", "in percent"),
    (r"\bmore than this fraction\b", "more than this share"),
    (r"\bthis fraction\b", "this share"),
    (r"\ba fraction of\b", "a share of"),
    (r"\bWith mode fraction\b", "Measured by the price"),
    (r"\bWith mode atr\b", "Measured by the ATR"),
    (r"\bWith mode absolute\b", "As a fixed amount"),
    (r"\b0\.9 of the limit\b", "nine tenths of the limit"),
    (r"\bA short way to set policy\.down\.calm: the\b", "The"),
    (r"\bbuy nothing new, or kill\b", "buy nothing new, or stop trading"),
    (r"(?<=\. )empty\b", "Empty"),
)


def in_percent(path: str) -> bool:
    """Tell whether a setting (`risk.max_var.limit`, or `stop_loss` of a grid) is a fraction, and typed in percent."""
    if path in _OF_A_GRID or path == "exchange.fee":
        return True
    code, _, part = path.removeprefix("risk.").partition(".")
    return part in ("limit", "warn") and issubclass(_OF_RISK.get(code, object), FractionBreaker)


def unit_of(path: str) -> str:
    """Return the unit that stands behind a setting's name, "" for none, or for one whose name says it."""
    if in_percent(path):
        return "%"
    code, _, part = path.removeprefix("risk.").partition(".")
    return "ms" if part in ("limit", "warn") and issubclass(_OF_RISK.get(code, object), MillisecondsBreaker) else ""


def named(title: str, path: str) -> str:
    """Return a setting's name with its unit."""
    unit = unit_of(path)
    if not unit:
        return title
    return f"{title}, {unit}" if title.endswith(")") else f"{title} ({unit})"


def meaning_of(description: str) -> str:
    """Return what a setting means, in the words of a form: percent where the file has fractions, empty for null."""
    text = re.sub(r"\bnull\b", "empty", description)
    for pattern, said in (*_TOLD, *_SHARES):
        text = re.sub(pattern, said, text)
    return re.sub(r"^(true|false)\b", lambda found: {"true": "On:", "false": "Off:"}[found[1]], text)


def choice_words(path: str, code: str) -> str:
    """Return a choice of a setting in words."""
    if not code:
        return "none"
    if path.endswith(".action"):
        return ACTIONS.get(code, code)
    if path.endswith("timeframe") and (found := re.fullmatch(r"(\d+)([mhdw])", code)):
        return words.counted(int(found[1]), _SPANS[found[2]])
    return _CHOICES.get(path, {}).get(code, code)


def percent_of(fraction: Decimal) -> Decimal:
    """Return a fraction as percent, without noughts at its end."""
    return Decimal(words.bare(fraction.scaleb(2)))


def fraction_of(percent: Decimal) -> Decimal:
    """Return percent as the fraction that the configuration has."""
    return percent.scaleb(-2)


def said_value(path: str, text: str | None) -> str:
    """Return a value of the configuration as a person reads it: with its unit, or in words."""
    if text in (None, "", "null"):
        return "not set"
    plain = str(text).strip('"')
    if plain in ("true", "false"):
        return "on" if plain == "true" else "off"
    with suppress(InvalidOperation):
        number = Decimal(plain)
        if in_percent(path):
            return f"{numbers.plain(percent_of(number))} %"
        unit = unit_of(path)
        return f"{numbers.plain(number)} {unit}".rstrip()
    return choice_words(path, plain)


def reason_of(mistake: Mistake, path: str, typed: str) -> str:
    """Return what is wrong as the end of a sentence that begins with the setting's name.

    `typed` is what a person wrote where the field takes another unit than the file.
    """
    reason, found = re.sub(r"\bnull\b", "empty", mistake.reason), mistake.value
    tail = f" Did you mean {mistake.suggestion}?" if mistake.suggestion else ""
    if in_percent(path):
        reason = _BOUND.sub(lambda bound: f"{bound[1]} {numbers.plain(percent_of(Decimal(bound[2])))} %", reason)
        reason = reason.replace("such as 0.25 or 10000", f"such as {numbers.plain(Decimal('12.5'))}")
        found, tail = typed or found, ""
    return f"{reason} (found {found}).{tail}"
