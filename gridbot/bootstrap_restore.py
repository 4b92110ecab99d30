"""Putting a backup back from the window: all of it is looked at first, the engine ends cleanly, then it is restored."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gridbot.adapters.files import restoring
from gridbot.adapters.files.account_folder import LOCK
from gridbot.adapters.files.backup_file import Backup, open_backup
from gridbot.adapters.files.disk import SystemDisk
from gridbot.adapters.files.home import Home
from gridbot.adapters.files.kept_files import AccountName, accounts
from gridbot.adapters.files.kill_latch import KillLatchFile
from gridbot.adapters.files.restore_page import restore_sentences, stamp
from gridbot.adapters.system_clock import SystemClock
from gridbot.bootstrap import is_held, read_account
from gridbot.errors import AlreadyRunning, EnvironmentProblem, GridbotError
from gridbot.shell.errand_thread import Errand
from gridbot.shell.upkeep_desk import BackupSeen, Restored

StopEngine = Callable[[], bool]
"""Ends the engine of this process cleanly; False if it did not end in time. May be called again."""


class Restoring:
    """`own` is the account that this process trades; without `stop_engine` nothing can be restored from here."""

    def __init__(self, home: Home, *, own: AccountName, stop_engine: StopEngine | None) -> None:
        self._home = home
        self._own = own
        self._stop_engine = stop_engine
        self._disk, self._clock = SystemDisk(), SystemClock()

    def look(self, path: Path, errand: Errand) -> BackupSeen:
        """Read a backup whole and compare it with what is there; nothing is changed."""
        errand.tell("Reading the backup whole…")
        opened = self._opened(path)
        plan = restoring.plan_restore(self._disk, self._home, opened, read_account)
        return BackupSeen(opened.path, tuple(restore_sentences(opened.path, opened.manifest, plan)))

    def restore(self, path: Path, errand: Errand) -> Restored:
        """Look again, end the engine, restore. Until the engine has ended nothing is changed."""
        if self._stop_engine is None:
            raise EnvironmentProblem(
                "This window cannot end the engine, so nothing can be restored from it.",
                hint="End gridbot, and use `gridbot restore FILE`.",
            )
        errand.tell("Reading the backup whole…")
        opened = self._opened(path)
        opened.verify(read_account)
        self._refuse_others()
        errand.tell("Ending the engine…")
        if not self._stop_engine():
            raise EnvironmentProblem(
                "The engine did not end in time, so nothing was restored.",
                hint="What it has written is safe. Close gridbot, and use `gridbot restore FILE`.",
            )
        try:
            return self._restored(opened)
        except GridbotError as problem:
            hint = "The engine has ended, and what was there is as it was: start gridbot again."
            raise EnvironmentProblem(problem.message, hint=f"{problem.hint} {hint}".strip()) from problem

    def _restored(self, opened: Backup) -> Restored:
        plan = restoring.plan_restore(self._disk, self._home, opened, read_account)
        kept = restoring.begin(
            self._disk,
            self._home,
            opened,
            stamp=stamp(self._clock.now_ms()),
            stop=plan.stop,
            clock=self._clock,
        )
        said = [f"Restored. What was there before is in {kept}; delete it when you miss nothing."]
        if KillLatchFile(self._disk, self._home.root, self._clock).latched() is not None:
            said.append("Trading is stopped by the KILL file, as it was; a restore never releases it.")
        said.append("The engine has ended. Start gridbot again to go on with what was restored.")
        return Restored(tuple(said))

    def _opened(self, path: Path) -> Backup:
        self._home.refuse_half_restored(self._disk)
        return open_backup(path.expanduser().absolute())

    def _refuse_others(self) -> None:
        """Another process that trades an account of this folder would go on with files that are no longer there."""
        for account in accounts(self._disk, self._home.root):
            if account != self._own and is_held(self._disk, self._home.root / account.folder / LOCK):
                raise AlreadyRunning(
                    f"Another gridbot trades {account.folder}, so nothing was restored.", hint="End it, and try again."
                )
