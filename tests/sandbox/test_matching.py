"""The matching room: who is filled, in which order, at which price, and what each order costs."""

from __future__ import annotations

from decimal import Decimal as D

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridbot.core.units import Side
from gridbot.errors import OrderRejected
from gridbot.sandbox.effects import Effect, Execution
from gridbot.sandbox.matching import Room
from gridbot.sandbox.records import FeeMode, NewOrder, Order, Prevention, Status, TimeInForce, Trading
from tests.sandbox.rooms import at_market, limit, maker, room_with

BUY, SELL = Side.BUY, Side.SELL


def trade(room: Room, price: str, quantity: str, taker: Side, *, width: int = 1) -> Effect:
    return room.trade("BTCUSDT", D(price), D(quantity), taker, now=5, width=width)


def fills(effect: Effect) -> list[tuple[int, D, D]]:
    return [(each.order_id, each.price, each.quantity) for each in effect.trades]


def test_a_limit_order_rests_and_locks_what_it_may_cost() -> None:
    room = room_with()
    effect = room.place(limit(BUY, "90", "2"), 2)
    assert [report.execution for report in effect.reports] == [Execution.NEW]
    assert room.wallet.of("USDT").locked == D(180) and room.wallet.of("USDT").free == D(9820)


def test_a_trade_at_the_price_first_fills_those_who_came_before_and_then_a_part() -> None:
    room = room_with()
    room.place(limit(BUY, "99", "2"), 2)
    (order,) = room.open.values()
    assert order.ahead > 0
    ahead = order.ahead
    assert fills(trade(room, "99", str(ahead / 2), SELL)) == []
    assert order.ahead == ahead - room.markets["BTCUSDT"].rules.lots_down(ahead / 2)
    effect = trade(room, "99", str(order.ahead + D("0.5")), SELL)
    assert fills(effect) == [(order.id, D(99), D("0.5"))] and order.status is Status.PARTIALLY_FILLED
    assert order.leaves == D("1.5") and room.wallet.of("USDT").locked == D("148.5")


def test_a_better_price_is_filled_first_and_no_more_than_there_is_trade() -> None:
    room = room_with()
    room.place(limit(BUY, "98", "1"), 2)
    room.place(limit(BUY, "99", "1"), 3)
    effect = trade(room, "97.5", "1.5", SELL)
    assert fills(effect) == [(2, D(99), D(1)), (1, D(98), D("0.5"))]
    assert [(each.price, each.quantity) for each in effect.tape] == [(D(99), D(1)), (D(98), D("0.5"))]
    market = room.markets["BTCUSDT"]
    # The rest of the order holds the price: who would sell at 97.50 sells to it.
    assert (market.last, market.best(BUY), market.best(SELL)) == (D(98), D(98), D("98.01"))
    assert fills(trade(room, "97", "2", BUY)) == [(1, D(98), D("0.5"))]
    assert (market.last, market.best(SELL)) == (D(97), D(97))


def test_a_price_without_a_trade_fills_nobody() -> None:
    room = room_with()
    room.place(limit(BUY, "98", "1"), 2)
    assert trade(room, "50", "0", SELL).reports == [] and room.markets["BTCUSDT"].last == D(50)
    assert room.markets["BTCUSDT"].best(BUY) == D(98) < room.markets["BTCUSDT"].best(SELL)


def test_at_one_price_the_earlier_order_is_filled_first() -> None:
    room = room_with(price="100")
    room.place(limit(BUY, "99", "1"), 2)
    room.place(limit(BUY, "99", "1"), 3)
    first, second = room.open.values()
    assert first.ahead == second.ahead
    effect = trade(room, "99", str(first.ahead + D("1.25")), SELL)
    assert fills(effect) == [(1, D(99), D(1)), (2, D(99), D("0.25"))]


def test_a_trade_that_takes_the_other_side_leaves_a_bid_alone() -> None:
    room = room_with()
    room.place(limit(BUY, "99", "1"), 2)
    assert fills(trade(room, "100", "500", BUY)) == []


def test_post_only_is_refused_where_it_would_trade() -> None:
    room = room_with()
    with pytest.raises(OrderRejected, match="immediately match") as refused:
        room.place(maker(BUY, "100.01", "1"), 2)
    assert refused.value.code == "POST_ONLY" and not room.open
    room.place(maker(BUY, "100", "1"), 2)
    assert len(room.open) == 1


def test_a_market_order_walks_the_crowd_and_pays_what_it_took() -> None:
    room = room_with()
    before = room.wallet.free("USDT")
    effect = room.place(at_market(BUY, quantity="3"), 2)
    bought = sum((each.quantity for each in effect.trades), D(0))
    paid = sum((each.quote_quantity for each in effect.trades), D(0))
    assert bought == D(3) and len(effect.trades) > 1 and room.wallet.free("USDT") == before - paid
    prices = [each.price for each in effect.trades]
    assert prices == sorted(prices) and prices[0] == D("100.01")


def test_a_market_order_by_quote_spends_no_more_than_that() -> None:
    room = room_with()
    effect = room.place(at_market(BUY, quote="250"), 2)
    paid = sum((each.quote_quantity for each in effect.trades), D(0))
    assert D("249.99") < paid <= D(250)
    assert effect.reports[-1].order.status is Status.FILLED


def test_ioc_keeps_what_it_got_and_fok_takes_all_or_nothing() -> None:
    room = room_with()
    ioc = room.place(limit(BUY, "100.01", "9", time_in_force=TimeInForce.IOC), 2)
    assert 0 < ioc.reports[-1].order.executed < 9 and ioc.reports[-1].order.status is Status.EXPIRED
    fok = room.place(limit(BUY, "100.02", "9", time_in_force=TimeInForce.FOK), 3)
    assert fok.reports[-1].order.executed == 0 and fok.reports[-1].order.status is Status.EXPIRED
    assert not room.open and room.wallet.of("USDT").locked == 0


@pytest.mark.parametrize(
    ("prevention", "maker_ends", "taker_ends"),
    [
        (Prevention.EXPIRE_MAKER, True, False),
        (Prevention.EXPIRE_TAKER, False, True),
        (Prevention.EXPIRE_BOTH, True, True),
    ],
)
def test_an_account_never_trades_with_itself(prevention: Prevention, *, maker_ends: bool, taker_ends: bool) -> None:
    room = room_with()
    room.place(limit(SELL, "100.01", "1"), 2)
    resting = room.open[1]
    effect = room.place(limit(BUY, "100.01", "9", prevention=prevention), 3)
    taker = effect.reports[-1].order
    assert (resting.status is Status.EXPIRED_IN_MATCH) == maker_ends
    assert (taker.status is Status.EXPIRED_IN_MATCH) == taker_ends
    assert all(each.order_id == 2 for each in effect.trades)


@pytest.mark.parametrize(
    ("mode", "third", "expected"),
    [
        (FeeMode.RECEIVED, "0", ("BTC", D("0.001"))),
        (FeeMode.QUOTE, "0", ("USDT", D("0.1"))),
        (FeeMode.THIRD, "5", ("BNB", D("0.00016666"))),
        (FeeMode.THIRD, "0", ("BTC", D("0.001"))),
    ],
)
def test_the_fee_of_a_buy_is_taken_in_the_asset_of_its_mode(mode: FeeMode, third: str, expected: object) -> None:
    room = room_with(mode, third=third)
    room.place(limit(BUY, "100", "1"), 2)
    (done,) = trade(room, "99", "1", SELL).trades
    assert (done.fee_asset, done.fee) == expected and done.is_maker


@pytest.mark.parametrize(
    ("order", "code"),
    [
        (limit(BUY, "100.001", "1"), "PRICE_FILTER"),
        (limit(SELL, "10000000.01", "1"), "PRICE_FILTER"),
        (limit(BUY, "100", "0.000001"), "LOT_SIZE"),
        (limit(BUY, "100", "0.01"), "NOTIONAL"),
        (limit(BUY, "100", "0.000000001"), "PRECISION"),
        (limit(BUY, "100", "1000"), "BALANCE"),
        (limit(SELL, "101", "51"), "BALANCE"),
        (at_market(SELL, quantity="51"), "BALANCE"),
    ],
)
def test_a_refused_order_changes_nothing(order: NewOrder, code: str) -> None:
    room = room_with()
    before = {asset: repr(balance) for asset, balance in room.wallet.balances.items()}
    with pytest.raises(OrderRejected) as refused:
        room.place(order, 2)
    assert refused.value.code == code and not room.open
    assert {asset: repr(balance) for asset, balance in room.wallet.balances.items()} == before


def test_a_client_id_is_free_again_when_its_order_has_ended() -> None:
    room = room_with()
    room.place(limit(BUY, "90", "1", client_id="a"), 2)
    with pytest.raises(OrderRejected, match="Duplicate"):
        room.place(limit(BUY, "91", "1", client_id="a"), 2)
    room.cancel(room.open[1], 3, cancel_id="c")
    assert room.wallet.of("USDT").locked == 0
    assert room.place(limit(BUY, "91", "1", client_id="a"), 4).reports[0].order.id == 2


def test_no_more_than_so_many_orders_rest() -> None:
    room = room_with()
    room.change_rules("BTCUSDT", max_orders=1)
    room.place(limit(BUY, "90", "1"), 2)
    with pytest.raises(OrderRejected, match="MAX_NUM_ORDERS"):
        room.place(limit(BUY, "90", "1"), 2)


def test_a_market_may_let_its_users_only_cancel_or_nothing() -> None:
    room = room_with()
    room.place(limit(BUY, "90", "1"), 2)
    room.change_rules("BTCUSDT", trading=Trading.HALTED)
    with pytest.raises(OrderRejected, match="closed"):
        room.cancel(room.open[1], 3)
    room.change_rules("BTCUSDT", trading=Trading.CANCEL_ONLY)
    with pytest.raises(OrderRejected, match="closed"):
        room.place(limit(BUY, "90", "1"), 3)
    assert room.cancel(room.open[1], 3).reports[0].order.status is Status.CANCELED


# ------------------------------------------------------------------------------------------ property

_ticks = st.integers(9_900, 10_100)
_lots = st.integers(10_000, 300_000)
_sides = st.sampled_from(list(Side))
_orders = st.tuples(
    st.just("place"),
    _sides,
    _ticks,
    _lots,
    st.sampled_from(["limit", "maker", "market", "ioc", "fok"]),
    st.sampled_from(list(Prevention)),
)
_trades = st.tuples(st.just("trade"), _sides, _ticks, _lots, st.integers(1, 3))
_cancels = st.tuples(st.just("cancel"), st.integers(0, 50))


def act(room: Room, step: tuple[object, ...]) -> Effect:
    match step:
        case ("trade", Side() as side, int(tick), int(lots), int(width)):
            return room.trade("BTCUSDT", D(tick) / 100, D(lots) / 100_000, side, now=5, width=width)
        case ("place", Side() as side, int(tick), int(lots), str(kind), Prevention() as prevention):
            price, quantity = str(D(tick) / 100), str(D(lots) / 100_000)
            new = {
                "limit": limit(side, price, quantity, prevention=prevention),
                "maker": maker(side, price, quantity),
                "market": at_market(side, quantity=quantity),
                "ioc": limit(side, price, quantity, prevention=prevention, time_in_force=TimeInForce.IOC),
                "fok": limit(side, price, quantity, prevention=prevention, time_in_force=TimeInForce.FOK),
            }[kind]
            return room.place(new, 5)
        case ("cancel", int(number)) if room.open:
            return room.cancel(list(room.open.values())[number % len(room.open)], 5)
    return Effect()


def test_who_stays_where_the_crowd_was_taken_is_the_best_there_is() -> None:
    room = room_with()
    room.place(limit(SELL, "99", "1.02501"), 2)
    room.place(limit(SELL, "99.99", "1"), 3)
    market = room.markets["BTCUSDT"]
    assert market.best(SELL) == D("99.99") and market.best(BUY) < D("99.99") < market.standing.bid
    with pytest.raises(OrderRejected, match="immediately"):
        room.place(maker(BUY, "99.99", "1"), 4)


_given = given(
    steps=st.lists(st.one_of(_orders, _trades, _cancels), max_size=40),
    mode=st.sampled_from(list(FeeMode)),
    third=st.sampled_from(["0", "0.0004", "5"]),
)


@settings(max_examples=500)
@_given
def test_nothing_is_made_or_lost_and_the_better_and_earlier_order_comes_first(
    steps: list[tuple[object, ...]], mode: FeeMode, third: str
) -> None:
    check_history(steps, mode, third)


@pytest.mark.soak
@pytest.mark.timeout(900)
@settings(max_examples=5_000)
@_given
def test_nothing_is_made_or_lost_in_five_thousand_histories(
    steps: list[tuple[object, ...]], mode: FeeMode, third: str
) -> None:
    check_history(steps, mode, third)


def check_history(steps: list[tuple[object, ...]], mode: FeeMode, third: str) -> None:
    room = room_with(mode, third=third)
    booked: dict[int, D] = {}
    for step in steps:
        standing = sorted(room.open.values(), key=lambda each: each.id)
        shown = [(each.id, each.side, each.price) for each in standing]
        try:
            effect = act(room, step)
        except OrderRejected:
            continue
        if step[0] == "trade":
            # What the market traded is what is on its tape, whoever it was with.
            assert sum((each.quantity for each in effect.tape), D(0)) == D(str(step[3])) / 100_000
        for each in effect.trades:
            booked[each.order_id] = booked.get(each.order_id, D(0)) + each.quantity
        for order in effect.orders.values():
            assert 0 <= order.executed <= order.quantity
            assert order.executed == booked.get(order.id, D(0))
        makers = {each.order_id for each in effect.trades if each.is_maker}
        for number, side, price in shown:
            if number in makers:
                better = [
                    other
                    for other, its_side, its_price in shown
                    if its_side is side
                    and ((-its_price if side is BUY else its_price), other)
                    < ((-price if side is BUY else price), number)
                    and other in room.open
                ]
                # Whoever came before somebody filled was filled whole, so it does not rest any more.
                assert not better
        market = room.markets["BTCUSDT"]
        assert market.best(BUY) < market.best(SELL)
    for asset, balance in room.wallet.balances.items():
        balance.check(asset)
        locked = sum((each.reserved for each in room.open.values() if lock_of(each) == asset), D(0))
        assert balance.locked == locked


def lock_of(order: Order) -> str:
    return "USDT" if order.side is BUY else "BTC"
