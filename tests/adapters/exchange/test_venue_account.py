"""Every trade is told once and is either ours or a movement, no page loses one, and no answer means no answer."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gridbot.adapters.exchange.forms import ToldTrade
from gridbot.adapters.exchange.trade_pages import all_trades
from gridbot.adapters.exchange.unified import CallFailed, Cause, Proof
from gridbot.core.units import Asset, Price, Quantity, Side, Symbol, TimeMs, TradeId
from gridbot.core.values import evolve
from gridbot.errors import ConfigError, OrderRejected, OutcomeUnknown, VenueUnavailable
from gridbot.ports import Movement
from tests.adapters.exchange.venue_desk import BTC, EVER, NO_IDS, ROW, Desk, at_desk, order
from tests.fakes.unified_exchange import lost
from tests.fakes.virtual_time import run_virtual

# --------------------------------------------------------------------------------------------- trades


def test_a_trade_of_ours_is_told_with_its_own_fee() -> None:
    async def test(desk: Desk) -> None:
        venue_id = await desk.venue.create(order(1))
        desk.exchange.fill(desk.exchange.orders[venue_id], "0.004", fee={"cost": "0.000004", "currency": "BTC"})
        desk.exchange.fill(desk.exchange.orders[venue_id], "0.006", fee={"cost": "0.001", "currency": "BNB"})
        first, second = await desk.venue.trades(BTC, EVER)
        assert (first.ref.id, first.quantity, first.fee, first.fee_asset) == (
            order(1).ref.id,
            D("0.004"),
            D("0.000004"),
            "BTC",
        )
        assert (second.fee, second.fee_asset) == (D("0.001"), "BNB")
        assert await desk.venue.movements(BTC, EVER) == []

    at_desk(test)


@pytest.mark.parametrize(
    "spoil",
    [
        {"fee": None},
        {"fee": {"cost": None, "currency": None}},
        {"fee": {"cost": "0.1", "currency": None}},
        {"fee": {"cost": "700", "currency": "USDT"}},
        {"price": "nan"},
        {"price": 69000.0},
        {"price": "0"},
        {"amount": "-0.01"},
        {"amount": "0.30000000000000004"},
        {"cost": "1"},
        {"symbol": "ETH/USDT"},
        {"id": None},
        {"timestamp": None},
        {"timestamp": "1700000000000"},
        {"timestamp": 1},
        {"side": None},
        {"order": {}},
        {"order": None},
    ],
)
def test_a_trade_that_makes_no_sense_is_no_answer(spoil: dict[str, Any]) -> None:
    async def test(desk: Desk) -> None:
        venue_id = await desk.venue.create(order(1))
        desk.exchange.trades.append({**desk.exchange.fill(desk.exchange.orders[venue_id], "0.01"), **spoil})
        with pytest.raises(VenueUnavailable):
            await desk.venue.trades(BTC, EVER)

    at_desk(test)


def test_fees_in_two_assets_are_one_fee_and_one_movement() -> None:
    async def test(desk: Desk) -> None:
        venue_id = await desk.venue.create(order(1))
        trade = desk.exchange.fill(desk.exchange.orders[venue_id], "0.01")
        trade["fees"] = [{"cost": "0.1", "currency": "BNB"}, {"cost": "0.2", "currency": "USDT"}]
        (fill,) = await desk.venue.trades(BTC, EVER)
        assert (fill.fee, fill.fee_asset) == (D("0.2"), "USDT")
        (beside,) = await desk.venue.movements(BTC, EVER)
        assert (beside.id, beside.asset, beside.amount) == ("trade:BTC/USDT:1:fee:BNB", "BNB", D("-0.1"))

    at_desk(test)


def test_after_a_restart_a_trade_is_ours_by_the_engines_books_or_by_asking() -> None:
    async def test(desk: Desk) -> None:
        for number in (1, 2):
            venue_id = await desk.venue.create(order(number))
            desk.exchange.fill(desk.exchange.orders[venue_id], "0.01")
        desk.intend(order(1), venue_id="1001")
        desk.restarted()
        fills = await desk.venue.trades(BTC, EVER)
        assert [fill.ref.id for fill in fills] == [order(1).ref.id, order(2).ref.id]
        assert fills[0].ref == order(1).ref
        assert desk.exchange.called("fetch_order") == 1
        await desk.venue.trades(BTC, EVER)
        assert desk.exchange.called("fetch_order") == 1

    at_desk(test)


@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_a_trade_by_hand_is_a_movement_of_both_assets_and_the_fee(side: Side) -> None:
    async def test(desk: Desk) -> None:
        by_hand = desk.exchange.rest("web_1", side, "70000", "0.5")
        desk.exchange.fill(by_hand, "0.5")
        assert await desk.venue.trades(BTC, EVER) == []
        moved = await desk.venue.movements(BTC, EVER)
        sign = 1 if side is Side.BUY else -1
        assert [(each.id, each.asset, each.amount) for each in moved] == [
            ("trade:BTC/USDT:1:base", "BTC", sign * D("0.5")),
            ("trade:BTC/USDT:1:quote", "USDT", -sign * D(35000)),
            ("trade:BTC/USDT:1:fee", "USDT", D("-0.01")),
        ]

    at_desk(test)


def test_whose_a_new_trade_is_is_not_guessed_while_the_exchange_does_not_know_its_order() -> None:
    async def test(desk: Desk) -> None:
        venue_id = await desk.venue.create(order(1))
        desk.exchange.fill(desk.exchange.orders[venue_id], "0.01")
        hidden = desk.exchange.orders.pop(venue_id)
        desk.restarted()
        for ask in (desk.venue.trades, desk.venue.movements):
            with pytest.raises(VenueUnavailable):
                await ask(BTC, EVER)
        desk.exchange.orders[venue_id] = hidden
        assert len(await desk.venue.trades(BTC, EVER)) == 1

    at_desk(test)


def test_an_old_trade_of_an_order_that_nobody_knows_is_somebody_elses() -> None:
    async def test(desk: Desk) -> None:
        by_hand = desk.exchange.rest("web_1", Side.BUY, "70000", "0.5")
        desk.exchange.fill(by_hand, "0.5")
        del desk.exchange.orders[by_hand.id]
        await desk.clock.sleep(3600)
        assert len(await desk.venue.movements(BTC, EVER)) == 3
        asked = desk.exchange.called("fetch_order")
        await desk.venue.movements(BTC, EVER)
        assert desk.exchange.called("fetch_order") == asked

    at_desk(test)


def test_without_ids_a_trade_is_nobodys_until_the_order_that_it_may_be_of_is_found() -> None:
    async def test(desk: Desk) -> None:
        desk.intend(order(1))
        desk.exchange.lost_acks = 1
        with pytest.raises(OutcomeUnknown):
            await desk.venue.create(order(1))
        (resting,) = desk.exchange.orders.values()
        desk.exchange.fill(resting, "0.004")
        for ask in (desk.venue.trades, desk.venue.movements):
            with pytest.raises(VenueUnavailable, match=order(1).ref.id):
                await ask(BTC, EVER)
        await desk.venue.find(order(1).ref, BTC)
        assert [fill.ref.id for fill in await desk.venue.trades(BTC, EVER)] == [order(1).ref.id]
        assert await desk.venue.movements(BTC, EVER) == []

    at_desk(test, NO_IDS)


def test_deposits_and_withdrawals_are_movements() -> None:
    async def test(desk: Desk) -> None:
        now = desk.clock.now_ms()
        transfer = {"id": "12345678", "timestamp": now, "currency": "BTC", "amount": "0.5", "status": "ok"}
        fee = {"cost": "0.0001", "currency": "BTC"}
        desk.exchange.transfers = [
            {**transfer, "type": "deposit", "fee": None},
            {**transfer, "type": "withdrawal", "fee": fee},
            {**transfer, "id": "12345679", "type": "deposit", "status": "pending"},
        ]
        assert await desk.venue.movements(BTC, EVER) == [
            Movement("deposit:BTC:12345678", now, Asset("BTC"), D("0.5")),
            Movement("withdrawal:BTC:12345678", now, Asset("BTC"), D("-0.5")),
            Movement("withdrawal:BTC:12345678:fee", now, Asset("BTC"), D("-0.0001")),
        ]
        desk.exchange.transfers[0]["amount"] = None
        with pytest.raises(VenueUnavailable):
            await desk.venue.movements(BTC, EVER)

    at_desk(test)


# ---------------------------------------------------------------------------------------------- pages


def told(number: int, time: int) -> ToldTrade:
    """Return a trade."""
    fees = ((Asset("USDT"), D(0)),)
    one = D(1)
    return ToldTrade(
        TradeId(str(number)), None, None, BTC, Side.BUY, Price(one), Quantity(one), TimeMs(time), fees, False
    )


@given(
    times=st.lists(st.integers(0, 40_000), max_size=60),
    bursts=st.lists(st.tuples(st.integers(0, 40_000), st.integers(2, 4)), max_size=4),
    newest=st.booleans(),
    window=st.sampled_from([None, 5_000, 15_000]),
    exclusive=st.booleans(),
)
def test_no_page_loses_a_trade(
    times: list[int], bursts: list[tuple[int, int]], newest: bool, window: int | None, exclusive: bool
) -> None:
    room = 12
    moments = sorted([*times, *(time for time, count in bursts for _ in range(count))])
    trades = [told(number, time) for number, time in enumerate(moments)]

    async def page(begin: TimeMs, end: TimeMs | None) -> list[ToldTrade]:
        last = 10**9 if end is None else end
        # Some exchanges leave the first moment of a span out.
        found = [each for each in trades if begin + exclusive <= each.time <= last]
        return found[-room:] if newest else found[:room]

    crowded = any(
        sum(begin - 1_000 <= each <= begin for each in moments) >= room for begin in {*moments, *range(0, 41_000, 500)}
    )

    async def read() -> list[ToldTrade]:
        return await all_trades(page, TimeMs(2_000), TimeMs(50_000), room=room, window_ms=window)

    assume(not crowded)
    found = run_virtual(read())
    assert [each.id for each in found] == [each.id for each in trades if each.time >= 2_000]


def test_more_trades_in_one_moment_than_a_page_holds_are_not_passed_over() -> None:
    async def test(desk: Desk) -> None:
        resting = desk.exchange.rest(order(1).ref.id, Side.BUY, "69000", "1")
        for _ in range(6):
            desk.exchange.fill(resting, "0.01")
        with pytest.raises(VenueUnavailable, match="more trades happened in one moment"):
            await desk.venue.trades(BTC, EVER)

    at_desk(test)


def test_an_exchange_that_ignores_the_end_of_a_span_is_not_believed() -> None:
    async def test(desk: Desk) -> None:
        desk.exchange.ignores_until = desk.exchange.newest_first = True
        resting = desk.exchange.rest(order(1).ref.id, Side.BUY, "69000", "1")
        for _ in range(8):
            desk.exchange.fill(resting, "0.01")
            await desk.clock.sleep(10)
        with pytest.raises(VenueUnavailable, match="cannot be read to the end"):
            await desk.venue.trades(BTC, EVER)

    at_desk(test)


@pytest.mark.parametrize("newest_first", [True, False])
def test_hundreds_of_trades_come_page_by_page(newest_first: bool) -> None:
    async def test(desk: Desk) -> None:
        desk.exchange.newest_first = newest_first
        resting = desk.exchange.rest(order(1).ref.id, Side.BUY, "69000", "10")
        for _ in range(150):
            desk.exchange.fill(resting, "0.01")
            desk.exchange.fill(resting, "0.01")
            await desk.clock.sleep(7)
        fills = await desk.venue.trades(BTC, EVER)
        assert [int(fill.trade_id) for fill in fills] == list(range(1, 301))

    at_desk(test)


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


def test_one_list_of_markets_serves_a_start_with_many() -> None:
    async def test(desk: Desk) -> None:
        for _ in range(20):
            await desk.venue.instrument(BTC)
        assert desk.exchange.called("load_markets") == 1
        await desk.clock.sleep(6)
        await desk.venue.instrument(BTC)
        assert desk.exchange.called("load_markets") == 2

    at_desk(test)


def test_a_window_of_time_is_asked_for_in_the_pieces_that_the_exchange_allows() -> None:
    async def test(desk: Desk) -> None:
        since = desk.clock.now_ms()
        await desk.clock.sleep(3 * 3600)
        await desk.venue.trades(BTC, since)
        spans = [
            arguments[3]["until"] - arguments[1] for name, arguments in desk.exchange.calls if name == "fetch_my_trades"
        ]
        assert len(spans) >= 4
        assert max(spans) <= 3_600_000

    at_desk(test, evolve(ROW, trades_window_ms=3_600_000))
