"""A grid trades on the sandbox in another process, and its ledger equals the sandbox's own books to the last digit."""

from __future__ import annotations

import signal
import sys
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from tests.live.books import check_all, is_settled, state_of
from tests.live.rooms import BotProcess, Mover, Quiet, SandboxProcess, pause, rooms, wait_until

BEAT_S = 0.06


def trade_round_trips(sandbox: SandboxProcess, bot: BotProcess, seed: int, wanted: int) -> None:
    """Move the market until the grid has sold so often."""
    last = Decimal(sandbox.books()["orders"][0]["price"])
    mover = Mover(sandbox, Random(seed), last)
    for _ in range(200 * wanted):
        mover.leap()
        pause(BEAT_S)
        if len(mover.sold) > wanted and state_of(bot.home).round_trips >= wanted:
            return
    raise AssertionError(f"{len(mover.sold)} sells only")


@pytest.mark.parametrize(
    ("fees", "wanted"),
    [
        *(("received", 8), ("quote", 3), ("third", 3)),
        *(pytest.param(fees, 200, marks=pytest.mark.soak) for fees in ("received", "quote", "third")),
    ],
)
def test_the_ledger_of_a_grid_equals_the_sandboxs_books(tmp_path: Path, fees: str, wanted: int) -> None:
    seed = 7 * wanted + len(fees)
    sys.stderr.write(f"seed {seed}\n")
    with rooms(tmp_path, "--fees", fees) as (sandbox, bot):
        bot.start()
        wait_until(lambda: len(sandbox.resting()) == 6, "six buys rest")
        trade_round_trips(sandbox, bot, seed, wanted)
        wait_until(Quiet(sandbox, lambda: is_settled(bot.home, sandbox.books())), "all is booked")
        assert bot.end(signal.SIGTERM) == 0, bot.said_file.read_text("utf-8")
        books = sandbox.books()
        assert check_all(bot.home, books) >= 2 * wanted
        assert state_of(bot.home).round_trips >= wanted
        assert {each["fee_asset"] for each in books["trades"]} == {
            "received": {"BTC", "USDT"},
            "quote": {"USDT"},
            "third": {"BNB"},
        }[fees]
