"""What is asked now and then: the venue's clock reaches the breaker, and doubted rules are read again, not often."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from gridbot.core.commands import PlaceLimit
from gridbot.core.rules import Instrument
from gridbot.core.units import Asset, Symbol
from gridbot.core.values import evolve
from gridbot.errors import MarketClosed, OrderRejected, Refusal, VenueUnavailable
from gridbot.ports import VenueUpdate
from gridbot.shell.rounds import RETRY_S
from tests.fakes.trading import SYMBOL, House, choppy, instrument
from tests.fakes.virtual_time import run_virtual
from tests.fakes.witness import Witness
from tests.shell.test_balance_check import until


class Fickle(Witness):
    """A venue whose clock goes wrong and whose rules change."""

    def __init__(self, inner: Witness) -> None:
        super().__init__(inner)
        self.offset_ms: int | None = 0
        self.rules = instrument()
        self.rules_read = 0
        self.closed = False

    async def clock_offset_ms(self) -> int | None:
        self._read()
        return self.offset_ms

    async def instrument(self, symbol: Symbol) -> Instrument:
        self.rules_read += 1
        if self.closed:
            raise MarketClosed(f"The exchange does not trade {symbol} at present.")
        return self.rules


def fickle(minutes: int = 2_000) -> tuple[House, Fickle]:
    house = House(choppy(4, minutes=minutes, quiet=1_000))
    venue = Fickle(house.witness)
    house.witness = venue
    return house, venue


def test_a_clock_that_is_off_stops_buying_and_one_that_is_put_right_lets_it_go_on() -> None:
    house, venue = fickle()

    async def main() -> None:
        async with house.trading() as trader:
            await until(lambda: not trader.starting)
            venue.offset_ms = -4_000
            trader._rounds._due["skew"] = 0.0
            await until(lambda: "clock_skew" in " ".join(trader.state.risk.tripped))
            venue.offset_ms = 3
            trader._rounds._due["skew"] = 0.0
            await until(lambda: "clock_skew" not in " ".join(trader.state.risk.tripped))

    run_virtual(main())


def test_a_measured_clock_does_not_end_what_is_said_of_a_jump() -> None:
    house, venue = fickle()

    async def main() -> None:
        async with house.trading() as trader:
            await until(lambda: not trader.starting)
            venue.reads_fail = True
            trader._start_up.anew("The machine slept for 8 h.")
            trader._skew.newest_ms = None

            async def told() -> int | None:
                return 40

            venue.clock_offset_ms = told  # type: ignore[method-assign]
            trader._rounds._due["skew"] = 0.0
            await until(lambda: trader._skew.newest_ms == 40)
            await asyncio.sleep(1)
            assert "slept for 8 h" in " ".join(house.outlet.views[-1].problems)
            venue.reads_fail = False
            await until(lambda: "slept for 8 h" not in " ".join(house.outlet.views[-1].problems))

    run_virtual(main())


def test_a_clock_that_cannot_be_asked_is_said_and_what_was_known_stays() -> None:
    house, venue = fickle()

    async def main() -> None:
        async with house.trading() as trader:
            venue.offset_ms = 40
            await until(lambda: trader._skew.newest_ms == 40)

            async def away() -> int | None:
                raise VenueUnavailable("It does not say the time.")

            venue.clock_offset_ms = away  # type: ignore[method-assign]
            trader._rounds._due["skew"] = 0.0
            await until(lambda: "does not say the time" in " ".join(house.outlet.views[-1].problems))
            assert trader._skew.newest_ms == 40
            del venue.clock_offset_ms
            back = asyncio.get_running_loop().time()
            await until(lambda: "does not say the time" not in " ".join(house.outlet.views[-1].problems))
            assert asyncio.get_running_loop().time() - back <= 2 * RETRY_S < house.rhythm.clock_s

    run_virtual(main())


def test_what_to_do_stands_beside_why_it_is_not_traded_yet() -> None:
    house, venue = fickle()

    async def refused() -> dict[Asset, Decimal]:
        raise VenueUnavailable("The exchange does not accept the API key.", hint="Check the key.")

    async def main() -> tuple[str, ...]:
        venue.balances = refused  # type: ignore[method-assign]
        async with house.trading():
            await asyncio.sleep(3)
            return house.outlet.views[-1].problems

    (said,) = run_virtual(main())
    assert said.startswith("Waiting for the exchange's balances: ") and said.endswith("API key. Check the key.")


@pytest.mark.parametrize("refusal", [Refusal.RULES, Refusal.CLOSED])
def test_a_refusal_by_the_markets_rules_has_them_read_again_and_the_grid_plans_by_the_new_ones(
    refusal: Refusal,
) -> None:
    house, venue = fickle()

    prices: list[Decimal] = []

    def refuse(order: PlaceLimit) -> None:
        prices.append(order.price)
        if order.price % 1:
            raise OrderRejected("Price is not on the step.", code=refusal)

    async def main() -> None:
        async with house.trading() as trader:
            await until(lambda: not trader.starting)
            before = venue.rules_read
            venue.rules = evolve(instrument(), tick_size=Decimal(1))
            venue.on_create = refuse
            await until(lambda: venue.rules_read > before, seconds=120)
            await until(lambda: trader.state.instruments[SYMBOL].tick_size == 1)
            # Not at every refusal: once in some seconds.
            read = venue.rules_read
            await asyncio.sleep(1.0)
            assert venue.rules_read <= read + 1
            prices.clear()
            await until(lambda: len(prices) >= 3, seconds=300)
            assert [price for price in prices if price % 1] == []

    run_virtual(main())


def test_a_market_that_is_shut_keeps_no_other_waiting_and_is_prepared_when_it_trades_again() -> None:
    house, venue = fickle()
    venue.closed = True

    async def main() -> None:
        async with house.trading() as trader:
            await until(lambda: not trader.starting)
            assert "Its grids wait" in " ".join(house.outlet.views[-1].problems)
            assert venue.created == []
            trader._rounds._due["markets"] = 0.0
            await asyncio.sleep(3)
            assert venue.created == []
            venue.closed = False
            trader._rounds._due["markets"] = 0.0
            await until(lambda: len(venue.created) > 3)
            assert "Its grids wait" not in " ".join(house.outlet.views[-1].problems)

    run_virtual(main())


def test_a_market_that_shuts_while_it_is_traded_is_left_in_peace_until_it_opens() -> None:
    house, venue = fickle()

    def refuse(order: PlaceLimit) -> None:
        if venue.closed:
            raise OrderRejected("The market is closed.", code=Refusal.CLOSED)

    async def main() -> None:
        async with house.trading() as trader:
            await until(lambda: len(venue.created) > 3)
            venue.on_create, venue.closed = refuse, True
            await until(lambda: "Its grids wait" in " ".join(house.outlet.views[-1].problems), seconds=300)
            venue.closed = False
            trader._rounds._due["markets"] = 0.0
            await until(lambda: "Its grids wait" not in " ".join(house.outlet.views[-1].problems))
            created = len(venue.created)
            await until(lambda: len(venue.created) > created, seconds=300)
            assert not trader.crashes

    run_virtual(main())


def test_after_the_news_broke_off_what_was_missed_is_asked_for_soon() -> None:
    house, venue = fickle()
    house.rhythm = evolve(house.rhythm, sweep_s=10_000.0)
    broken = asyncio.Event()

    async def breaking() -> AsyncIterator[VenueUpdate]:
        async for update in house.venue.updates():
            if broken.is_set():
                broken.clear()
                raise VenueUnavailable("The stream is gone.")
            yield update

    venue.updates = breaking  # type: ignore[method-assign]

    async def main() -> None:
        async with house.trading() as trader:
            await until(lambda: not trader.starting)
            due = trader._rounds._due
            assert due["sweep"] > house.clock.monotonic() + 1_000
            broken.set()
            await until(lambda: due["sweep"] < house.clock.monotonic() + 10, seconds=10)
            await until(lambda: due["sweep"] > house.clock.monotonic() + 1_000, seconds=10)

    run_virtual(main())


def test_a_person_who_asks_has_everything_compared_at_once_and_is_told_how_it_went() -> None:
    house, venue = fickle()

    async def main() -> None:
        async with house.trading() as trader:
            await until(lambda: not trader.starting)
            turns = dict(trader._rounds._turns)
            assert await trader._rounds.at_once() == (
                True,
                "Orders, trades and balances were compared with the exchange just now.",
            )
            assert all(trader._rounds._turns[each] > turns.get(each, 0) for each in ("sweep", "balances"))
            venue.reads_fail = True
            ok, sentence = await trader._rounds.at_once()
            assert not ok and sentence.startswith("The exchange could not be asked.")
            venue.reads_fail = False
            assert (await trader._rounds.at_once())[0], "what failed before is no longer held against it"

    run_virtual(main())


def test_while_it_starts_a_person_is_told_that_all_is_compared_anyway() -> None:
    house, venue = fickle()

    async def main() -> None:
        async with house.trading() as trader:
            await until(lambda: not trader.starting)
            venue.reads_fail = True
            trader._start_up.anew("The machine slept for 8 h.")
            await until(lambda: trader.starting)
            ok, sentence = await trader._rounds.at_once()
            assert ok and "is starting" in sentence
            venue.reads_fail = False
            await until(lambda: not trader.starting)

    run_virtual(main())
