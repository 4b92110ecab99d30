"""Reads are repeated, with growing pauses and only so long; writes never come here.

What is left over becomes VenueUnavailable with a sentence for a person. An answer that cannot be read counts as none,
so the form that reads it belongs inside the repeated part.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt, wait_exponential_jitter

from gridbot.adapters.exchange.unified import CallFailed, Cause
from gridbot.errors import VenueUnavailable
from gridbot.ports import Clock

TRIES = 4
FOR_S = 10.0
"""After so long no further try begins."""
_FIRST_S = 0.25
_LONGEST_S = 3.0
_AGAIN = frozenset({Cause.NETWORK, Cause.RATE, Cause.CLOCK, Cause.MALFORMED})
"""What may be gone the next time. A ban, a wrong key or maintenance is not gone in ten seconds."""
_GROWING = wait_exponential_jitter(multiplier=_FIRST_S, max=_LONGEST_S, jitter=_FIRST_S)

_HINTS = {
    Cause.NETWORK: "gridbot goes on asking. Look at the internet connection if it lasts.",
    Cause.RATE: "gridbot waits and asks again. Other programs with the same key or address count too.",
    Cause.BANNED: "gridbot waits. Other programs with the same address count too.",
    Cause.KEY: "Check the key, and what it may do, on the exchange's own page.",
    Cause.CLOCK: "Let the system set the machine's clock by itself.",
    Cause.MAINTENANCE: "gridbot waits until the exchange is open again.",
    Cause.MALFORMED: "gridbot trusts no answer that it cannot read, and asks again.",
}

Answer = TypeVar("Answer")


def unavailable(failed: CallFailed, exchange: str) -> VenueUnavailable:
    """Return what a failed read or cancel is to the shell."""
    message = failed.message if exchange.lower() in failed.message.lower() else f"{exchange}: {failed.message}"
    return VenueUnavailable(message, hint=_HINTS.get(failed.cause, ""))


class Reader:
    """Asks one exchange; `remeasure` is awaited when the exchange disliked the time of a request."""

    def __init__(self, clock: Clock, exchange: str, remeasure: Callable[[], Awaitable[None]]) -> None:
        self._clock = clock
        self._exchange = exchange
        self._remeasure = remeasure

    async def ask(self, request: Callable[[], Awaitable[Answer]], *, passes: frozenset[Cause] = frozenset()) -> Answer:
        """Return an answer; raises VenueUnavailable, and CallFailed for the causes that `passes` names."""
        begun = self._clock.monotonic()

        def is_worth_it(error: BaseException) -> bool:
            if not isinstance(error, CallFailed) or error.cause in passes or error.cause not in _AGAIN:
                return False
            left = FOR_S - (self._clock.monotonic() - begun)
            return max(error.retry_after_s or 0.0, 0.0) < left

        again = AsyncRetrying(
            sleep=self._clock.sleep,
            stop=stop_after_attempt(TRIES),
            wait=_pause,
            retry=retry_if_exception(is_worth_it),
            reraise=True,
        )
        try:
            return await again(self._try, request)
        except CallFailed as failed:
            if failed.cause in passes:
                raise
            raise unavailable(failed, self._exchange) from failed

    async def _try(self, request: Callable[[], Awaitable[Answer]]) -> Answer:
        try:
            return await request()
        except CallFailed as failed:
            if failed.cause is Cause.CLOCK:
                await self._remeasure()
            raise


def _pause(state: RetryCallState) -> float:
    error = None if state.outcome is None else state.outcome.exception()
    told = error.retry_after_s if isinstance(error, CallFailed) else None
    return max(told or 0.0, _GROWING(state))
