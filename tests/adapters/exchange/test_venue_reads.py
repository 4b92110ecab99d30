"""Balances, clock and market rules are read exactly; a read is repeated a little, and no answer means no answer."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest

from gridbot.adapters.exchange.unified import CallFailed, Cause, Proof
from gridbot.core.units import Symbol
from gridbot.errors import ConfigError, OrderRejected, OutcomeUnknown, Refusal, VenueUnavailable
from tests.adapters.exchange.venue_desk import BTC, Desk, at_desk, order
from tests.fakes.unified_exchange import lost

# -------------------------------------------------------------------------------------------- balances


def test_balances_are_totals_of_what_is_held() -> None:
    async def test(desk: Desk) -> None:
        assert await desk.venue.balances() == {"BTC": D("1.5"), "USDT": D("1000.25")}

    at_desk(test)


@pytest.mark.parametrize(
    "answer", [{}, {"total": {}}, {"total": None}, [], None, {"total": {"BTC": None}}, {"total": {"BTC": "-1"}}]
)
def test_an_empty_balance_is_no_answer(answer: Any) -> None:
    async def test(desk: Desk) -> None:
        desk.exchange.mangled["fetch_balance"] = lambda told: answer
        with pytest.raises(VenueUnavailable):
            await desk.venue.balances()

    at_desk(test)


# ---------------------------------------------------------------------------------------------- asking


def failing(cause: Cause, retry_after_s: float | None = None) -> CallFailed:
    """Return a failure."""
    return CallFailed("It failed.", proof=Proof.ANSWERED, cause=cause, retry_after_s=retry_after_s)


@pytest.mark.parametrize(
    ("failures", "calls", "answered"),
    [
        ([lost()] * 3, 4, True),
        ([lost()] * 4, 4, False),
        ([failing(Cause.MALFORMED)], 2, True),
        ([failing(Cause.RATE, 2.0)], 2, True),
        ([failing(Cause.RATE, 60.0)], 1, False),
        ([failing(Cause.KEY)], 1, False),
        ([failing(Cause.BANNED)], 1, False),
        ([failing(Cause.MAINTENANCE)], 1, False),
    ],
)
def test_a_read_is_repeated_a_few_times_where_that_may_help(
    failures: list[CallFailed], calls: int, answered: bool
) -> None:
    async def test(desk: Desk) -> None:
        desk.exchange.failing["fetch_balance"].extend(failures)
        begun = desk.clock.monotonic()
        if answered:
            assert await desk.venue.balances()
        else:
            with pytest.raises(VenueUnavailable):
                await desk.venue.balances()
        assert desk.exchange.called("fetch_balance") == calls
        told = max((each.retry_after_s or 0.0 for each in failures), default=0.0)
        took = desk.clock.monotonic() - begun
        assert (told if answered else 0.0) <= took <= 10.0

    at_desk(test)


def test_the_clock_is_measured_anew_before_a_request_whose_time_was_refused_is_repeated() -> None:
    async def test(desk: Desk) -> None:
        desk.exchange.failing["fetch_balance"].append(failing(Cause.CLOCK))
        await desk.venue.balances()
        assert [name for name, _ in desk.exchange.calls] == ["fetch_balance", "fetch_time", "fetch_balance"]

    at_desk(test)


def test_the_clock_is_measured_anew_after_an_order_whose_time_was_refused() -> None:
    async def test(desk: Desk) -> None:
        desk.exchange.failing["create_order"].append(failing(Cause.CLOCK))
        with pytest.raises(OutcomeUnknown):
            await desk.venue.create(order(1))
        assert [name for name, _ in desk.exchange.calls] == ["create_order", "fetch_time"]

    at_desk(test)


def test_the_offset_is_that_of_the_quickest_answer() -> None:
    async def test(desk: Desk) -> None:
        desk.exchange.ahead_ms = 250
        assert await desk.venue.clock_offset_ms() == 250
        plain = desk.exchange.fetch_time

        async def slow_then_quick() -> int:
            # One that comes back late was sent from the middle of its way: it means less than the others.
            time = await plain()
            if desk.exchange.called("fetch_time") < 6:
                await desk.clock.sleep(2.0)
            return time

        vars(desk.exchange)["fetch_time"] = slow_then_quick
        assert await desk.venue.clock_offset_ms() == 250

    at_desk(test)


def test_an_exchange_that_tells_no_time_has_no_offset() -> None:
    async def test(desk: Desk) -> None:
        desk.exchange.failing["fetch_time"].append(failing(Cause.UNSUPPORTED))
        assert await desk.venue.clock_offset_ms() is None

    at_desk(test)


# ------------------------------------------------------------------------------------------- the market


def test_the_rules_of_a_market_are_exact_and_the_accounts_fee_counts() -> None:
    async def test(desk: Desk) -> None:
        rules = await desk.venue.instrument(BTC)
        assert (rules.tick_size, rules.lot_size, rules.min_qty) == (D("0.01"), D("0.0001"), D("0.0001"))
        assert (rules.min_notional, rules.maker_fee, rules.taker_fee) == (D(5), D("0.0005"), D("0.0015"))
        desk.exchange.failing["fetch_trading_fee"].append(failing(Cause.UNSUPPORTED))
        rules = await desk.venue.instrument(BTC)
        assert (rules.maker_fee, rules.taker_fee) == (D("0.001"), D("0.002"))

    at_desk(test)


def test_a_market_that_is_closed_is_waited_for_and_an_unknown_one_is_a_mistake() -> None:
    async def test(desk: Desk) -> None:
        desk.exchange.markets["BTC/USDT"] = {**desk.exchange.markets["BTC/USDT"], "active": False}
        with pytest.raises(VenueUnavailable, match="does not trade BTC/USDT at present"):
            await desk.venue.instrument(BTC)
        with pytest.raises(ConfigError, match="no market BTC/USTD") as caught:
            await desk.venue.instrument(Symbol("BTC/USTD"))
        assert "BTC/USDT" in caught.value.hint

    at_desk(test)


@pytest.mark.parametrize(
    "spoil",
    [
        {"precision": {"price": None, "amount": "0.1"}},
        {"precision": {"price": "0", "amount": "0.1"}},
        {"precision": {"price": "nan", "amount": "0.1"}},
        {"limits": None},
        {"limits": {"amount": {"min": "-1"}}},
        {"symbol": "ETH/USDT"},
        {"base": ""},
    ],
)
def test_a_market_whose_rules_make_no_sense_is_no_answer(spoil: dict[str, Any]) -> None:
    async def test(desk: Desk) -> None:
        desk.exchange.markets["BTC/USDT"] = {**desk.exchange.markets["BTC/USDT"], **spoil}
        with pytest.raises(VenueUnavailable):
            await desk.venue.instrument(BTC)

    at_desk(test)


def test_rules_are_read_anew_after_the_exchange_complained_of_an_order() -> None:
    async def test(desk: Desk) -> None:
        assert (await desk.venue.instrument(BTC)).tick_size == D("0.01")
        changed = {"precision": {"price": "0.1", "amount": "0.0001"}}
        desk.exchange.markets["BTC/USDT"] = {**desk.exchange.markets["BTC/USDT"], **changed}
        step = CallFailed("No.", proof=Proof.ANSWERED, cause=Cause.REFUSED, code="step")
        desk.exchange.failing["create_order"].append(step)
        with pytest.raises(OrderRejected):
            await desk.venue.create(order(1))
        assert (await desk.venue.instrument(BTC)).tick_size == D("0.1")

    at_desk(test)


@pytest.mark.parametrize("changed", [{"price": "69000.005"}, {"quantity": "0.01005"}])
def test_an_order_off_the_steps_is_refused_here_as_the_client_would_round_it(changed: dict[str, str]) -> None:
    async def test(desk: Desk) -> None:
        await desk.venue.instrument(BTC)
        with pytest.raises(OrderRejected) as caught:
            await desk.venue.create(order(1, **changed))  # type: ignore[arg-type]
        assert caught.value.code == Refusal.RULES
        assert desk.exchange.called("create_order") == 0

    at_desk(test)


def test_one_list_of_markets_serves_a_start_with_many() -> None:
    async def test(desk: Desk) -> None:
        for _ in range(20):
            await desk.venue.instrument(BTC)
        assert desk.exchange.called("load_markets") == 1
        await desk.clock.sleep(6)
        await desk.venue.instrument(BTC)
        assert desk.exchange.called("load_markets") == 2

    at_desk(test)
