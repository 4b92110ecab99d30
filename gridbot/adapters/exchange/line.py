"""The way to one exchange, shared by all that is read there: when it was last heard, its pauses, its clock.

Streams of one exchange end together: whoever finds them late forgets them for all, once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import TypeVar

from gridbot.adapters.exchange.unified import CallFailed, Cause, Proof, UnifiedExchange
from gridbot.core.units import TimeMs
from gridbot.ports import Clock

_T = TypeVar("_T")

ANSWER_S = 60.0
"""A request that is not answered by then has failed, whatever the client believes; in it is the wait for its turn."""
LONGEST_PAUSE_S = 30.0
RATE_PAUSE_S = 10.0
"""How long to ask nothing after "too many requests" without a word about when."""
CLOCK_EVERY_S = 600.0
_OFTEN = ("binance", "bybit", "okx", "kucoin", "bitget", "gate", "coinbase")
ASKS_PER_S = {"firi": 0.5, "kraken": 0.5, **dict.fromkeys(_OFTEN, 4.0)}
"""The feed's share of what an exchange allows, where streams are missing or late; the rest is for orders."""
FEW_ASKS_PER_S = 1.0
"""The same where nobody looked it up."""


class Line:
    """One exchange. `trouble` is the sentence of the newest failure since something was heard, "" for none."""

    def __init__(self, name: str, exchange: UnifiedExchange, clock: Clock, random: Random) -> None:
        self.name = name
        self.exchange = exchange
        self.clock = clock
        self.generation = 0
        self.trouble = ""
        self.heard_at = clock.monotonic()
        self.polled = 0
        """How many sources ask at intervals."""
        self._random = random
        self._quiet_until = 0.0
        self._ahead_ms = 0
        self._measured_at: float | None = None

    def now_ms(self) -> TimeMs:
        """Return the exchange's time, as far as it is known."""
        return TimeMs(self.clock.machine_ms() + self._ahead_ms)

    def heard(self) -> None:
        """Note that the exchange lives."""
        self.heard_at, self.trouble = self.clock.monotonic(), ""

    def failed(self, error: CallFailed) -> None:
        """Note a failure, and ask nothing for a while if the exchange says so."""
        self.trouble = error.message
        pause = error.retry_after_s
        if pause is None and error.cause in (Cause.RATE, Cause.BANNED):
            pause = RATE_PAUSE_S
        if pause is not None:
            self._quiet_until = max(self._quiet_until, self.clock.monotonic() + pause)

    async def ask(self, call: Callable[[], Awaitable[_T]]) -> _T:
        """Send a request once; raises CallFailed, at once while the exchange wants to be left alone."""
        pause = self._quiet_until - self.clock.monotonic()
        if pause > 0:
            message = f"The exchange wants no requests for another {pause:.0f} s."
            raise CallFailed(message, proof=Proof.NOT_SENT, cause=Cause.RATE, retry_after_s=pause)
        try:
            async with asyncio.timeout(ANSWER_S):
                answer = await call()
        except TimeoutError:
            error = CallFailed("The exchange does not answer.", proof=Proof.SILENT, cause=Cause.NETWORK)
            self.failed(error)
            raise error from None
        except CallFailed as error:
            self.failed(error)
            raise
        self.heard()
        return answer

    def backoff_s(self, failures: int) -> float:
        """Return how long to wait after so many failures in a row: twice as long each time, and not all at once."""
        longest = min(LONGEST_PAUSE_S, 2.0 ** min(failures, 10) / 2)
        return longest * (0.5 + self._random.random() / 2)

    def interval_s(self, least: float) -> float:
        """Return how often each source may ask, so that all together keep the feed's share of the requests."""
        return max(least, self.polled / ASKS_PER_S.get(self.exchange.id, FEW_ASKS_PER_S))

    async def forget(self, generation: int) -> None:
        """End the streams that were opened under `generation`, unless somebody has done so since."""
        if generation == self.generation:
            self.generation += 1
            try:
                async with asyncio.timeout(ANSWER_S):
                    await self.exchange.forget_stream()
            except TimeoutError:
                self.trouble = "The exchange's streams do not close."
            except CallFailed as error:
                self.failed(error)

    async def measure(self) -> None:
        """Learn how far the exchange's clock is from ours, if that is not known or was long ago."""
        now = self.clock.monotonic()
        if self._measured_at is not None and now - self._measured_at < CLOCK_EVERY_S:
            return
        if not self.exchange.has("fetchTime"):
            return
        sent = self.clock.machine_ms()
        try:
            told = await self.ask(self.exchange.fetch_time)
        except CallFailed:
            return
        back = self.clock.machine_ms()
        self._ahead_ms = told - (sent + back) // 2
        self._measured_at = now
