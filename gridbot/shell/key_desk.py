"""What a window may ask about the keys to accounts at exchanges: plain data, beside the engine's facade.

A key is typed in a window and goes one way only: no answer holds more of it than its last characters.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from gridbot.core.values import value
from gridbot.shell.facade import ExchangeWords


@value
class KeyPlace:
    """Which key is meant: an account's at an exchange; `base_url` where that answers at another address than usual."""

    exchange: str
    account: str
    base_url: str | None = None


@value
class TypedKey:
    """A key as a person typed it; it is never shown."""

    key: str
    secret: str
    passphrase: str = ""

    def __repr__(self) -> str:
        return "TypedKey(hidden)"


class KeyAct(StrEnum):
    """What may be asked about a key."""

    LOOK = "look"
    SAVE = "save"
    REMOVE = "remove"
    TEST = "test"
    """The typed key, or the kept one, at the exchange."""
    ACCEPT = "accept"
    """A person takes the kept key although it can withdraw."""


@value
class KeyWish:
    """A request about a key; `unlock` is the passphrase of the file of secrets, where one is needed."""

    act: KeyAct
    place: KeyPlace
    typed: TypedKey | None = None
    unlock: str = ""

    def __repr__(self) -> str:
        return f"KeyWish({self.act})"


class Lock(StrEnum):
    """Whether the place that keeps the secrets wants a passphrase."""

    NONE = "none"
    NEW = "new"
    """It wants one to begin with: there is no file of secrets yet."""
    SHUT = "shut"


@value
class KeyState:
    """What may be known about a key: whether there is one, its last characters (`ending`), and where it is kept.

    `note` says what a person should know about that place; `needs_secret` whether a key there has a second part;
    `words` what they should know of the exchange.
    """

    place: KeyPlace
    there: bool
    ending: str
    kept_in: str
    note: str
    needs_secret: bool
    lock: Lock
    words: ExchangeWords = ExchangeWords()


class KeyVerdict(StrEnum):
    """What a test found about a key."""

    GOOD = "good"
    WITHDRAWS = "withdraws"
    """It can take money out, and nobody has accepted that."""
    FAILED = "failed"


@value
class KeyAnswer:
    """The outcome of a request about a key; `message` is one sentence or several, `verdict` that of a test."""

    ok: bool
    message: str
    state: KeyState | None = None
    verdict: KeyVerdict | None = None


class KeyDesk(Protocol):
    """Where a window asks about keys. Every method returns at once; the work is done in a thread of its own."""

    def ask(self, wish: KeyWish) -> int:
        """Hand in a request; return its number. What was asked before is finished first."""
        ...

    def progress(self, number: int) -> str:
        """Return what is being done, for a person; "" where nothing is said."""
        ...

    def answer(self, number: int) -> KeyAnswer | None:
        """Return the answer, once; None while there is none."""
        ...

    def cancel(self, number: int) -> None:
        """Give a test up; its answer says so."""
        ...
