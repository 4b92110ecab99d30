"""A start that is shown no price sends no buy, whatever price its state still holds (I15; simulation, seed 30098)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from gridbot.core.candles import Candle
from gridbot.core.commands import PlaceLimit
from gridbot.core.events import Quote
from gridbot.core.rules import Wish
from gridbot.core.units import GridId, Side, Symbol, TimeMs
from gridbot.ports import FeedItem
from gridbot.shell.facade import SetWish
from gridbot.shell.messages import Asked
from tests.fakes.trading import House, choppy, resting_at
from tests.fakes.virtual_time import run_virtual


class Silent:
    """A Feed that knows the past and says nothing of the present until `speak`."""

    def __init__(self, inner: House) -> None:
        self._inner = inner.tap
        self.spoken = asyncio.Event()

    async def history(self, market: Symbol, timeframe: int, count: int) -> Sequence[Candle]:
        return await self._inner.history(market, timeframe, count)

    async def older(self, market: Symbol, timeframe: int, count: int, *, before: TimeMs) -> Sequence[Candle]:
        return await self._inner.older(market, timeframe, count, before=before)

    async def items(self) -> AsyncIterator[FeedItem]:
        await self.spoken.wait()
        async for item in self._inner.items():
            yield item

    def latest(self, symbol: Symbol) -> Quote | None:
        return self._inner.latest(symbol) if self.spoken.is_set() else None


def test_a_start_that_is_shown_no_price_sends_no_buy() -> None:
    house = House(choppy(3, minutes=2, quiet=4_000))
    sent: list[PlaceLimit] = []

    async def main() -> None:
        await house.run(4)
        resting = len(resting_at(house))
        assert resting > 2
        house.witness.on_create = sent.append
        house.tap = feed = Silent(house)  # type: ignore[assignment]
        async with house.trading() as trader:
            await asyncio.sleep(2)
            assert trader.state.risk.quotes, "the state still holds what the first start saw last"
            trader.ask(Asked(1, SetWish(GridId("btc"), Wish.PAUSE)))
            await asyncio.sleep(1)
            trader.ask(Asked(2, SetWish(GridId("btc"), Wish.RUN)))
            await asyncio.sleep(5)
            assert not [order for order in sent if order.side is Side.BUY]
            feed.spoken.set()
            await asyncio.sleep(8)
            assert len(resting_at(house)) == resting

    run_virtual(main())
    assert [order for order in sent if order.side is Side.BUY]
