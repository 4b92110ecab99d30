"""Rates by public questions: markets once an hour, best prices when asked, and no price where there is none."""

from __future__ import annotations

from decimal import Decimal

import pytest

from gridbot.adapters.exchange.market_rules import MarketRules
from gridbot.adapters.exchange.reading import Reader
from gridbot.adapters.exchange.tickers import LISTED_S, ExchangeTickers
from gridbot.core.units import Symbol
from gridbot.errors import VenueUnavailable
from tests.adapters.exchange.venue_desk import ROW, Desk, at_desk
from tests.fakes.unified_exchange import lost

BTC = Symbol("BTC/USDT")


def tickers(desk: Desk) -> ExchangeTickers:
    async def remeasure() -> None:
        await desk.exchange.fetch_time()

    return ExchangeTickers(
        MarketRules(desk.exchange, ROW, Reader(desk.clock, ROW.name, remeasure), desk.clock), desk.clock
    )


def test_only_spot_markets_that_are_traded_are_listed_and_asked_for_once_an_hour() -> None:
    async def test(desk: Desk) -> None:
        market = desk.exchange.markets["BTC/USDT"]
        desk.exchange.markets |= {
            "OLD/USDT": {**market, "symbol": "OLD/USDT", "active": False},
            "BTC/USDT:USDT": {**market, "symbol": "BTC/USDT:USDT", "spot": False, "contract": True},
        }
        asked = tickers(desk)
        assert await asked.markets() == await asked.markets() == {BTC}
        assert desk.exchange.called("load_markets") == 1
        await desk.clock.sleep(LISTED_S + 1)
        await asked.markets()
        assert desk.exchange.called("load_markets") == 2

    at_desk(test)


def test_a_price_is_the_middle_of_the_book_and_none_of_an_empty_side() -> None:
    async def test(desk: Desk) -> None:
        assert await tickers(desk).mid(BTC) == Decimal("69999.995")
        desk.exchange.mangled["fetch_order_book"] = lambda book: {**book, "asks": []}
        assert await tickers(desk).mid(BTC) is None

    at_desk(test)


def test_an_exchange_that_does_not_answer_is_said_to_be_unavailable() -> None:
    async def test(desk: Desk) -> None:
        desk.exchange.failing["load_markets"].extend(lost() for _ in range(10))
        with pytest.raises(VenueUnavailable):
            await tickers(desk).markets()

    at_desk(test)
