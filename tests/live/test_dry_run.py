"""A dry run on the sandbox's prices: not one signed request, fills from live prints, and a restart goes on."""

from __future__ import annotations

import signal
from pathlib import Path

from gridbot.adapters.files.disk import SystemDisk
from gridbot.adapters.files.kept_files import AccountName
from gridbot.bootstrap import read_account
from gridbot.core.state import State
from gridbot.core.units import Mode, Side
from tests.live.rooms import ACCOUNT, rooms, wait_until


def dry_state(home: Path) -> State:
    """Return the dry account's state from its files alone."""
    return read_account(SystemDisk(), home, AccountName(Mode.DRY, ACCOUNT))[0]


def resting(home: Path) -> int:
    """Return how many orders the dry account knows to rest."""
    orders = (cell.order for grid in dry_state(home).grids.values() for cell in grid.cells)
    return sum(1 for order in orders if order is not None and order.venue_id is not None)


def selling(home: Path) -> int:
    """Return how many sells the dry account has."""
    orders = (cell.order for grid in dry_state(home).grids.values() for cell in grid.cells)
    return sum(1 for order in orders if order is not None and order.side is Side.SELL)


def test_a_dry_run_signs_nothing_fills_from_live_prints_and_goes_on_after_a_restart(tmp_path: Path) -> None:
    with rooms(tmp_path, config={"mode": "dry"}) as (sandbox, bot):
        sandbox.trade("80000", "1")
        bot.start("--no-resume")
        wait_until(lambda: resting(bot.home) == 6, "six buys rest")
        wait_until(lambda: sandbox.trade("79700", "5") == [] and dry_state(bot.home).fills, "prints fill a buy")
        wait_until(lambda: selling(bot.home) and resting(bot.home) == 6, "what it bought is for sale")
        wait_until(lambda: sandbox.trade("80100", "5", "buy") == [] and dry_state(bot.home).round_trips, "it is sold")
        assert bot.end(signal.SIGTERM) == 0, bot.said_file.read_text("utf-8")
        before = dry_state(bot.home)
        assert before.fills >= 2 and sandbox.resting() == [] == sandbox.books()["trades"]
        bot.start("--no-resume")
        wait_until(lambda: len(dry_state(bot.home).prefix) and dry_state(bot.home).prefix != before.prefix, "it starts")
        assert dry_state(bot.home).round_trips >= before.round_trips
        wait_until(lambda: resting(bot.home) >= 5, "what rested rests again")
        wait_until(
            lambda: sandbox.trade("78500", "5") == [] and dry_state(bot.home).fills > before.fills, "it fills on"
        )
        assert bot.end(signal.SIGTERM) == 0, bot.said_file.read_text("utf-8")
        stats = sandbox.ask("stats")
        assert stats["signed"] == 0 and stats["unsigned"] > 0, stats
        assert not any(each in stats["requests"] for each in ("POST /api/v3/order", "GET /api/v3/account"))
        for account in dry_state(bot.home).accounts.values():
            account.check()
