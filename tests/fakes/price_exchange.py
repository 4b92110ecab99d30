"""An exchange whose prices are known beforehand, hand-written: it streams and answers as its script of faults says.

It satisfies UnifiedExchange as far as prices go; whatever concerns an account fails.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from random import Random
from typing import Any, NoReturn

from gridbot.adapters.exchange.unified import CallFailed, Cause, Proof, Unified
from gridbot.core.candles import Candle
from gridbot.core.units import TimeMs
from gridbot.ports import Clock

MINUTE = 60_000
NAMES = {"1m": MINUTE, "5m": 5 * MINUTE, "1h": 60 * MINUTE, "4h": 240 * MINUTE, "1d": 1440 * MINUTE}


class Ill(StrEnum):
    """What goes wrong between two moments."""

    DROPPED = "dropped"
    """The stream breaks at the beginning, and no new one can be opened until the end."""
    HALF_OPEN = "half_open"
    """The stream that is open says nothing any more, until it is forgotten."""
    GAP = "gap"
    """Messages are lost."""
    TWICE = "twice"
    LATE = "late"
    """Messages come three seconds late, so that earlier ones overtake nothing and later ones do."""
    SHUFFLED = "shuffled"
    """Messages overtake each other."""
    DOWN = "down"
    """No request is answered."""
    BEHIND = "behind"
    """Requests are answered as the exchange was eight seconds ago."""
    MANGLED = "mangled"
    """Answers are empty."""


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong, from `begin` to `end` (ms UTC)."""

    ill: Ill
    begin: int
    end: int


@dataclass(frozen=True)
class Row:
    """One true trade."""

    number: int
    time: int
    price: Decimal
    amount: Decimal
    side: str

    def unified(self, symbol: str, id_: str | None) -> Unified:
        return {
            "id": id_,
            "symbol": symbol,
            "timestamp": self.time,
            "price": f"{self.price:f}",
            "amount": f"{self.amount:f}",
            "side": self.side,
        }


def true_trades(seed: int, begin: int, end: int, *, pause_ms: int = 3_000) -> list[Row]:
    """Return trades at random moments, each of another amount, with quiet minutes between."""
    random, rows, time, price = Random(seed), list[Row](), begin, Decimal(40_000)
    while True:
        time += int(random.expovariate(1 / pause_ms)) + (150_000 if random.random() < 0.01 else 0)
        if time >= end:
            return rows
        price += Decimal(random.randint(-500, 500)) / 100
        amount = Decimal(len(rows) + 1) / 100_000
        rows.append(Row(len(rows), time, price, amount, random.choice(("buy", "sell"))))


def true_candles(rows: Sequence[Row], timeframe: int = MINUTE, *, quiet_until: int = 0) -> list[Candle]:
    """Return the candles of trades; those until `quiet_until` have no gaps: a minute without trades has one as well."""
    groups: dict[int, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.time // timeframe * timeframe, []).append(row)
    made: list[Candle] = []
    for opened, group in sorted(groups.items()):
        while made and made[-1].open_time + timeframe < min(opened, quiet_until):
            made.append(_flat(made[-1].open_time + timeframe, made[-1].close))
        prices = [float(row.price) for row in group]
        volume = float(sum(row.amount for row in group))
        made.append(Candle(TimeMs(opened), prices[0], max(prices), min(prices), prices[-1], volume))
    while made and made[-1].open_time + timeframe < quiet_until:
        made.append(_flat(made[-1].open_time + timeframe, made[-1].close))
    return made


def _flat(opened: int, price: float) -> Candle:
    return Candle(TimeMs(opened), price, price, price, price, 0.0)


@dataclass
class PriceExchange:
    """One market, BTC/USDT. `page` is the most that an answer holds; `heeds_since` as some do not; `alike`: one id both
    ways; `quiet`: it writes candles for minutes without trades."""

    clock: Clock
    rows: Sequence[Row]
    faults: Sequence[Fault] = ()
    id: str = "fake"
    symbol: str = "BTC/USDT"
    streams: bool = True
    candles: bool = True
    names: frozenset[str] = frozenset(NAMES)
    page: int = 1_000
    heeds_since: bool = True
    alike: bool = True
    numbered: bool = True
    quiet: bool = False
    untidy: bool = False
    skew_ms: int = 0
    asked: list[str] = field(default_factory=list)
    forgotten: int = 0
    tampered: dict[str, object] = field(default_factory=dict)
    """What the next call of a method answers instead."""

    def __post_init__(self) -> None:
        self._times = [row.time for row in self.rows]
        self._cursors: dict[str, tuple[int, int]] = {}
        self._dead: set[str] = set()
        self._shut = asyncio.Event()
        random = Random(7)
        told: list[tuple[int, int, int]] = []
        for row in self.rows:
            for _ in range(2 if self._ill(Ill.TWICE, row.time) else 1):
                late = 3_000 if self._ill(Ill.LATE, row.time) else 0
                late += random.randint(0, 4_000) if self._ill(Ill.SHUFFLED, row.time) else 0
                if not self._ill(Ill.GAP, row.time):
                    told.append((row.time + 50 + late, row.number, len(told)))
        self._told = sorted(told)

    def _ill(self, ill: Ill, time: int) -> bool:
        return any(fault.ill is ill and fault.begin <= time < fault.end for fault in self.faults)

    def now(self) -> int:
        """Return the exchange's time."""
        return self.clock.machine_ms() + self.skew_ms

    def has(self, method: str) -> bool:
        if method.startswith("watch"):
            return self.streams
        return method != "fetchOHLCV" or self.candles

    # ------------------------------------------------------------------------------------ requests

    def _answer(self, method: str) -> int:
        """Note a request; return as of when it is answered."""
        self.asked.append(method)
        now = self.now()
        if self._ill(Ill.DOWN, now):
            raise CallFailed("The fake is down.", proof=Proof.SILENT, cause=Cause.NETWORK)
        return now - (8_000 if self._ill(Ill.BEHIND, now) else 0)

    def _instead(self, method: str) -> Any:
        found = self.tampered.pop(method, None)
        if isinstance(found, CallFailed):
            raise found
        return found

    async def fetch_time(self) -> int:
        self._answer("fetch_time")
        return self.now()

    async def fetch_order_book(self, symbol: str, limit: int) -> Unified:
        now = self._answer("fetch_order_book")
        instead = self._instead("fetch_order_book")
        return instead if instead is not None else {"symbol": symbol, **self._book(now)}

    def _book(self, now: int) -> dict[str, Any]:
        at = bisect_right(self._times, now)
        price = self.rows[max(at - 1, 0)].price
        return {"bids": [[float(price - 1), 1.0]], "asks": [[float(price + 1), 1.0]]}

    async def fetch_trades(self, symbol: str, since: int | None, limit: int) -> Sequence[Unified]:
        now = self._answer("fetch_trades")
        if self._ill(Ill.MANGLED, now):
            return []
        instead = self._instead("fetch_trades")
        if instead is not None:
            return list(instead)
        most, end = min(limit, self.page), bisect_right(self._times, now)
        if since is None or not self.heeds_since:
            rows = list(self.rows[max(end - most, 0) : end])
        else:
            begin = bisect_left(self._times, since)
            rows = list(self.rows[begin : min(begin + most, end)])
        if self.untidy:
            rows = [*rows[::-1], *rows[:2]]
        return [row.unified(symbol, self._id(row, "r")) for row in rows]

    def _id(self, row: Row, way: str) -> str | None:
        if not self.numbered:
            return None
        return str(row.number) if self.alike else f"{way}{row.number}"

    async def fetch_ohlcv(
        self, symbol: str, timeframe: str, since: int | None, limit: int
    ) -> Sequence[Sequence[float | None]]:
        now = self._answer("fetch_ohlcv")
        if timeframe not in self.names:
            raise CallFailed("No such timeframe.", proof=Proof.ANSWERED, cause=Cause.REFUSED, code="-1120")
        if self._ill(Ill.MANGLED, now):
            return []
        instead = self._instead("fetch_ohlcv")
        if instead is not None:
            return list(instead)
        length = NAMES[timeframe]
        made = true_candles(self.rows[: bisect_right(self._times, now)], length, quiet_until=now if self.quiet else 0)
        most = min(limit, self.page)
        if since is not None and self.heeds_since:
            made = [each for each in made if each.open_time >= since][:most]
        else:
            made = made[-most:]
        if self.untidy:
            made = [*made[::-1], *made[:2]]
        return [[each.open_time, each.open, each.high, each.low, each.close, each.volume] for each in made]

    # -------------------------------------------------------------------------------------- streams

    async def _message(self, name: str) -> list[int]:
        """Wait for what a stream tells next; return the numbers of the trades."""
        now = self.now()
        if self._ill(Ill.DROPPED, now):
            raise CallFailed("The fake refuses streams.", proof=Proof.NOT_SENT, cause=Cause.NETWORK)
        opened, cursor = self._cursors.setdefault(name, (now, bisect_left(self._told, (now, 0, 0))))
        while True:
            now = self.now()
            if self._ill(Ill.HALF_OPEN, now):
                self._dead.add(name)
            if self._ill(Ill.DROPPED, now):
                del self._cursors[name]
                raise CallFailed("The stream broke.", proof=Proof.SILENT, cause=Cause.NETWORK)
            end = bisect_right(self._told, (now, len(self.rows), len(self._told)))
            if end > cursor and name not in self._dead:
                self._cursors[name] = (opened, end)
                return [number for _, number, _ in self._told[cursor:end]]
            until = self._told[cursor][0] if cursor < len(self._told) and name not in self._dead else now + 2_000
            try:
                async with asyncio.timeout(min(max(until - now, 1), 1_000) / 1000):
                    await self._shut.wait()
            except TimeoutError:
                continue
            raise CallFailed("The stream was closed.", proof=Proof.SILENT, cause=Cause.NETWORK)

    async def watch_trades(self, symbol: str) -> Sequence[Unified]:
        numbers = await self._message("trades")
        instead = self._instead("watch_trades")
        if instead is not None:
            return list(instead)
        return [self.rows[number].unified(symbol, self._id(self.rows[number], "s")) for number in numbers]

    async def watch_bids_asks(self, symbol: str) -> Unified:
        numbers = await self._message("quotes")
        instead = self._instead("watch_bids_asks")
        if instead is not None:
            found: Unified = instead
            return found
        book = self._book(self.rows[numbers[-1]].time)
        return {"symbol": symbol, "bid": str(book["bids"][0][0]), "ask": str(book["asks"][0][0])}

    async def forget_stream(self) -> None:
        self.forgotten += 1
        self._cursors.clear()
        self._dead.clear()
        shut, self._shut = self._shut, asyncio.Event()
        shut.set()

    async def close(self) -> None:
        await self.forget_stream()

    # ----------------------------------------------------------------------------------- the account

    async def load_markets(self) -> Mapping[str, Unified]:
        self._no_account()

    async def fetch_trading_fee(self, symbol: str) -> Unified:
        self._no_account()

    async def fetch_balance(self) -> Unified:
        self._no_account()

    async def create_order(
        self, symbol: str, side: str, amount: str, price: str, params: Mapping[str, object]
    ) -> Unified:
        self._no_account()

    async def cancel_order(self, id_: str, symbol: str, params: Mapping[str, object]) -> Unified:
        self._no_account()

    async def fetch_order(self, id_: str, symbol: str, params: Mapping[str, object]) -> Unified:
        self._no_account()

    async def fetch_open_orders(self, symbol: str) -> Sequence[Unified]:
        self._no_account()

    async def fetch_closed_orders(self, symbol: str, since: int, limit: int) -> Sequence[Unified]:
        self._no_account()

    async def fetch_my_trades(
        self, symbol: str, since: int | None, limit: int, params: Mapping[str, object]
    ) -> Sequence[Unified]:
        self._no_account()

    async def fetch_transfers(self, asset: str, since: int) -> Sequence[Unified]:
        self._no_account()

    async def watch_orders(self) -> Sequence[Unified]:
        self._no_account()

    async def watch_my_trades(self) -> Sequence[Unified]:
        self._no_account()

    def _no_account(self) -> NoReturn:
        raise CallFailed("There is no account here.", proof=Proof.NOT_SENT, cause=Cause.UNSUPPORTED)
