"""A dry run's venue: the exchange's rules, read by public requests; fills by real prints, each in its turn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal

import pytest

from gridbot.core.candles import Candle
from gridbot.core.commands import PlaceLimit
from gridbot.core.events import OrderFilled, OrderRef, Quote
from gridbot.core.rules import Instrument
from gridbot.core.units import Asset, GridId, OrderId, Price, Quantity, Side, Symbol, TimeMs, VenueOrderId
from gridbot.core.values import evolve
from gridbot.errors import OrderRejected, VenueUnavailable
from gridbot.ports import FeedItem, QuoteArrived, TradePrint
from gridbot.sim.demo_world import Left
from gridbot.sim.dry_world import LATENCY_MS, DryParts, dry_world
from tests.fakes.trading import SYMBOL, instrument
from tests.fakes.virtual_time import VirtualClock, run_virtual

BEGIN = 1_700_006_400_000
MONEY = {Asset("USDT"): Decimal(50_000), Asset("BTC"): Decimal(1)}


class Prices:
    """A feed that tells what it is given."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[FeedItem] = asyncio.Queue()

    async def history(self, market: Symbol, timeframe: int, count: int) -> Sequence[Candle]:
        return ()

    async def older(self, market: Symbol, timeframe: int, count: int, *, before: TimeMs) -> Sequence[Candle]:
        return ()

    async def items(self) -> AsyncIterator[FeedItem]:
        while True:
            yield await self.queue.get()

    def latest(self, symbol: Symbol) -> Quote | None:
        return None


def order(number: int, side: Side, price: str, quantity: str = "1") -> PlaceLimit:
    ref = OrderRef(GridId("g"), number, OrderId(f"order-{number}"))
    return PlaceLimit(
        ref, SYMBOL, side, Price(Decimal(price)), Quantity(Decimal(quantity)), True, False, Price(Decimal(1))
    )


def trade(price: str, amount: str, time: int) -> TradePrint:
    return TradePrint(SYMBOL, TimeMs(BEGIN + time), Price(Decimal(price)), Quantity(Decimal(amount)), Side.SELL)


class House:
    """A dry world over a feed by hand; `rules` is what the exchange says at the moment."""

    def __init__(self, left: Left, *known: Instrument) -> None:
        self.prices = Prices()
        self.rules = instrument()
        self.clock = VirtualClock(TimeMs(BEGIN))
        self.parts: DryParts = dry_world(self.prices, self._ask, left, self.clock, known=known)
        self.seen: list[FeedItem] = []

    async def _ask(self, symbol: Symbol) -> Instrument:
        await asyncio.sleep(0.1)
        if symbol != SYMBOL:
            raise VenueUnavailable(f"There is no {symbol} at present.")
        return self.rules

    async def read(self) -> None:
        async for item in self.parts.feed.items():
            self.seen.append(item)

    async def tell(self, item: FeedItem) -> None:
        self.prices.queue.put_nowait(item)
        await asyncio.sleep(0.01)

    def fills(self) -> list[tuple[str, Decimal]]:
        news = list(self.parts.venue._news)
        return [(update.ref.id, update.quantity) for update in news if isinstance(update, OrderFilled)]


def test_orders_fill_when_the_market_trades_through_them_and_no_more_than_it_trades() -> None:
    async def test() -> None:
        house = House(Left(TimeMs(0), (), MONEY))
        reading = asyncio.ensure_future(house.read())
        venue = house.parts.venue
        assert await venue.instrument(SYMBOL) == instrument()
        begun = house.clock.monotonic()
        await venue.create(order(1, Side.BUY, "40000", "0.5"))
        assert house.clock.monotonic() - begun == pytest.approx(2 * LATENCY_MS / 1000)
        await house.tell(trade("40000", "9", 1_000))
        assert house.fills() == []
        await house.tell(trade("39999.99", "0.2", 1_100))
        await house.tell(trade("39999.99", "0.2", 1_200))
        assert house.fills() == [("order-1", Decimal("0.2")), ("order-1", Decimal("0.2"))]
        await house.tell(trade("39000", "5", 1_300))
        assert house.fills()[2:] == [("order-1", Decimal("0.1"))]
        assert len(house.seen) == 4
        reading.cancel()

    run_virtual(test())


def test_what_rested_rests_again_under_the_rules_that_were_known_until_they_are_read() -> None:
    async def test() -> None:
        rested = (order(7, Side.SELL, "41000", "0.4"), VenueOrderId("v-order-7"), Quantity(Decimal("0.1")))
        house = House(Left(TimeMs(BEGIN), (rested,), MONEY), instrument())
        reading = asyncio.ensure_future(house.read())
        (report,) = await house.parts.venue.open_orders(SYMBOL)
        assert (report.ref.id, report.filled, report.open) == ("order-7", Decimal("0.1"), True)
        await house.tell(trade("41000.01", "0.2", 5))
        assert house.fills() == [("order-7", Decimal("0.2"))]
        balances = await house.parts.venue.balances()
        assert balances[Asset("BTC")] == Decimal("0.8")
        assert balances[Asset("USDT")] == Decimal(50_000) + Decimal(41_000) * Decimal("0.2") * Decimal("0.999")
        reading.cancel()

    run_virtual(test())


def test_rules_are_read_anew_and_an_order_of_a_market_without_rules_is_refused() -> None:
    async def test() -> None:
        house = House(Left(TimeMs(0), (), MONEY))
        venue = house.parts.venue
        with pytest.raises(OrderRejected) as refused:
            await venue.create(order(1, Side.BUY, "40000"))
        assert refused.value.code == "unknown_market"
        await venue.instrument(SYMBOL)
        house.rules = evolve(instrument(), tick_size=Decimal(5))
        assert (await venue.instrument(SYMBOL)).tick_size == Decimal(5)
        with pytest.raises(OrderRejected) as refused:
            await venue.create(order(2, Side.BUY, "40001"))
        assert refused.value.code == "tick_size"
        with pytest.raises(VenueUnavailable):
            await venue.instrument(Symbol("ETH/USDT"))

    run_virtual(test())


def test_a_trade_from_before_an_order_came_does_not_fill_it_however_late_it_is_told() -> None:
    async def test() -> None:
        house = House(Left(TimeMs(0), (), MONEY))
        reading = asyncio.ensure_future(house.read())
        venue = house.parts.venue
        await venue.instrument(SYMBOL)
        await venue.create(order(1, Side.BUY, "39000", "0.1"))
        quote = Quote(SYMBOL, Price(Decimal(40_000)), Price(Decimal(40_001)), 0)
        await house.tell(QuoteArrived(quote, TimeMs(BEGIN + 10_000)))
        await venue.create(order(2, Side.BUY, "39500", "0.1"))
        await house.tell(trade("38000", "1", 9_000))
        assert house.fills() == [("order-1", Decimal("0.1"))]
        await house.tell(trade("38000", "1", 10_001))
        assert house.fills()[1:] == [("order-2", Decimal("0.1"))]
        reading.cancel()

    run_virtual(test())
