"""gridbot and the sandbox are killed with SIGKILL while they trade: no order twice, no fill lost, nothing left open."""

from __future__ import annotations

import http.client
import signal
import sys
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from tests.live.books import check_all, is_settled
from tests.live.rooms import GRID, BotProcess, Mover, Quiet, SandboxProcess, pause, rooms, wait_until

ABSENT_S = 200.0
"""An order that was decided on and never sent counts as absent after two minutes of asking, not before."""


class Life:
    """The market moves on while one or the other is killed and started again."""

    def __init__(self, sandbox: SandboxProcess, bot: BotProcess, random: Random) -> None:
        self._sandbox = sandbox
        self._bot = bot
        self._random = random
        self._mover = Mover(sandbox, random, Decimal(sandbox.books()["orders"][0]["price"]), widest=500)
        self.kinds: list[str] = []

    def wait_for_orders(self) -> None:
        """Return when this life of gridbot has answered the market with an order.

        The market waits for it: an order that would trade at once is refused, and one whose refusal nobody has written
        down before the next kill keeps its cell for two minutes.
        """
        before = self._orders_sent()
        for _ in range(400):
            self._mover.leap()
            for _ in range(5):
                if self._orders_sent() > before:
                    return
                pause(0.1)
        raise AssertionError("no order was sent by a gridbot that was started again")

    def _orders_sent(self) -> int:
        return self._sandbox.requests().get("POST /api/v3/order", 0)

    def kill_bot(self) -> None:
        """Kill gridbot: while it starts, or in the middle of what a leap has set going; start it again."""
        kind = self._random.choice(("start", "trading", "trading", "trading"))
        if kind == "start":
            pause(self._random.uniform(0.1, 2.0))
        else:
            self.wait_for_orders()
            self._mover.leap()
            pause(self._random.choice((0.0, 0.002, 0.005, 0.01, 0.02, 0.05)))
        self.kinds.append(kind)
        assert not self._bot.ended, self._bot.said_file.read_text("utf-8")
        self._bot.end(signal.SIGKILL)
        if self._random.random() < 0.5:
            self._mover.leap()
        self._bot.start()

    def kill_sandbox(self) -> None:
        """Kill the exchange, leave gridbot alone with that for a moment, and start it again with its books."""
        self.wait_for_orders()
        self._mover.leap()
        pause(self._random.choice((0.0, 0.002, 0.005, 0.01, 0.02, 0.05)))
        self.kinds.append("sandbox")
        self._sandbox.end(signal.SIGKILL)
        pause(self._random.uniform(0.0, 0.5))
        self._sandbox.start()


@pytest.mark.timeout(3_000)
@pytest.mark.parametrize(
    ("seed", "bots", "sandboxes", "patient"),
    [(11, 10, 3, False), *(pytest.param(seed, 10, 3, True, marks=pytest.mark.soak) for seed in range(12, 22))],
)
def test_kills_of_both_sides_change_nothing_of_the_books(
    tmp_path: Path, seed: int, bots: int, sandboxes: int, patient: bool
) -> None:
    random = Random(seed)
    kills = ["bot"] * bots + ["sandbox"] * sandboxes
    random.shuffle(kills)
    # Many cells: those whose orders are in doubt wait, and the others go on.
    with rooms(tmp_path, config={"grids": [{**GRID, "levels": 20}]}) as (sandbox, bot):
        bot.start()
        wait_until(lambda: len(sandbox.resting()) == 20, "all buys rest")
        life = Life(sandbox, bot, random)
        try:
            for each in kills:
                life.kill_bot() if each == "bot" else life.kill_sandbox()
            life.wait_for_orders()
        except (AssertionError, http.client.HTTPException, OSError):
            sys.stderr.write(f"seed {seed}, killed so far: {life.kinds}\n")
            raise
        quiet = Quiet(sandbox, lambda: is_settled(bot.home, sandbox.books(), patient=patient))
        wait_until(quiet, f"all is booked (seed {seed})", ABSENT_S)
        assert bot.end(signal.SIGTERM) == 0, bot.said_file.read_text("utf-8")
        assert check_all(bot.home, sandbox.books(), patient=patient) > 0
        assert bot.lives == bots + 1 and not list((bot.home / "crashes").glob("*"))
