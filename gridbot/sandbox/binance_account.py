"""Binance's signed endpoints: the user's balances, orders and trades."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TypeVar

from gridbot.core.units import ZERO, Side
from gridbot.errors import OrderRejected
from gridbot.sandbox.binance_errors import CLIENT_ID, ApiError, illegal, in_words, missing, no_such_order
from gridbot.sandbox.binance_forms import (
    account_form,
    canceled_form,
    created_form,
    deposit_form,
    fee_form,
    order_form,
    trade_form,
    withdrawal_form,
)
from gridbot.sandbox.binance_market import DAY_MS, market_of
from gridbot.sandbox.binance_request import Parameters
from gridbot.sandbox.exchange import Exchange
from gridbot.sandbox.records import Kind, NewOrder, Order, Prevention, TimeInForce, Transfer

LONGEST_HISTORY_MS = 90 * DAY_MS
_CREDITED, _COMPLETED = 1, 6
"""The states of a deposit and of a withdrawal that has come to its end."""
_SIDES = {"BUY": Side.BUY, "SELL": Side.SELL}
_CLIENT_ID = re.compile(CLIENT_ID)
_Word = TypeVar("_Word", Kind, TimeInForce, Prevention)


class BinanceAccount:
    """Answers the signed endpoints; each method takes the parameters and returns plain data."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def account(self, parameters: Parameters) -> object:
        """GET /api/v3/account"""
        form = account_form(self._exchange.room, self._exchange.now())
        if parameters.maybe("omitZeroBalances") == "true":
            rows = form["balances"]
            assert isinstance(rows, list)
            form["balances"] = [row for row in rows if Decimal(row["free"]) or Decimal(row["locked"])]
        return form

    def create(self, parameters: Parameters) -> object:
        """POST /api/v3/order"""
        symbol = market_of(self._exchange, parameters.text("symbol")).rules.symbol
        response = parameters.maybe("newOrderRespType") or "FULL"
        if response not in {"ACK", "RESULT", "FULL"}:
            raise ApiError(-1100, "Invalid newOrderRespType.")
        try:
            effect = self._exchange.place(_new_order(symbol, parameters))
        except OrderRejected as refused:
            raise in_words(refused) from refused
        order = next(each for each in effect.orders.values() if each.id == effect.reports[0].order.id)
        return created_form(order, effect, self._exchange.now(), response)

    def query(self, parameters: Parameters) -> object:
        """GET /api/v3/order"""
        found = self._find(parameters)
        if found is None:
            raise no_such_order()
        return order_form(found)

    def cancel(self, parameters: Parameters) -> object:
        """DELETE /api/v3/order"""
        cancel_id = _client_id(parameters, "newClientOrderId") or self._exchange.store.random_hex(11)
        found = self._find(parameters)
        if found is None or not found.is_open:
            raise ApiError(-2011, "Unknown order sent.")
        return self._cancel(found, cancel_id)

    def cancel_all(self, parameters: Parameters) -> object:
        """DELETE /api/v3/openOrders"""
        symbol = market_of(self._exchange, parameters.text("symbol")).rules.symbol
        resting = [order for order in self._exchange.room.open.values() if order.symbol == symbol]
        if not resting:
            raise ApiError(-2011, "Unknown order sent.")
        return [self._cancel(order, self._exchange.store.random_hex(11)) for order in resting]

    def open_orders(self, parameters: Parameters) -> object:
        """GET /api/v3/openOrders"""
        symbol = parameters.maybe("symbol")
        if symbol is not None:
            market_of(self._exchange, symbol)
        return [
            order_form(order) for order in self._exchange.room.open.values() if symbol is None or order.symbol == symbol
        ]

    def all_orders(self, parameters: Parameters) -> object:
        """GET /api/v3/allOrders"""
        symbol = market_of(self._exchange, parameters.text("symbol")).rules.symbol
        limit = parameters.limit(default=500, most=1000)
        first = parameters.number("orderId")
        start, end = _period(parameters)
        store = self._exchange.store
        if first is not None:
            rows = store.orders("symbol=? AND id>=? ORDER BY id LIMIT ?", symbol, first, limit)
        elif start is not None or end is not None:
            low, high = start or 0, 2**62 if end is None else end
            rows = store.orders("symbol=? AND time>=? AND time<=? ORDER BY id LIMIT ?", symbol, low, high, limit)
        else:
            rows = store.orders("symbol=? ORDER BY id DESC LIMIT ?", symbol, limit)[::-1]
        return [order_form(self._exchange.room.open.get(order.id, order)) for order in rows]

    def trades(self, parameters: Parameters) -> object:
        """GET /api/v3/myTrades"""
        symbol = market_of(self._exchange, parameters.text("symbol")).rules.symbol
        limit = parameters.limit(default=500, most=1000)
        order_id, first = parameters.number("orderId"), parameters.number("fromId")
        start, end = _period(parameters)
        where, values = "symbol=?", [symbol]
        for condition, wanted in (("order_id=?", order_id), ("id>=?", first), ("time>=?", start), ("time<=?", end)):
            if wanted is not None:
                where += f" AND {condition}"
                values.append(str(wanted))
        newest = first is None and start is None and end is None
        values.append(str(limit))
        rows = self._exchange.store.trades(f"{where} ORDER BY id {'DESC' if newest else ''} LIMIT ?", *values)
        return [trade_form(each) for each in (reversed(rows) if newest else rows)]

    def fees(self, parameters: Parameters) -> object:
        """GET /sapi/v1/asset/tradeFee"""
        one = parameters.maybe("symbol")
        names = list(self._exchange.room.markets) if one is None else [market_of(self._exchange, one).rules.symbol]
        return [fee_form(name, self._exchange.room.fees) for name in names]

    def deposits(self, parameters: Parameters) -> object:
        """GET /sapi/v1/capital/deposit/hisrec"""
        return [deposit_form(each) for each in self._transfers(parameters, "amount NOT LIKE '-%'", done=_CREDITED)]

    def withdrawals(self, parameters: Parameters) -> object:
        """GET /sapi/v1/capital/withdraw/history"""
        return [withdrawal_form(each) for each in self._transfers(parameters, "amount LIKE '-%'", done=_COMPLETED)]

    def restrictions(self, _: Parameters) -> object:
        """GET /sapi/v1/account/apiRestrictions"""
        return {
            "ipRestrict": False,
            "createTime": int(self._exchange.store.figure("opened") or 0),
            "enableReading": True,
            "enableSpotAndMarginTrading": True,
            "enableWithdrawals": False,
            "enableInternalTransfer": False,
            "enableMargin": False,
            "enableFutures": False,
            "permitsUniversalTransfer": False,
            "enableVanillaOptions": False,
        }

    # ------------------------------------------------------------------------------------ the parts

    def _transfers(self, parameters: Parameters, where: str, *, done: int) -> list[Transfer]:
        """Return what is asked for, newest first; all that the sandbox moves is `done` at once."""
        now = self._exchange.now()
        coin, status = parameters.maybe("coin"), parameters.number("status")
        start, end = parameters.number("startTime"), parameters.number("endTime")
        last = now if end is None else end
        first = last - LONGEST_HISTORY_MS if start is None else start
        if last - first > LONGEST_HISTORY_MS:
            raise ApiError(-1127, "The time between startTime and endTime must be less than 90 days.")
        if status is not None and status != done:
            return []
        where += " AND time>=? AND time<=?" + ("" if coin is None else " AND asset=?")
        found = self._exchange.store.transfers(where, first, last, *([] if coin is None else [coin]))
        skipped, limit = parameters.number("offset") or 0, parameters.limit(default=1000, most=1000)
        return found[::-1][skipped : skipped + limit]

    def _cancel(self, order: Order, cancel_id: str) -> object:
        try:
            self._exchange.cancel(order, cancel_id=cancel_id)
        except OrderRejected as refused:
            words = in_words(refused)
            raise ApiError(-2011, words.message) from refused
        return canceled_form(order, self._exchange.now())

    def _find(self, parameters: Parameters) -> Order | None:
        """Return the order that is meant: by our id, or the newest with a client id, open ones first."""
        symbol = market_of(self._exchange, parameters.text("symbol")).rules.symbol
        room, store = self._exchange.room, self._exchange.store
        number, client_id = parameters.number("orderId"), _client_id(parameters, "origClientOrderId")
        if number is None and client_id is None:
            raise missing("orderId")
        if number is not None:
            resting = room.open.get(number)
            stored = [resting] if resting else store.orders("id=?", number)
            return next((each for each in stored if each.symbol == symbol), None)
        assert client_id is not None
        found = room.find(symbol, client_id)
        where = "symbol=? AND client_id=? ORDER BY id DESC LIMIT 1"
        return found or next(iter(store.orders(where, symbol, client_id)), None)


def _client_id(parameters: Parameters, name: str) -> str | None:
    text = parameters.maybe(name)
    if text is not None and not _CLIENT_ID.fullmatch(text):
        raise illegal(name, CLIENT_ID)
    return text


def _period(parameters: Parameters) -> tuple[int | None, int | None]:
    start, end = parameters.number("startTime"), parameters.number("endTime")
    if start is not None and end is not None and end - start > DAY_MS:
        raise ApiError(-1127, "More than 24 hours between startTime and endTime.")
    return start, end


def _new_order(symbol: str, parameters: Parameters) -> NewOrder:
    side = _SIDES.get(parameters.text("side"))
    if side is None:
        raise ApiError(-1117, "Invalid side.")
    kind = _word(Kind, parameters.text("type"), ApiError(-1116, "Invalid orderType."))
    quantity, quote = parameters.amount("quantity"), parameters.amount("quoteOrderQty")
    price, lasting = parameters.amount("price"), parameters.maybe("timeInForce")
    if kind is Kind.MARKET:
        _not_sent(price=price, timeInForce=lasting)
        if (quantity is None) == (quote is None):
            raise missing("quantity") if quantity is None else ApiError(-1106, _not_required("quoteOrderQty"))
    else:
        _not_sent(quoteOrderQty=quote)
        for name, given in (("quantity", quantity), ("price", price)):
            if given is None:
                raise missing(name)
    if kind is Kind.LIMIT_MAKER:
        _not_sent(timeInForce=lasting)
    elif kind is Kind.LIMIT and lasting is None:
        raise missing("timeInForce")
    prevention = parameters.maybe("selfTradePreventionMode")
    return NewOrder(
        symbol=symbol,
        side=side,
        kind=kind,
        quantity=quantity or ZERO,
        price=price or ZERO,
        quote_quantity=quote or ZERO,
        client_id=_client_id(parameters, "newClientOrderId") or "",
        time_in_force=_word(TimeInForce, lasting or "GTC", ApiError(-1115, "Invalid timeInForce.")),
        prevention=_word(
            Prevention,
            prevention or "EXPIRE_MAKER",
            ApiError(-1013, "This symbol does not allow this prevention mode."),
        ),
    )


def _not_sent(**given: object) -> None:
    for name, value in given.items():
        if value is not None:
            raise ApiError(-1106, _not_required(name))


def _not_required(name: str) -> str:
    return f"Parameter '{name}' sent when not required."


def _word(kind: type[_Word], text: str, error: ApiError) -> _Word:
    try:
        return kind(text)
    except ValueError:
        raise error from None
