"""Mistakes on the way to the disk and back: a missing fsync, a torn line, a lost rule, a sick disk trusted."""

from __future__ import annotations

from dataclasses import replace

from gridbot.adapters.files import journal_lines, whole
from gridbot.adapters.files.account_folder import AccountFolder
from gridbot.adapters.files.journal_file import JournalFile
from gridbot.shell import state_keeper
from gridbot.shell.executor import Executor
from gridbot.shell.state_keeper import StateKeeper
from gridbot.shell.trader import Trader
from tests.simulation.planting import Planted, edit, together
from tests.simulation.scenario import STORM
from tests.simulation.weathers import CUTTING, SICK, SICK_STOPPED

_NO_FOLDER_SYNC = edit(whole.save_whole, ("disk.fsync_folder(path.parent)", "pass"))

FSYNC = (
    Planted(
        name="the journal is not fsynced",
        patch=edit(JournalFile._write_out, ("self._file.fsync()", "pass")),
        names=("I1",),
        quick=True,
    ),
    Planted(
        name="a file is not fsynced before its rename",
        patch=edit(whole.save_whole, ("file.fsync()", "pass")),
        names=("I23",),
        weather=CUTTING,
        quick=True,
    ),
    Planted(
        name="no folder is fsynced in a rotation",
        patch=together(
            _NO_FOLDER_SYNC,
            edit(AccountFolder._begin, ("self._disk.fsync", "first == 1 and self._disk.fsync")),
            edit(
                AccountFolder._rotate,
                ("self._disk.fsync_folder(self.archive)", "pass"),
                ("self._disk.fsync_folder(self.folder)", "pass"),
            ),
        ),
        names=("I23",),
        weather=CUTTING,
        quick=True,
    ),
    Planted(
        name="the first journal's name is not made durable",
        patch=edit(AccountFolder._begin, ("self._disk.fsync_folder(self.folder)", "pass")),
        names=("I1", "I23"),
        weather=CUTTING,
    ),
    Planted(
        name="the history is not fsynced before a rotation",
        patch=edit(StateKeeper.rotate, ("self._notes.sync()", "pass")),
        names=("I23",),
        weather=CUTTING,
        quick=True,
    ),
    Planted(
        name="the old journal moves away before the snapshot that follows it is there",
        patch=edit(
            AccountFolder._rotate,
            (
                "save_whole(self._disk, self.folder / SNAPSHOT, content)",
                "[self._disk.replace(self.folder / name, self.archive / name) for name in old]\n"
                "    save_whole(self._disk, self.folder / SNAPSHOT, content)",
            ),
            ("for finished in old:", "for finished in ():"),
        ),
        names=("I23",),
        weather=CUTTING,
    ),
    Planted(
        name="what a failed fsync left out counts as durable",
        patch=edit(JournalFile._write_out, ("self._failure = error", "self._durable = upto")),
        names=("I1", "I23", "I27"),
        weather=SICK,
    ),
)
RECOVERY = (
    Planted(
        name="a torn line stays in the journal",
        patch=edit(AccountFolder.journal, ("if found.tail.torn:", "if False:")),
        names=("I23",),
        weather=CUTTING,
        quick=True,
    ),
    Planted(
        name="checksums are not checked",
        patch=edit(journal_lines._unsealed, ("if line[:_BODY] != expected:", "if False:")),
        names=("I23", "I24"),
        weather=replace(STORM, rot=1.0),
        quick=True,
    ),
    Planted(
        name="the rules are lost at a restart",
        patch=edit(
            state_keeper.replay,
            (
                "return Recovered(end, sequence, restored.warnings, restored",
                "fields = list(type(end).__dataclass_fields__)[1:]\n"
                "            end = type(end)(Rules(mode, (), None), *[getattr(end, field) for field in fields])\n"
                "            return Recovered(end, sequence, restored.warnings, restored",
            ),
        ),
        names=("I24",),
        quick=True,
    ),
    Planted(
        name="the last event of the journal is not stepped again",
        patch=edit(state_keeper._step_all, ("enumerate(restored.events)", "enumerate(restored.events[:-1])")),
        names=("I24", "I23"),
    ),
    Planted(
        name="the account is not locked",
        patch=edit(
            AccountFolder.acquire,
            ("self._disk.lock(self.folder / LOCK)", "type('Nothing', (), {'release': lambda self: None})()"),
        ),
        names=("I25",),
        quick=True,
    ),
)
SICK_DISKS = (
    Planted(
        name="creates go on with a broken disk",
        patch=edit(Trader._refusal, ("self._keeper.broken or", '"" or')),
        names=("I27", "I1"),
        weather=SICK,
        quick=True,
    ),
    Planted(
        name="no cancel leaves while the disk refuses",
        patch=edit(
            Executor._send_cancel,
            (
                "failed = True\n",
                'failed = True\n    if self._brake.write():\n        return None, "The disk refuses."\n',
            ),
        ),
        names=("I27",),
        weather=SICK_STOPPED,
    ),
)
DISK = (*FSYNC, *RECOVERY, *SICK_DISKS)
