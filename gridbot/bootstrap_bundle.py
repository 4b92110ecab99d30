"""What goes into a support bundle: which files, in parts that a person may leave out; secrets and archives never."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gridbot import __version__
from gridbot.adapters.files.disk import SystemDisk
from gridbot.adapters.files.home import Home
from gridbot.adapters.files.kept_files import account_files, accounts
from gridbot.adapters.logbook.log_export import log_paths
from gridbot.adapters.logbook.support_bundle import Source
from gridbot.core.values import value

MOST_LOG_BYTES = 100_000_000
"""Unpacked. Nobody reads more, and no mailbox takes it; the newest lines are the ones that matter."""
MOST_CRASHES = 20


@value
class Part:
    """One part of a bundle, by a title that a person sees."""

    title: str
    about: str
    sources: tuple[Source, ...]


def bundle_parts(home: Home) -> tuple[Part, ...]:
    """Return the parts, with what there is now; the check of the machine is made for it."""
    logs, left_out = _logs(home)
    older = f" {left_out} older files are left out." if left_out else ""
    return (
        Part("Versions and checks", "What `gridbot doctor` says of this machine.", (_doctor(home),)),
        Part("Configuration", "All settings; the names of secrets, never a secret.", tuple(_settings(home))),
        Part("Logs", f"The newest log files.{older}", logs),
        Part(
            "Journal",
            "What each account did since its last snapshot: orders, trades, balances.",
            tuple(_journals(home)),
        ),
        Part("Crash reports", "What failed in the program, and where.", tuple(_crashes(home))),
    )


def sources_of(parts: tuple[Part, ...], titles: frozenset[str]) -> tuple[Source, ...]:
    """Return the files of the parts that were chosen."""
    return tuple(source for part in parts if part.title in titles for source in part.sources)


def _doctor(home: Home) -> Source:
    from gridbot.cli_checkup import Checkup, checkup_page

    checkup = Checkup(home)
    checkup.run()
    lines = [f"A support bundle of gridbot {__version__}.", "", *checkup_page(checkup)]
    return Source("doctor.txt", content=("\n".join(lines) + "\n").encode())


def _settings(home: Home) -> Iterator[Source]:
    yield from (Source(path.name, path) for path in (home.config, home.window) if path.is_file())


def _logs(home: Home) -> tuple[tuple[Source, ...], int]:
    """Return the newest log files, oldest first, unpacked and within the bound, and how many are left out."""
    chosen: list[Source] = []
    left = MOST_LOG_BYTES
    paths = log_paths(home.logs)
    for path in reversed(paths):
        source = Source(f"logs/{path.name.removesuffix('.gz')}", path)
        left -= source.size()
        if left < 0 and chosen:
            break
        chosen.append(source)
    return tuple(reversed(chosen)), len(paths) - len(chosen)


def _journals(home: Home) -> Iterator[Source]:
    disk = SystemDisk()
    for account in accounts(disk, home.root):
        for name in account_files(disk, home.root, account):
            yield Source(name.removesuffix(".gz"), home.root / name)


def _crashes(home: Home) -> Iterator[Source]:
    newest = sorted(path for path in _texts(home.crashes))[-MOST_CRASHES:]
    yield from (Source(f"crashes/{path.name}", path) for path in newest)


def _texts(folder: Path) -> Iterator[Path]:
    yield from (path for path in folder.glob("crash-*.txt") if path.is_file())
