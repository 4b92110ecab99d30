"""The doors to everything around: secrets, messages to people, the kill latch, other processes, sleep."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from gridbot.core.events import KillKind
from gridbot.core.values import value


class SecretStore(Protocol):
    """Where secrets are kept. Names are those that the configuration writes. EnvironmentProblem where it refuses."""

    @property
    def kept_in(self) -> str:
        """Where that is, for a person: a noun phrase, such as "the system's keychain"."""
        ...

    def read(self, name: str) -> str | None:
        """Return a secret, None if there is none of that name."""
        ...

    def write(self, name: str, secret: str) -> None:
        """Keep a secret, in the place of any of that name; durable when it returns."""
        ...

    def remove(self, name: str) -> None:
        """Forget a secret; nothing happens if there is none."""
        ...


class Notifier(Protocol):
    """Sends a short text to wherever its user reads such. VenueUnavailable if it could not be sent."""

    async def send(self, title: str, text: str) -> None: ...


class Heartbeat(Protocol):
    """Calls an address while all is well, so that somebody else notices when nothing calls any more."""

    async def beat(self) -> None:
        """Call it once; raises VenueUnavailable."""
        ...


class DeadMan(Protocol):
    """The exchange's own timer that cancels every order of the account when it has heard nothing for a while."""

    async def set(self, seconds: int) -> None:
        """Let it cancel all unless this is called again within so many seconds; 0 takes it back. VenueUnavailable."""
        ...


class Awake(Protocol):
    """What keeps the machine from falling asleep by itself. Both may be called again and again."""

    async def hold(self) -> None:
        """Keep it awake from now on; EnvironmentProblem, with a sentence, where the system does not allow it."""
        ...

    async def release(self) -> None:
        """Let it sleep again."""
        ...


class Autostart(Protocol):
    """The system's own way to start a program at login. EnvironmentProblem where it refuses."""

    @property
    def place(self) -> str:
        """Where the entry is, for a person."""
        ...

    def is_on(self) -> bool:
        """Tell whether gridbot starts at login."""
        ...

    def switch(self, *, on: bool) -> None:
        """Make the entry, or take it away; neither minds what is there."""
        ...


class KillLatch(Protocol):
    """The KILL file: it binds every account and mode."""

    def read(self) -> str | None:
        """Return the reason that the latch holds, "" if it is there but empty or damaged, None if not latched."""
        ...

    def set(self, reason: str, kind: KillKind = KillKind.MANUAL) -> None:
        """Make the latch durable; one that holds already keeps its reason. EnvironmentProblem if the disk refuses."""
        ...

    def clear(self) -> None:
        """Take the latch away, durably."""
        ...


class Ask(StrEnum):
    """What one process may ask of another that holds an account."""

    STOP = "stop"
    REARM = "rearm"
    ACCEPT = "accept"
    """Take the exchange's word where its balances are not the books'; the text is what a person has read."""


@value
class Letter:
    """A request by file: `number` is its own alone, `text` the reason of a stop or who re-arms."""

    number: str
    ask: Ask
    text: str
    liquidate: bool = False
    everything: bool = False


class Mailbox(Protocol):
    """Where the process that holds an account finds what others ask of it. EnvironmentProblem if the disk refuses."""

    def take(self) -> Letter | None:
        """Return the letter that waits, once; None if there is none. What cannot be understood is thrown away."""
        ...

    def answer(self, letter: Letter, *, ok: bool, message: str) -> None:
        """Answer a letter; whoever wrote it waits for that."""
        ...
