"""The sandbox's values as Firi writes them: every amount a text, times as ISO 8601 in UTC."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum

from gridbot.core.units import ZERO, Side
from gridbot.sandbox.binance_market import day_of
from gridbot.sandbox.exchange import Exchange
from gridbot.sandbox.market import Market
from gridbot.sandbox.records import Order, TapeTrade, Trade, Transfer

Row = dict[str, object]


class HistoryKind(StrEnum):
    """Which ended orders are asked for."""

    BOTH = "both"
    CANCELLED = "cancelled"
    MATCHED = "matched"


def is_number(text: str) -> bool:
    """Return whether a text is a whole number of a size that means something."""
    return re.fullmatch("[0-9]{1,18}", text) is not None


def iso(time: int) -> str:
    """Return a time (ms UTC) as Firi writes it."""
    return datetime.fromtimestamp(time / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def order_row(order: Order) -> Row:
    """Return an order."""
    cancelled = ZERO if order.is_open else order.leaves
    return {
        "id": order.id,
        "market": order.symbol,
        "type": "bid" if order.side is Side.BUY else "ask",
        "price": _text(order.price),
        "remaining": _text(order.leaves - cancelled),
        "amount": _text(order.quantity),
        "matched": _text(order.executed),
        "cancelled": _text(cancelled),
        "created_at": iso(order.time),
    }


def history_rows(exchange: Exchange, *, market: str | None, kind: HistoryKind, count: int) -> list[Row]:
    """Return orders that ended, the newest first."""
    ended = "status NOT IN ('NEW','PARTIALLY_FILLED')"
    wanted = {
        HistoryKind.BOTH: ended,
        HistoryKind.CANCELLED: f"{ended} AND status<>'FILLED'",
        HistoryKind.MATCHED: f"{ended} AND CAST(executed AS REAL)>0",
    }[kind]
    rows = exchange.store.orders(
        f"(? IS NULL OR symbol=?) AND {wanted} ORDER BY id DESC LIMIT ?", market, market, count
    )
    return [order_row(each) for each in rows]


def balance_rows(exchange: Exchange) -> list[Row]:
    """Return what the user has."""
    return [
        {
            "currency": asset,
            "balance": _text(balance.free + balance.locked),
            "hold": _text(balance.locked),
            "available": _text(balance.free),
        }
        for asset, balance in sorted(exchange.room.wallet.balances.items())
    ]


def market_form(exchange: Exchange, market: Market) -> Row:
    """Return a market with its last day."""
    day = day_of(exchange, market)
    change = (day.close - day.open) / day.open * 100 if day.open else ZERO
    return {
        "id": market.rules.symbol,
        "last": _text(market.last),
        "high": _text(day.high),
        "change": format(change, ".2f"),
        "low": _text(day.low),
        "volume": _text(day.volume),
    }


def ticker_form(market: Market) -> Row:
    """Return the best prices."""
    bid, ask = market.best(Side.BUY), market.best(Side.SELL)
    return {"bid": _text(bid), "ask": _text(ask), "spread": _text(ask - bid)}


def tape_rows(tape: Iterable[TapeTrade]) -> list[Row]:
    """Return trades on the market; the type is the taker's side."""
    return [
        {
            "type": "ask" if each.buyer_is_maker else "bid",
            "amount": _text(each.quantity),
            "price": _text(each.price),
            "created_at": iso(each.time),
            "total": _text(each.price * each.quantity),
        }
        for each in tape
    ]


def year_and_month(year: str | None, month: str | None) -> tuple[int | None, int | None] | None:
    """Return a period as numbers; None for what is none."""
    for text, most in ((year, 9999), (month, 12)):
        if text is not None and not (is_number(text) and 1 <= int(text) <= most):
            return None
    return int(year) if year else None, int(month) if month else None


def transaction_rows(exchange: Exchange, year: int | None, month: int | None) -> list[Row]:
    """Return what moved the user's balances, oldest first: base, quote and fee of each trade, and each deposit."""
    moved = [(each.time, _moved(exchange, each)) for each in exchange.store.trades("1 ORDER BY time, symbol, id")]
    moved += [(each.time, [_carried(each)]) for each in exchange.store.transfers("1")]
    rows: list[Row] = []
    for time, lines in sorted(moved, key=lambda each: each[0]):
        date = datetime.fromtimestamp(time / 1000, UTC)
        if year in {None, date.year} and month in {None, date.month}:
            rows += lines
    return rows


def _carried(transfer: Transfer) -> Row:
    kind = "Withdraw" if transfer.amount < ZERO else "Deposit"
    return {
        "id": transfer.id,
        "amount": _text(transfer.amount),
        "currency": transfer.asset,
        "type": kind,
        "date": iso(transfer.time),
        "details": {f"{kind.lower()}_id": transfer.id},
    }


def _moved(exchange: Exchange, trade: Trade) -> list[Row]:
    rules, sign = exchange.room.markets[trade.symbol].rules, 1 if trade.is_buyer else -1
    moves = (
        ("Match", rules.base, trade.quantity * sign),
        ("Match", rules.quote, -trade.quote_quantity * sign),
        ("MatchFee", trade.fee_asset, -trade.fee),
    )
    return [
        {
            "id": f"{trade.symbol}-{trade.id}-{number}",
            "amount": _text(amount),
            "currency": asset,
            "type": kind,
            "date": iso(trade.time),
            "details": {"match_id": f"{trade.symbol}-{trade.id}"},
        }
        for number, (kind, asset, amount) in enumerate(moves)
    ]


def _text(amount: Decimal) -> str:
    return format(amount, "f")
