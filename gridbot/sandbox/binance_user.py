"""Binance's user stream: whoever proved to have the key hears of every order and balance, in the order it happened."""

from __future__ import annotations

from aiohttp import web

from gridbot.sandbox.binance_errors import ApiError
from gridbot.sandbox.binance_forms import RATE_LIMITS, balances, execution_report, money
from gridbot.sandbox.binance_request import Parameters, check_signed
from gridbot.sandbox.effects import Effect
from gridbot.sandbox.exchange import Exchange
from gridbot.sandbox.faults import Faults
from gridbot.sandbox.sockets import ANSWER, Socket


class UserStream:
    """All connections to the websocket API."""

    def __init__(self, exchange: Exchange, faults: Faults) -> None:
        self._exchange = exchange
        self._faults = faults
        self._subscribed: dict[Socket, list[int]] = {}
        exchange.listeners.append(self._on_effect)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection."""
        connection = Socket(self._exchange.clock, self._faults)
        self._subscribed[connection] = []
        try:
            return await connection.serve(request, lambda message: self._hear(connection, message))
        finally:
            del self._subscribed[connection]

    async def hang_up(self) -> None:
        """End every connection."""
        for connection in self._subscribed:
            connection.cut()

    def _hear(self, connection: Socket, message: dict[str, object]) -> None:
        number, parameters = message.get("id"), message.get("params")
        try:
            result = self._answer(connection, str(message.get("method")), parameters)
        except ApiError as error:
            connection.send(ANSWER, {"id": number, "status": error.status, "error": error.body(), "rateLimits": []})
            return
        connection.send(ANSWER, {"id": number, "status": 200, "result": result, "rateLimits": RATE_LIMITS[:1]})

    def _answer(self, connection: Socket, method: str, parameters: object) -> object:
        exchange = self._exchange
        given = {name: str(each) for name, each in parameters.items()} if isinstance(parameters, dict) else {}
        exchange.count([f"WS {method}", "signed" if "signature" in given else "unsigned"])
        subscriptions = self._subscribed[connection]
        match method:
            case "ping":
                return {}
            case "time":
                return {"serverTime": exchange.now()}
            case "userDataStream.subscribe.signature":
                # Unlike REST's, this signature is over the parameters in the order of the alphabet.
                text = "&".join(f"{name}={given[name]}" for name in sorted(given) if name != "signature")
                read = Parameters("&".join(f"{name}={each}" for name, each in given.items()))
                check_signed(read, given.get("apiKey"), exchange, text=text, now=exchange.now())
                subscriptions.append(len(subscriptions))
                return {"subscriptionId": subscriptions[-1]}
            case "userDataStream.unsubscribe":
                subscriptions.clear()
                return {}
            case _:
                raise ApiError(-1100, "Unknown method.")

    def _on_effect(self, effect: Effect) -> None:
        if not any(self._subscribed.values()) or not (effect.reports or effect.assets):
            return
        now, room = self._exchange.now(), self._exchange.room
        events = [execution_report(report, now) for report in effect.reports]
        for asset, amount in effect.moved.items():
            events.append({"e": "balanceUpdate", "E": now, "a": asset, "d": money(amount), "T": now})
        if effect.assets:
            rows = balances(room, sorted(effect.assets), asset="a", free="f", locked="l")
            events.append({"e": "outboundAccountPosition", "E": now, "u": now, "B": rows})
        for connection, subscriptions in list(self._subscribed.items()):
            for subscription in subscriptions:
                for event in events:
                    connection.send(str(event["e"]), {"subscriptionId": subscription, "event": event})
