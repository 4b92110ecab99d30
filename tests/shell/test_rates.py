"""The user's own currency: rates of the exchange's markets, asked now and again, and a sentence where none is."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from gridbot.config import AppConfig, default_config
from gridbot.core.rates import RateView, in_account_currency
from gridbot.core.units import Asset, Symbol, TimeMs
from gridbot.errors import VenueUnavailable
from gridbot.shell.rates import ASK_S, LOOK_S, Rates
from gridbot.sim.feed_tickers import FeedTickers
from tests.core.builders import Rig
from tests.fakes.trading import SYMBOL, House, choppy
from tests.fakes.virtual_time import VirtualClock, run_virtual


class Prices:
    """A list of markets with a price each; `silent` answers nothing."""

    def __init__(self, **prices: str) -> None:
        self.prices = {Symbol(name.replace("_", "/")): Decimal(price) for name, price in prices.items()}
        self.asked, self.silent = 0, False

    async def markets(self) -> frozenset[Symbol]:
        if self.silent:
            raise VenueUnavailable("It is down for maintenance.")
        return frozenset(self.prices)

    async def mid(self, symbol: Symbol) -> Decimal | None:
        self.asked += 1
        return self.prices[symbol] or None


class Desk:
    """Whoever chooses the currency, and the rates that follow."""

    def __init__(self, prices: Prices | None, currency: str | None = "NOK") -> None:
        self.config: AppConfig = default_config().model_copy(update={"account_currency": currency})
        self.state = Rig().laid().state
        self.rates = Rates(prices, exchange="test", clock=VirtualClock(TimeMs(5)), config=lambda: self.config)

    async def look(self) -> tuple[RateView, ...]:
        await self.rates.look(self.state)
        return self.rates.views()


def looked(prices: Prices | None, currency: str | None = "NOK") -> tuple[RateView, ...]:
    return run_virtual(Desk(prices, currency).look())


def test_a_rate_over_one_market_between_is_told_with_its_way_and_its_time() -> None:
    (view,) = looked(Prices(EUR_USD="1.25", EUR_NOK="11.5"))
    assert (view.asset, view.currency, view.rate, view.time) == ("USD", "NOK", Decimal("9.2"), 5)
    assert view.way == ("EUR/USD", "EUR/NOK")
    converted = in_account_currency(Decimal(10), "USD", (view,))
    assert converted is not None and converted.amount == Decimal("92.0")


def test_without_a_market_or_a_price_there_is_a_sentence() -> None:
    (none,) = looked(Prices(BTC_USD="60000"))
    assert none.rate is None and none.sentence.startswith("No market of test leads from USD to NOK")
    (empty,) = looked(Prices(USD_NOK="0"))
    assert empty.rate is None and empty.sentence == "There is no price of USD/NOK now, so there is no rate."
    (nobody,) = looked(None)
    assert nobody.rate is None and nobody.sentence


def test_nobody_is_asked_while_no_currency_is_chosen_or_it_is_the_quotes() -> None:
    prices = Prices(USD_NOK="10")
    assert looked(prices, None) == () and looked(prices, "USD") == () and prices.asked == 0


def test_it_is_asked_once_a_minute_and_at_once_for_another_currency() -> None:
    prices = Prices(USD_NOK="10", USD_EUR="0.8")
    desk = Desk(prices)

    async def main() -> list[tuple[int, Decimal | None]]:
        seen = []
        task = asyncio.get_running_loop().create_task(desk.rates.keep(lambda: desk.state))
        for seconds in (1, ASK_S - 5, 10):
            await asyncio.sleep(seconds)
            seen.append((prices.asked, desk.rates.views()[0].rate))
        desk.config = desk.config.model_copy(update={"account_currency": "EUR"})
        await asyncio.sleep(LOOK_S + 1)
        seen.append((prices.asked, desk.rates.views()[0].rate))
        task.cancel()
        return seen

    assert [asked for asked, _ in run_virtual(main())] == [1, 1, 2, 3]
    assert desk.rates.views()[0].rate == Decimal("0.8")


def test_a_rate_stays_with_its_age_while_the_exchange_is_silent() -> None:
    prices = Prices(USD_NOK="10")
    desk = Desk(prices)

    async def main() -> tuple[RateView, ...]:
        await desk.look()
        prices.silent = True
        await asyncio.sleep(ASK_S + 1)
        return await desk.look()

    (view,) = run_virtual(main())
    assert view.rate == Decimal(10) and view.time == 5
    fresh = Desk(prices)
    (none,) = run_virtual(fresh.look())
    assert none.rate is None and none.sentence == "No rate of USD in NOK: It is down for maintenance."


def test_a_demo_has_the_rates_of_its_own_markets_and_of_no_other() -> None:
    house = House(choppy(3, minutes=5, quiet=600))

    async def main() -> tuple[frozenset[Symbol], Decimal | None, frozenset[Symbol]]:
        tickers = FeedTickers(house.feed, (SYMBOL, Symbol("NOK/USDT")))
        before = await tickers.markets()
        async with house.trading():
            await asyncio.sleep(1)
            return before, await tickers.mid(SYMBOL), await tickers.markets()

    before, mid, after = run_virtual(main())
    assert before == frozenset() and after == {SYMBOL} and mid is not None and mid > 30_000


def test_the_view_of_a_trader_bears_its_rates() -> None:
    config = House(choppy(3, minutes=2, quiet=600)).config.model_copy(update={"account_currency": "NOK"})
    house = House(choppy(3, minutes=2, quiet=600), config=config)

    async def main() -> None:
        async with house.trading():
            await asyncio.sleep(8)

    run_virtual(main())
    (view,) = house.outlet.views[-1].rates
    assert (view.asset, view.currency, view.rate) == (Asset("USDT"), Asset("NOK"), None)
    assert "No market of test leads from USDT to NOK" in view.sentence
