"""Random lives of an account at Firi: our client, firipy and the sandbox's books say the same, whenever one begins."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from decimal import Decimal as D
from pathlib import Path

import pytest
from firipy import FiriAPI

from gridbot.adapters.exchange.firi import FiriClient
from gridbot.adapters.exchange.unified import CallFailed, Proof
from gridbot.core.units import Side
from gridbot.errors import OrderRejected
from tests.adapters.exchange.firi_serving import (
    EVER,
    MARKET,
    SYMBOL,
    as_booked,
    books,
    client,
    on_firi,
    ours,
    plain,
    theirs,
)
from tests.sandbox.serving import Served


def random_act(rng: random.Random, served: Served) -> Callable[[FiriClient], Awaitable[object]] | None:
    """Let the market trade, or return something that a user does."""
    last = served.exchange.room.markets[MARKET].last
    kind = rng.choice(["trade"] * 5 + ["create"] * 4 + ["cancel"])
    near = D(rng.randrange(-4, 5)) / 4
    if kind == "trade":
        amount = D(rng.randrange(1, 40_000)).scaleb(-5)
        served.exchange.trade(MARKET, last + near, amount, rng.choice([Side.BUY, Side.SELL]))
        return None
    if kind == "cancel":
        resting = list(served.exchange.room.open.values())
        chosen = rng.choice(resting).id if resting else 1
        return lambda firi: firi.cancel_order(str(chosen), SYMBOL, {})
    side, amount = rng.choice(["buy", "sell"]), D(rng.randrange(100, 3_000)).scaleb(-5)
    return lambda firi: firi.create_order(SYMBOL, side, str(amount), str(last + near), {})


async def live(served: Served, firi: FiriClient, seed: int, acts: int) -> None:
    """Trade at random; every few acts all that both clients tell must agree, and with the sandbox's books."""
    rng = random.Random(seed)
    known: dict[str, tuple[object, ...]] = {}
    for number in range(acts):
        served.exchange.skew_ms += rng.choice([0, 0, 40, 3_000, 60_000])
        try:
            act = random_act(rng, served)
            if act is not None:
                await act(firi)
        except CallFailed as refused:
            assert refused.proof is Proof.ANSWERED
        except OrderRejected:
            # The market itself would not trade so.
            continue
        if number % 10 == 9:
            opened = await firi.fetch_open_orders(SYMBOL)
            assert [ours(each) for each in opened] == [
                plain(each) for each in await theirs(served, lambda api: api.orders_market(MARKET))
            ]
            trades = as_booked(await firi.fetch_my_trades(SYMBOL, EVER, 10_000, {}))
            assert trades == books(served), f"seed {seed}"
            for trade in trades:
                assert known.setdefault(str(trade[0]), trade) == trade, f"seed {seed}"
    await agree(served, firi, seed)


async def agree(served: Served, firi: FiriClient, seed: int) -> None:
    """Hold the ended orders to firipy's, and a client that has just begun, and every window of time, to the books."""
    ended = await theirs(served, lambda api: api.orders_market_history(MARKET, count=10_000))
    told = await firi.fetch_closed_orders(SYMBOL, EVER, 10_000)
    assert sorted(map(ours, told)) == sorted(map(plain, ended)), f"seed {seed}"
    balance = await firi.fetch_balance()
    rows = await theirs(served, FiriAPI.balances)
    assert {asset: D(total) for asset, total in balance["total"].items()} == {
        row["currency"]: D(row["balance"]) for row in rows
    }
    ticker, book = (
        await theirs(served, lambda api: api.markets_market_ticker(MARKET)),
        await firi.fetch_order_book(SYMBOL, 1),
    )
    assert [D(book[name][0][0]) for name in ("bids", "asks")] == [D(ticker[name]) for name in ("bid", "ask")]
    whole = books(served)
    for since in [EVER, *(int(str(each[-1])) for each in whole[:: max(len(whole) // 5, 1)])]:
        async with client(served) as fresh:
            trades = as_booked(await fresh.fetch_my_trades(SYMBOL, since, 10_000, {}))
            assert trades == [each for each in whole if int(str(each[-1])) >= since], f"seed {seed}, since {since}"
            page = as_booked(await fresh.fetch_my_trades(SYMBOL, since, 3, {}))
            assert page == trades[:3]
        async with client(served, pages=(7, 40, 4_000)) as narrow:
            assert as_booked(await narrow.fetch_my_trades(SYMBOL, since, 10_000, {})) == trades, f"seed {seed}"


def fills_of(folder: Path, seed: int, acts: int) -> int:
    """Return how many fills a random life had, after it was held to the books."""
    filled: list[int] = []

    async def test(served: Served, firi: FiriClient) -> None:
        await live(served, firi, seed, acts)
        filled.append(len(books(served)))

    on_firi(folder, test)
    return filled[0]


@pytest.mark.parametrize("seed", range(2))
def test_random_lives_end_in_the_same_books(tmp_path: Path, seed: int) -> None:
    assert fills_of(tmp_path, seed, 120) > 20


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 120))
def test_many_random_lives_end_in_the_same_books(tmp_path: Path, seed: int) -> None:
    assert fills_of(tmp_path, seed, 200) > 20
