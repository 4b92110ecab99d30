"""The real ccxt.pro class over a real websocket: streams that end, hang, repeat themselves or break are begun anew."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from gridbot.adapters.exchange.ccxt_client import CcxtClient
from gridbot.adapters.exchange.ccxt_streams import SEEN_TRADES, NewTrades, Stream
from gridbot.adapters.exchange.unified import CallFailed, Cause, Proof, Unified
from gridbot.core.units import Side
from tests.adapters.exchange.calling import BTC, calling, create, failing
from tests.sandbox.serving import Served, run, sandbox


async def until_heard(served: Served, watched: asyncio.Task[Sequence[Unified]], number: int) -> Sequence[Unified]:
    """Trade until the stream tells of it: nobody knows from outside when a subscription has taken effect."""
    for step in range(200):
        if watched.done():
            return watched.result()
        served.trade("60000", "0.001", Side.SELL if (step + number) % 2 else Side.BUY)
        await asyncio.sleep(0.05)
    raise AssertionError("the stream told nothing")


def test_every_trade_is_told_once_also_when_the_exchange_repeats_itself(tmp_path: Path) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served, calling(served) as client:
            await served.load({"match": "WS btcusdt@aggTrade", "do": "duplicate_ws"})
            watched = asyncio.ensure_future(client.watch_trades(BTC))
            ids = [row["id"] for row in await until_heard(served, watched, 0)]
            for number in range(3):
                ids += [
                    row["id"]
                    for row in await until_heard(served, asyncio.ensure_future(client.watch_trades(BTC)), number)
                ]
            assert len(ids) == len(set(ids)) and ids == sorted(ids, key=int)

    run(test)


def test_what_comes_while_nobody_listens_is_told_next(tmp_path: Path) -> None:
    """ccxt wakes only who waits; a fill that came in between would be told with the next one, whenever that is."""

    async def test() -> None:
        async with sandbox(tmp_path) as served, calling(served) as client:
            watched = asyncio.ensure_future(client.watch_orders())
            await asyncio.sleep(0.3)
            first = await create(client, 1)
            heard = [row["id"] for row in await asyncio.wait_for(watched, 10)]
            second, third = await create(client, 2), await create(client, 3)
            await asyncio.sleep(0.3)
            heard += [row["id"] for row in await asyncio.wait_for(client.watch_orders(), 10)]
            assert heard == [first, second, third]

    run(test)


def test_a_stream_that_drops_fails_once_and_is_opened_again(tmp_path: Path) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served, calling(served) as client:
            watched = asyncio.ensure_future(client.watch_trades(BTC))
            before = {row["id"] for row in await until_heard(served, watched, 0)}
            await served.load({"match": "WS btcusdt@aggTrade", "do": "drop_ws", "count": 1})
            served.trade("60000", "0.001")
            failed = await failing(_tell_all(client), served)
            assert failed.cause is Cause.NETWORK
            after = await until_heard(served, asyncio.ensure_future(client.watch_trades(BTC)), 1)
            assert before.isdisjoint(row["id"] for row in after)

    run(test)


def test_a_stream_that_was_cut_off_while_nobody_waited_does_not_go_on_as_if_nothing_was_missed(tmp_path: Path) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served, calling(served) as client:
            await until_heard(served, asyncio.ensure_future(client.watch_trades(BTC)), 0)
            # The task reads on by itself; without it nobody waits, as in between two messages.
            await client._streams[f"trades {BTC}"].stop()
            # What ccxt does when the end arrives together with the last message.
            for url in list(client._made().clients):
                await client._made().clients.pop(url).aiohttp_close()
            served.trade("60000", "0.001")
            failed = await failing(asyncio.wait_for(_tell_all(client), 10), served)
            assert failed.cause is Cause.NETWORK
            assert await until_heard(served, asyncio.ensure_future(client.watch_trades(BTC)), 1)

    run(test)


async def _tell_all(client: CcxtClient) -> None:
    while True:
        await client.watch_trades(BTC)


def test_a_message_that_cannot_be_read_ends_the_stream_and_does_not_silence_it(tmp_path: Path) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served, calling(served) as client:
            await until_heard(served, asyncio.ensure_future(client.watch_trades(BTC)), 0)
            await served.load({"match": "WS btcusdt@aggTrade", "do": "malformed_ws", "count": 1})
            served.trade("60000", "0.001")
            failed = await failing(asyncio.wait_for(_tell_all(client), 10), served)
            assert failed.cause in {Cause.MALFORMED, Cause.NETWORK}
            assert await until_heard(served, asyncio.ensure_future(client.watch_trades(BTC)), 1)

    run(test)


def test_a_login_that_was_refused_does_not_hang_the_next_one(tmp_path: Path) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served, calling(served) as client:
            served.exchange.revoked = True
            for watch in (client.watch_orders, client.watch_my_trades, client.watch_orders):
                failed = await failing(asyncio.wait_for(watch(), 10), served)
                assert failed.proof is not Proof.ANSWERED
            served.exchange.revoked = False
            watched = asyncio.ensure_future(client.watch_orders())
            await asyncio.sleep(0.3)
            id_ = await create(client)
            assert [row["id"] for row in await asyncio.wait_for(watched, 10)] == [id_]

    run(test)


def test_a_stream_that_the_exchange_ended_or_let_fall_silent_fails_and_is_opened_again(tmp_path: Path) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served, calling(served) as client:
            watched = asyncio.ensure_future(client.watch_orders())
            await asyncio.sleep(0.3)
            first = await create(client, 1)
            assert [row["id"] for row in await asyncio.wait_for(watched, 10)] == [first]
            await served.load({"match": "WS executionReport", "do": "terminate_ws", "count": 1})
            await create(client, 2)
            ended = await failing(asyncio.wait_for(client.watch_orders(), 10), served)
            client._user_quiet_s = 0.2
            silent = await failing(asyncio.wait_for(client.watch_orders(), 10), served)
            assert ended.cause is silent.cause is Cause.NETWORK
            client._user_quiet_s = 600
            watched = asyncio.ensure_future(client.watch_orders())
            await asyncio.sleep(0.3)
            third = await create(client, 3)
            assert [row["id"] for row in await asyncio.wait_for(watched, 10)] == [third]

    run(test)


def test_closing_ends_whoever_waits(tmp_path: Path) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served, calling(served) as client:
            waiting = asyncio.ensure_future(client.watch_orders())
            await asyncio.sleep(0.3)
            await client.close()
            failed = await failing(waiting, served)
            assert failed.cause is Cause.NETWORK
            assert await client.fetch_open_orders(BTC) == []

    run(test)


def test_forgotten_streams_begin_anew(tmp_path: Path) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served, calling(served) as client:
            first = await until_heard(served, asyncio.ensure_future(client.watch_trades(BTC)), 0)
            await client.forget_stream()
            assert not client._made().clients
            again = await until_heard(served, asyncio.ensure_future(client.watch_trades(BTC)), 1)
            assert {row["id"] for row in first}.isdisjoint(row["id"] for row in again)

    run(test)


def test_the_newest_best_price_is_told_and_older_ones_are_not(tmp_path: Path) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served, calling(served) as client:
            watched = asyncio.ensure_future(client.watch_bids_asks(BTC))
            for number in range(100):
                if watched.done():
                    break
                served.trade(str(60_000 + number), "0.001", Side.SELL)
                await asyncio.sleep(0.05)
            assert (await watched)["symbol"] == BTC
            for price in ("61000", "62000", "63000"):
                served.trade(price, "0.001", Side.SELL)
            await asyncio.sleep(0.3)
            told = await asyncio.wait_for(client.watch_bids_asks(BTC), 10)
            assert str(told["bid"]).startswith("63000")

    run(test)


def test_trades_are_told_apart_by_id_and_the_oldest_ids_are_forgotten() -> None:
    new = NewTrades()
    assert [row["id"] for row in new.of([{"id": "1"}, {"id": "2"}, {"id": "1"}])] == ["1", "2"]
    assert new.of([{"id": "2"}]) == []
    nameless = {"id": None, "price": "1"}
    assert new.of([nameless, nameless]) == [nameless, nameless]
    assert len(new.of([{"id": str(number)} for number in range(10, 10 + SEEN_TRADES)])) == SEEN_TRADES
    assert new.of([{"id": "1"}]) == [{"id": "1"}], "it was forgotten"
    assert new.of([{"id": str(9 + SEEN_TRADES)}]) == []


def test_rows_that_came_before_a_failure_are_told_before_it() -> None:
    failed = CallFailed("it ended", proof=Proof.SILENT, cause=Cause.NETWORK)
    pages: list[list[Unified] | CallFailed] = [[{"id": "1"}], [{"id": "2"}], failed, [{"id": "3"}]]

    async def read() -> list[Unified]:
        if not pages:
            await asyncio.Event().wait()
        page = pages.pop(0)
        if isinstance(page, CallFailed):
            raise page
        return page

    async def test() -> None:
        stream = Stream(read)
        assert [row["id"] for row in await stream.next()] == ["1", "2"]
        with pytest.raises(CallFailed, match="it ended"):
            await stream.next()
        assert [row["id"] for row in await stream.next()] == ["3"]
        await stream.stop()

    run(test)
