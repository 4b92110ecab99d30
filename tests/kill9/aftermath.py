"""What must be found in a folder after the process that wrote there was killed, by the production code that finds it.

It knows what the process told before it died, and the walk that it recorded; what the program says of itself counts
for nothing.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from gridbot.adapters import config_files
from gridbot.adapters.files.account_folder import AccountFolder
from gridbot.adapters.files.consent_file import ConsentFile
from gridbot.adapters.files.disk import SystemDisk
from gridbot.adapters.files.exchange_file import ExchangeFile
from gridbot.adapters.files.home import Home
from gridbot.adapters.files.kill_latch import KillLatchFile
from gridbot.adapters.files.notes_archive import NotesArchive
from gridbot.adapters.files.preference_file import PreferenceFile
from gridbot.adapters.system_clock import SystemClock
from gridbot.bootstrap import account_status, take_account
from gridbot.core.codec import digest
from gridbot.core.commands import FillBooked, Note, OrderEnded, RoundTripClosed
from gridbot.core.engine import step
from gridbot.core.rules import Rules
from gridbot.core.state import new_state
from gridbot.core.units import Mode
from gridbot.shell.state_keeper import StateKeeper, recover
from gridbot.shell.status import NoHistory
from tests.core.engine_walk import Walk
from tests.golden.make import InTurn
from tests.kill9.workload import PLACES, ROTATE_EVERY, settings, walk_of


@cache
def truth(seed: int) -> tuple[Walk, tuple[str, ...]]:
    """Return a walk, and the digest of the state after each number of its events."""
    walk, state = walk_of(seed), new_state(Rules(Mode.DEMO, (), None))
    digests = [digest(state)]
    for event in walk.events:
        state = step(state, event).state
        digests.append(digest(state))
    return walk, tuple(digests)


class Aftermath:
    """One folder after a kill; every method raises AssertionError for what may not be.

    `before` is the number of events that were durable before that life began, `prefixes` are the beginnings of order
    ids that were given then.
    """

    def __init__(self, home: Path, told: Sequence[str], *, seed: int, before: int, prefixes: Sequence[str]) -> None:
        self._home, self._told = home, told
        self._walk, self._digests = truth(seed)
        self._before = before
        self._given = [*prefixes, *(word.removeprefix("prefix ") for word in told if word.startswith("prefix "))]

    def check(self) -> None:
        """Look at everything; then take the account, record what is left of the walk, and look again."""
        reached = self._events()
        self._latch()
        self._small_files()
        prefix = self._goes_on(reached)
        assert all(prefix > given for given in self._given if given[:7] == prefix[:7]), (prefix, self._given)
        if self._given:
            assert prefix[:7] == self._given[-1][:7], "the installation has another id"

    def _newest(self, word: str) -> int:
        numbers = [int(each.removeprefix(f"{word} ")) for each in self._told if re.fullmatch(rf"{word} \d+", each)]
        return max(numbers, default=0)

    def _events(self) -> int:
        """Return how many events were recovered: all that was durable, and nothing that was never written."""
        durable = max(self._before, self._newest("durable"), self._newest("closed"))
        status = account_status(Home(self._home), mode=Mode.DEMO, account="default")
        reached = int(status["sequence"])
        assert not status["running"], "the lock outlived the process"
        # An event may be on the disk before the process could tell that it had taken it.
        taken = max(self._before, self._newest("appended")) + 1
        assert durable <= reached <= taken, (durable, reached, taken)
        assert status["digest"] == self._digests[reached], "the state is not the one of these events"
        return reached

    def _latch(self) -> None:
        latch = KillLatchFile(SystemDisk(), self._home, SystemClock())
        said = [word for word in self._told if word in {"latched", "clearing", "cleared"}]
        if said[-1:] == ["latched"]:
            assert latch.read() is not None, "a latch that was durable is gone"

    def _small_files(self) -> None:
        """Each is the one that was saved last, or the one that was on its way."""
        home, disk = Home(self._home), SystemDisk()
        folder = AccountFolder(disk, home.root, mode=Mode.DEMO, account="default").folder
        if home.config.exists():
            seed = config_files.load(home.config).demo.seed
            assert config_files.load(home.config) == settings(seed)
            assert seed in self._numbers("config"), seed
        else:
            assert not self._newest("config")
        window = PreferenceFile(disk, home.window).load()
        numbers = self._numbers("window")
        assert window in [{"number": n} for n in numbers] or (0 in numbers and not window), window
        # What was told, and not begun again since, is there.
        if self._last("consent") > self._last("window"):
            assert ConsentFile(disk, folder).given() is bool(self._number_at(self._last("consent")))
        place = ExchangeFile(disk, folder).read()
        assert place in {None, *PLACES}
        if self._last("exchange") > self._last("consent"):
            assert place == PLACES[self._number_at(self._last("exchange"))]

    def _numbers(self, word: str) -> set[int]:
        """Return which number may be saved: the one that was told last, the next one, or the first of this life."""
        newest = self._newest(word)
        first = self._before // ROTATE_EVERY + 1
        return {newest, newest + 1} if newest else {0, first}

    def _last(self, word: str) -> int:
        """Return where a word was told last, -1 if it never was."""
        return max((place for place, each in enumerate(self._told) if each.startswith(f"{word} ")), default=-1)

    def _number_at(self, place: int) -> int:
        return int(self._told[place].rpartition(" ")[2])

    def _goes_on(self, reached: int) -> str:
        """Take the account as a start does, record the rest and close it; return the beginning of the order ids."""
        taken = take_account(Home(self._home), settings(0), disk=SystemDisk(), clock=SystemClock(), aside=InTurn)
        try:
            assert taken.recovered.sequence == reached
            assert self._history(taken.notes, reached)
            keeper = StateKeeper(
                taken.recovered, journal=taken.journal, notes=taken.notes, tell=lambda _event, _answer: None
            )
            for event in self._walk.events[reached:]:
                keeper.take(event)
            asyncio.run(keeper.durable())
            keeper.close()
            assert not keeper.broken, keeper.broken
        finally:
            taken.account.release()
        folder = AccountFolder(SystemDisk(), self._home, mode=Mode.DEMO, account="default")
        end = recover(folder, mode=Mode.DEMO, notes=NoHistory())
        assert digest(end.state) == self._digests[-1] and not end.warnings
        # Every chapter of the past follows the one before, from the first event to the newest.
        chapters = list(folder.history())
        assert chapters[0].restored.sequence == 0 and chapters[0].restored.state is None
        assert [event for chapter in chapters for event in chapter.restored.events] == self._walk.events
        again = NotesArchive(SystemDisk(), folder.archive)
        assert self._history(again, len(self._walk.events)) and not again.damaged
        return taken.prefix

    def _history(self, notes: NotesArchive, upto: int) -> bool:
        """Tell whether every fill, round trip and end of an order of these events is in the history, each once."""
        kinds = (FillBooked, RoundTripClosed, OrderEnded)
        wanted: list[Note] = [note for told in self._walk.notes[:upto] for note in told if isinstance(note, kinds)]
        return list(notes.notes()) == wanted
