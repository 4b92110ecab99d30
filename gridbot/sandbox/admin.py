"""What only a test or a curious user asks: the sandbox's own truth, its counters, its faults, changed at run time."""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal, InvalidOperation

import orjson
from aiohttp import web

from gridbot.core.units import Side
from gridbot.errors import GridbotError
from gridbot.sandbox.exchange import Exchange
from gridbot.sandbox.fault_gate import FaultGate
from gridbot.sandbox.fault_script import check_symbols, read_script
from gridbot.sandbox.faults import Faults
from gridbot.sandbox.records import Order, Trade, Transfer

_FINEST, _LARGEST = -18, 18
"""Digits behind and in front of the point."""
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


class Admin:
    """The addresses under /sandbox. They are answered whatever the fault script says."""

    def __init__(self, exchange: Exchange, faults: Faults, gate: FaultGate) -> None:
        self._exchange = exchange
        self._faults = faults
        self._gate = gate

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get("/sandbox/stats", self._stats),
            web.get("/sandbox/books", self._books),
            web.get("/sandbox/faults", self._told_faults),
            web.post("/sandbox/faults", self._load_faults),
            web.post("/sandbox/trade", self._trade),
            web.post("/sandbox/deposit", self._deposit),
        ]

    async def _stats(self, request: web.Request) -> web.Response:
        _refuse_others(request)
        counts = self._exchange.store.counts()
        signed, unsigned = counts.pop("signed", 0), counts.pop("unsigned", 0)
        return _json({"signed": signed, "unsigned": unsigned, "requests": counts, "time": self._exchange.now()})

    async def _books(self, request: web.Request) -> web.Response:
        _refuse_others(request)
        exchange = self._exchange
        balances = {
            asset: {name: format(getattr(balance, name), "f") for name in ("free", "locked", "fees", "outside")}
            for asset, balance in sorted(exchange.room.wallet.balances.items())
        }
        orders = [exchange.room.open.get(each.id, each) for each in exchange.store.orders("1 ORDER BY id")]
        trades = exchange.store.trades("1 ORDER BY time, symbol, id")
        return _json(
            {
                "balances": balances,
                "orders": [_plain(each) for each in orders],
                "trades": [_plain(each) for each in trades],
                "transfers": [_plain(each) for each in exchange.store.transfers("1")],
            }
        )

    async def _told_faults(self, request: web.Request) -> web.Response:
        _refuse_others(request)
        return _json({"faults": self._faults.told(), "refused": list(self._gate.refusals)})

    async def _load_faults(self, request: web.Request) -> web.Response:
        _refuse_others(request)
        try:
            script = read_script(await request.read(), source="What was sent")
            check_symbols(script, self._exchange.room.markets)
            self._faults.load(script)
        except GridbotError as error:
            return _refusal(error)
        return _json({"faults": self._faults.told()})

    async def _trade(self, request: web.Request) -> web.Response:
        """Let others trade: `{"symbol", "price", "amount", "side"}`; the side is the taker's."""
        _refuse_others(request)
        given = await _object(request)
        symbol, side = given.get("symbol", ""), given.get("side", "sell")
        if symbol not in self._exchange.room.markets or side not in set(Side):
            return _json({"message": "There is no such market or side."}, status=400)
        try:
            effect = self._exchange.trade(symbol, _amount(given, "price"), _amount(given, "amount"), Side(side))
        except GridbotError as error:
            return _refusal(error)
        return _json({"fills": [_plain(each) for each in effect.trades]})

    async def _deposit(self, request: web.Request) -> web.Response:
        """Bring in an asset, `{"asset", "amount", "told"}`; a negative amount takes it out.

        With `"told": false` the balance alone shows it, as of what an exchange does not list.
        """
        _refuse_others(request)
        given = await _object(request)
        told = given.get("told", "True").lower()
        if told not in {"true", "false"}:
            return _json({"message": "told is true or false."}, status=400)
        try:
            self._exchange.deposit(given.get("asset", ""), _amount(given, "amount"), told=told == "true")
        except GridbotError as error:
            return _refusal(error)
        return _json({})


def _refuse_others(request: web.Request) -> None:
    """A page in a browser may reach loopback under a name of its own; it gets nothing."""
    if request.host.rpartition(":")[0] not in _LOOPBACK:
        raise web.HTTPForbidden(text="Only for this machine.")


async def _object(request: web.Request) -> dict[str, str]:
    try:
        given = orjson.loads(await request.read())
    except orjson.JSONDecodeError:
        given = None
    if not isinstance(given, dict):
        raise web.HTTPBadRequest(text="Send a JSON object.")
    return {str(name): str(each) for name, each in given.items()}


def _amount(given: dict[str, str], name: str) -> Decimal:
    try:
        amount = Decimal(given.get(name, ""))
    except InvalidOperation as error:
        raise web.HTTPBadRequest(text=f'{name} must be an amount, as a text such as "0.1".') from error
    exponent = amount.as_tuple().exponent
    if not isinstance(exponent, int) or not _FINEST <= exponent <= amount.adjusted() <= _LARGEST:
        raise web.HTTPBadRequest(text=f"{name} is out of all proportion.")
    return amount


def _plain(each: Order | Trade | Transfer) -> dict[str, object]:
    row: dict[str, object] = {}
    for field in fields(each):
        cell = getattr(each, field.name)
        row[field.name] = format(cell, "f") if isinstance(cell, Decimal) else cell
    return row


def _refusal(error: GridbotError) -> web.Response:
    return _json({"message": error.message, "hint": error.hint}, status=400)


def _json(answer: object, *, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(answer), status=status, content_type="application/json")
