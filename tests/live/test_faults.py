"""Every fault of the sandbox, alone and in pairs, against the whole engine: nothing doubled, lost or left in doubt."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from decimal import Decimal as D
from pathlib import Path
from random import Random

import pytest

from gridbot.sandbox.fault_script import ON_STREAMS, Do
from gridbot.sandbox.records import Trading
from tests.live.books import check_all, check_balances, check_resting, check_trades, state_of
from tests.live.engine_room import MARKET, MIDDLE, books, bounded, leap, make_quick, opened, settled, until
from tests.sandbox.serving import Served, sandbox
from tests.sandbox.test_fault_pairs import DETAILS

LEAPS = 14
MORE: dict[Do, dict[str, object]] = {
    Do.DELAY_WS: {"delay_ms": 50},
    Do.REPLACE_WS: {"values": {"X": "FILLED", "b": None, "l": "7"}},
    Do.DEPOSIT: {"asset": "USDT", "amount": "-100"},
    Do.SKEW: {"skew_ms": 90_000},
}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test here asks often."""
    make_quick(monkeypatch)


def fault(kind: Do, source: Random) -> dict[str, object]:
    """Return a fault of this kind that strikes a few times and then no more."""
    if kind in ON_STREAMS:
        match = source.choice(["WS executionReport", "WS executionReport", "WS *", "WS btcusdt@bookTicker"])
    else:
        match = source.choice(["POST /api/v3/order", "POST /api/v3/order", "DELETE /api/v3/*", "GET /api/v3/*", "*"])
        match = match if match != "*" else "* /api/v3/*"
        if kind is Do.EXECUTE_TWICE:
            # Of a create that is carried out twice there are two orders, which nobody can undo: see below.
            match = "DELETE /api/v3/*"
    first = source.randrange(1, 9)
    told: dict[str, object] = {"match": match, "do": kind.value, "from": first, "count": source.randrange(1, 4)}
    if kind not in ON_STREAMS:
        told["when"] = source.choice(["before", "after"])
    return told | {**DETAILS, **MORE}.get(kind, {})


def restore(served: Served) -> None:
    """End what a fault changed for good."""
    exchange = served.exchange
    exchange.skew_ms, exchange.revoked = 0, False
    exchange.room.change_rules(MARKET, trading=Trading.OPEN, tick_size=D("0.01"), min_notional=D(5))


async def live(folder: Path, faults: Sequence[Mapping[str, object]], source: Random) -> None:
    """Trade under the faults, then without them until all is settled."""
    home = folder / "home"
    async with sandbox(folder / "sandbox") as served:
        served.trade(str(MIDDLE), "1")
        engine = opened(home, served)
        early = source.random() < 0.5
        if early:
            await served.load(*faults)
        engine.start()
        try:
            if not early:
                await until(lambda: len(served.exchange.room.open) == 6, "six buys rest")
                await served.load(*faults)
            for number in range(LEAPS):
                await leap(served, source, number)
            await served.load()
            restore(served)
            # What has nothing to trade on yet, as the faults were early, gets its chance.
            await until(lambda: not engine.facade.view().starting, "it has started")
            for number in range(2):
                await leap(served, source, number)
            await settled(home, served)
        finally:
            view = engine.facade.view()
            await asyncio.to_thread(engine.stop)
        assert engine.ended_well(), view.problems
        check_all(home, await books(served), by_time=not any(each["do"] == Do.SKEW for each in faults))


def check(folder: Path, kinds: list[Do], seed: int) -> None:
    source = Random(seed)
    faults = [fault(kind, source) for kind in kinds]
    # Shown with a failure.
    sys.stderr.write(f"seed {seed}: {json.dumps(faults)}\n")

    bounded(lambda: live(folder, faults, source))
    assert not list((folder / "home" / "crashes").glob("*"))


@pytest.mark.soak
@pytest.mark.parametrize("kind", sorted(Do))
def test_each_fault_alone_leaves_nothing_doubled_lost_or_in_doubt(tmp_path: Path, kind: Do) -> None:
    check(tmp_path, [kind], 100)


@pytest.mark.parametrize(
    "seed", [0, 1, 2, *(pytest.param(each, marks=pytest.mark.soak) for each in range(1_000, 1_040))]
)
def test_two_faults_at_once_leave_nothing_doubled_lost_or_in_doubt(tmp_path: Path, seed: int) -> None:
    check(tmp_path, Random(seed).sample(sorted(Do), 2), seed)


def test_of_a_create_that_is_carried_out_twice_one_order_is_left(tmp_path: Path) -> None:
    twice = {"match": "POST /api/v3/order", "do": "execute_twice", "from": 3, "count": 2}

    async def test() -> None:
        home = tmp_path / "home"
        async with sandbox(tmp_path / "sandbox", twice) as served:
            served.trade(str(MIDDLE), "1")
            engine = opened(home, served)
            engine.start()
            try:
                await until(lambda: served.exchange.room.next_order > 8, "eight orders were made of six creates")
                await until(lambda: len(served.exchange.room.open) == 6, "those beside ours are cancelled")
                for number in range(4):
                    await leap(served, Random(5), number)
                await settled(home, served)
            finally:
                await asyncio.to_thread(engine.stop)
            assert engine.ended_well() and state_of(home).kill is None
            told = await books(served)
            ids = [each["client_id"] for each in told["orders"]]
            assert len(ids) == len(set(ids)) + 2
            check_resting(home, told, waits=set())
            check_balances(home, told)
            assert check_trades(home, told) > 0

    bounded(test)
