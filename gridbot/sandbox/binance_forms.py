"""The sandbox's values as Binance writes them: amounts are texts of eight decimals, times are milliseconds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

from gridbot.core.units import Side
from gridbot.sandbox.effects import Effect, Execution, Report
from gridbot.sandbox.matching import Room
from gridbot.sandbox.minutes import Minute
from gridbot.sandbox.records import (
    CENTIS,
    HIGHEST_TICK,
    Fees,
    Kind,
    MarketRules,
    Order,
    Prevention,
    Status,
    TapeTrade,
    Trade,
    Trading,
    Transfer,
)

Plain = dict[str, object]
_SYMBOL_STATUS = {
    Trading.OPEN: "TRADING",
    Trading.CANCEL_ONLY: "BREAK",
    Trading.HALTED: "HALT",
    Trading.DELISTED: "BREAK",
}
RATE_LIMITS: list[Plain] = [
    {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000},
    {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 100},
    {"rateLimitType": "ORDERS", "interval": "DAY", "intervalNum": 1, "limit": 200_000},
    {"rateLimitType": "RAW_REQUESTS", "interval": "MINUTE", "intervalNum": 5, "limit": 61_000},
]


def money(amount: Decimal) -> str:
    """Return an amount with eight decimals; with more only where it has them, so that nothing is rounded away."""
    exponent = amount.as_tuple().exponent
    fine = isinstance(exponent, int) and exponent < CENTIS.as_tuple().exponent  # type: ignore[operator]
    return format(amount.normalize() if fine else amount, "f" if fine else ".8f")


def side_of(side: Side) -> str:
    """Return BUY or SELL."""
    return side.value.upper()


def exchange_info(room: Room, now: int, symbols: list[str]) -> Plain:
    """Return the markets and their filters."""
    return {
        "timezone": "UTC",
        "serverTime": now,
        "rateLimits": RATE_LIMITS,
        "exchangeFilters": [],
        "symbols": [_symbol(room.markets[name].rules) for name in symbols],
    }


def _symbol(rules: MarketRules) -> Plain:
    preventions = [each.value for each in Prevention]
    return {
        "symbol": rules.symbol,
        "status": _SYMBOL_STATUS[rules.trading],
        "baseAsset": rules.base,
        "baseAssetPrecision": 8,
        "quoteAsset": rules.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET"],
        "icebergAllowed": False,
        "ocoAllowed": False,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": False,
        "cancelReplaceAllowed": False,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": money(rules.tick_size),
                "maxPrice": money(rules.tick_size * HIGHEST_TICK),
                "tickSize": money(rules.tick_size),
            },
            {
                "filterType": "LOT_SIZE",
                "minQty": money(rules.min_qty),
                "maxQty": money(rules.max_qty),
                "stepSize": money(rules.lot_size),
            },
            {
                "filterType": "NOTIONAL",
                "minNotional": money(rules.min_notional),
                "applyMinToMarket": True,
                "maxNotional": "9000000.00000000",
                "applyMaxToMarket": False,
                "avgPriceMins": 0,
            },
            {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": rules.max_orders},
        ],
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": Prevention.EXPIRE_MAKER.value,
        "allowedSelfTradePreventionModes": preventions,
    }


def order_form(order: Order) -> Plain:
    """Return an order as queries answer it."""
    return {
        **_order_head(order),
        "stopPrice": "0.00000000",
        "icebergQty": "0.00000000",
        "time": order.time,
        "updateTime": order.update_time,
        "isWorking": True,
        "workingTime": order.time,
        "origQuoteOrderQty": money(order.quote_quantity),
    }


def _order_head(order: Order) -> Plain:
    return {
        "symbol": order.symbol,
        "orderId": order.id,
        "orderListId": -1,
        "clientOrderId": order.client_id,
        "price": money(order.price),
        "origQty": money(order.quantity),
        "executedQty": money(order.executed),
        "cummulativeQuoteQty": money(order.quote_executed),
        "status": order.status.value,
        "timeInForce": order.time_in_force.value,
        "type": order.kind.value,
        "side": side_of(order.side),
        "selfTradePreventionMode": order.prevention.value,
    }


def created_form(order: Order, effect: Effect, now: int, response: str) -> Plain:
    """Return the answer to a create: ACK, RESULT or FULL."""
    ack: Plain = {
        "symbol": order.symbol,
        "orderId": order.id,
        "orderListId": -1,
        "clientOrderId": order.client_id,
        "transactTime": now,
    }
    if response == "ACK":
        return ack
    whole = {**_order_head(order), **ack, "origQuoteOrderQty": money(order.quote_quantity), "workingTime": order.time}
    if response == "RESULT":
        return whole
    fills = [
        {
            "price": money(each.price),
            "qty": money(each.quantity),
            "commission": money(each.fee),
            "commissionAsset": each.fee_asset,
            "tradeId": each.id,
        }
        for each in effect.trades
        if each.order_id == order.id
    ]
    return {**whole, "fills": fills}


def canceled_form(order: Order, now: int) -> Plain:
    """Return the answer to a cancel: the id in front is the cancel's own, the order's is behind it."""
    return {
        **_order_head(order),
        "origClientOrderId": order.client_id,
        "clientOrderId": order.cancel_id,
        "transactTime": now,
    }


def trade_form(trade: Trade) -> Plain:
    """Return one of the user's trades."""
    return {
        "symbol": trade.symbol,
        "id": trade.id,
        "orderId": trade.order_id,
        "orderListId": -1,
        "price": money(trade.price),
        "qty": money(trade.quantity),
        "quoteQty": money(trade.quote_quantity),
        "commission": money(trade.fee),
        "commissionAsset": trade.fee_asset,
        "time": trade.time,
        "isBuyer": trade.is_buyer,
        "isMaker": trade.is_maker,
        "isBestMatch": True,
    }


def deposit_form(transfer: Transfer) -> Plain:
    """Return what came in."""
    return {
        "id": transfer.id,
        "amount": format(transfer.amount.normalize(), "f"),
        "coin": transfer.asset,
        "network": transfer.asset,
        "status": 1,
        "address": "sandbox",
        "addressTag": "",
        "txId": transfer.id,
        "insertTime": transfer.time,
        "completeTime": transfer.time,
        "transferType": 0,
        "confirmTimes": "1/1",
        "unlockConfirm": 0,
        "walletType": 0,
    }


def withdrawal_form(transfer: Transfer) -> Plain:
    """Return what went out; its time has no more than seconds, and the fee would come on top of the amount."""
    time = datetime.fromtimestamp(transfer.time // 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return {
        "id": transfer.id,
        "amount": format(-transfer.amount.normalize(), "f"),
        "transactionFee": "0",
        "coin": transfer.asset,
        "status": 6,
        "address": "sandbox",
        "addressTag": "",
        "txId": transfer.id,
        "applyTime": time,
        "completeTime": time,
        "network": transfer.asset,
        "transferType": 0,
        "withdrawOrderId": "",
        "info": "",
        "confirmNo": 1,
        "walletType": 0,
        "txKey": "",
    }


def account_form(room: Room, updated: int) -> Plain:
    """Return the balances, and what the key may do."""
    return {
        "makerCommission": int(room.fees.maker * 10_000),
        "takerCommission": int(room.fees.taker * 10_000),
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": {
            "maker": money(room.fees.maker),
            "taker": money(room.fees.taker),
            "buyer": "0.00000000",
            "seller": "0.00000000",
        },
        "canTrade": True,
        "canWithdraw": False,
        "canDeposit": True,
        "brokered": False,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": updated,
        "accountType": "SPOT",
        "balances": balances(room, sorted(room.wallet.balances), asset="asset", free="free", locked="locked"),
        "permissions": ["SPOT"],
        "uid": 1,
    }


def balances(room: Room, assets: list[str], *, asset: str, free: str, locked: str) -> list[Plain]:
    """Return balances under the names that a form has for them."""
    made: list[Plain] = []
    for name in assets:
        balance = room.wallet.of(name)
        made.append({asset: name, free: money(balance.free), locked: money(balance.locked)})
    return made


def fee_form(symbol: str, fees: Fees) -> Plain:
    """Return the fees of one market."""
    return {
        "symbol": symbol,
        "makerCommission": format(fees.maker.normalize(), "f"),
        "takerCommission": format(fees.taker.normalize(), "f"),
    }


def kline(each: Minute, interval: int) -> list[object]:
    """Return a candle as a row."""
    half = money(each.volume / 2)
    return [
        *(each.open_time, money(each.open), money(each.high), money(each.low), money(each.close), money(each.volume)),
        *(each.open_time + interval - 1, money(each.turnover), each.trades, half, money(each.turnover / 2), "0"),
    ]


def aggregate_form(trade: TapeTrade) -> Plain:
    """Return one trade of the tape in the form of an aggregate of one."""
    return {
        "a": trade.id,
        "p": money(trade.price),
        "q": money(trade.quantity),
        "f": trade.id,
        "l": trade.id,
        "T": trade.time,
        "m": trade.buyer_is_maker,
        "M": True,
    }


def execution_report(report: Report, now: int) -> Mapping[str, object]:
    """Return what the user stream tells of an order."""
    order, trade = report.order, report.trade
    ended_by_cancel = report.execution is Execution.CANCELED
    form: Plain = {
        "e": "executionReport",
        "E": now,
        "s": order.symbol,
        "c": order.cancel_id if ended_by_cancel else order.client_id,
        "S": side_of(order.side),
        "o": order.kind.value,
        "f": order.time_in_force.value,
        "q": money(order.quantity),
        "p": money(order.price),
        "P": "0.00000000",
        "F": "0.00000000",
        "g": -1,
        "C": order.client_id if ended_by_cancel else "",
        "x": report.execution.value,
        "X": order.status.value,
        "r": "NONE",
        "i": order.id,
        "l": money(trade.quantity) if trade else "0.00000000",
        "z": money(order.executed),
        "L": money(trade.price) if trade else "0.00000000",
        "n": money(trade.fee) if trade else "0",
        "N": trade.fee_asset if trade else None,
        "T": order.update_time,
        "t": trade.id if trade else -1,
        "w": order.status in {Status.NEW, Status.PARTIALLY_FILLED} and order.kind is not Kind.MARKET,
        "m": trade.is_maker if trade else False,
        "M": trade is not None,
        "O": order.time,
        "Z": money(order.quote_executed),
        "Y": money(trade.quote_quantity) if trade else "0.00000000",
        "Q": money(order.quote_quantity),
        "W": order.time,
        "V": order.prevention.value,
    }
    return form
