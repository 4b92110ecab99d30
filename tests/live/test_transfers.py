"""Money that comes and goes: what the exchange tells of is booked, what nobody explains keeps creates from leaving."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from decimal import Decimal as D
from pathlib import Path
from random import Random

import pytest

from gridbot.core.units import ZERO, Asset
from tests.live.books import check_all, state_of
from tests.live.engine_room import books, bounded, leap, make_quick, opened, settled, until
from tests.live.rooms import ROOT
from tests.sandbox.serving import OPENING, Served, sandbox

USDT, BTC = Asset("USDT"), Asset("BTC")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test here asks often."""
    make_quick(monkeypatch)


def transferred(home: Path, asset: Asset) -> D:
    """Return what is booked of an asset as come or gone."""
    account = state_of(home).accounts.get(asset)
    return ZERO if account is None else account.transferred


def creates(served: Served) -> int:
    """Return how many creates have come."""
    return served.exchange.store.counts().get("POST /api/v3/order", 0)


async def accepted(home: Path) -> subprocess.CompletedProcess[str]:
    """Run `gridbot accept-balances` as a person would."""
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "gridbot", "accept-balances", "--mode", "live", "--account", "practice", "--yes"],
        cwd=ROOT,
        env={**os.environ, "GRIDBOT_HOME": str(home), "CHECKED": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_what_comes_and_goes_is_booked_while_it_trades_and_while_it_is_away(tmp_path: Path) -> None:
    async def test() -> None:
        home, source = tmp_path / "home", Random(3)
        async with sandbox(tmp_path / "sandbox") as served:
            served.trade("80000", "1")
            engine = opened(home, served)
            engine.start()
            try:
                await until(lambda: len(served.exchange.room.open) == 6, "six buys rest")
                await served.ask("deposit", {"asset": "USDT", "amount": "123.45"})
                await served.ask("deposit", {"asset": "BTC", "amount": "-0.5"})
                await until(lambda: transferred(home, USDT) == D("123.45"), "the deposit is booked")
                await until(lambda: transferred(home, BTC) == D("-0.5"), "the withdrawal is booked")
            finally:
                await asyncio.to_thread(engine.stop)
            await served.ask("deposit", {"asset": "USDT", "amount": "-23.45"})
            await leap(served, source, 1)
            engine = opened(home, served)
            engine.start()
            try:
                await until(lambda: transferred(home, USDT) == 100, "what happened meanwhile is booked")
                before = creates(served)
                await until(lambda: creates(served) > before or not engine.facade.view().starting, "it trades on")
                for number in range(4):
                    await leap(served, source, number)
                await settled(home, served)
            finally:
                await asyncio.to_thread(engine.stop)
            assert engine.ended_well()
            check_all(home, await books(served))
            state = state_of(home)
            assert state.accounts[USDT].opening == OPENING["USDT"] and state.accounts[BTC].opening == OPENING["BTC"]

    bounded(test)


def test_what_nobody_explains_keeps_creates_back_until_a_person_accepts_it(tmp_path: Path) -> None:
    async def test() -> None:
        home, source = tmp_path / "home", Random(4)
        async with sandbox(tmp_path / "sandbox") as served:
            served.trade("80000", "1")
            engine = opened(home, served)
            engine.start()
            try:
                await until(lambda: len(served.exchange.room.open) == 6, "six buys rest")
                await served.ask("deposit", {"asset": "USDT", "amount": "-50.5", "told": False})
                sentence = "The exchange holds 50.5 USDT less than gridbot's books."
                await until(lambda: any(sentence in each for each in engine.facade.view().problems), sentence)
                before = creates(served)
                # A buy is filled: its sell is wanted, and must wait.
                served.trade("79400", "30")
                await asyncio.sleep(2)
                assert creates(served) == before and transferred(home, USDT) == ZERO
                told = await accepted(home)
                assert told.returncode == 0, told.stdout + told.stderr
                assert sentence in told.stdout
                await until(lambda: creates(served) > before, "it trades on")
                assert transferred(home, USDT) == D("-50.5")
                assert not any("balances" in each or sentence in each for each in engine.facade.view().problems)
                for number in range(2):
                    await leap(served, source, number)
                await settled(home, served)
            finally:
                await asyncio.to_thread(engine.stop)
            assert engine.ended_well()
            check_all(home, await books(served))

    bounded(test)
