"""The upkeep desk written by hand: it notes what was asked, and a test says what comes of it."""

from __future__ import annotations

from pathlib import Path

from gridbot.shell.errands import Done, Errands, Refused, Standing
from gridbot.shell.upkeep_desk import (
    BackUp,
    BackupSeen,
    BundleGroup,
    BundleListed,
    KeepAddresses,
    Licence,
    Licences,
    LookAround,
    LookAtBackup,
    LookAtBundle,
    LookForUpdate,
    ReadLicences,
    RestoreBackup,
    Restored,
    SendTestMessage,
    SetAutostart,
    Surroundings,
    Told,
    UpdateSeen,
    UpkeepReply,
    UpkeepWish,
    WriteBundle,
    WriteLogs,
    Written,
)


class FakeUpkeep:
    """Satisfies Errands.

    Attributes:
        asked: every wish, in order.
        answers: False lets errands wait, so that a test tells their standing and outcome itself.
        refusal: what every errand is refused with, while it is set.
    """

    def __init__(self) -> None:
        self.asked: list[UpkeepWish] = []
        self.given_up: list[int] = []
        self.answers = True
        self.refusal: Refused | None = None
        self.autostart = False
        self.newer = True
        self.standings: dict[int, Standing] = {}
        self.outcomes: dict[int, Done[UpkeepReply] | Refused] = {}

    def ask(self, wish: UpkeepWish) -> int:
        self.asked.append(wish)
        number = len(self.asked)
        if self.answers:
            self.outcomes[number] = self.refusal or Done(self._reply(wish))
        return number

    def standing(self, number: int) -> Standing | None:
        return self.standings.get(number)

    def answer(self, number: int) -> Done[UpkeepReply] | Refused | None:
        return self.outcomes.pop(number, None)

    def cancel(self, number: int) -> None:
        self.given_up.append(number)
        self.outcomes[number] = Refused("It was given up.", given_up=True)

    def wishes(self, kind: type[UpkeepWish]) -> list[UpkeepWish]:
        """Return what was asked of one kind."""
        return [wish for wish in self.asked if isinstance(wish, kind)]

    def _reply(self, wish: UpkeepWish) -> UpkeepReply:
        match wish:
            case WriteLogs(target=target) | WriteBundle(target=target):
                return Written(target, f"Saved to {target}.")
            case LookAtBundle():
                logs = BundleGroup("Logs", "The newest log files.", ("logs/a.jsonl", "logs/gridbot.jsonl"), 4_200_000)
                return BundleListed((logs, BundleGroup("Crash reports", "What failed in the program.", (), 0)))
            case BackUp(folder=folder):
                target = (folder or Path("home")) / "gridbot-backup-20261121-184000.zip"
                return Written(target, f"Saved to {target}: 14 files, read again and sound.")
            case LookAtBackup(path=path):
                return BackupSeen(path, (f"{path}: made 2026-11-20 08:00:00 UTC, sound.", "demo/default: event 4,100."))
            case RestoreBackup():
                return Restored(("Restored. What was there before is in before-restore-1.",))
            case KeepAddresses():
                return Told(("2 addresses are kept in the system's keychain.",), True)
            case SendTestMessage():
                return Told(("Address 1 (Telegram): sent.", "Address 2 (E-Mail): not sent. It did not answer."), False)
            case SetAutostart(on=on):
                self.autostart = on
                return self._surroundings()
            case LookAround():
                return self._surroundings()
            case LookForUpdate() if self.newer:
                changes = ("Grids start faster.", "The chart shows volume.")
                return UpdateSeen("0.2.0", changes, "https://example.org/gridbot", "gridbot 0.2.0 is there.")
            case LookForUpdate():
                return UpdateSeen("0.1.0", (), "", "You have the newest version, 0.1.0.")
            case ReadLicences():
                return Licences(
                    (Licence("gridbot", "0.1.0", "MIT", "MIT License"), Licence("numpy", "2", "BSD", "BSD"))
                )

    def _surroundings(self) -> Surroundings:
        return Surroundings(Path("home/gridbot"), Path("home"), self.autostart, "Nothing is entered anywhere.")


def satisfies_the_protocol(fake: FakeUpkeep) -> Errands[UpkeepWish, UpkeepReply]:
    """The type checker holds the fake to the desk."""
    return fake
