"""What a fault script may say; anything else is refused in sentences that name the fault and the field."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from gridbot.core.units import Side
from gridbot.errors import ConfigError, Mistake
from gridbot.sandbox.records import Trading


class Do(StrEnum):
    """What a fault does."""

    DROP = "drop"
    RESET = "reset"
    HANG = "hang"
    DELAY = "delay"
    STATUS = "status"
    ERROR = "error"
    HTML = "html"
    EMPTY = "empty"
    NULL = "null"
    TRUNCATE = "truncate"
    WRONG_SYMBOL = "wrong_symbol"
    WITHOUT = "without"
    REPLACE = "replace"
    STALE = "stale"
    MISSING_ONE = "missing_one"
    EMPTY_LIST = "empty_list"
    CUT_PAGE = "cut_page"
    EXECUTE_LATE = "execute_late"
    EXECUTE_TWICE = "execute_twice"
    DROP_WS = "drop_ws"
    GAP_WS = "gap_ws"
    DUPLICATE_WS = "duplicate_ws"
    REORDER_WS = "reorder_ws"
    DELAY_WS = "delay_ws"
    HALF_OPEN_WS = "half_open_ws"
    MALFORMED_WS = "malformed_ws"
    TERMINATE_WS = "terminate_ws"
    REPLACE_WS = "replace_ws"
    TRADING = "trading"
    FILTER = "filter"
    SKEW = "skew"
    REVOKE_KEY = "revoke_key"
    RESTORE_KEY = "restore_key"
    DEPOSIT = "deposit"
    PRICE = "price"
    FILL = "fill"
    CANCEL_ORDERS = "cancel_orders"


ON_STREAMS = frozenset(each for each in Do if each.value.endswith("_ws"))
ON_THE_WORLD = frozenset(
    {
        *(Do.TRADING, Do.FILTER, Do.SKEW, Do.REVOKE_KEY, Do.RESTORE_KEY, Do.DEPOSIT, Do.PRICE, Do.FILL),
        Do.CANCEL_ORDERS,
    }
)
_NEEDS: dict[Do, tuple[str, ...]] = {
    Do.DELAY: ("delay_ms",),
    Do.DELAY_WS: ("delay_ms",),
    Do.EXECUTE_LATE: ("delay_ms",),
    Do.STALE: ("delay_ms",),
    Do.STATUS: ("status",),
    Do.ERROR: ("code", "message"),
    Do.WITHOUT: ("fields",),
    Do.REPLACE: ("values",),
    Do.REPLACE_WS: ("values",),
    Do.CUT_PAGE: ("keep",),
    Do.TRADING: ("symbol", "trading"),
    Do.FILTER: ("symbol", "filters"),
    Do.SKEW: ("skew_ms",),
    Do.DEPOSIT: ("asset", "amount"),
    Do.PRICE: ("symbol", "price"),
    Do.FILL: ("symbol",),
    Do.CANCEL_ORDERS: ("symbol",),
}
_DETAILS = frozenset(name for names in _NEEDS.values() for name in names) | {"retry_after", "side", "row"}
_ALSO: dict[Do, tuple[str, ...]] = {
    Do.STATUS: ("retry_after",),
    Do.ERROR: ("status",),
    Do.EXECUTE_LATE: ("status",),
    Do.HANG: ("delay_ms",),
    Do.MISSING_ONE: ("row",),
    Do.PRICE: ("amount", "side"),
    Do.FILL: ("amount",),
}


def _exact(given: object) -> object:
    """Amounts are texts: a JSON number has gone through binary before anybody could look at it."""
    if not isinstance(given, str):
        raise ValueError('write it as a text, such as "0.1"')
    return given


Amount = Annotated[Decimal, BeforeValidator(_exact)]
FILTERS = frozenset({"tick_size", "lot_size", "min_qty", "max_qty", "min_notional", "max_orders"})


class Fault(BaseModel):
    """One line of a script.

    `match` is "METHOD PATH" with `*` for anything, or "WS KIND": the name of a stream for the market's, the type of an
    event for the user's. Of what matches, the requests number `from` to `until` (counted from 1) are hit, at most
    `count` of them, and only `after_ms` to `before_ms` after the script was loaded.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=False)

    match: str = Field(pattern=r"^(GET|POST|DELETE|PUT|WS|\*) \S+$")
    do: Do
    contains: str = ""
    first: int = Field(default=1, ge=1, alias="from")
    until: int | None = Field(default=None, ge=1)
    count: int | None = Field(default=None, ge=1)
    after_ms: int = Field(default=0, ge=0)
    before_ms: int | None = Field(default=None, ge=0)
    when: Literal["before", "after"] = "after"

    delay_ms: int | None = Field(default=None, ge=0, le=3_600_000)
    status: int | None = Field(default=None, ge=400, le=599)
    retry_after: int | None = Field(default=None, ge=0)
    code: int | str | None = None
    message: str | None = None
    fields: tuple[str, ...] | None = None
    values: dict[str, str | bool | int | None] | None = None
    row: int | None = None
    keep: int | None = Field(default=None, ge=0)
    symbol: str | None = None
    trading: Trading | None = None
    filters: dict[str, Amount] | None = None
    skew_ms: int | None = None
    asset: str | None = None
    amount: Amount | None = None
    price: Amount | None = None
    side: Side | None = None

    @model_validator(mode="after")
    def _fits(self) -> Fault:
        needed = _NEEDS.get(self.do, ())
        for name in needed:
            if getattr(self, name) is None:
                raise ValueError(f"{self.do.value} needs {name}")
        for name in sorted(_DETAILS - {*needed, *_ALSO.get(self.do, ())}):
            if getattr(self, name) is not None:
                raise ValueError(f"{name} has no meaning for {self.do.value}")
        if self.do in ON_STREAMS and not self.match.startswith("WS "):
            raise ValueError(f'{self.do.value} is for streams: match must begin with "WS "')
        if self.match.startswith("WS ") and self.do not in ON_STREAMS:
            raise ValueError(f"{self.do.value} is for requests: match must not begin with WS")
        if self.until is not None and self.until < self.first:
            raise ValueError("until is smaller than from")
        wrong = sorted(set(self.filters or {}) - FILTERS)
        if wrong:
            raise ValueError(f"there is no filter {wrong[0]}; there are {', '.join(sorted(FILTERS))}")
        return self


_SCRIPT = TypeAdapter(list[Fault])


def check_symbols(script: Sequence[Fault], markets: Collection[str]) -> None:
    """Raise ConfigError if a fault names a market that is not listed."""
    mistakes = tuple(
        Mistake(path=f"{number}.symbol", value=repr(fault.symbol), reason="there is no such market here")
        for number, fault in enumerate(script)
        if fault.symbol is not None and fault.symbol not in markets
    )
    if mistakes:
        raise ConfigError(
            " ".join(each.sentence() for each in mistakes), hint=f"There is: {', '.join(markets)}.", mistakes=mistakes
        )


def read_script(text: bytes | str, *, source: str) -> list[Fault]:
    """Return the faults of a script, which is JSON; ConfigError with every mistake in it."""
    try:
        return _SCRIPT.validate_json(text)
    except ValidationError as error:
        mistakes = tuple(
            Mistake(
                path=".".join(str(each) for each in found["loc"]) or "the file",
                value=repr(found["input"])[:80],
                reason=found["msg"].removeprefix("Value error, "),
            )
            for found in error.errors(include_url=False)
        )
        raise ConfigError(
            f"{source} is no fault script. " + " ".join(each.sentence() for each in mistakes),
            hint="README_PROD.md shows one; the number in front is the fault's place in the list, from 0.",
            mistakes=mistakes,
        ) from error
