"""What the exchange itself refuses for a while, whoever asks, and the rules that it changes without a word."""

from __future__ import annotations

from enum import StrEnum

from gridbot.core.units import Symbol
from gridbot.errors import MarketClosed, OrderRejected, OutcomeUnknown, Refusal, VenueError, VenueUnavailable

_RULES = frozenset({"tick_size", "lot_size", "min_qty", "min_notional"})
"""What the simulated venue says where a real one names a filter."""


class Shut(StrEnum):
    """Why the whole exchange serves nobody, or not us."""

    BANNED = "banned"
    KEY = "key revoked"
    MAINTENANCE = "maintenance"


class Conditions:
    """Asked at every request. `clear` makes the exchange a healthy one again.

    Attributes:
        shut: why no request of ours is served, None where it is
        halted: markets that neither trade nor take orders; cancels work
        cancel_only: markets that trade and take no orders
        delisted: markets that are gone
        full: more orders than rest now are refused
    """

    def __init__(self) -> None:
        self.shut: Shut | None = None
        self.halted: dict[Symbol, None] = {}
        self.cancel_only: dict[Symbol, None] = {}
        self.delisted: dict[Symbol, None] = {}
        self.full = False

    def clear(self) -> None:
        """Let the exchange serve everybody, in every market."""
        self.shut, self.full = None, False
        for markets in (self.halted, self.cancel_only, self.delisted):
            markets.clear()

    def read(self) -> None:
        """Raise what a read is answered with, if it is not served."""
        if self.shut is not None:
            raise VenueUnavailable(f"The exchange does not answer: {self.shut.value}.")

    def cancel(self) -> None:
        """Raise what a cancel is answered with, if it is certainly not carried out."""
        self.read()

    def create(self, symbol: Symbol) -> None:
        """Raise what a create is answered with, if it is not taken."""
        match self.shut:
            case Shut.BANNED:
                raise OrderRejected("Too many requests: banned for a while.", code=Refusal.RATE)
            case Shut.KEY:
                raise OrderRejected("The key is not valid any more.", code=Refusal.KEY)
            case Shut.MAINTENANCE:
                # An answer of a proxy that proves nothing, though the order went nowhere.
                raise OutcomeUnknown("502 from before the exchange.")
            case None:
                pass
        if symbol in self.delisted:
            raise OrderRejected(f"There is no market {symbol}.", code=Refusal.UNKNOWN_MARKET)
        if symbol in self.halted or symbol in self.cancel_only:
            raise OrderRejected(f"{symbol} takes no orders now.", code=Refusal.CLOSED)
        if self.full:
            raise OrderRejected("Too many orders rest.", code=Refusal.TOO_MANY)

    def instrument(self, symbol: Symbol) -> None:
        """Raise what the question for a market's rules is answered with, if it does not trade."""
        if self.shut is Shut.MAINTENANCE:
            raise VenueUnavailable("The exchange is being maintained.")
        if symbol in self.halted or symbol in self.cancel_only or symbol in self.delisted:
            raise MarketClosed(f"{symbol} is not traded now.")


def as_exchanges_say(error: VenueError) -> VenueError:
    """Return a refusal of the simulated venue as an adapter would make it of a real exchange's code."""
    if isinstance(error, OrderRejected) and error.code in _RULES:
        return OrderRejected(error.message, code=Refusal.RULES)
    return error
