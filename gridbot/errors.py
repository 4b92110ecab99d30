"""Every error a caller may handle, by what to do next. Anything else is a bug and must crash.

* GridbotError
  - ConfigError            fix the file (or the field) and try again; lists every mistake at once
  - CandleFileError        fix the market data file (candles or trades); names file, row, value
  - StateFileError         refuse to trade; never guess a position
  - EnvironmentProblem     the machine lacks something: display, room on the disk, a right to write
  - AlreadyRunning         another process holds the account
  - IllegalTransition      a fact that cannot be true of this order; the state stays as it was
  - LedgerError            sums that must be equal are not; refuse to trade
  - VenueError
    + VenueUnavailable     a read failed; retry with backoff (never raised by a create)
      . MarketClosed       the venue does not trade this market now; leave it out, and look again later
    + OrderRejected        the venue said no; do not send the same again
    + OrderNotSent         our transport proves that no byte was written
    + OutcomeUnknown       it may have happened; ask before the next command
    + AmbiguousOrder       more than one order may be the one asked about; a person decides
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class GridbotError(Exception):
    """What went wrong, in a sentence, and what the user can do about it."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One thing that is wrong in a configuration: where, what stands there, why, and the nearest right word."""

    path: str
    value: str
    reason: str
    suggestion: str = ""

    def sentence(self) -> str:
        """Return the mistake as one line for a person."""
        tail = f" Did you mean {self.suggestion!r}?" if self.suggestion else ""
        return f"{self.path}: {self.reason} (found {self.value}).{tail}"


class ConfigError(GridbotError):
    """The configuration cannot be used. `mistakes` holds all that is wrong, not only the first."""

    def __init__(self, message: str, *, hint: str = "", mistakes: tuple[Mistake, ...] = ()) -> None:
        super().__init__(message, hint=hint)
        self.mistakes = mistakes


class CandleFileError(GridbotError):
    """A market data file, of candles or of trades, cannot be read or contradicts itself."""


class StateFileError(GridbotError):
    """A state or journal file is damaged, foreign or newer than this program."""


class EnvironmentProblem(GridbotError):
    """The machine does not offer what is needed (display, disk space, a writable folder)."""


class AlreadyRunning(GridbotError):
    """Another process trades this account."""


class IllegalTransition(GridbotError):
    """A fact was reported that the order's state does not allow."""


class LedgerError(GridbotError):
    """Two sums that must be equal to the last digit are not."""


class VenueError(GridbotError):
    """Something between us and the venue."""


class VenueUnavailable(VenueError):
    """A read failed; it may be tried again with backoff."""


class MarketClosed(VenueUnavailable):
    """The venue answers, and does not trade this market at present: maintenance, a halt, a delisting."""


class Refusal(StrEnum):
    """Why a venue refused an order, as far as that decides what to do next: the codes of OrderRejected."""

    POST_ONLY = "post_only"
    FUNDS = "insufficient_funds"
    RULES = "market_rules"
    """Step, minimum or price bounds are not what we think: the market's rules must be read again."""
    TOO_MANY = "too_many_orders"
    CLOSED = "market_closed"
    UNKNOWN_MARKET = "unknown_market"
    DUPLICATE = "duplicate_id"
    RATE = "rate"
    KEY = "key"
    OTHER = "refused"


class OrderRejected(VenueError):
    """The venue refused the order for certain: it never reached the book. `code` is a Refusal."""

    def __init__(self, message: str, *, code: str, post_only: bool = False, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.code = code
        self.post_only = post_only


class OrderNotSent(VenueError):
    """No byte of the request left this machine."""


class OutcomeUnknown(VenueError):
    """The request may or may not have had its effect."""


class AmbiguousOrder(VenueError):
    """More than one order at the venue may be the one that was asked about."""
