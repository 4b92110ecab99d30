"""Firi's JSON as ccxt's unified structures: every amount a text, nothing by default, and what does not add up is none.

What Firi's interface does not tell, how finely its markets trade and what a trade costs, is in one table below. It is
assumed and was never measured at Firi. A step coarser than the real one, or a larger minimum, is valid all the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal

from gridbot.adapters.exchange.firi_errors import malformed
from gridbot.adapters.exchange.unified import Unified
from gridbot.core.units import ZERO
from gridbot.core.values import value

PRICE_STEP = Decimal("0.01")
AMOUNT_STEP = Decimal("0.00001")
LEAST_COST = {"NOK": Decimal(50), "DKK": Decimal(50), "SEK": Decimal(50), "EUR": Decimal(5)}
"""Assumed: the smallest value of an order, by the asset that a market is quoted in. Others are not listed."""
FEE_RATE = Decimal("0.005")
"""Published for all markets in 2022; the configuration says what it is now."""

_NUMBER = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?([eE][-+]?[0-9]{1,2})?")
_MARKET = re.compile("[A-Z0-9]{4,20}")
_WIDE = Context(prec=120)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SIDES = {"bid": "buy", "ask": "sell"}
KINDS = {side: kind for kind, side in _SIDES.items()}
"""Firi's word for each side."""
_SECONDS_BELOW = 100_000_000_000
"""A time below this is in seconds: in milliseconds it would be in March 1973."""
_LATEST = 32_503_680_000_000


@value
class FiriRow:
    """One line of the account's statement: what moved, by how much, why; `match` is "" unless a trade moved it."""

    id: str
    time: int
    currency: str
    amount: Decimal
    kind: str
    match: str


@value
class FiriStatement:
    """The account's statement from `begin` on (ms UTC): whole, with all lines of each trade; 0 is from the start."""

    rows: list[FiriRow]
    begin: int


def market_id(symbol: str) -> str:
    """Return Firi's name of a market."""
    base, slash, quote = symbol.partition("/")
    if not (base and slash and quote) or not _MARKET.fullmatch(base + quote):
        malformed(f"{symbol[:40]!r} is no market that Firi could have")
    return base + quote


def text(amount: Decimal) -> str:
    """Return an amount as it goes into unified structures: without the zeros that Firi fills its figures up with."""
    return format(_WIDE.normalize(amount), "f")


# ------------------------------------------------------------------------------------------- the parts


def rows_of(answer: object, what: str) -> list[Mapping[str, object]]:
    """Return a list of objects, whole; one row that is none spoils it all."""
    if not isinstance(answer, list) or not all(isinstance(each, dict) for each in answer):
        malformed(f"Firi's {what} are no list")
    return answer


def _row_of(answer: object, what: str) -> Mapping[str, object]:
    if not isinstance(answer, dict):
        malformed(f"Firi's {what} is none")
    return answer


def _text(row: Mapping[str, object], name: str) -> str:
    found = row.get(name)
    if not isinstance(found, str) or not found or len(found) > 80:
        malformed(f"Firi told no {name} where one belongs")
    return found


def _signed(row: Mapping[str, object], name: str) -> Decimal:
    found = row.get(name)
    if not isinstance(found, str) or not _NUMBER.fullmatch(found):
        malformed(f"Firi told no {name} where an amount belongs")
    return Decimal(found)


def _amount(row: Mapping[str, object], name: str) -> Decimal:
    found = _signed(row, name)
    if found < ZERO:
        malformed(f"Firi told a {name} below zero")
    return found


def _positive(row: Mapping[str, object], name: str) -> Decimal:
    found = _amount(row, name)
    if found == ZERO:
        malformed(f"Firi told a {name} of zero")
    return found


def _id(row: Mapping[str, object]) -> str:
    found = row.get("id")
    number = int(found) if isinstance(found, str) and re.fullmatch("[1-9][0-9]{0,17}", found) else found
    if not isinstance(number, int) or isinstance(number, bool) or not 0 < number < 10**18:
        malformed("Firi told no number of an order")
    return str(number)


def _time(row: Mapping[str, object], name: str) -> int:
    try:
        found = datetime.fromisoformat(_text(row, name))
    except ValueError:
        malformed(f"Firi told no time under {name}")
    if found.tzinfo is None:
        malformed(f"Firi told a time without its zone under {name}")
    return (found - _EPOCH) // timedelta(milliseconds=1)


def _side(row: Mapping[str, object]) -> str:
    found = _SIDES.get(_text(row, "type"))
    if found is None:
        malformed("Firi told an order or trade that is neither bid nor ask")
    return found


# ------------------------------------------------------------------------------------------ the market


def time_form(answer: object) -> int:
    """Return Firi's time in ms UTC; some say that it comes in seconds, then the middle of the second is meant."""
    found = _row_of(answer, "time").get("time")
    if not isinstance(found, int) or isinstance(found, bool) or not 0 < found < _LATEST:
        malformed("Firi told no time")
    return found * 1000 + 500 if found < _SECONDS_BELOW else found


def market_forms(answer: object, fee_rate: Decimal) -> Mapping[str, Unified]:
    """Return every market whose two assets can be told apart, by its symbol."""
    found: dict[str, Unified] = {}
    for row in rows_of(answer, "markets"):
        id_ = _text(row, "id")
        quote = next((each for each in LEAST_COST if id_.endswith(each) and len(id_) > len(each)), None)
        if quote is not None and _MARKET.fullmatch(id_):
            base = id_.removesuffix(quote)
            found[f"{base}/{quote}"] = _market_form(id_, base, quote, fee_rate)
    if not found:
        malformed("Firi listed no market")
    return found


def _market_form(id_: str, base: str, quote: str, fee_rate: Decimal) -> Unified:
    unbounded = {"min": None, "max": None}
    return {
        "id": id_,
        "symbol": f"{base}/{quote}",
        "base": base,
        "quote": quote,
        "type": "spot",
        "spot": True,
        "active": True,
        "maker": text(fee_rate),
        "taker": text(fee_rate),
        "percentage": True,
        "precision": {"price": text(PRICE_STEP), "amount": text(AMOUNT_STEP)},
        "limits": {
            "price": unbounded,
            "amount": {"min": text(AMOUNT_STEP), "max": None},
            "cost": {"min": text(LEAST_COST[quote]), "max": None},
        },
    }


def depth_form(answer: object, symbol: str) -> Unified:
    """Return an order book, the best prices first."""
    row = _row_of(answer, "order book")
    sides = {name: list(_levels(row.get(name))) for name in ("bids", "asks")}
    for name, best in (("bids", max), ("asks", min)):
        if sides[name] and Decimal(sides[name][0][0]) != best(Decimal(price) for price, _ in sides[name]):
            malformed("Firi's order book does not begin with its best prices")
    return {"symbol": symbol, "timestamp": None, "datetime": None, "nonce": None, **sides}


def _levels(rows: object) -> Iterator[list[str]]:
    if not isinstance(rows, list):
        malformed("Firi's order book has no levels")
    for level in rows:
        if not isinstance(level, list) or len(level) < 2:
            malformed("Firi's order book has a level that is none")
        named = {"price": level[0], "amount": level[1]}
        yield [text(_positive(named, "price")), text(_positive(named, "amount"))]


def tape_forms(answer: object, symbol: str) -> list[Unified]:
    """Return trades on the market, oldest first. Firi gives them no ids; the side is the taker's."""
    found = [
        {
            "id": None,
            "symbol": symbol,
            "timestamp": _time(row, "created_at"),
            "side": _side(row),
            "price": text(_positive(row, "price")),
            "amount": text(_positive(row, "amount")),
        }
        for row in rows_of(answer, "trades")
    ]
    if len(found) > 1 and _stamp(found[0]) > _stamp(found[-1]):
        found.reverse()
    return sorted(found, key=_stamp)


def _stamp(trade: Unified) -> int:
    return int(trade["timestamp"])


# ------------------------------------------------------------------------------------------- the user


def balance_form(answer: object) -> Unified:
    """Return what the account has, free and in orders; what is told twice, or does not add up, is no balance."""
    whole: dict[str, dict[str, str]] = {}
    for row in rows_of(answer, "balances"):
        asset = _text(row, "currency")
        total, used, free = _amount(row, "balance"), _amount(row, "hold"), _amount(row, "available")
        if asset in whole or total != used + free:
            malformed(f"Firi's balance of {asset[:20]} does not add up")
        whole[asset] = {"free": text(free), "used": text(used), "total": text(total)}
    if not whole:
        malformed("Firi told no balance at all")
    parts = {name: {asset: each[name] for asset, each in whole.items()} for name in ("free", "used", "total")}
    return {**whole, **parts}


def order_form(answer: object, symbol: str) -> Unified:
    """Return an order of one market; what traded, rests and was cancelled must make up its amount."""
    row = _row_of(answer, "order")
    if row.get("market") != market_id(symbol):
        malformed(f"Firi told an order of another market than {symbol}")
    amount, matched, cancelled = _positive(row, "amount"), _amount(row, "matched"), _amount(row, "cancelled")
    rests = amount - matched - cancelled
    if rests < ZERO or ("remaining" in row and _amount(row, "remaining") != rests):
        malformed("Firi told an order whose parts do not make up its amount")
    return {
        "id": _id(row),
        "clientOrderId": None,
        "timestamp": _time(row, "created_at"),
        "symbol": symbol,
        "type": "limit",
        "side": _side(row),
        "price": text(_positive(row, "price")),
        "amount": text(amount),
        "filled": text(matched),
        "remaining": text(rests),
        "status": "open" if rests > ZERO else "canceled" if cancelled > ZERO else "closed",
        "fee": None,
        "trades": [],
    }


def created_form(answer: object, symbol: str) -> Unified:
    """Return the acknowledgement of an order: Firi tells its number and nothing else."""
    return {"id": _id(_row_of(answer, "acknowledgement")), "clientOrderId": None, "symbol": symbol, "status": None}


def cancelled_form(answer: object, id_: str, symbol: str) -> Unified:
    """Return the answer to a cancel: what had traded by then. Whether the order ended, a list tells."""
    row = _row_of(answer, "answer to a cancel")
    if "id" in row and _id(row) != id_:
        malformed("Firi answered about another order than the one to be cancelled")
    return {"id": id_, "clientOrderId": None, "symbol": symbol, "filled": text(_amount(row, "matched")), "status": None}


def statement_rows(answer: object) -> list[FiriRow]:
    """Return the account's statement in the order in which Firi tells it."""
    return [_statement_row(row) for row in rows_of(answer, "transactions")]


def _statement_row(row: Mapping[str, object]) -> FiriRow:
    details = row.get("details")
    match = details.get("match_id") if isinstance(details, dict) else None
    kind, by_match = _text(row, "type"), match is not None
    if by_match:
        match = str(match) if isinstance(match, int) and not isinstance(match, bool) else match
        if not isinstance(match, str) or not match or len(match) > 80:
            malformed("Firi told a trade without its number")
    if by_match != kind.startswith("Match"):
        malformed("Firi's statement has a trade that is none")
    return FiriRow(
        id=_text(row, "id"),
        time=_time(row, "date"),
        currency=_text(row, "currency"),
        amount=_signed(row, "amount"),
        kind=kind,
        match=match if isinstance(match, str) else "",
    )


def transfer_form(row: FiriRow) -> Unified:
    """Return a line of the statement that is no trade: what came is a deposit, what went a withdrawal."""
    return {
        "id": row.id,
        "timestamp": row.time,
        "currency": row.currency,
        "amount": text(abs(row.amount)),
        "type": "withdrawal" if row.amount < ZERO else "deposit",
        "status": "ok",
        "fee": None,
    }
