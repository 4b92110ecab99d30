"""An order's life as whole sentences, each with its time and the number of its event in the journal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

from gridbot.core.commands import FillBooked, OrderEnded, RoundTripClosed
from gridbot.core.events import (
    CandleClosed,
    Event,
    GridRemoved,
    GridWished,
    HistoryLoaded,
    KillReleased,
    KillRequested,
    Marked,
    MarketReady,
    OrderFilled,
    OrderRef,
    OrderReported,
    PriceCrossed,
    RulesChanged,
)
from gridbot.core.orders import Fact, Order, OrderState
from gridbot.core.state import Grid, State
from gridbot.core.units import ZERO, GridId, OrderId, Side
from gridbot.core.values import value
from gridbot.shell.retrace import Moment


@value
class LifeLine:
    """One sentence of the story: when it was (ms UTC), and which event told it."""

    time: int
    sequence: int
    sentence: str

    def text(self) -> str:
        """Return the line as it is printed."""
        moment = datetime.fromtimestamp(self.time / 1000, UTC).isoformat(" ", "milliseconds").removesuffix("+00:00")
        return f"{moment} UTC  event {self.sequence:,}: {self.sentence}"


_WITHDRAWN = frozenset({OrderState.CANCEL_INTENT, OrderState.CANCEL_SENT, OrderState.CANCEL_UNKNOWN})

_REPORTS = {
    Fact.SENT: "It was sent.",
    Fact.ACCEPTED: "The exchange has it in its book{as_}.",
    Fact.REJECTED: "The exchange refused it{why}.",
    Fact.NOT_SENT: "It was not sent{why}.",
    Fact.NO_ANSWER: "No certain answer came{why}: it may rest or not, so it keeps its place and is asked about.",
    Fact.NOT_FOUND: "The exchange, asked about it, knows of no such order{why}.",
    Fact.AMBIGUOUS: "More than one order of the exchange may be this one{why}; a person must look.",
    Fact.CANCEL_SENT: "The exchange took its cancel.",
    Fact.CANCEL_NO_ANSWER: "No certain answer to its cancel came{why}; it is asked about.",
    Fact.CANCEL_REFUSED: "It still rests after its cancel{why}; the cancel is sent again.",
    Fact.CANCELED: "The exchange says that it is cancelled.",
    Fact.EXPIRED: "The exchange says that it expired.",
}
_ENDS = {
    OrderState.FILLED: "It ended, filled.",
    OrderState.CANCELED: "It ended, cancelled with {filled} of {quantity} filled{reason}.",
    OrderState.EXPIRED: "It ended, expired with {filled} of {quantity} filled{reason}.",
    OrderState.REJECTED: "It ended, refused{reason}.",
    OrderState.NOT_SENT: "It ended without having been sent{reason}.",
    OrderState.ABSENT: "It ended: it never reached the exchange{reason}.",
}


class OrderLife:
    """Tells the life of one order from the moments of its account, in their order.

    Attributes:
        id: the order's id
    """

    def __init__(self, id_: OrderId) -> None:
        self.id = id_
        self._ref: OrderRef | None = None
        self._side = Side.BUY
        self._quantity = self._filled = ZERO
        self._sold_out = False
        self._begun = False

    def over(self) -> bool:
        """Tell whether nothing can follow that does not name the order: of a buy, its coins are still to be sold."""
        return self._side is Side.SELL or not self._filled or self._sold_out

    def told(self, moments: Iterable[Moment]) -> Iterator[LifeLine]:
        """Yield the story's lines as the moments pass by; nothing for an order that they do not know."""
        for moment in moments:
            for sentence in self._of(moment):
                yield LifeLine(moment.event.time, moment.sequence, sentence)

    def _of(self, moment: Moment) -> Iterator[str]:
        new = self._ref is None
        if self._ref is None:
            yield from self._appears(moment)
            if self._ref is None:
                return
        else:
            yield from self._withdrawn(moment, self._ref)
        event = moment.event
        if isinstance(event, OrderReported) and event.ref.id == self.id:
            yield _reported(event)
        for note in moment.notes:
            if isinstance(note, FillBooked) and note.order == self.id:
                self._filled += note.quantity
                yield f"{_filled(note)}; {self._filled:f} of {self._quantity:f} are filled."
            elif isinstance(note, RoundTripClosed) and (note.grid, note.cell) == (self._ref.grid, self._ref.cell):
                # In the event that made a buy, the trip that closed was the one before it.
                yield from () if new and self._side is Side.BUY else self._sold(note, event)
            elif isinstance(note, OrderEnded) and note.order == self.id:
                yield _ended(note)

    def _appears(self, moment: Moment) -> Iterator[str]:
        """Find where the order is first known: made in this event, or there before the kept journals begin."""
        found, sentence = None, _was_there
        if not self._begun:
            self._begun = True
            found = _find(moment.before, self.id)
        if found is None:
            known = moment.before.grids
            found = _find(moment.after, self.id, unless=known)
            sentence = _made
        if found is not None:
            self._ref, order = found
            self._side, self._quantity, self._filled = order.side, order.quantity, order.filled
            yield sentence(self._ref, order, moment)

    def _withdrawn(self, moment: Moment, ref: OrderRef) -> Iterator[str]:
        if moment.before.grids.get(ref.grid) is moment.after.grids.get(ref.grid):
            return
        before, after = self._order(moment.before), self._order(moment.after)
        if before is None or after is None or before.state in _WITHDRAWN or after.state not in _WITHDRAWN:
            return
        yield f"It was no longer wanted {_cause(moment.event)}; its cancel was written down and sent."

    def _order(self, state: State) -> Order | None:
        """Return the order as `state` knows it, live or ended not long ago."""
        if self._ref is None:
            return None
        grid = state.grids.get(self._ref.grid)
        if grid is not None and self._ref.cell <= len(grid.cells):
            order = grid.cells[self._ref.cell - 1].order
            if order is not None and order.id == self.id:
                return order
        retired = state.retired.get(self.id)
        return None if retired is None else retired.order

    def _sold(self, note: RoundTripClosed, event: Event) -> Iterator[str]:
        mine = isinstance(event, OrderFilled) and event.ref.id == self.id
        trip = f"bought at {note.buy_price:f}, sold at {note.sell_price:f}, profit {note.profit:f}"
        if mine:
            yield f"This closed a round trip of {note.quantity:f}: {trip}."
        elif not self.over() and isinstance(event, OrderFilled):
            # The cell sells what this order bought, and only then buys anew.
            yield f"What it bought was sold by order {event.ref.id}: {trip}."
        self._sold_out = self._sold_out or bool(self._filled)


def _find(state: State, id_: OrderId, unless: Mapping[GridId, Grid] | None = None) -> tuple[OrderRef, Order] | None:
    """Return where an order is; a grid that is the same in `unless` is not looked at."""
    for grid_id, grid in state.grids.items():
        if unless is not None and unless.get(grid_id) is grid:
            continue
        for cell in grid.cells:
            if cell.order is not None and cell.order.id == id_:
                return OrderRef(grid_id, cell.number, id_), cell.order
    retired = state.retired.get(id_)
    return None if retired is None else (retired.ref, retired.order)


def _what(ref: OrderRef, order: Order) -> str:
    kind = "immediate " if order.taker else ""
    return f"{kind}{order.side.value} of {order.quantity:f} at {order.price:f} for cell {ref.cell} of {ref.grid}"


def _made(ref: OrderRef, order: Order, moment: Moment) -> str:
    slot = "" if order.side is Side.SELL else f" (slot {order.slot})"
    return f"Intended {_cause(moment.event)}: {_what(ref, order)}{slot}. It was written down before it was sent."


def _was_there(ref: OrderRef, order: Order, moment: Moment) -> str:
    return f"The kept journals begin here. It was there already: {_what(ref, order)}, {order.state.value}."


def _cause(event: Event) -> str:
    match event:
        case CandleClosed():
            return f"when a candle of {event.market} closed at {event.close:f}"
        case PriceCrossed():
            return f"when {event.symbol} crossed {event.level:f}"
        case OrderFilled():
            return f"after order {event.ref.id} was filled at {event.price:f}"
        case OrderReported():
            return f"after news of order {event.ref.id} ({event.fact.value.replace('_', ' ')})"
        case RulesChanged() | GridWished() | GridRemoved():
            return "because its user changed what is wanted"
        case KillRequested():
            return "because trading was stopped"
        case KillReleased():
            return "because trading was released"
        case MarketReady() | HistoryLoaded():
            return f"when {event.symbol if isinstance(event, MarketReady) else event.market} was ready"
        case Marked():
            return "at the look that is taken once a second"
        case _:
            return "at the start"


def _reported(event: OrderReported) -> str:
    why = (event.message or event.code).rstrip(".")
    template = _REPORTS.get(event.fact, f"The exchange reports: {event.fact.value.replace('_', ' ')}{{why}}.")
    return template.format(
        why=f" ({why})" if why else "", as_=f" as {event.venue_id}" if event.venue_id is not None else ""
    )


def _filled(note: FillBooked) -> str:
    verb = "bought" if note.side is Side.BUY else "sold"
    return f"It {verb} {note.quantity:f} at {note.price:f} (trade {note.trade}, fee {note.fee:f} {note.fee_asset})"


def _ended(note: OrderEnded) -> str:
    reason = f" ({note.reason.rstrip('.')})" if note.reason else ""
    template = _ENDS.get(note.state, "It ended{reason}.")
    return template.format(filled=f"{note.filled:f}", quantity=f"{note.quantity:f}", reason=reason)
