"""Where each exchange writes the code of its error: an answer is its own word only if the code is where it belongs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

_LONGEST_DETAIL = 120


def error_code(exchange_id: str, body: Any) -> str | None:
    """Return the code of the error that an answer is, None if it has none; `body` is JSON as it was parsed."""
    return _READERS.get(exchange_id, _generic)(body)


def error_detail(exchange_id: str, body: Any) -> str:
    """Return the words beside a code that stands for several things: Binance says no to any order with -2010."""
    words = body.get("msg") if exchange_id == "binance" and isinstance(body, Mapping) else None
    return words if isinstance(words, str) and len(words) <= _LONGEST_DETAIL else ""


def _text(held: Any) -> str | None:
    """Return a code as text; a truth value, a fraction or a structure is none."""
    if isinstance(held, bool) or not isinstance(held, int | str) or held == "":
        return None
    return str(held)


def _field(body: Any, *names: str) -> str | None:
    """Return the first of these fields that holds a code."""
    if not isinstance(body, Mapping):
        return None
    return next((code for name in names if (code := _text(body.get(name))) is not None), None)


def _unless(good: str, *names: str) -> Callable[[Any], str | None]:
    """Return a reader of a field that holds a code in good answers as well."""

    def read(body: Any) -> str | None:
        code = _field(body, *names)
        return None if code == good else code

    return read


def _binance(body: Any) -> str | None:
    code = _field(body, "code")
    return code if code is not None and code.startswith("-") else None


def _kraken(body: Any) -> str | None:
    """Kraken's errors begin with E and its warnings with W; a trailing detail after a second colon is left out."""
    errors = body.get("error") if isinstance(body, Mapping) else None
    if not isinstance(errors, Sequence) or isinstance(errors, str):
        return None
    codes = [each for each in errors if isinstance(each, str) and each.startswith("E")]
    return ":".join(codes[0].split(":")[:2]) if codes else None


def _okx(body: Any) -> str | None:
    """Of an order the code stands with the order, and the one of the whole answer says only that something failed."""
    rows = body.get("data") if isinstance(body, Mapping) else None
    if isinstance(rows, Sequence) and not isinstance(rows, str) and rows:
        code = _field(rows[0], "sCode")
        if code not in {None, "0"}:
            return code
    return _unless("0", "code")(body)


def _coinbase(body: Any) -> str | None:
    if not isinstance(body, Mapping):
        return None
    inner = body.get("error_response")
    if isinstance(inner, Mapping):
        names = ("new_order_failure_reason", "preview_failure_reason", "error")
        codes = [code for name in names if (code := _field(inner, name)) is not None]
        return next((code for code in codes if not code.startswith("UNKNOWN")), next(iter(codes), None))
    results = body.get("results")
    if isinstance(results, Sequence) and not isinstance(results, str) and results:
        return _field(results[0], "failure_reason") if _is_failed(results[0]) else None
    errors = body.get("errors")
    if isinstance(errors, Sequence) and not isinstance(errors, str) and errors:
        return _field(errors[0], "id")
    return _field(body, "error")


def _is_failed(row: Any) -> bool:
    return isinstance(row, Mapping) and row.get("success") is False


def _bitfinex(body: Any) -> str | None:
    if isinstance(body, Sequence) and not isinstance(body, str) and len(body) > 1 and body[0] == "error":
        return _text(body[1])
    return _field(body, "error")


def _generic(body: Any) -> str | None:
    return _field(body, "code", "error", "err_code", "errorCode", "error_code")


_READERS: Mapping[str, Callable[[Any], str | None]] = {
    "binance": _binance,
    "kraken": _kraken,
    "coinbase": _coinbase,
    "bybit": _unless("0", "retCode"),
    "okx": _okx,
    "kucoin": _unless("200000", "code"),
    "bitget": _unless("00000", "code"),
    "gate": lambda body: _field(body, "label"),
    "bitstamp": lambda body: _field(body, "code", "response_code", "error"),
    "bitfinex": _bitfinex,
}
