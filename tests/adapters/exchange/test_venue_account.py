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
from gridbot.core.units import Asset, Price, Quantity, Side, TimeMs, TradeId
from gridbot.core.values import evolve
from gridbot.errors import OutcomeUnknown, VenueUnavailable
from gridbot.ports import Movement
from tests.adapters.exchange.venue_desk import BTC, EVER, NO_IDS, ROW, Desk, at_desk, order
from tests.fakes.unified_exchange import unsupported
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


@pytest.mark.parametrize("listed", [True, False])
def test_after_a_restart_many_orders_are_recognised_in_the_list_of_ended_ones(listed: bool) -> None:
    async def test(desk: Desk) -> None:
        if not listed:
            desk.exchange.failing["fetch_closed_orders"].append(unsupported())
        for number in range(1, 251):
            client_id = order(number).ref.id if number % 5 else f"web_{number}"
            desk.exchange.fill(desk.exchange.rest(client_id, Side.BUY, "69000", "0.01"), "0.01")
            await desk.clock.sleep(1)
        desk.restarted()
        fills = await desk.venue.trades(BTC, EVER)
        assert [int(fill.trade_id) for fill in fills] == [number for number in range(1, 251) if number % 5]
        assert len(await desk.venue.movements(BTC, EVER)) == 3 * 50
        assert desk.exchange.called("fetch_order") == (0 if listed else 250)
        assert desk.exchange.called("fetch_closed_orders") <= 5

    at_desk(test, evolve(ROW, trades_page=100))


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


def test_transfers_of_a_long_absence_are_told_though_one_answer_covers_ninety_days() -> None:
    async def test(desk: Desk) -> None:
        since = desk.clock.now_ms()
        day_ms = 86_400_000
        desk.exchange.transfers = [
            {
                "id": f"1234567{place}",
                "timestamp": since + day * day_ms,
                "currency": "BTC",
                "amount": "0.5",
                "status": "ok",
                "type": "deposit",
                "fee": None,
            }
            for place, day in enumerate((1, 85, 130, 199))
        ]
        plain = desk.exchange.fetch_transfers

        async def of_ninety_days(asset: str, begin: int) -> Any:
            return [each for each in await plain(asset, begin) if each["timestamp"] < begin + 90 * day_ms]

        vars(desk.exchange)["fetch_transfers"] = of_ninety_days
        desk.clock.ahead_ms += 200 * day_ms
        assert len(await desk.venue.movements(BTC, since)) == 4

    at_desk(test)


@pytest.mark.parametrize("cause", [Cause.UNSUPPORTED, Cause.KEY, Cause.REFUSED])
def test_a_key_that_may_not_see_transfers_keeps_nobody_from_trading(cause: Cause) -> None:
    async def test(desk: Desk) -> None:
        refusal = CallFailed("This key may not.", proof=Proof.ANSWERED, cause=cause)
        desk.exchange.failing["fetch_transfers"].extend([refusal, refusal])
        assert await desk.venue.movements(BTC, EVER) == []

    at_desk(test)


def test_transfers_that_cannot_be_read_now_are_not_taken_for_none() -> None:
    async def test(desk: Desk) -> None:
        lost = CallFailed("No answer came.", proof=Proof.SILENT, cause=Cause.NETWORK)
        desk.exchange.failing["fetch_transfers"].extend([lost] * 20)
        with pytest.raises(VenueUnavailable):
            await desk.venue.movements(BTC, EVER)

    at_desk(test)


# ---------------------------------------------------------------------------------------------- pages


def told(number: int, time: int) -> ToldTrade:
    """Return a trade."""
    fees = ((Asset("USDT"), D(0)),)
    one = D(1)
    return ToldTrade(TradeId(str(number)), None, None, BTC, Side.BUY, Price(one), Quantity(one), TimeMs(time), fees)


@given(
    # A list of any length would be short most of the time, and hardly ever fill a page.
    times=st.integers(0, 60).flatmap(lambda many: st.lists(st.integers(0, 40_000), min_size=many, max_size=many)),
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
