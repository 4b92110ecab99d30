"""Real processes are killed with SIGKILL at random moments and started again: nothing is lost, nothing doubled.

Two homes at once are killed again and again; what one look saw, every later one must still find. The moments come from
a seed; what the machine does in between does not. A home that failed is kept, and its path is told.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from random import Random
from shutil import rmtree
from threading import Event, Lock
from typing import Any

import pytest

from tests.kill9.shadow import Shadow

ROOT = Path(__file__).resolve().parents[2]
AT_ONCE = 2
KILLS_PER_HOME = 15
LONGEST_S = 2.0
"""How long a snapshot is waited for; with nothing else to do the machine makes one or two a second."""
LOOK_S = 0.0005
PATIENCE = 12_000
ACCOUNT = Path("demo", "default")

GRID = {
    "investment": "8000",
    "levels": 20,
    "spacing": {"mode": "fraction", "fraction": "0.004"},
    "signal": {"timeframe": "5m"},
    "trend": {"timeframe": "5m"},
}
CONFIG = {
    "mode": "demo",
    "demo": {"speed": 20_000},
    "grids": [{"id": coin.lower(), "symbol": f"{coin}/USDT", **GRID} for coin in ("BTC", "ETH", "SOL")],
    "risk": {"max_creates_per_10s": 1_000, "max_error_rate": "0.95"},
}


class Stable:
    """Starts and reaps gridbots through the process that forks them (tests/kill9/stable.py)."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._turn = Lock()

    def start(self, home: Path, *, rotate_after: int) -> int:
        """Return the number of a new process that trades on `home`."""
        return int(self._order(home=str(home), rotate_after=rotate_after))

    def end(self, number: int, how: signal.Signals) -> int:
        """Send the signal; return how the process ended."""
        os.kill(number, how)
        return int(self._order(reap=number))

    def _order(self, **words: object) -> Any:
        assert self._process.stdin is not None and self._process.stdout is not None
        with self._turn:
            self._process.stdin.write(json.dumps(words) + "\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())


@pytest.fixture(scope="module")
def stable() -> Iterator[Stable]:
    env = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "CHECKED": ""}
    command = [sys.executable, "-m", "tests.kill9.stable"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, env=env, stdin=pipe, stdout=pipe, text=True) as process:
        yield Stable(process)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait() == 0


def new_home(seed: int) -> Path:
    home = Path(tempfile.mkdtemp(prefix=f"gridbot-kill9-{seed}-"))
    (home / "config.json").write_text(json.dumps(CONFIG), "utf-8")
    return home


def journals(home: Path) -> frozenset[str]:
    return frozenset(place.name for place in (home / ACCOUNT).glob("journal-*"))


def newest_event(home: Path) -> int:
    """Return the number of the newest event in the journal that is written to, 0 where there is none to be seen."""
    with suppress(FileNotFoundError):
        for name in journals(home):
            first = int(name.removesuffix(".jsonl").removeprefix("journal-"))
            written = (home / ACCOUNT / name).read_bytes().count(b'"event":')
            if written:
                return first - 1 + written
    return 0


def wait_for_events(home: Path, number: int) -> None:
    """Return when the journal has event `number`, however long a busy machine needs; a process that died never does."""
    for _ in range(PATIENCE):
        if newest_event(home) >= number:
            return
        Event().wait(0.005)
    raise AssertionError((home / "said.txt").read_text("utf-8") if (home / "said.txt").exists() else home)


def wait_for_a_moment(random: Random, home: Path, newest: int) -> str:
    """Return when the process is to be killed, and what kind of moment that is; `newest` is from before its start."""
    kind = random.choices(("start", "any", "rotation"), (3, 4, 3))[0]
    delay = random.choice((0.0, 0.0, 0.001, 0.002, 0.004))
    if kind == "start":
        # Before or while the lock is taken, the epoch written, the journal opened, the first events appended.
        Event().wait(random.uniform(0.0, 0.25))
    elif kind == "any":
        wait_for_events(home, newest + random.randint(1, 150))
    else:
        # As soon as the next journal's name is there: the snapshot is not written yet, the old journal not moved.
        before = journals(home)
        for _ in range(round(LONGEST_S / LOOK_S)):
            now = journals(home)
            if before and now != before:
                break
            before = before or now
            Event().wait(LOOK_S)
    Event().wait(delay)
    return kind


def killed_again_and_again(stable: Stable, seed: int, kills: int) -> Shadow:
    """Kill and start one home so often, and once more end it as a user would; return what the shadow knows."""
    random, home = Random(seed), new_home(seed)
    shadow, kinds, newest = Shadow(home), list[str](), 0
    with ExitStack() as failed:
        failed.callback(lambda: sys.stderr.write(f"seed {seed}, killed at {kinds}; the home is kept: {home}\n"))
        for _ in range(kills):
            newest = max(newest, newest_event(home))
            number = stable.start(home, rotate_after=random.choice((60, 250)))
            try:
                kinds.append(wait_for_a_moment(random, home, newest))
            finally:
                ended = stable.end(number, signal.SIGKILL)
            assert ended == -signal.SIGKILL, (home / "said.txt").read_text("utf-8")
            if (home / ACCOUNT / "archive" / "notes.jsonl").exists():
                shadow.look()
        number = stable.start(home, rotate_after=250)
        # Not before it has traded: a signal before it listens for one would end it at once.
        wait_for_events(home, max(newest, newest_event(home)) + 100)
        assert stable.end(number, signal.SIGTERM) == 0, (home / "said.txt").read_text("utf-8")
        shadow.look()
        assert shadow.state.fills and not list((home / "crashes").glob("*"))
        failed.pop_all()
    rmtree(home)
    return shadow


@pytest.mark.parametrize(
    ("seed", "kills"),
    [(0, 13), *(pytest.param(seed, KILLS_PER_HOME, marks=pytest.mark.soak) for seed in range(2, 22, 2))],
)
def test_killed_at_any_moment_it_carries_on_exactly_there(stable: Stable, seed: int, kills: int) -> None:
    with ThreadPoolExecutor(AT_ONCE) as both:
        homes = [both.submit(killed_again_and_again, stable, seed + each, kills) for each in range(AT_ONCE)]
    for home in homes:
        shadow = home.result()
        assert shadow.looks >= kills // 2


@pytest.mark.parametrize(("seed", "kills"), [(100, 4), pytest.param(101, 15, marks=pytest.mark.soak)])
def test_the_command_line_killed_while_it_trades_carries_on_too(seed: int, kills: int) -> None:
    random, home = Random(seed), new_home(seed)
    shadow = Shadow(home)
    command, env = [sys.executable, "-m", "gridbot", "run"], {**os.environ, "GRIDBOT_HOME": str(home), "CHECKED": ""}
    newest = 0
    for _ in range(kills):
        newest = max(newest, newest_event(home))
        with subprocess.Popen(command, cwd=ROOT, env=env, stderr=subprocess.DEVNULL) as process:
            try:
                wait_for_events(home, newest + random.randint(1, 120))
            finally:
                process.kill()
        assert process.returncode == -signal.SIGKILL
        shadow.look()
    assert len(shadow.starts) == shadow.looks == kills and shadow.state.grids, f"seed {seed}; the home is kept: {home}"
    rmtree(home)
