"""What the journals of an account hold behind an event that somebody has read: read without the lock, never written.

Who comes back names the event and the sum of its line. Where the journals tell another past (a backup was put back, an
account began anew, a power cut took what was not durable yet), the answer is that nothing follows.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gridbot.adapters.files.journal_history import (
    ARCHIVE,
    PACKED,
    Chapter,
    journal_firsts,
    journal_name,
    read_chapter,
    unpacked,
)
from gridbot.core.facts import CORE_VERSION
from gridbot.core.values import value
from gridbot.errors import StateFileError
from gridbot.ports import Disk, Past

_SUM = slice(8, 24)
"""Where a line has its sum."""
_LOOKS = 3


@value
class _Found:
    """An event that was read: the sum of its line, and whether nothing was written behind it."""

    chain: str
    newest: bool


class JournalNews:
    """Satisfies the News port for one account's folder."""

    def __init__(self, disk: Disk, folder: Path) -> None:
        self._disk = disk
        self._folder = folder

    def after(self, sequence: int, chain: str) -> Iterator[Past] | None:
        """Yield what follows event `sequence`, whose line has the sum `chain`; None where that is not in the past.

        Sequence 0 is before everything that is kept. The first part may begin earlier, where a state is known. Raises
        StateFileError for journals that are damaged or do not follow each other.
        """
        firsts = self._firsts()
        if sequence:
            found = self._find(firsts, sequence)
            if found is None or found.chain != chain:
                return None
            if found.newest:
                return iter(())
        return self._parts(firsts, sequence)

    def _parts(self, firsts: list[int], sequence: int) -> Iterator[Past]:
        begin = max((place for place, first in enumerate(firsts) if first <= sequence + 1), default=0)
        # What is read for the first time may begin at any state; who has read must not miss an event.
        looks = range(begin, -1, -1) if sequence else range(len(firsts))
        start = next((place for place in looks if self._stands_alone(firsts[place])), None)
        if start is None:
            if firsts and self._chapter(firsts[-1]) is not None:
                raise StateFileError(
                    f"No snapshot is kept that the journals of {self._folder} could be stepped from.",
                    hint="Put the account back from a backup (`gridbot restore`), or ask for help.",
                )
            return
        before: Chapter | None = None
        for place in range(start, len(firsts)):
            chapter = self._chapter(firsts[place])
            if chapter is not None:
                yield self._next(before, chapter, len(firsts) - place)
                before = chapter

    def _stands_alone(self, first: int) -> bool:
        """Tell whether a journal can be stepped by itself: from a state, by this core or by the facts that it tells."""
        chapter = self._chapter(first)
        if chapter is None:
            return False
        restored = chapter.restored
        told = restored.core == CORE_VERSION or restored.facts is not None or not restored.events
        return told and (restored.state is not None or restored.sequence == 0)

    def _next(self, before: Chapter | None, chapter: Chapter, left: int) -> Past:
        if before is not None and (
            chapter.follows != before.chain
            or chapter.restored.sequence != before.restored.sequence + len(before.restored.events)
        ):
            raise StateFileError(
                f"{chapter.path} does not follow {before.path}: one of them is foreign, damaged or missing.",
                hint="Put the account back from a backup (`gridbot restore`), or ask for help.",
            )
        return Past(chapter.restored, chapter.chain, left)

    def _firsts(self) -> list[int]:
        return journal_firsts(self._disk, self._folder)

    def _places(self, first: int) -> tuple[Path, ...]:
        """Where a journal may lie, in the order in which a running gridbot moves it on."""
        name = journal_name(first)
        return self._folder / name, self._folder / ARCHIVE / name, self._folder / ARCHIVE / (name + PACKED)

    def _content(self, first: int) -> bytes:
        for _ in range(_LOOKS):
            for path in self._places(first):
                content = unpacked(self._disk, path)
                if content is not None:
                    return content
        raise StateFileError(f"{self._places(first)[0]} went away while it was read.", hint="Try again.")

    def _chapter(self, first: int) -> Chapter | None:
        """Return a journal; None where it begins in this instant, so that its header is not whole yet."""
        for look in range(_LOOKS):
            if b"\n" not in self._content(first):
                return None
            for path in self._places(first):
                if path.name not in self._disk.names(path.parent):
                    continue
                try:
                    return read_chapter(self._disk, path)
                except StateFileError:
                    # Moved on between two looks; what is really damaged is damaged again.
                    if look == _LOOKS - 1 or path.name in self._disk.names(path.parent):
                        raise
        raise StateFileError(f"{self._places(first)[0]} went away while it was read.", hint="Try again.")

    def _find(self, firsts: list[int], sequence: int) -> _Found | None:
        """Return the line of an event, or what a journal that begins behind it says of it; None where neither is."""
        holder = next((first for first in reversed(firsts) if first <= sequence), None)
        if holder is None:
            follower = next((first for first in firsts if first == sequence + 1), None)
            chapter = None if follower is None else self._chapter(follower)
            return None if chapter is None else _Found(chapter.follows, False)
        lines = self._content(holder).split(b"\n")
        place, last = sequence - holder + 1, len(lines) - 2  # Behind the last line is what is empty or torn.
        if place > last:
            return None
        return _Found(lines[place][_SUM].decode("ascii", "replace"), place == last and holder == firsts[-1])
