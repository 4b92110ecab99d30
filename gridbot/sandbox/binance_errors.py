"""The exchange's refusals in Binance's words: HTTP status, code and message of each."""

from __future__ import annotations

from collections.abc import Mapping

from gridbot.core.values import value
from gridbot.errors import OrderRejected

CLIENT_ID = "^[a-zA-Z0-9-_]{1,36}$"


class ApiError(Exception):
    """An answer that is an error: `{"code", "msg"}` with an HTTP status."""

    def __init__(self, code: int, message: str, *, status: int = 400, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.headers = dict(headers or {})

    def body(self) -> dict[str, object]:
        """Return what is sent."""
        return {"code": self.code, "msg": self.message}


@value
class _Words:
    code: int
    message: str = ""


# Source: Binance's "Error codes for Binance SPOT"; what ccxt makes of each is in tests/sandbox/test_binance_errors.py.
_REFUSALS = {
    "BAD_SYMBOL": _Words(-1121, "Invalid symbol."),
    "MARKET_CLOSED": _Words(-2010, "Market is closed."),
    "BALANCE": _Words(-2010, "Account has insufficient balance for requested action."),
    "POST_ONLY": _Words(-2010, "Order would immediately match and take."),
    "DUPLICATE": _Words(-2010, "Duplicate order sent."),
    "UNKNOWN_ORDER": _Words(-2011, "Unknown order sent."),
    "PRECISION": _Words(-1111),
    "PRICE_FILTER": _Words(-1013),
    "LOT_SIZE": _Words(-1013),
    "NOTIONAL": _Words(-1013),
    "MAX_NUM_ORDERS": _Words(-1013),
}


def in_words(refused: OrderRejected) -> ApiError:
    """Return a refusal as the client sees it; a refused cancel has a code of its own, which the room knows already."""
    words = _REFUSALS[refused.code]
    return ApiError(words.code, words.message or refused.message)


def missing(name: str) -> ApiError:
    """Return the error for a parameter that must be there."""
    return ApiError(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def illegal(name: str, legal: str) -> ApiError:
    """Return the error for a parameter with characters that it may not have."""
    return ApiError(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{legal}'.")


def no_such_order() -> ApiError:
    """Return the error of a query for an order that never was."""
    return ApiError(-2013, "Order does not exist.")
