"""What a window may have done in rooms beside the engine: asked, watched, given up; the answer comes when it comes.

A backtest, a page of history, a backup: none of them needs the engine's thread, and none may hold up the window's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from gridbot.core.values import value
from gridbot.shell.history_desk import HistoryReply, HistoryWish
from gridbot.shell.key_desk import KeyDesk
from gridbot.shell.record_desk import RecordReply, RecordWish
from gridbot.shell.research_desk import ResearchReply, ResearchWish
from gridbot.shell.search_desk import SearchReply, SearchWish
from gridbot.shell.upkeep_desk import UpkeepReply, UpkeepWish

Wish_contra = TypeVar("Wish_contra", contravariant=True)
Reply = TypeVar("Reply")


@value
class Standing:
    """How far an errand is: `share` from 0 to 1, None where nobody can tell, and what is being done, for a person."""

    share: float | None
    sentence: str


@dataclass(frozen=True, slots=True)
class Done(Generic[Reply]):
    """An errand that was done."""

    reply: Reply


@value
class Refused:
    """An errand that could not be done: what happened and what to do next; `given_up` where a person ended it."""

    message: str
    hint: str = ""
    given_up: bool = False

    def sentence(self) -> str:
        """Return both as one text."""
        return f"{self.message} {self.hint}".strip()


class Errands(Protocol[Wish_contra, Reply]):
    """Where a window hands in wishes of one kind. Every method returns at once and may be called from any thread."""

    def ask(self, wish: Wish_contra) -> int:
        """Hand in a wish; return its number."""
        ...

    def standing(self, number: int) -> Standing | None:
        """Return how far it is; None where nothing is known, or nothing more to be said."""
        ...

    def answer(self, number: int) -> Done[Reply] | Refused | None:
        """Return the outcome, once; None while there is none."""
        ...

    def cancel(self, number: int) -> None:
        """Give it up; its outcome says so. Nothing happens to one that has ended."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Desks:
    """Everything that a window may ask beside the engine's facade; None is what this window cannot reach."""

    keys: KeyDesk | None = None
    upkeep: Errands[UpkeepWish, UpkeepReply] | None = None
    records: Errands[RecordWish, RecordReply] | None = None
    research: Errands[ResearchWish, ResearchReply] | None = None
    search: Errands[SearchWish, SearchReply] | None = None
    history: Errands[HistoryWish, HistoryReply] | None = None
