"""The kinds of value that a configuration is made of; each refuses in a plain sentence and guesses nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, PlainSerializer, PlainValidator
from pydantic_core import PydanticCustomError

from gridbot.core.candles import timeframe_ms
from gridbot.core.values import value

INTEGER_DIGITS = 18
DECIMAL_PLACES = 18
SIGNIFICANT_DIGITS = 28
"""What the engine's Decimal context carries; a longer number would be rounded behind the user's back."""

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_SEPARATED = re.compile(r"[+-]?\d[\d.,'_\s]*", re.ASCII)
_PERCENT = re.compile(r"\s*([+-]?\d+(?:\.\d+)?)\s*%\s*", re.ASCII)
_WINDOWS_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


class ConfigModel(BaseModel):
    """One object of the configuration file: it never changes, and it takes no key that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


@value
class Contradiction:
    """Values that are right one by one and wrong together. The first path is where it is shown."""

    paths: tuple[tuple[str | int, ...], ...]
    found: str
    reason: str
    suggestion: str = ""


def refuse(contradictions: Iterable[Contradiction]) -> None:
    """Raise all contradictions of one object as a single pydantic error; return if there are none."""
    found = tuple(contradictions)
    if found:
        raise PydanticCustomError("contradiction", "contradictory values", {"contradictions": found})


def wrong(reason: str, *, suggestion: str = "") -> PydanticCustomError:
    """Return the error for a value of the wrong kind. `reason` is a sentence's end: "must be ..."."""
    return PydanticCustomError("value", "{reason}", {"reason": reason, "suggestion": suggestion})


def read_decimal(raw: Any) -> Decimal:
    """Return the number that a file or a form gives; a JSON float only through its shortest text."""
    if isinstance(raw, bool) or not isinstance(raw, (str, int, float, Decimal)):
        raise wrong("must be a number")
    if isinstance(raw, str):
        number = Decimal(number_text(raw.strip()))
    elif isinstance(raw, float):
        number = Decimal(repr(raw))
    else:
        number = Decimal(raw)
    if not number.is_finite():
        raise wrong("must be a finite number")
    _, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)  # finite, see above
    if len(digits) > SIGNIFICANT_DIGITS:
        raise wrong(f"must have at most {SIGNIFICANT_DIGITS} digits")
    if -exponent > DECIMAL_PLACES or number.adjusted() >= INTEGER_DIGITS:
        raise wrong(f"must have at most {INTEGER_DIGITS} digits before and {DECIMAL_PLACES} after the point")
    return number


def number_text(text: str) -> str:
    """Return `text` if it is a number that reads one way only, else raise what is wrong with it."""
    if _NUMBER.fullmatch(text):
        return text
    if percent := _PERCENT.fullmatch(text):
        fraction = format(Decimal(percent[1]) / 100, "f")
        raise wrong(f"must be a fraction, not a percentage: {text} is {fraction}", suggestion=fraction)
    if _SEPARATED.fullmatch(text):
        raise wrong(
            "has a separator that may mean thousands or decimals; "
            "write digits only, with a point for decimals, such as 1234 or 1.234"
        )
    raise wrong("must be a number, such as 0.25 or 10000")


def _read_whole(raw: Any) -> int:
    if isinstance(raw, float):
        raise wrong("must be a whole number, without a point")
    number = read_decimal(raw)
    if number != number.to_integral_value():
        raise wrong("must be a whole number, without a point")
    return int(number)


def _read_float(raw: Any) -> float:
    if isinstance(raw, float):
        return raw  # pydantic refuses NaN and infinity itself
    if isinstance(raw, str):
        return float(number_text(raw.strip()))
    return float(read_decimal(raw))


def _read_switch(raw: Any) -> bool:
    if isinstance(raw, bool):
        return raw
    if raw in ("true", "false"):
        return bool(raw == "true")
    raise wrong("must be true or false")


def _check_timeframe(text: str) -> str:
    try:
        timeframe_ms(text)
    except ValueError as error:
        hint = text.strip().lower()
        known = hint if hint != text and re.fullmatch(r"[1-9]\d{0,3}[mhdw]", hint) else ""
        raise wrong(
            "must be a timeframe: a number and m, h, d or w, such as 15m, 4h or 1d", suggestion=known
        ) from error
    return text


def _check_symbol(text: str) -> str:
    if not re.fullmatch(r"[A-Z0-9][A-Z0-9._$-]{0,19}/[A-Z0-9][A-Z0-9._$-]{0,19}", text):
        upper = re.sub(r"[-_ ]", "/", text.strip().upper(), count=1)
        known = upper if re.fullmatch(r"[A-Z0-9]{1,20}/[A-Z0-9]{1,20}", upper) and upper != text else ""
        raise wrong("must be a spot market as BASE/QUOTE in capitals, such as BTC/USDT", suggestion=known)
    base, quote = text.split("/")
    if base == quote:
        raise wrong("must name two different currencies")
    return text


def _check_asset(text: str) -> str:
    code = r"[A-Z0-9][A-Z0-9._$-]{0,19}"
    if not re.fullmatch(code, text):
        upper = text.strip().upper()
        known = upper if re.fullmatch(code, upper) else ""
        raise wrong("must be a currency's code in capitals, such as USDT", suggestion=known)
    return text


def _check_name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}", text) or _WINDOWS_DEVICES.fullmatch(text):
        raise wrong("must be a short name of the letters A to Z, digits, - and _, such as btc-usdt")
    return text


def _check_secret_name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_.-]{0,63}", text):
        raise wrong("must be the name of a stored secret, such as notify-urls; the secret itself is never written here")
    return text


def _check_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
    except ValueError as error:
        raise wrong("must be an address that begins with https://") from error
    local = parts.scheme == "http" and host in ("localhost", "127.0.0.1", "::1")
    if not host or not (parts.scheme == "https" or local):
        raise wrong("must be an address that begins with https://; http:// only for this machine itself")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise wrong("must be an address without a user name, a password or a question mark in it")
    return text


def _read_policy_cell(raw: Any) -> int | Literal["half"] | None:
    if raw is None or raw == "half":
        return raw  # type: ignore[no-any-return]
    try:
        slot = _read_whole(raw)
    except PydanticCustomError as error:
        raise wrong('must be null (every slot), a slot number from 0 to 200, or "half"') from error
    if not 0 <= slot <= 200:
        raise wrong("must be from 0 to 200")
    return slot


def plain(number: Decimal) -> str:
    """Return `number` without an exponent, every digit kept."""
    return format(number, "f")


Amount = Annotated[Decimal, BeforeValidator(read_decimal), PlainSerializer(plain, when_used="json")]
Whole = Annotated[int, BeforeValidator(_read_whole)]
Real = Annotated[float, BeforeValidator(_read_float)]
Switch = Annotated[bool, BeforeValidator(_read_switch)]
Timeframe = Annotated[str, AfterValidator(_check_timeframe)]
Market = Annotated[str, AfterValidator(_check_symbol)]
Currency = Annotated[str, AfterValidator(_check_asset)]
Name = Annotated[str, AfterValidator(_check_name)]
SecretName = Annotated[str, AfterValidator(_check_secret_name)]
Address = Annotated[str, AfterValidator(_check_url)]
PolicyCell = Annotated[int | Literal["half"] | None, PlainValidator(_read_policy_cell)]
