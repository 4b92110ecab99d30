"""What a window may have kept in order beside the engine: logs, backups, notifications, autostart, newer versions."""

from __future__ import annotations

from pathlib import Path

from gridbot.core.values import value


@value
class LineFilter:
    """Which log lines are meant: of these levels and components (none named is all), with every word of `text`.

    `since_ms` and `until_ms` (UTC, the end is left out) bound their time; None is no bound.
    """

    levels: frozenset[str] = frozenset()
    components: frozenset[str] = frozenset()
    text: str = ""
    since_ms: int | None = None
    until_ms: int | None = None


@value
class WriteLogs:
    """Write log lines to `target`; `format` is jsonl or csv."""

    target: Path
    format: str
    lines: LineFilter = LineFilter()


@value
class LookAtBundle:
    """List what a support bundle would hold; nothing is written."""


@value
class WriteBundle:
    """Write a support bundle to `target`; `groups` are the titles of what goes in."""

    target: Path
    groups: frozenset[str]


@value
class BackUp:
    """Save everything into one file in `folder`; None is the user's own folder."""

    folder: Path | None = None


@value
class LookAtBackup:
    """Read a backup whole and say what it holds beside what is there now; nothing is changed."""

    path: Path


@value
class RestoreBackup:
    """End the engine and put a backup in the place of what is there."""

    path: Path


@value
class KeepAddresses:
    """Keep the addresses of notifications, one a line, as the secret `name`; `unlock` opens a file of secrets."""

    name: str
    addresses: str
    unlock: str = ""

    def __repr__(self) -> str:
        return f"KeepAddresses({self.name}, hidden)"


@value
class SendTestMessage:
    """Send a test message to every configured address; `unlock` opens a file of secrets."""

    unlock: str = ""

    def __repr__(self) -> str:
        return "SendTestMessage()"


@value
class LookAround:
    """Say where everything is, and whether gridbot starts at login."""


@value
class SetAutostart:
    """Let gridbot start at login, or no longer."""

    on: bool


@value
class LookForUpdate:
    """Ask the address that the configuration names for the newest version."""


@value
class ReadLicences:
    """Read the licences of everything that is shipped."""


UpkeepWish = (
    WriteLogs
    | LookAtBundle
    | WriteBundle
    | BackUp
    | LookAtBackup
    | RestoreBackup
    | KeepAddresses
    | SendTestMessage
    | LookAround
    | SetAutostart
    | LookForUpdate
    | ReadLicences
)


@value
class Written:
    """A file was written whole; `sentence` says what is in it."""

    path: Path
    sentence: str


@value
class BundleGroup:
    """One part of a support bundle: how many files, how many bytes unpacked, and what they are, for a person."""

    title: str
    about: str
    files: tuple[str, ...]
    size: int


@value
class BundleListed:
    """What a support bundle would hold."""

    groups: tuple[BundleGroup, ...]


@value
class BackupSeen:
    """A sound backup: what it holds beside what is there now, in sentences."""

    path: Path
    sentences: tuple[str, ...]


@value
class Restored:
    """A backup is in its place; `sentences` say where the files of before are, and how it goes on."""

    sentences: tuple[str, ...]


@value
class Told:
    """What became of a test message, address by address, in sentences."""

    sentences: tuple[str, ...]
    all_sent: bool


@value
class Surroundings:
    """Where gridbot keeps everything, where backups go, and whether it starts at login (None: it cannot here).

    `autostart_note` says how, or why not.
    """

    folder: Path
    backups: Path
    autostart: bool | None
    autostart_note: str


@value
class UpdateSeen:
    """The newest version that the address told of; `page` is where it can be had, "" where nothing is newer."""

    version: str
    changes: tuple[str, ...]
    page: str
    sentence: str


@value
class Licence:
    """One thing that is shipped: its name, version, the licence's name and its whole text."""

    name: str
    version: str
    licence: str
    text: str


@value
class Licences:
    """The licences of everything that is shipped, gridbot's own first."""

    licences: tuple[Licence, ...]


UpkeepReply = Written | BundleListed | BackupSeen | Restored | Told | Surroundings | UpdateSeen | Licences
