"""A small process that keeps a record as gridbot does, and is there to be killed: each step is told to a file outside.

`serve` imports everything once and forks a child for each line that it reads, so that a child makes hardly a system
call but those that matter. A child stops itself until it is told to go on (SIGCONT), takes the account as the program
does, and records the events of a seeded walk, stops and releases, snapshots, settings and letters.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import shutil
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

from gridbot.adapters import config_files
from gridbot.adapters.files.consent_file import ConsentFile
from gridbot.adapters.files.disk import SystemDisk
from gridbot.adapters.files.exchange_file import ExchangeFile, ExchangePlace
from gridbot.adapters.files.home import Home
from gridbot.adapters.files.journal_file import Aside, DiskThread
from gridbot.adapters.files.mailbox import MailboxFiles
from gridbot.adapters.files.preference_file import PreferenceFile
from gridbot.adapters.system_clock import SystemClock
from gridbot.bootstrap import Taken, take_account
from gridbot.config import AppConfig, default_config
from gridbot.ports import Ask
from gridbot.shell.state_keeper import StateKeeper
from tests.core.engine_walk import Walk
from tests.golden.make import InTurn

STEPS = 30
"""Steps of the walk behind its beginning."""
_DURABLE_EVERY, ROTATE_EVERY = 3, 9
PLACES = (ExchangePlace("binance", None), ExchangePlace("kraken", "http://127.0.0.1:1"))
_ANY_TRACER = (0x59616D61, ctypes.c_ulong(-1).value)
"""PR_SET_PTRACER, PR_SET_PTRACER_ANY: where the system lets a process be traced by its parents alone."""


def walk_of(seed: int) -> Walk:
    """Return the walk that a child of this seed records."""
    walk = Walk(seed=seed, grids=1, levels=4)
    walk.walk(STEPS)
    return walk


def settings(number: int) -> AppConfig:
    """Return the configuration that a child saves the `number`th time."""
    plain = default_config()
    return plain.model_copy(update={"demo": plain.demo.model_copy(update={"seed": number})})


class _Life:
    """What one child does."""

    def __init__(self, home: Path, say: Callable[[str], None], *, seed: int, turn: bool) -> None:
        self._home, self._say = home, say
        self._walk = walk_of(seed)
        self._aside: Callable[[], Aside] = InTurn if turn else DiskThread
        self._disk, self._clock = SystemDisk(), SystemClock()

    async def live(self) -> None:
        """Take the account, record what is left of the walk, and close it."""
        taken = take_account(Home(self._home), settings(0), disk=self._disk, clock=self._clock, aside=self._aside)
        self._say(f"prefix {taken.prefix}")
        keeper = StateKeeper(
            taken.recovered, journal=taken.journal, notes=taken.notes, tell=lambda _event, _answer: None
        )
        begun = taken.recovered.sequence
        for number, event in enumerate(self._walk.events[begun:], start=begun + 1):
            if keeper.take(event) is None:
                raise AssertionError(f"event {number} of the walk is no news")
            self._say(f"appended {number}")
            if number % _DURABLE_EVERY == 0:
                await keeper.durable()
                self._say(f"durable {number}")
            if number % ROTATE_EVERY == 0:
                keeper.rotate()
                self._say(f"durable {number}")
                await asyncio.sleep(0)
                self._beside(number // ROTATE_EVERY, taken)
        keeper.close()
        if keeper.broken:
            raise AssertionError(keeper.broken)
        taken.account.release()
        self._say(f"closed {len(self._walk.events)}")

    def _beside(self, number: int, taken: Taken) -> None:
        """Write the small files around the journal, each told before and after."""
        folder = taken.account.folder
        if number % 2:
            taken.latch.set(f"stop {number}")
            self._say("latched")
        else:
            self._say("clearing")
            taken.latch.clear()
            self._say("cleared")
        config_files.save(Home(self._home).config, settings(number))
        self._say(f"config {number}")
        PreferenceFile(self._disk, Home(self._home).window).save({"number": number})
        self._say(f"window {number}")
        ConsentFile(self._disk, folder).store(given=bool(number % 2))
        self._say(f"consent {number % 2}")
        ExchangeFile(self._disk, folder).store(PLACES[number % 2])
        self._say(f"exchange {number % 2}")
        mail = MailboxFiles(self._disk, folder)
        mail.post(Ask.STOP, f"letter {number}")
        letter = mail.take()
        if letter is not None:
            mail.answer(letter, ok=True, message="heard")


def serve() -> None:
    """Read orders until the input ends: {"home", ...} forks a child, {"reap"} tells how one ended.

    The answer to the first is the child's number, once it has stopped itself and can be traced.
    """
    for line in sys.stdin:
        order = json.loads(line)
        if "reap" in order:
            answer = os.waitstatus_to_exitcode(os.waitpid(order["reap"], 0)[1])
        else:
            answer = os.fork()
            if answer == 0:
                _be_killed(order)
            os.waitpid(answer, os.WUNTRACED)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _be_killed(order: dict[str, Any]) -> None:
    """Live on `home`; never returns. The exit code is 0 for a life that was lived to its end."""
    said = os.open(order["said"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with ExitStack() as frame:
        frame.push(partial(_left, said))
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(*_ANY_TRACER, 0, 0, 0)
        life = _Life(Path(order["home"]), lambda word: _told(said, word), seed=order["seed"], turn=order["turn"])
        os.kill(os.getpid(), signal.SIGSTOP)
        asyncio.run(life.live())


def _left(
    said: int, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
) -> bool:
    """End the process, with its reason where there is one: its parent reads it."""
    if error is not None:
        _told(said, "".join(traceback.format_exception(error)))
    os._exit(0 if error is None else 1)


def _told(said: int, word: str) -> None:
    os.write(said, word.encode() + b"\n")


def lived(home: Path, *, seed: int, upto: int) -> str:
    """Make an account in `home` whose first `upto` events were recorded by a process that then was killed.

    Returns what the order ids of that process began with.
    """
    walk = walk_of(seed)
    taken = take_account(Home(home), settings(0), disk=SystemDisk(), clock=SystemClock(), aside=InTurn)
    keeper = StateKeeper(taken.recovered, journal=taken.journal, notes=taken.notes, tell=lambda _event, _answer: None)
    for number, event in enumerate(walk.events[:upto], start=1):
        keeper.take(event)
        if number == upto // 2:
            keeper.rotate()
    asyncio.run(keeper.durable())
    # As a kill leaves it: the lock is free, a line is torn, the next journal was begun and nobody names it.
    folder = taken.account.folder
    taken.account.release()
    journal = next(folder.glob("journal-*.jsonl"))
    with journal.open("ab") as torn:
        torn.write(b'{"sum":"0123456789abcdef","seq":')
    shutil.copyfile(journal, folder / "journal-9999.jsonl.tmp")
    (folder / f"journal-{upto + 1}.jsonl").write_bytes(journal.read_bytes().partition(b"\n")[0] + b"\n")
    return taken.prefix


if __name__ == "__main__":
    serve()
