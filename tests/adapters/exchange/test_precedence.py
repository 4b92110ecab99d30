"""The answer to a fill goes first, and nothing is lost or kept back for it, also with the real ccxt over websockets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from gridbot.adapters.exchange.ccxt_messages import Messages
from gridbot.adapters.exchange.precedence import AT_ONCE, MOST_ASIDE, Precedence
from gridbot.adapters.exchange.unified import Unified
from gridbot.core.units import Side
from tests.adapters.exchange.calling import BTC, calling, create
from tests.sandbox.serving import run, sandbox


class Heard(list[str]):
    """What was taken in, in its order."""

    def of(self, name: str) -> Callable[[], None]:
        return lambda: self.append(name)

    async def until(self, count: int) -> None:
        async with asyncio.timeout(10):
            while len(self) < count:
                await asyncio.sleep(0.001)


def test_what_a_market_tells_waits_for_the_account_and_is_told_in_its_order() -> None:
    async def test() -> None:
        precedence, heard = Precedence(), Heard()
        precedence.market(heard.of("price 1"))
        precedence.account(heard.of("fill"))
        assert heard == ["fill"]
        precedence.market(heard.of("price 2"))
        await heard.until(3)
        assert heard == ["fill", "price 1", "price 2"]

    asyncio.run(test())


def test_an_account_that_is_told_of_without_a_pause_does_not_hold_the_market_back_for_ever() -> None:
    async def test() -> None:
        precedence, heard = Precedence(), Heard()
        precedence.market(heard.of("price"))
        async with asyncio.timeout(10):
            while "price" not in heard:
                precedence.account(heard.of("fill"))
                await asyncio.sleep(0.001)

    asyncio.run(test())


def test_a_fill_that_comes_while_a_flood_of_prices_is_taken_in_goes_before_the_rest() -> None:
    async def test() -> None:
        precedence, heard = Precedence(), Heard()

        def fill_comes() -> None:
            asyncio.get_running_loop().call_soon(precedence.account, heard.of("fill"))

        precedence.market(fill_comes)
        for number in range(3 * AT_ONCE):
            precedence.market(heard.of(f"price {number}"))
        await heard.until(3 * AT_ONCE + 1)
        assert heard.index("fill") == AT_ONCE - 1
        assert [each for each in heard if each != "fill"] == [f"price {number}" for number in range(3 * AT_ONCE)]

    asyncio.run(test())


def test_a_flood_of_prices_is_bounded_and_stays_in_its_order() -> None:
    async def test() -> None:
        precedence, heard = Precedence(), Heard()
        for number in range(MOST_ASIDE + 3):
            precedence.market(heard.of(f"{number}"))
        assert heard == ["0", "1", "2"]
        await heard.until(MOST_ASIDE + 3)
        assert heard == [f"{number}" for number in range(MOST_ASIDE + 3)]

    asyncio.run(test())


def test_the_next_news_wait_until_every_listener_listens_again() -> None:
    async def test() -> None:
        precedence, heard = Precedence(), Heard()

        async def listener(name: str) -> None:
            await precedence.answered()
            heard.append(name)

        orders = asyncio.ensure_future(listener("orders"))
        await asyncio.sleep(0)
        trades = asyncio.ensure_future(listener("trades"))
        await asyncio.sleep(0)
        precedence.account(heard.of("fill 2"))
        precedence.account(heard.of("fill 3"))
        assert heard == []
        await asyncio.gather(orders, trades)
        await heard.until(4)
        assert heard == ["orders", "trades", "fill 2", "fill 3"]

    asyncio.run(test())


def test_a_listener_that_is_ended_keeps_nothing_back() -> None:
    async def test() -> None:
        precedence, heard = Precedence(), Heard()
        listener = asyncio.ensure_future(precedence.answered())
        await asyncio.sleep(0)
        precedence.account(heard.of("fill"))
        listener.cancel()
        await heard.until(1)

    asyncio.run(test())


def test_what_waits_of_a_market_that_is_let_go_is_forgotten() -> None:
    async def test() -> None:
        precedence, heard = Precedence(), Heard()
        precedence.market(heard.of("before"))
        precedence.forget()
        precedence.market(heard.of("after"))
        await heard.until(1)
        assert heard == ["after"]

    asyncio.run(test())
    asyncio.run(test())


class Connection:
    """A connection as ccxt has it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.heard: list[str] = []
        self.errors: list[BaseException] = []

    def handle_text_or_binary_message(self, data: str) -> None:
        if data == "malformed":
            raise ValueError("this is no message")
        self.heard.append(data)

    def on_error(self, error: BaseException) -> None:
        self.errors.append(error)


class Instance:
    """What Messages needs of ccxt's instance."""

    def __init__(self) -> None:
        self.clients: dict[str, Connection] = {}

    def client(self, url: str) -> Connection:
        return self.clients.setdefault(url, Connection(url))


def test_a_connection_that_was_let_go_is_heard_no_more_and_one_that_talks_nonsense_is_ended() -> None:
    async def test() -> None:
        instance, precedence = Instance(), Precedence()
        messages = Messages(instance, precedence, of_account=False)
        gone, stays = instance.client("one"), instance.client("two")
        gone.handle_text_or_binary_message("from before")
        stays.handle_text_or_binary_message("price")
        stays.handle_text_or_binary_message("malformed")
        assert not (gone.heard or stays.heard or stays.errors)
        del instance.clients["one"]
        async with asyncio.timeout(10):
            while not stays.errors:
                await asyncio.sleep(0.001)
        assert (gone.heard, stays.heard) == ([], ["price"])
        stays.handle_text_or_binary_message("price")
        messages.forget_all()
        again = Heard()
        precedence.market(again.of("later"))
        await again.until(1)
        assert stays.heard == ["price"]

    asyncio.run(test())


async def _each(watch: Callable[[], Awaitable[Sequence[Unified]]], tell: Callable[[Unified], None]) -> None:
    while True:
        for row in await watch():
            tell(row)


def test_five_fills_at_once_are_all_told_and_before_what_the_market_makes_of_them(tmp_path: Path) -> None:
    async def test() -> None:
        precedence = Precedence()
        async with (
            sandbox(tmp_path) as served,
            calling(served, precedence=precedence) as account,
            calling(served, precedence=precedence, key=None) as market,
        ):
            heard = Heard()
            watches = [
                _each(account.watch_my_trades, lambda row: heard.append(str(row["order"]))),
                _each(account.watch_orders, lambda row: heard.append(f"{row['id']} {row['status']}")),
                _each(lambda: market.watch_trades(BTC), lambda row: heard.append("print")),
            ]
            tasks = [asyncio.ensure_future(watch) for watch in watches]
            async with asyncio.timeout(20):
                while "print" not in heard:
                    served.trade("60000", "0.001")
                    await asyncio.sleep(0.05)
                ids = [await create(account, number, price=f"{20_000 + number}") for number in range(5)]
                while not set(heard) >= {f"{id_} open" for id_ in ids}:
                    await asyncio.sleep(0.01)
                heard.clear()
                # One trade of somebody else's: every fill of it is pushed in the same instant, and nothing after.
                served.trade("20000", "0.05", Side.SELL)
                ends = {f"{id_} closed" for id_ in ids}
                while not (set(heard) >= {*ids, *ends} and "print" in heard):
                    await asyncio.sleep(0.01)
            assert heard.index("print") > max(heard.index(each) for each in ids)
            assert len([each for each in heard if each in ids]) == 5
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    run(test)
