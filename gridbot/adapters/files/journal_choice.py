"""Which journals must be stepped again to stand at an event of the past: those from the newest state kept before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

from gridbot.adapters.files.journal_history import (
    ARCHIVE,
    Chapter,
    chapter_of,
    journal_content,
    journal_firsts,
    read_chapter,
)
from gridbot.errors import StateFileError
from gridbot.ports import Disk


def chapters_to(disk: Disk, folder: Path, sequence: int) -> Iterator[Chapter]:
    """Yield an account's chapters that lead to event `sequence`; the first has its state, or begins the account.

    Raises StateFileError where the journals before that event are no longer kept, and for damage.
    """
    firsts = [first for first in journal_firsts(disk, folder) if first <= sequence]
    if not firsts:
        raise StateFileError(
            f"The journals of {folder} that lead to event {sequence:,} are not kept any more.",
            hint="A backup of that time may hold them.",
        )
    needed: list[Chapter] = []
    while firsts:
        chapter = chapter_of(disk, folder, firsts.pop())
        needed.insert(0, chapter)
        if _stands_alone(chapter):
            break
    else:
        raise StateFileError(
            f"The oldest journal of {folder} begins behind event {needed[0].restored.sequence:,}, and no snapshot of "
            "that moment is kept.",
            hint="Ask for a later event.",
        )
    return _in_order(needed)


def one_journal(disk: Disk, path: Path) -> Iterator[Chapter]:
    """Yield the journal `path`, after those of its folder that it stands on; StateFileError if they are not kept."""
    chapter = read_chapter(disk, path)
    if _stands_alone(chapter):
        return iter((chapter,))
    folder = path.parent.parent if path.parent.name == ARCHIVE else path.parent
    before = list(chapters_to(disk, folder, chapter.restored.sequence))
    return _in_order([*(each for each in before if each.restored.sequence < chapter.restored.sequence), chapter])


def chapters_about(disk: Disk, folder: Path, name: str, enough: Callable[[], bool]) -> Iterator[Chapter]:
    """Yield an account's chapters from before the first that names `name` on, until `enough` after the last that does.

    Years of journals are looked through for the name, and only those that matter are stepped again. Nothing is yielded
    where none names it. Raises StateFileError for damage, and where the oldest cannot stand alone.
    """
    firsts = journal_firsts(disk, folder)
    named = [place for place, first in enumerate(firsts) if name.encode() in journal_content(disk, folder, first)[1]]
    if not named:
        return
    # An older form does not name an order where it was intended, which may be at the end of the journal before.
    begin = max(named[0] - 1, 0)
    before: Chapter | None = None
    for chapter in chapters_to(disk, folder, firsts[begin]):
        yield chapter
        before = chapter
    for place in range(begin + 1, len(firsts)):
        if place > named[-1] and enough():
            return
        chapter = chapter_of(disk, folder, firsts[place])
        if before is not None:
            _check(before, chapter)
        yield chapter
        before = chapter


def whole_past(chapters: Iterator[Chapter]) -> Iterator[Chapter]:
    """Yield an account's chapters from its first event on; StateFileError where the oldest are no longer kept."""
    for first in chapters:
        if first.restored.sequence:
            raise StateFileError(
                f"The journals are kept from event {first.restored.sequence + 1:,} on, not from the account's first.",
                hint="Leave out --all: the state is then rebuilt from the newest snapshot.",
            )
        return chain((first,), chapters)
    return iter(())


def _stands_alone(chapter: Chapter) -> bool:
    return chapter.restored.state is not None or chapter.restored.sequence == 0


def _in_order(chapters: list[Chapter]) -> Iterator[Chapter]:
    """Yield chapters that follow each other; StateFileError for one that does not."""
    before: Chapter | None = None
    for chapter in chapters:
        if before is not None:
            _check(before, chapter)
        yield chapter
        before = chapter


def _check(before: Chapter, chapter: Chapter) -> None:
    if chapter.follows != before.chain:
        raise StateFileError(
            f"{chapter.path} does not follow {before.path}: one of them is foreign, damaged or missing.",
            hint="Put the account back from a backup (`gridbot restore`), or ask for help.",
        )
