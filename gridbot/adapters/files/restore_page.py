"""What a backup is and what putting it back would change, in sentences, for the command line and for the window."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from gridbot.adapters.files import kept_runs
from gridbot.adapters.files.backup_file import Manifest
from gridbot.adapters.files.restoring import Comparison, Plan


def restore_sentences(path: Path, manifest: Manifest, plan: Plan) -> Iterator[str]:
    """Yield what the backup says of itself, then a line for each account."""
    made = datetime.fromtimestamp(manifest.time / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    yield f"{path}: made {made} UTC by gridbot {manifest.version}, {counted(len(manifest.files), 'file')}, sound."
    yield from (_compared(each) for each in plan.comparisons)
    yield from (f"{account.folder}: not in the backup; it stays as it is." for account in plan.untouched)
    for folder, noun in ((kept_runs.FOLDER, "kept run"), (kept_runs.SEARCHES, "search result")):
        below = f"{folder}/"
        runs = kept_runs.finished(name.removeprefix(below) for name in manifest.files if name.startswith(below))
        if runs:
            yield f"{folder}: {counted(len(runs), noun)}; others that are here now stay."


def stamp(now: int) -> str:
    """Return a time (ms UTC) as it stands in the names of backups."""
    return datetime.fromtimestamp(now / 1000, UTC).strftime("%Y%m%d-%H%M%S")


def counted(count: int, noun: str) -> str:
    """Return "1 file", "2 files"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _compared(each: Comparison) -> str:
    begin = f"{each.account.folder}: event {each.backed_up:,}"
    if each.problem:
        return f"{begin}; what is there now cannot be read: {each.problem}"
    if each.there is None:
        return f"{begin}; there is no such account here now."
    if each.same:
        return f"{begin}, as it stands now."
    if each.there > each.backed_up:
        return f"{begin}, {counted(each.there - each.backed_up, 'event')} older than what is there now."
    if each.there < each.backed_up:
        return f"{begin}, {counted(each.backed_up - each.there, 'event')} newer than what is there now."
    return f"{begin}, as many as there are now, but of another history."
