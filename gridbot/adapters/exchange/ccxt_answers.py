"""An answer of ccxt's counts only if it has the shape and is about the market that was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gridbot.adapters.exchange.ccxt_failures import CURRENT
from gridbot.adapters.exchange.unified import CallFailed, Cause, Proof, Unified

SCOPED = frozenset({"binance", "bitfinex", "bitget", "bybit", "coinbase", "gate", "kucoin", "okx"})
"""Exchanges that are asked for one market's orders and trades, and so answer with no other's; kraken tells all."""
_OF_ONE_MARKET = frozenset({"fetch_open_orders", "fetch_closed_orders", "fetch_my_trades", "fetch_trades"})
_ENDED = frozenset({"closed", "canceled", "cancelled", "expired", "rejected"})


_MARKET_FIELD = {
    "binance": "symbol",
    "bitget": "symbol",
    "bybit": "symbol",
    "coinbase": "product_id",
    "gate": "currency_pair",
    "kucoin": "symbol",
    "okx": "instId",
}
"""Where an order or a trade names its market."""


def check_order(exchange: Any, call: str, order: Unified) -> Unified:
    """Return an order that has the exchange's id; ccxt makes one without from an empty answer."""
    id_ = order.get("id")
    if not isinstance(id_, str) or not id_:
        raise mangled(exchange.id, call, "it has no order id")
    if not _is_of_its_market(exchange, order):
        raise mangled(exchange.id, call, "it is about another market")
    return order


def _is_of_its_market(exchange: Any, row: Mapping[str, Any]) -> bool:
    """Tell whether a row is about the market that ccxt says; it takes a name that it does not know for that."""
    field, raw = _MARKET_FIELD.get(exchange.id), row.get("info")
    name = raw.get(field) if field is not None and isinstance(raw, Mapping) else None
    if name is None or not exchange.markets_by_id:
        return True
    markets = exchange.markets_by_id.get(name, ()) if isinstance(name, str) else ()
    return row.get("symbol") in [market["symbol"] for market in markets]


def check_rows(exchange: str, call: str, rows: Any, symbol: str | None) -> Sequence[Unified]:
    """Return a list of structures, each of them about `symbol` where one was asked about."""
    if not isinstance(rows, list):
        raise mangled(exchange, call, "it is no list")
    for row in rows:
        if not isinstance(row, Mapping) or not row:
            raise mangled(exchange, call, "a row of it is none")
        if symbol is not None and row.get("symbol") != symbol:
            raise mangled(exchange, call, "a row of it is about another market")
    return rows


def guard_filters(exchange: Any) -> None:
    """Let ccxt drop no row in silence: it leaves out what is of another market, and what has no time."""
    by_value, by_time = exchange.filter_by_value_since_limit, exchange.filter_by_since_limit

    def checked_by_value(array: Any, field: str, value: Any = None, since: Any = None, *rest: Any, **named: Any) -> Any:
        _check_dropped(exchange, array, value if field == "symbol" else None, since)
        return by_value(array, field, value, since, *rest, **named)

    def checked_by_time(array: Any, since: Any = None, *rest: Any, **named: Any) -> Any:
        _check_dropped(exchange, array, None, since)
        return by_time(array, since, *rest, **named)

    exchange.filter_by_value_since_limit = checked_by_value
    exchange.filter_by_since_limit = checked_by_time


def _check_dropped(exchange: Any, rows: Any, symbol: str | None, since: int | None) -> None:
    conversation = CURRENT.get()
    if conversation is None or conversation.call not in _OF_ONE_MARKET or not isinstance(rows, list):
        return
    for row in rows:
        if not isinstance(row, Mapping) or not isinstance(row.get("symbol"), str):
            raise ValueError("a row without a market")
        if not _is_of_its_market(exchange, row):
            raise ValueError("a row of another market")
        if symbol is not None and exchange.id in SCOPED and row["symbol"] != symbol:
            raise ValueError("a row of another market")
        if since is not None and not row.get("timestamp"):
            raise ValueError("a row without a time")


def ended(row: Mapping[str, Any]) -> bool:
    """Tell whether an order is over."""
    return row.get("status") in _ENDED


def of_asset(rows: Sequence[Unified], asset: str) -> Sequence[Unified]:
    """Return the finished transfers of an asset."""
    return [row for row in rows if row.get("currency") == asset and row.get("status") in {"ok", None}]


def mangled(exchange: str, call: str, why: str) -> CallFailed:
    """Return the failure of an answer that is none; nothing is proved by it."""
    return CallFailed(
        f"{exchange} {call}: the answer is none that the exchange would give, {why}.",
        proof=Proof.SILENT,
        cause=Cause.MALFORMED,
    )
