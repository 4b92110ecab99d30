"""A market that is let run: it keeps its pace, goes on where it was left, ends with its recording, and fills grids."""

from __future__ import annotations

import asyncio
from contextlib import closing
from decimal import Decimal as D
from pathlib import Path

import numpy as np
import pytest

from gridbot.core.units import ZERO, Side, Symbol
from gridbot.errors import ConfigError
from gridbot.sandbox.effects import Effect
from gridbot.sandbox.exchange import Exchange
from gridbot.sandbox.opening import Listing, Pump, open_market, rules_of
from gridbot.sandbox.records import Fees, Kind, NewOrder
from gridbot.sandbox.store import Store
from gridbot.sim.candle_arrays import CandleArrays
from gridbot.sim.demo_feed import DEFAULT_SEED, GeneratedSource, demo_start
from gridbot.sim.file_source import CandleFileSource
from gridbot.sim.replay_feed import MarketSource

START = 1_795_264_800_000


class VirtualClock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now_ms(self) -> int:
        return START + int(self.seconds * 1000)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        await asyncio.sleep(0)


def recorded(prices: list[float]) -> CandleFileSource:
    column = np.array(prices)
    candles = CandleArrays(
        open_time=1_600_000_200_000 + np.arange(len(prices), dtype=np.int64) * 60_000,
        open=column,
        high=column + 1,
        low=column - 1,
        close=column + 0.5,
        volume=np.full(len(prices), 40.0),
    )
    return CandleFileSource(Symbol("A/B"), candles, tick_size=D("0.1"))


def opened(store: Store, clock: VirtualClock, source: MarketSource, *, first: int) -> tuple[Exchange, Pump]:
    listing = Listing("A/B", source, first)
    rules = rules_of(listing)
    exchange = Exchange(store, clock, markets=[rules], fees=Fees())
    exchange.open_account({"B": D(50_000), "A": D(5)})
    return exchange, open_market(exchange, rules.symbol, listing)


def test_a_market_keeps_its_pace_and_stands_still_at_its_end(tmp_path: Path) -> None:
    clock = VirtualClock()
    with closing(Store(tmp_path / "a.sqlite")) as store:
        exchange, pump = opened(store, clock, recorded([100.0 + each for each in range(20)]), first=10)
        pump.first()
        before = clock.seconds
        asyncio.run(pump.run(D(60)))
        # Ten minutes at sixty times real time; the last trade comes shortly before the last minute ends.
        assert 9.5 <= clock.seconds - before <= 10
        assert exchange.room.markets["AB"].last == D("119.5")
        last = exchange.clock.now_ms()
        rows = exchange.histories["AB"].candles(60_000, now=last, limit=12, start=None, end=None)
        assert [row.close for row in rows[:-1]] == [D(str(100.5 + each)) for each in range(10)][-len(rows[:-1]) :]
        assert (rows[-1].low, rows[-1].high) == (D(109), D(120))


def test_a_market_goes_on_with_the_trade_after_the_last_that_was_kept(tmp_path: Path) -> None:
    source, clock = recorded([100.0 + each for each in range(20)]), VirtualClock()
    prices: list[list[D]] = []
    for _ in range(2):
        with closing(Store(tmp_path / "a.sqlite")) as store:
            exchange, pump = opened(store, clock, source, first=10)
            heard: list[D] = []

            def hear(effect: Effect, heard: list[D] = heard) -> None:
                heard += [each.price for each in effect.tape]

            exchange.listeners.append(hear)

            async def some(pump: Pump = pump, heard: list[D] = heard) -> None:
                running = asyncio.ensure_future(pump.run(D(60)))
                while len(heard) < 7:
                    await asyncio.sleep(0)
                running.cancel()

            asyncio.run(some())
            exchange.flush()
            prices.append(heard)
    whole = [each.price for candle in range(10, 15) for each in source.prints(candle)]
    assert prices[0] + prices[1] == whole[: len(prices[0] + prices[1])]


def test_a_grid_really_fills_both_ways(tmp_path: Path) -> None:
    """A simple grid of ten buys, each followed by a sell a step higher and a buy again, on a day of the demo market."""
    clock, step = VirtualClock(), D("0.003")
    source = GeneratedSource(DEFAULT_SEED, Symbol("BTC/USDT"))
    with closing(Store(tmp_path / "a.sqlite")) as store:
        exchange, pump = opened(store, clock, source, first=source.first_from(demo_start(DEFAULT_SEED)))
        pump.first()
        trips, placing, tick = 0, list[NewOrder](), exchange.room.markets["AB"].rules.tick_size

        def order(side: Side, price: D) -> NewOrder:
            return NewOrder(symbol="AB", side=side, kind=Kind.LIMIT, price=price // tick * tick, quantity=D("0.05"))

        def hear(effect: Effect) -> None:
            nonlocal trips
            for report in effect.reports:
                if report.trade is not None and report.order.leaves == ZERO:
                    bought = report.order.side is Side.BUY
                    trips += not bought
                    price = report.order.price
                    placing.append(
                        order(Side.SELL, price * (1 + step)) if bought else order(Side.BUY, price / (1 + step))
                    )

        exchange.listeners.append(hear)
        middle = exchange.room.markets["AB"].last
        for number in range(1, 11):
            exchange.place(order(Side.BUY, middle * (1 - step * number)))

        async def day() -> None:
            running = asyncio.ensure_future(pump.run(D(600)))
            while clock.seconds < 24 * 3600 / 600:
                while placing:
                    exchange.place(placing.pop(0))
                await asyncio.sleep(0)
            running.cancel()

        asyncio.run(day())
        orders, trades = store.orders("1"), store.trades("1")
        assert trips >= 5
        assert any(len([each for each in trades if each.order_id == order.id]) > 1 for order in orders), "no part fills"
        for each in orders:
            assert each.executed == sum((one.quantity for one in trades if one.order_id == each.id), ZERO)
        moved = sum((each.quantity if each.is_buyer else -each.quantity for each in trades), ZERO)
        fees = sum((each.fee for each in trades if each.fee_asset == "A"), ZERO)
        balance = exchange.room.wallet.of("A")
        assert balance.free + balance.locked == 5 + moved - fees


def test_a_word_that_is_no_market_is_refused() -> None:
    with pytest.raises(ConfigError, match="no market"):
        rules_of(Listing("BTC", recorded([1.0, 2.0, 3.0]), 1))
