"""Books and account are compared to the last digit: what nobody can explain keeps everything but cancels from leaving.

Trades, fees and transfers that are known sum to the books; the venue says what is there (I10). A fill may happen
between two of its answers, so that a difference counts only when it stands still; one that is too little to be traded
is booked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from typing import Protocol

from gridbot.core.events import AccountOpened, Transferred
from gridbot.core.ledger import Account, add, subtract
from gridbot.core.state import State
from gridbot.core.units import ZERO, Asset, Symbol, TimeMs
from gridbot.core.values import value
from gridbot.errors import VenueUnavailable
from gridbot.ports import Clock, Movement, Venue
from gridbot.shell.facade import Answered
from gridbot.shell.known_orders import markets_of

ROUNDS = 6
"""How often a difference is looked at before it is told; each look waits a little longer for what is under way."""
STANDS_STILL = 3
PAUSE_S = 1.0
OVERLAP_MS = 24 * 3_600_000
"""How far before the newest comparison that came out even movements are asked for: exchanges tell some of them late."""

Put = Callable[[Transferred | AccountOpened], Awaitable[None]]


@value
class Gap:
    """An asset of which the books hold another amount than the venue."""

    asset: Asset
    books: Decimal
    venue: Decimal

    @property
    def missing(self) -> Decimal:
        """What would have to be booked to make them equal."""
        return subtract(self.venue, self.books)

    def sentence(self) -> str:
        """Return it for a person: the difference alone, which stands still while both sides trade on."""
        way = "more" if self.missing > 0 else "less"
        return f"The exchange holds {abs(self.missing).normalize():f} {self.asset} {way} than gridbot's books."


class Sweep(Protocol):
    """Brings in the trades of a market."""

    async def __call__(self, symbol: Symbol, *, thorough: bool) -> object: ...


class BalanceCheck:
    """Compares. `sweep` brings in every trade of a market that is known by now, `settled` returns when all is booked.

    Attributes:
        gaps: what the newest comparison found, () if it came out even
        booked: how many transfers it has booked; what was decided before the newest one was decided on wrong books
    """

    def __init__(
        self,
        *,
        venue: Venue,
        clock: Clock,
        state: Callable[[], State],
        put: Put,
        sweep: Sweep,
        settled: Callable[[], Awaitable[None]],
    ) -> None:
        self._venue = venue
        self._clock = clock
        self._state = state
        self._put = put
        self._sweep = sweep
        self._settled = settled
        # One at a time: two that look at the same difference must not both book it.
        self._turn = asyncio.Lock()
        self._even: TimeMs | None = None
        self.gaps: tuple[Gap, ...] = ()
        self.booked = 0

    async def open_books(self) -> None:
        """Begin the books with the venue's balances; raises VenueUnavailable."""
        while True:
            before = await self._movements(self._since())
            balances = await self._venue.balances()
            if await self._movements(self._since()) == before:
                break
        now = self._clock.now_ms()
        await self._put(AccountOpened(now, tuple(sorted(balances.items()))))
        for movement in before:
            # It is in the balances already: known under its id, it moves nothing later.
            await self._put(Transferred(now, movement.id, movement.asset, ZERO))

    async def look(self) -> tuple[Gap, ...]:
        """Compare until it comes out even or a difference stands still; raises VenueUnavailable."""
        async with self._turn:
            self.gaps = await self._looked()
            return self.gaps

    async def _looked(self) -> tuple[Gap, ...]:
        seen: list[tuple[Gap, ...]] = []
        for number in range(ROUNDS):
            gaps = await self._compare(thorough=number > 0)
            if not gaps:
                self._even = self._clock.now_ms()
                break
            if await self._explain(gaps):
                continue
            seen.append(gaps)
            if _missing(seen[-STANDS_STILL:]) == [_missing([gaps])[0]] * STANDS_STILL:
                if await self._booked_as_dust(gaps):
                    continue
                break
            await self._clock.sleep(PAUSE_S * (number + 1))
        return gaps

    async def accept(self, number: int, seen: Sequence[str]) -> Answered:
        """Take the venue's word for what a person has read (`seen`), and no other difference."""
        async with self._turn:
            return await self._accepted(number, seen)

    async def _accepted(self, number: int, seen: Sequence[str]) -> Answered:
        gaps = self.gaps
        sentences = [gap.sentence() for gap in gaps]
        if not gaps:
            return Answered(number, False, "Books and exchange agree; there is nothing to accept.")
        if list(seen) != sentences:
            return Answered(number, False, "\n".join(sentences))
        try:
            # What was read may be of long ago: what is booked must be so now.
            self.gaps = await self._compare(thorough=True)
        except VenueUnavailable as error:
            sentence = f"Whether that is still so could not be asked, so nothing was accepted: {error.message}"
            return Answered(number, False, f"{sentence} Try again.")
        if _missing([self.gaps]) != _missing([gaps]):
            now_so = "\n".join(gap.sentence() for gap in self.gaps) or "Books and exchange agree by now."
            return Answered(number, False, f"Meanwhile that has changed, and nothing was accepted.\n{now_so}")
        now = self._clock.now_ms()
        for gap in gaps:
            await self._book(Transferred(now, f"accepted-{now}-{gap.asset}", gap.asset, gap.missing))
        await self._settled()
        self.gaps = ()
        return Answered(number, True, f"Accepted, and booked as a transfer: {' '.join(sentences)}")

    async def _compare(self, *, thorough: bool) -> tuple[Gap, ...]:
        held = await self._venue.balances()
        # Afterwards: what was traded until the balances were read is booked now.
        for symbol in markets_of(self._state()):
            await self._sweep(symbol, thorough=thorough)
        await self._settled()
        return tuple(differences(self._state(), held))

    async def _explain(self, gaps: Sequence[Gap]) -> bool:
        """Book movements that nobody has booked yet, if they are all that is missing; tell whether they were."""
        state = self._state()
        news = [m for m in await self._movements(self._since()) if m.id not in state.transfers]
        first = _explained_from(news, gaps, tolerances(state))
        if first is None:
            return False
        for place, movement in enumerate(news):
            # What is older was in the balances that a person accepted, and was told of too late: it moves nothing more.
            amount = movement.amount if place >= first else ZERO
            await self._book(Transferred(movement.time, movement.id, movement.asset, amount))
        await self._settled()
        return True

    async def _booked_as_dust(self, gaps: Sequence[Gap]) -> bool:
        """Book what is too little to be traded: the books must not hold a crumb that cannot be sold."""
        dust = tolerances(self._state())
        if any(abs(gap.missing) > dust[gap.asset] for gap in gaps):
            return False
        now = self._clock.now_ms()
        for gap in gaps:
            await self._book(Transferred(now, f"dust-{now}-{gap.asset}", gap.asset, gap.missing))
        await self._settled()
        return True

    async def _book(self, transfer: Transferred) -> None:
        self.booked += 1
        await self._put(transfer)

    def _since(self) -> TimeMs:
        newest = self._state().now if self._even is None else self._even
        return TimeMs(max(0, (newest or self._clock.now_ms()) - OVERLAP_MS))

    async def _movements(self, since: TimeMs) -> list[Movement]:
        found: dict[str, Movement] = {}
        for symbol in markets_of(self._state()):
            for movement in await self._venue.movements(symbol, since):
                found[movement.id] = movement
        return sorted(found.values(), key=lambda movement: (movement.time, movement.id))


def _explained_from(news: Sequence[Movement], gaps: Sequence[Gap], allowed: Mapping[Asset, Decimal]) -> int | None:
    """Return from which place on the movements are all that is missing: the first such, None if there is none."""
    wanted = {gap.asset: gap.missing for gap in gaps}
    moved = dict.fromkeys(allowed, ZERO)
    found = None
    for place in range(len(news) - 1, -1, -1):
        movement = news[place]
        if movement.asset in allowed:
            moved[movement.asset] = add(moved[movement.asset], movement.amount)
        if all(abs(amount - wanted.get(asset, ZERO)) <= allowed[asset] for asset, amount in moved.items()):
            found = place
    return found


def differences(state: State, held: Mapping[Asset, Decimal]) -> list[Gap]:
    """Return where the books are not what the venue holds, in the assets that grids trade."""
    gaps = []
    for asset in tolerances(state):
        books, venue = state.accounts.get(asset, _NONE).total, held.get(asset, ZERO)
        if books != venue:
            gaps.append(Gap(asset, books, venue))
    return gaps


def _missing(rounds: Sequence[Sequence[Gap]]) -> list[list[tuple[Asset, Decimal]]]:
    """Return the differences alone: both sides may trade on while one stands still."""
    return [[(gap.asset, gap.missing) for gap in gaps] for gaps in rounds]


_NONE = Account()


def tolerances(state: State) -> dict[Asset, Decimal]:
    """Return by asset what counts as dust: less than can be traded of a base asset, less than a tick of a quote."""
    dust: dict[Asset, Decimal] = {}
    for instrument in state.instruments.values():
        for asset, step in ((instrument.base, instrument.lot_size), (instrument.quote, instrument.tick_size)):
            dust[asset] = min(dust.get(asset, step), step)
    return dict(sorted(dust.items()))


def blocked(gaps: Sequence[Gap]) -> VenueUnavailable:
    """Return what is said while a difference keeps everything but cancels from leaving."""
    return VenueUnavailable(
        " ".join(gap.sentence() for gap in gaps)
        + " That must be explained first, by a trade or a transfer that the exchange has not told of, or by an older "
        "copy of this account that was put back. If the exchange is right, accept its balances."
    )
