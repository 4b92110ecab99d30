"""An account on the real disk whose events come from a seeded walk of the engine, left as runs of the program do."""

from __future__ import annotations

from pathlib import Path

from gridbot.adapters.files.account_folder import AccountFolder
from gridbot.adapters.files.disk import SystemDisk
from gridbot.adapters.files.notes_archive import NotesArchive
from gridbot.core.units import Mode, TimeMs
from tests.core.engine_walk import Walk


class WalkedAccount:
    """One account below `home`; each `trade` is one run of the program, with a rotation after each part but the last.

    Attributes:
        walk: what the account has lived through
        folder: its folder
    """

    def __init__(self, home: Path, *, seed: int, mode: Mode = Mode.DEMO, name: str = "default") -> None:
        self.walk = Walk(seed=seed)
        self.folder = home / mode.value / name
        self._home, self._mode, self._name = home, mode, name
        self._told = 0

    def trade(self, *parts: int, install: str = "aaaaa", now: int = 1_900_000_000_000) -> int:
        """Live through so many more events, journaled; return the newest event's number."""
        disk = SystemDisk()
        account = AccountFolder(disk, self._home, mode=self._mode, account=self._name)
        account.acquire()
        account.next_prefix(install, TimeMs(now))
        journal, notes = account.journal(self._told), NotesArchive(disk, account.archive)
        notes.open(self._told)
        try:
            for place, steps in enumerate(parts):
                if place:
                    notes.sync()
                    journal.rotate(self.walk.state, self._told)
                self.walk.walk(steps)
                lived = list(zip(self.walk.events, self.walk.facts, self.walk.notes, strict=True))
                for event, facts, told in lived[self._told :]:
                    self._told = journal.append(event, facts)
                    notes.append(self._told, told)
        finally:
            notes.close()
            journal.close()
            account.release()
        return self._told
