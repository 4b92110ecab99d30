"""Silence is resolved by asking, never by sending again: unanswered orders, lost updates, orders that should not be."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from gridbot.core.commands import CancelOrder
from gridbot.core.events import OrderFilled, OrderReported
from gridbot.core.orders import Fact, OrderState
from gridbot.core.state import Grid, State
from gridbot.core.units import ZERO, GridId, OrderId, Symbol, TimeMs, VenueOrderId
from gridbot.errors import AmbiguousOrder, OutcomeUnknown, VenueUnavailable
from gridbot.ports import Clock, OrderClosed, OrderReport, Venue
from gridbot.shell.facade import ForeignOrder, ForeignOrders
from gridbot.shell.known_orders import LiveOrder, is_booked, is_gridbot_id, live_order, live_orders, markets_of
from gridbot.shell.meter import Meter

ABSENT_ROUNDS = 3
ABSENT_AFTER_MS = 120_000
"""An order counts as absent after three complete rounds without it, over at least this long."""
SKEW_MS = 60_000
"""Windows of trades overlap by this much."""
FIRST_WAIT_S = 0.5
"""How long to wait before an order is asked about again; it doubles each time, up to `longest_wait_s`."""
MOST_FOREIGN = 200
"""Orders of others that are kept of a market to be shown; the rest is counted."""
FOREIGN, OTHER_GRIDBOT = "not gridbot's", "another gridbot's"

_OPEN = OrderState.OPEN
_ON_ITS_WAY = frozenset({OrderState.INTENT, OrderState.SENT})
_UNRESOLVED = _ON_ITS_WAY | {OrderState.UNKNOWN, OrderState.CANCEL_SENT, OrderState.CANCEL_UNKNOWN}
_TO_CONFIRM = _ON_ITS_WAY | {OrderState.UNKNOWN, OrderState.CANCEL_UNKNOWN}

Put = Callable[[OrderReported | OrderFilled], Awaitable[None]]
_Answer = TypeVar("_Answer")


class _Case:
    """What asking about one order has brought so far."""

    __slots__ = ("due", "first_none", "nones", "wait")

    def __init__(self, due: float) -> None:
        self.due = due
        self.wait = FIRST_WAIT_S
        self.nones = 0
        self.first_none = TimeMs(0)


class Reconciler:
    """Asks the venue. `state` returns the engine's newest state, `busy` tells of requests under way."""

    def __init__(
        self,
        *,
        venue: Venue,
        clock: Clock,
        state: Callable[[], State],
        put: Put,
        busy: Callable[[OrderId], bool],
        alarm: Callable[[str, str], None],
        meter: Meter,
        ours: Callable[[OrderId], bool],
        longest_wait_s: float,
    ) -> None:
        self._venue = venue
        self._clock = clock
        self._state = state
        self._put = put
        self._busy = busy
        self._alarm = alarm
        self._meter = meter
        self._ours = ours
        self._longest_wait_s = longest_wait_s
        self._cases: dict[OrderId, _Case] = {}
        self._settled: Mapping[GridId, Grid] | None = None
        """The grids in which nothing was in doubt when it was looked last: while they are the same, nothing is."""
        self._swept: dict[Symbol, TimeMs] = {}
        self._unwhole: set[OrderId] = set()
        self._stranger: OrderId | None = None
        self._foreign: dict[Symbol, ForeignOrders] = {}

    def begin_anew(self) -> None:
        """Time has jumped: rounds that were counted before say nothing about how long an order is absent."""
        self._cases = {}

    def foreign(self) -> ForeignOrders:
        """Return the orders of others in the grids' markets, as the newest sweeps have seen them."""
        kept = [self._foreign[symbol] for symbol in markets_of(self._state()) if symbol in self._foreign]
        orders = tuple(order for each in kept for order in each.orders)
        return ForeignOrders(orders, sum(each.total for each in kept))

    def is_whole(self, closed: OrderClosed) -> bool:
        """Tell whether all is booked that the venue traded of an order that left its book; if not, it is asked about.

        Its end may not overtake its fills: what it holds would be put on sale a second time. Nor is the end of another
        order, which rests under the same id because a create was carried out twice, the end of this one.
        """
        live = live_order(self._state(), closed.report.ref)
        if live is None:
            return True
        if live.order.filled >= closed.filled and not _is_another(live, closed.report.venue_id):
            return True
        self._unwhole.add(live.order.id)
        return False

    async def ask_due(self) -> None:
        """Ask about every unresolved order whose time has come; a failed read is tried again later."""
        now = self._clock.monotonic()
        # One that rests by the books, and that the venue knew nothing of when it was asked, is looked for as well.
        missed = {id_ for id_, case in self._cases.items() if case.nones}
        unwhole = self._unwhole
        doubted = missed | unwhole
        grids = self._state().grids
        if grids is self._settled and not doubted:
            return
        waiting = [
            live
            for live in live_orders(self._state())
            if live.order.id in doubted or (live.order.state is not _OPEN and live.order.state in _UNRESOLVED)
        ]
        self._settled = None if waiting else grids
        unwhole.intersection_update(live.order.id for live in waiting)
        # Held here as well: a jump of the clock while one is asked about lets go of them all.
        cases = self._cases = {live.order.id: self._cases.get(live.order.id, _Case(now)) for live in waiting}
        for live in waiting:
            case = cases[live.order.id]
            if case.due <= now and not self._busy(live.order.id):
                await self._ask_with_backoff(live, case)

    async def _ask_with_backoff(self, live: LiveOrder, case: _Case) -> None:
        case.due = self._clock.monotonic() + case.wait
        case.wait = min(case.wait * 2, self._longest_wait_s)
        try:
            await self._ask(live, case)
        except VenueUnavailable:
            self._meter.count(failed=True)

    async def ask_all(self) -> None:
        """Ask about every order that has not ended; raises VenueUnavailable. Start-up waits for this to succeed."""
        for symbol in markets_of(self._state()):
            # What was found and cancelled must be gone before anything is sent: it holds coins that the books count.
            if await self.sweep(symbol) and (left := await self.sweep(symbol)):
                raise VenueUnavailable(f"{left} orders of ours that no grid knows still rest in {symbol}.")
            if self._stranger is not None:
                raise VenueUnavailable(
                    f"Another gridbot trades this account: its order {self._stranger} rests in {symbol}. Two must not "
                    "share one. Stop the other; if it is gone for good, cancel its orders at the exchange."
                )
        for live in list(live_orders(self._state())):
            if live.order.state in _UNRESOLVED and not self._busy(live.order.id):
                await self._ask(live, self._cases.setdefault(live.order.id, _Case(self._clock.monotonic())))

    async def _ask(self, live: LiveOrder, case: _Case) -> None:
        if live.order.state in _ON_ITS_WAY:
            # Nobody waits for its answer any more (a restart): it may rest, or not. It is never sent again.
            await self._report(live, Fact.NO_ANSWER, "The answer to its request was never heard.")
        try:
            report = await self._read(self._venue.find(live.ref, live.symbol))
        except AmbiguousOrder as error:
            await self._report(live, Fact.AMBIGUOUS, error.message)
            return
        since = TimeMs(max(0, live.order.created - SKEW_MS))
        # After `find`: what it says was filled is in this list, if the venue is consistent.
        trades = await self._read(self._venue.trades(live.symbol, since))
        mine = [trade for trade in trades if trade.ref.id == live.order.id]
        await self._put_new(mine)
        if report is not None and not report.open and _is_another(live, report.venue_id):
            # Carried out twice, and the one that ended was found: ours is in the list of what rests, or nowhere.
            resting = await self._read(self._venue.open_orders(live.symbol))
            report = next((each for each in resting if each.venue_id == live.order.venue_id), None)
        if report is None:
            await self._not_found(live, case)
            return
        case.nones = 0
        if report.open:
            await self._rests(live, report)
        elif sum((trade.quantity for trade in mine), ZERO) >= report.filled and report.filled < report.quantity:
            await self._report(live, Fact.CANCELED, "The exchange says that it ended.", report)

    async def _rests(self, live: LiveOrder, report: OrderReport) -> None:
        if live.order.state in _TO_CONFIRM:
            await self._report(live, Fact.ACCEPTED, "", report)
        elif live.order.state is OrderState.CANCEL_SENT:
            await self._report(live, Fact.CANCEL_REFUSED, "It rests after its cancel.", report)

    async def _not_found(self, live: LiveOrder, case: _Case) -> None:
        now = self._clock.now_ms()
        if case.nones == 0:
            case.first_none = now
        case.nones += 1
        if case.nones >= ABSENT_ROUNDS and now - case.first_none >= ABSENT_AFTER_MS:
            await self._report(live, Fact.NOT_FOUND, "The exchange has never seen it.")

    async def sweep(self, symbol: Symbol, *, thorough: bool = False) -> int:
        """Compare a market's open orders and newest trades with the books; raises VenueUnavailable.

        Finds what a lost update hid, and cancels orders of ours that nobody knows; returns how many of these it found.
        `thorough` takes the trades of every order that is remembered, and not only those since the last sweep.
        """
        before, started = self._state(), self._clock.now_ms()
        known = [live for live in live_orders(before) if live.symbol == symbol]
        resting = await self._read(self._venue.open_orders(symbol))
        newest = None if thorough else self._swept.get(symbol)
        if newest is None:
            # Those that ended too: they may have traded before they did, and a crash may have taken the news of it.
            orders = (*(live.order for live in known), *(ended.order for ended in before.retired.values()))
            newest = min((order.created for order in orders), default=started)
        since = TimeMs(max(0, newest - SKEW_MS))
        await self._put_new(await self._read(self._venue.trades(symbol, since)))
        self._swept[symbol] = started
        ids = {report.ref.id for report in resting}
        for live in known:
            if live.order.state not in _UNRESOLVED and live.order.id not in ids and not self._busy(live.order.id):
                await self._ask(live, self._cases.setdefault(live.order.id, _Case(0.0)))
        self._stranger = next((report.ref.id for report in resting if self._is_strange(before, report)), None)
        self._look_at_others(symbol, before, resting)
        found = [report for report in resting if self._is_excess(before, report)]
        for report in found:
            await self._cancel_excess(report)
        return len(found)

    def _is_excess(self, before: State, report: OrderReport) -> bool:
        ref = report.ref
        live = live_order(before, ref) or live_order(self._state(), ref)
        if live is not None:
            # Carried out twice: under the id of one of ours there is an order beside it.
            return _is_another(live, report.venue_id) and self._ours(ref.id)
        return not self._busy(ref.id) and self._ours(ref.id)

    def _is_strange(self, before: State, report: OrderReport) -> bool:
        """Tell whether an order is of another installation of gridbot."""
        id_ = report.ref.id
        return is_gridbot_id(id_) and not self._ours(id_) and live_order(before, report.ref) is None

    def _look_at_others(self, symbol: Symbol, before: State, resting: Sequence[OrderReport]) -> None:
        """Keep what rests in a market and is none of ours: not by its id, and not one that the books know or knew."""
        others = [each for each in resting if not self._ours(each.ref.id)]
        if others:
            now = self._state()
            known = {live.order.id for state in (before, now) for live in live_orders(state)} | now.retired.keys()
            others = [each for each in others if each.ref.id not in known]
        self._foreign[symbol] = ForeignOrders(tuple(_as_foreign(each) for each in others[:MOST_FOREIGN]), len(others))

    async def _cancel_excess(self, report: OrderReport) -> None:
        ref = report.ref
        self._alarm("excess_order", f"Order {ref.id} rests at {report.price:f} and no grid wants it; it is cancelled.")
        try:
            await self._venue.cancel(CancelOrder(ref, report.symbol, report.venue_id))
        except (OutcomeUnknown, VenueUnavailable):
            self._meter.count(failed=True)  # The next sweep finds it again.

    async def _put_new(self, trades: Sequence[OrderFilled]) -> None:
        for trade in trades:
            state = self._state()
            if not is_booked(state, trade) and (live_order(state, trade.ref) or trade.ref.id in state.retired):
                await self._put(trade)

    async def _report(self, live: LiveOrder, fact: Fact, message: str, report: OrderReport | None = None) -> None:
        venue_id = None if report is None else report.venue_id
        await self._put(OrderReported(self._clock.now_ms(), live.ref, fact, venue_id, fact.value, message))

    async def _read(self, request: Awaitable[_Answer]) -> _Answer:
        answer = await request
        self._meter.count(failed=False)
        return answer


def _is_another(live: LiveOrder, venue_id: VenueOrderId | None) -> bool:
    """Tell whether the venue means an order that rests, or rested, under the same id beside the one that is known."""
    return None not in (live.order.venue_id, venue_id) and live.order.venue_id != venue_id


def _as_foreign(report: OrderReport) -> ForeignOrder:
    id_ = report.ref.id
    mark = OTHER_GRIDBOT if is_gridbot_id(id_) else FOREIGN
    return ForeignOrder(report.symbol, id_, report.side, report.price, report.quantity, report.filled, mark)
