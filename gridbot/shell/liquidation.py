"""The one exception to the latch: sells that the user chose, after nothing rests and the balances were read again.

It never sells by itself. The choice reaches the engine, as a second KillRequested, only when the venue has said twice
that no order of ours rests and that the coins are there (docs/decisions/0010-a-chosen-liquidation-passes-the-latch.md).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal

from gridbot.core.commands import PlaceLimit
from gridbot.core.events import KillRequested
from gridbot.core.state import Kill, State
from gridbot.core.units import ZERO, Asset, OrderId, Side
from gridbot.errors import VenueUnavailable
from gridbot.ports import Clock, Venue
from gridbot.shell.kill_procedure import CONFIRM_S, ZEROS
from gridbot.shell.known_orders import known_markets, live_orders


class Liquidation:
    """Watches a stop that is to end in selling. `look` is called often; `permits` is asked right before each send.

    `state` returns the engine's newest state, `put` hands the engine an event, `alarm` tells a person.
    """

    def __init__(
        self,
        *,
        venue: Venue,
        clock: Clock,
        state: Callable[[], State],
        ours: Callable[[OrderId], bool],
        put: Callable[[KillRequested], Awaitable[None]],
        alarm: Callable[[str, str], None],
    ) -> None:
        self._venue = venue
        self._clock = clock
        self._state = state
        self._ours = ours
        self._put = put
        self._alarm = alarm
        self._chosen = False
        self._permitted: Kill | None = None
        self._refused = ""

    def choose(self) -> None:
        """The user wants to sell, once nothing rests any more."""
        self._chosen = True

    @property
    def permitted(self) -> bool:
        """Whether the sells that a user chose may leave though trading is stopped."""
        return self._permitted is not None

    def permits(self, order: PlaceLimit) -> bool:
        """Tell whether this order may leave though trading is stopped."""
        kill = self._state().kill
        if kill is None or self._permitted is None or not kill.liquidate or kill.time != self._permitted.time:
            return False
        return order.taker and order.side is Side.SELL

    async def look(self) -> None:
        """Take the next step, if it is time for one."""
        kill = self._state().kill
        if kill is None:
            self._chosen, self._permitted, self._refused = False, None, ""
            return
        if self._permitted is not None or not (self._chosen or kill.liquidate):
            return
        try:
            if not await self._is_flat():
                return
            missing = self._missing(await self._venue.balances())
        except VenueUnavailable:
            return  # The next look asks again.
        if missing:
            self._refuse(missing)
            return
        now = self._state().kill
        if now is None or now.time != kill.time:
            return
        self._permitted = now
        await self._put(KillRequested(self._clock.now_ms(), now.kind, now.reason, liquidate=True))

    async def _is_flat(self) -> bool:
        for round_ in range(ZEROS):
            if round_:
                await self._clock.sleep(CONFIRM_S)
            if any(not live.order.taker for live in live_orders(self._state())):
                return False
            for symbol in known_markets(self._state()):
                if any(self._ours(report.ref.id) for report in await self._venue.open_orders(symbol)):
                    return False
        return True

    def _missing(self, balances: dict[Asset, Decimal]) -> str:
        """Return which coins the grids count that the account does not hold, as a sentence; "" if it holds all."""
        counted: dict[Asset, Decimal] = {}
        for grid in self._state().grids.values():
            if grid.instrument is not None:
                lots = [cell.lot.quantity for cell in grid.cells if cell.lot is not None]
                base = grid.instrument.base
                counted[base] = counted.get(base, ZERO) + sum(lots, ZERO)
        for asset, quantity in counted.items():
            held = balances.get(asset, ZERO)
            if quantity > held:
                return f"the grids count {quantity:f} {asset}, and the account holds {held:f}."
        return ""

    def _refuse(self, missing: str) -> None:
        if missing != self._refused:
            self._refused = missing
            self._alarm("not_sold", f"Nothing is sold: {missing} Sell by hand, or release the stop.")
