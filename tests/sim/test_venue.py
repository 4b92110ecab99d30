"""The simulated venue fills by what the market printed, charges exactly, refuses what a venue refuses."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridbot.core.commands import CancelOrder, PlaceLimit
from gridbot.core.events import OrderFilled, OrderRef, Quote
from gridbot.core.orders import Fact
from gridbot.core.rules import Instrument
from gridbot.core.units import (
    Asset,
    FeeCurrency,
    FillRule,
    GridId,
    OrderId,
    Price,
    Quantity,
    Side,
    Symbol,
    TimeMs,
    VenueOrderId,
)
from gridbot.core.values import evolve
from gridbot.errors import ConfigError, OrderRejected, OutcomeUnknown, VenueUnavailable
from gridbot.ports import OrderClosed, TradePrint, VenueUpdate
from gridbot.sim.faults import Faults, FaultyVenue
from gridbot.sim.market_clock import MarketClock
from gridbot.sim.venue import SimVenue
from tests.fakes.trading import SYMBOL, catalog
from tests.fakes.virtual_time import VirtualClock, run_virtual

BASE, QUOTE = Asset("BTC"), Asset("USDT")
RICH = {QUOTE: Decimal(1_000_000), BASE: Decimal(100)}


async def at_once(duration_ms: int) -> None:
    assert duration_ms >= 0


def order(number: int, side: Side, price: str, quantity: str = "1", **changes: object) -> PlaceLimit:
    ref = OrderRef(GridId("g"), number, OrderId(f"order-{number}"))
    plain = PlaceLimit(
        ref, SYMBOL, side, Price(Decimal(price)), Quantity(Decimal(quantity)), True, False, Price(Decimal(1))
    )
    return evolve(plain, **changes)


def trade(price: str, amount: str = "1", time: int = 1_000) -> TradePrint:
    return TradePrint(SYMBOL, TimeMs(time), Price(Decimal(price)), Quantity(Decimal(amount)), Side.SELL)


def venue(
    *, rule: FillRule = FillRule.THROUGH, limited: bool = False, fee: FeeCurrency = FeeCurrency.QUOTE
) -> SimVenue:
    def listed(symbol: Symbol) -> Instrument:
        return evolve(catalog(symbol), fee_currency=fee)

    return SimVenue(listed, RICH, delay=at_once, rule=rule, limited=limited)


def place(place_at: SimVenue, *orders: PlaceLimit) -> None:
    async def main() -> None:
        for each in orders:
            await place_at.create(each)

    asyncio.run(main())


def news(of: SimVenue) -> list[VenueUpdate]:
    return list(of._news)


def fills(of: SimVenue) -> list[tuple[str, str]]:
    return [
        (update.ref.id, f"{update.quantity.normalize():f}") for update in news(of) if isinstance(update, OrderFilled)
    ]


def test_a_buy_fills_only_when_the_market_traded_beyond_it() -> None:
    made = venue()
    place(made, order(1, Side.BUY, "100"))
    made.on_print(trade("100"))
    assert not fills(made)
    made.on_print(trade("99.99"))
    assert fills(made) == [("order-1", "1")]


def test_with_touch_reaching_the_price_is_enough() -> None:
    made = venue(rule=FillRule.TOUCH)
    place(made, order(1, Side.SELL, "100"))
    made.on_print(trade("100"))
    assert fills(made) == [("order-1", "1")]


def test_better_prices_fill_first_then_the_lower_lot_then_the_earlier() -> None:
    made = venue()
    place(
        made,
        order(1, Side.SELL, "101", lot_price=Price(Decimal(90))),
        order(2, Side.SELL, "101", lot_price=Price(Decimal(80))),
        order(3, Side.SELL, "100"),
        order(4, Side.BUY, "90"),
        order(5, Side.BUY, "91"),
        order(6, Side.BUY, "91"),
    )
    made.on_print(trade("102"))
    made.on_print(trade("89"))
    assert [id_ for id_, _ in fills(made)] == ["order-3", "order-2", "order-1", "order-5", "order-6", "order-4"]


def test_a_limited_print_fills_no_more_than_it_traded_and_an_order_keeps_its_place() -> None:
    made = venue(limited=True)
    place(made, order(1, Side.BUY, "100"), order(2, Side.BUY, "100"))
    made.on_print(trade("99", "0.4"))
    made.on_print(trade("99", "0.8"))
    assert fills(made) == [("order-1", "0.4"), ("order-1", "0.6"), ("order-2", "0.2")]
    assert len({update.trade_id for update in news(made) if isinstance(update, OrderFilled)}) == 3


def test_fees_are_taken_in_quote_or_from_the_coins_of_a_buy() -> None:
    in_quote, in_base = venue(), venue(fee=FeeCurrency.BASE)
    for made in (in_quote, in_base):
        place(made, order(1, Side.BUY, "100"))
        made.on_print(trade("99"))
    assert in_quote._balances == {QUOTE: Decimal("999899.9"), BASE: Decimal(101)}
    assert in_base._balances == {QUOTE: Decimal("999900"), BASE: Decimal("100.999")}


@pytest.mark.parametrize(
    ("refused", "code"),
    [
        (order(1, Side.BUY, "100.001"), "tick_size"),
        (order(1, Side.BUY, "100", "0.000001"), "lot_size"),
        (order(1, Side.BUY, "100", "0"), "lot_size"),
        (order(1, Side.BUY, "100", "0.01"), "min_notional"),
        (order(1, Side.BUY, "100", "20000"), "insufficient_funds"),
        (order(1, Side.SELL, "100", "101"), "insufficient_funds"),
        (order(1, Side.BUY, "100", symbol=Symbol("ETH/USDT")), "unknown_market"),
    ],
)
def test_a_refusal_has_a_stable_code(refused: PlaceLimit, code: str) -> None:
    with pytest.raises(OrderRejected) as caught:
        place(venue(), refused)
    assert caught.value.code == code and not caught.value.post_only


def test_post_only_refuses_what_would_trade_at_once() -> None:
    made = venue()
    made.on_quote(Quote(SYMBOL, Price(Decimal(100)), Price(Decimal(101)), 0), TimeMs(1))
    for crossing in (order(1, Side.BUY, "101"), order(2, Side.SELL, "100")):
        with pytest.raises(OrderRejected) as caught:
            place(made, crossing)
        assert caught.value.post_only
    place(made, order(3, Side.BUY, "100.99"), order(4, Side.SELL, "100.01"))


def test_an_id_is_taken_only_once() -> None:
    made = venue()
    place(made, order(1, Side.BUY, "100"))
    with pytest.raises(OrderRejected, match="used before"):
        place(made, order(1, Side.BUY, "99"))


def test_an_immediate_order_trades_at_the_bid_with_the_takers_fee_or_expires() -> None:
    made = venue()
    made.on_quote(Quote(SYMBOL, Price(Decimal(100)), Price(Decimal(101)), 0), TimeMs(1))
    place(made, order(1, Side.SELL, "98", taker=True, post_only=False))
    place(made, order(2, Side.SELL, "100.5", taker=True, post_only=False))
    sold, ended = news(made)
    assert isinstance(sold, OrderFilled) and (sold.price, sold.fee) == (Decimal(100), Decimal("0.2"))
    assert isinstance(ended, OrderClosed) and ended.report.fact is Fact.EXPIRED


def test_a_cancelled_order_never_fills_and_cancelling_twice_is_no_error() -> None:
    made = venue()
    place(made, order(1, Side.BUY, "100"))

    async def cancel_twice() -> None:
        for _ in range(2):
            await made.cancel(CancelOrder(order(1, Side.BUY, "100").ref, SYMBOL, None))

    asyncio.run(cancel_twice())
    made.on_print(trade("50"))
    assert [type(update).__name__ for update in news(made)] == ["OrderClosed"]


def test_what_rested_before_a_restart_rests_again_with_its_place_and_its_part() -> None:
    made = venue()
    first = order(1, Side.BUY, "100")
    made.adopt([(first, made_id(first), Quantity(Decimal("0.25")))], {QUOTE: Decimal(500)})
    made.on_print(trade("99"))
    assert fills(made) == [("order-1", "0.75")]
    assert made._balances[QUOTE] == Decimal("500") - Decimal(75) - Decimal("0.075")


def made_id(placed: PlaceLimit) -> VenueOrderId:
    return VenueOrderId(f"v-{placed.ref.id}")


def test_an_order_with_latency_rests_only_when_the_market_has_moved_on() -> None:
    async def main() -> None:
        clock = MarketClock(VirtualClock(TimeMs(0)), start=TimeMs(0))
        made = SimVenue(catalog, RICH, delay=clock.pass_ms, latency_ms=100)
        task = asyncio.get_running_loop().create_task(made.create(order(1, Side.BUY, "100")))
        await asyncio.sleep(0)
        made.on_print(trade("90", time=50))
        clock.advance(TimeMs(150))
        await asyncio.sleep(0)
        made.on_print(trade("90", time=151))
        clock.advance(TimeMs(300))
        assert await task == "v-order-1"
        assert len(fills(made)) == 1

    run_virtual(main())


def test_there_is_no_market_that_is_not_listed() -> None:
    with pytest.raises(ConfigError):
        asyncio.run(venue().instrument(Symbol("ETH/USDT")))


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from(Side), st.integers(90, 110), st.integers(1, 30)), max_size=12),
    st.lists(st.tuples(st.integers(88, 112), st.integers(1, 40)), max_size=25),
    st.booleans(),
)
def test_balances_are_the_sum_of_the_trades(
    orders: list[tuple[Side, int, int]], prints: list[tuple[int, int]], limited: bool
) -> None:
    made = venue(limited=limited)
    for number, (side, price, tenths) in enumerate(orders):
        place(made, order(number, side, str(price), f"{tenths / 10}"))
    for price, tenths in prints:
        made.on_print(trade(str(price), f"{tenths / 10}"))
    quote, base = RICH[QUOTE], RICH[BASE]
    bought: dict[str, Decimal] = {}
    for filled in made._trades:
        side, price, tenths = orders[filled.ref.cell]
        sign = 1 if side is Side.BUY else -1
        base += sign * filled.quantity
        quote -= sign * filled.quantity * price + filled.fee
        bought[filled.ref.id] = bought.get(filled.ref.id, Decimal(0)) + filled.quantity
        assert bought[filled.ref.id] <= Decimal(tenths) / 10
    assert made._balances == {QUOTE: quote, BASE: base}


def test_faults_lose_answers_with_and_without_effect_and_fail_reads() -> None:
    async def main() -> None:
        clock = MarketClock(VirtualClock(TimeMs(0)), start=TimeMs(0))
        inner = SimVenue(catalog, RICH, delay=clock.pass_ms)
        faults = Faults(1, delay=0.0, lose=0.9, repeat=0.0, most_ms=10)
        faulty = FaultyVenue(inner, faults, delay=clock.pass_ms)
        unknown, unread = [], 0
        for number in range(40):
            try:
                await faulty.create(order(number, Side.BUY, "100"))
            except OutcomeUnknown:
                unknown.append(f"order-{number}")
            try:
                await faulty.balances()
            except VenueUnavailable:
                unread += 1
        await asyncio.sleep(2)
        arrived = {id_ for id_ in unknown if id_ in inner._orders}
        assert unread > 20 and arrived and arrived != set(unknown)

    run_virtual(main())
