"""Every fault of the sandbox alone and in pairs, against the whole engine: nothing doubled, lost or in doubt after it.

The engine is the real one with its real client, in a thread of its own, over real HTTP and websocket; its waits are
shortened so that two minutes of asking take two seconds.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal as D
from pathlib import Path
from random import Random
from typing import Any

import pytest

from gridbot import bootstrap
from gridbot.adapters.exchange import user_stream, venue
from gridbot.adapters.files.home import Home
from gridbot.bootstrap import open_engine
from gridbot.config import parse_config
from gridbot.sandbox.fault_script import ON_STREAMS, Do
from gridbot.sandbox.records import Trading
from gridbot.shell import reconciler
from gridbot.shell.doors import Rhythm
from gridbot.shell.engine_thread import EngineThread
from tests.live.books import check_all, is_settled
from tests.live.rooms import write_config
from tests.sandbox.serving import Served, sandbox
from tests.sandbox.test_fault_pairs import DETAILS

QUICK = Rhythm(mark_s=0.2, ask_s=0.1, sweep_s=1.0, balance_s=2.0, clock_s=2.0, longest_wait_s=0.5, stop_s=2.0)
MARKET = "BTCUSDT"
MIDDLE = D(80_000)
LEAPS = 14
SETTLE_TURNS = 900
MORE: dict[Do, dict[str, object]] = {
    Do.DELAY_WS: {"delay_ms": 50},
    Do.REPLACE_WS: {"values": {"X": "FILLED", "b": None, "l": "7"}},
    Do.DEPOSIT: {"asset": "USDT", "amount": "-100"},
    Do.SKEW: {"skew_ms": 90_000},
}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask as often as a test can bear; what is asked, and in which order, stays as it is."""
    monkeypatch.setattr(bootstrap, "_rhythm", lambda config: QUICK)
    monkeypatch.setattr(reconciler, "ABSENT_AFTER_MS", 2_000)
    monkeypatch.setattr(user_stream, "QUIET_S", 1.0)
    monkeypatch.setattr(venue, "POLL_INSTEAD_S", 2.0)
    monkeypatch.setattr(venue, "POLL_S", 0.5)


def fault(kind: Do, source: Random) -> dict[str, object]:
    """Return a fault of this kind that strikes a few times and then no more."""
    if kind in ON_STREAMS:
        match = source.choice(["WS executionReport", "WS executionReport", "WS *", "WS btcusdt@bookTicker"])
    else:
        match = source.choice(["POST /api/v3/order", "POST /api/v3/order", "DELETE /api/v3/*", "GET /api/v3/*", "*"])
        match = match if match != "*" else "* /api/v3/*"
    first = source.randrange(1, 9)
    told: dict[str, object] = {"match": match, "do": kind.value, "from": first, "count": source.randrange(1, 4)}
    if kind not in ON_STREAMS:
        told["when"] = source.choice(["before", "after"])
    return told | {**DETAILS, **MORE}.get(kind, {})


async def until(is_so: Callable[[], object], what: str) -> None:
    """Return when it is so."""
    for _ in range(SETTLE_TURNS):
        if is_so():
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"it did not come to be: {what}")


async def leap(served: Served, source: Random, number: int) -> None:
    """Move the market to the other side of its middle."""
    share = D(source.randrange(20, 90)) / 10_000 * (-1 if number % 2 else 1)
    served.trade(str((MIDDLE * (1 + share)).quantize(D("0.01"))), "0.004" if source.random() < 0.2 else "30")
    await asyncio.sleep(source.uniform(0.02, 0.2))


async def books(served: Served) -> Any:
    """Return the sandbox's own truth."""
    return await served.ask("books")


def restore(served: Served) -> None:
    """End what a fault changed for good."""
    exchange = served.exchange
    exchange.skew_ms, exchange.revoked = 0, False
    exchange.room.change_rules(MARKET, trading=Trading.OPEN, tick_size=D("0.01"), min_notional=D(5))


def opened(home: Path, served: Served) -> EngineThread:
    """Return the engine as `gridbot run --resume` opens it."""
    write_config(home, served.port)
    config = parse_config((home / "config.json").read_text("utf-8"), source="the test's")
    keys = {"GRIDBOT_API_KEY": served.key.name, "GRIDBOT_API_SECRET": served.key.secret}
    return open_engine(Home(home), config, environment=keys, resume=True)


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
            await until(lambda: len(served.exchange.room.open) >= 6, "an order of each cell rests")
            for number in range(2):
                await leap(served, source, number)
            await until(lambda: not engine.facade.view().starting, "it has started")
            await settled(home, served)
        finally:
            view = engine.facade.view()
            await asyncio.to_thread(engine.stop)
        assert engine.ended_well(), view.problems
        check_all(home, await books(served))


async def settled(home: Path, served: Served) -> None:
    """Return when the files say what the sandbox says."""
    for _ in range(SETTLE_TURNS // 4):
        now = await books(served)
        if is_settled(home, now):
            return
        await asyncio.sleep(0.2)
    raise AssertionError("files and sandbox do not agree")


def check(folder: Path, kinds: list[Do], seed: int) -> None:
    source = Random(seed)
    faults = [fault(kind, source) for kind in kinds]
    # Shown with a failure.
    sys.stderr.write(f"seed {seed}: {json.dumps(faults)}\n")

    async def bounded() -> None:
        async with asyncio.timeout(110):
            await live(folder, faults, source)

    asyncio.run(bounded())
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
