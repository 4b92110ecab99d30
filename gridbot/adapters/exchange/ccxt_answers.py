"""An answer of ccxt's counts only if it has the shape and is about the market that was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gridbot.adapters.exchange.unified import CallFailed, Cause, Proof, Unified

_ENDED = frozenset({"closed", "canceled", "cancelled", "expired", "rejected"})


def check_order(exchange: str, call: str, order: Unified) -> Unified:
    """Return an order that has the exchange's id; ccxt makes one without from an empty answer."""
    id_ = order.get("id")
    if not isinstance(id_, str) or not id_:
        raise _mangled(exchange, call, "it has no order id")
    return order


def check_rows(exchange: str, call: str, rows: Any, symbol: str | None) -> Sequence[Unified]:
    """Return a list of structures, each of them about `symbol` where one was asked about."""
    if not isinstance(rows, list):
        raise _mangled(exchange, call, "it is no list")
    for row in rows:
        if not isinstance(row, Mapping) or not row:
            raise _mangled(exchange, call, "a row of it is none")
        if symbol is not None and row.get("symbol") != symbol:
            raise _mangled(exchange, call, "a row of it is about another market")
    return rows


def ended(row: Mapping[str, Any]) -> bool:
    """Tell whether an order is over."""
    return row.get("status") in _ENDED


def of_asset(rows: Sequence[Unified], asset: str) -> Sequence[Unified]:
    """Return the finished transfers of an asset."""
    return [row for row in rows if row.get("currency") == asset and row.get("status") in {"ok", None}]


def _mangled(exchange: str, call: str, why: str) -> CallFailed:
    return CallFailed(
        f"{exchange} {call}: the answer is none that the exchange would give, {why}.",
        proof=Proof.SILENT,
        cause=Cause.MALFORMED,
    )
