"""The whole engine with its real client in a thread of its own, against a sandbox in the test's loop, over real HTTP.

Its waits are shortened, so that two minutes of asking take two seconds; what is asked, and in which order, stays.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
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
from gridbot.shell import reconciler
from gridbot.shell.doors import Rhythm
from gridbot.shell.engine_thread import EngineThread
from tests.live.books import is_settled
from tests.live.rooms import write_config
from tests.sandbox.serving import Served

QUICK = Rhythm(mark_s=0.2, ask_s=0.1, sweep_s=1.0, balance_s=2.0, clock_s=2.0, longest_wait_s=0.5, stop_s=2.0)
MARKET = "BTCUSDT"
MIDDLE = D(80_000)
TURNS = 900
QUIET_LOOKS = 4


def make_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the engine ask as often as a test can bear."""
    monkeypatch.setattr(bootstrap, "_rhythm", lambda config: QUICK)
    monkeypatch.setattr(reconciler, "ABSENT_AFTER_MS", 2_000)
    monkeypatch.setattr(user_stream, "QUIET_S", 1.0)
    monkeypatch.setattr(venue, "POLL_INSTEAD_S", 2.0)
    monkeypatch.setattr(venue, "POLL_S", 0.5)


def opened(home: Path, served: Served, **changes: object) -> EngineThread:
    """Return the engine as `gridbot run --resume` opens it."""
    write_config(home, served.port, **changes)
    config = parse_config((home / "config.json").read_text("utf-8"), source="the test's")
    keys = {"GRIDBOT_API_KEY": served.key.name, "GRIDBOT_API_SECRET": served.key.secret}
    return open_engine(Home(home), config, environment=keys, resume=True)


def bounded(test: Callable[[], Coroutine[Any, Any, None]], seconds: float = 110) -> None:
    """Run a test's coroutine, for so long at most."""

    async def timed() -> None:
        async with asyncio.timeout(seconds):
            await test()

    asyncio.run(timed())


async def until(is_so: Callable[[], object], what: str) -> None:
    """Return when it is so."""
    for _ in range(TURNS):
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


async def settled(home: Path, served: Served) -> None:
    """Return when the files say what the sandbox says, and nobody has sent anything for some marks."""
    quiet, before = 0, -1
    for _ in range(TURNS // 4):
        counts = served.exchange.store.counts()
        sent = counts.get("POST /api/v3/order", 0) + counts.get("DELETE /api/v3/order", 0)
        quiet = quiet + 1 if sent == before and is_settled(home, await books(served)) else 0
        if quiet == QUIET_LOOKS:
            return
        before = sent
        await asyncio.sleep(0.2)
    raise AssertionError("files and sandbox do not agree")
