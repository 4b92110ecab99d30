"""The peer: an asyncio loop that hears of a fill, parses it, fsyncs one line, signs the opposite order and sends it.

No engine, no state, no journal format, no limits, no rate limiter, no client library: aiohttp, orjson, hmac. It speaks
to the same sandbox, over a stream and a connection that are open already. `python execution_bare.py PORT FILE bare`;
with `ccxt` instead the same loop by ccxt's own methods, `watch_my_trades` and `create_order`, without its rate limiter.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import sys
import time
from collections.abc import Mapping
from decimal import Decimal
from threading import Event, Thread
from typing import Any

import aiohttp
import orjson
from execution_moments import taken, watch_sockets

from gridbot.adapters.exchange.budget import Budget
from gridbot.adapters.exchange.ccxt_loading import streaming_class
from gridbot.adapters.exchange.ccxt_wire import build
from gridbot.adapters.exchange.exchange_key import ExchangeKey

_APART = Decimal("0.003")


class Bare:
    """One order at a time: a buy, then a sell above it, and so on."""

    def __init__(self, port: int, path: str, ready: Event) -> None:
        self._address = f"127.0.0.1:{port}"
        self._key, self._secret = os.environ["GRIDBOT_API_KEY"], os.environ["GRIDBOT_API_SECRET"].encode()
        self._line = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._ready = ready
        self._count = 0

    def _sign(self, text: str) -> str:
        return hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()

    async def _create(self, session: aiohttp.ClientSession, side: str, quantity: str, price: str) -> None:
        self._count += 1
        body = (
            f"timestamp={time.time_ns() // 1_000_000}&symbol=BTCUSDT&side={side}&newClientOrderId=bare{self._count}"
            f"&newOrderRespType=FULL&type=LIMIT&quantity={quantity}&price={price}&timeInForce=GTC&recvWindow=10000"
        )
        headers = {"X-MBX-APIKEY": self._key, "Content-Type": "application/x-www-form-urlencoded"}
        signed = f"{body}&signature={self._sign(body)}"
        async with session.post(f"http://{self._address}/api/v3/order", data=signed, headers=headers) as answer:
            told = await answer.json()
            if "orderId" not in told:
                raise SystemExit(f"The sandbox refused the peer's order: {told}")

    async def run_ccxt(self) -> None:
        """Trade until the program ends, by ccxt."""
        key = ExchangeKey(self._key, os.environ["GRIDBOT_API_SECRET"])
        exchange = build(streaming_class("binance"), base_url=f"http://{self._address}", key=key, budget=Budget())
        exchange.enableRateLimit = False
        await exchange.load_markets()
        asyncio.get_running_loop().create_task(self._first(exchange))
        while True:
            for trade in await exchange.watch_my_trades():
                os.write(self._line, orjson.dumps(trade["info"]) + b"\n")
                os.fsync(self._line)
                buying = trade["side"] == "sell"
                other = f"{Decimal(trade['price']) * (1 - _APART if buying else 1 + _APART):.2f}"
                side = "buy" if buying else "sell"
                self._count += 1
                named = {"newClientOrderId": f"bare{self._count}"}
                await exchange.create_order("BTC/USDT", "limit", side, trade["amount"], other, named)

    async def _first(self, exchange: Any) -> None:
        """Place the first order when the stream is open for certain."""
        await asyncio.sleep(1.0)
        price = Decimal((await exchange.fetch_bids_asks(["BTC/USDT"]))["BTC/USDT"]["bid"])
        await exchange.create_order("BTC/USDT", "limit", "buy", "0.01", f"{price * (1 - _APART):.2f}")
        self._ready.set()

    async def run(self) -> None:
        """Trade until the program ends."""
        async with aiohttp.ClientSession() as session, session.ws_connect(f"ws://{self._address}/ws-api/v3") as stream:
            asked = {"apiKey": self._key, "recvWindow": "10000", "timestamp": str(time.time_ns() // 1_000_000)}
            text = "&".join(f"{name}={asked[name]}" for name in sorted(asked))
            params = {**asked, "signature": self._sign(text)}
            await stream.send_json({"id": "1", "method": "userDataStream.subscribe.signature", "params": params})
            await stream.receive()
            async with session.get(f"http://{self._address}/api/v3/ticker/bookTicker?symbol=BTCUSDT") as answer:
                price = Decimal((await answer.json())["bidPrice"])
            await self._create(session, "BUY", "0.01", f"{price * (1 - _APART):.2f}")
            self._ready.set()
            async for message in stream:
                told = orjson.loads(message.data)
                event = told.get("event", told)
                if event.get("x") == "TRADE" and event.get("X") == "FILLED":
                    await self._answer(session, event, message.data)

    async def _answer(self, session: aiohttp.ClientSession, event: Mapping[str, Any], text: str) -> None:
        os.write(self._line, text.encode() + b"\n")
        os.fsync(self._line)
        buying, price = event["S"] == "SELL", Decimal(event["p"])
        other = price * (1 - _APART if buying else 1 + _APART)
        await self._create(session, "BUY" if buying else "SELL", event["q"], f"{other:.2f}")


def main() -> int:
    """Answer fills until the input ends; return the exit code."""
    watch_sockets()
    ready = Event()
    bare = Bare(int(sys.argv[1]), sys.argv[2], ready)
    work = {"bare": bare.run, "ccxt": bare.run_ccxt}[sys.argv[3]]
    Thread(target=lambda: asyncio.run(work()), daemon=True).start()
    ready.wait()
    for _ in sys.stdin:
        sys.stdout.write(json.dumps(taken()) + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
