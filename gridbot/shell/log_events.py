"""Which log line each note, command and event makes, and the trace that links an intent with its order and round trip.

The trace of a lot is the id of the first order that bought for it: everything that happens in its cell until it is sold
to the end carries this id. It is built from what passes by, and after a restart from the history of notes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from gridbot.core.commands import (
    CancelOrder,
    Command,
    FillBooked,
    Note,
    OrderDenied,
    OrderEnded,
    PlaceLimit,
    RoundTripClosed,
)
from gridbot.core.events import (
    AccountOpened,
    EpochStarted,
    Event,
    GridRemoved,
    GridWished,
    InstrumentChanged,
    KillReleased,
    KillRequested,
    OrderReported,
    PriceCrossed,
    RulesChanged,
    Transferred,
)
from gridbot.core.orders import Fact, OrderState
from gridbot.core.units import GridId, OrderId, Side
from gridbot.core.values import evolve, value
from gridbot.shell.narration import Line, narrate

_Place = tuple[GridId, int]


@value
class _Thread:
    """What happens in one cell: its trace, and whether its lot is bought, so that the next buy begins another."""

    trace: OrderId
    bought: bool


class LogEvents:
    """Turns what passes by into log lines, in its order."""

    def __init__(self, past: Iterable[Note] = ()) -> None:
        self._threads: dict[_Place, _Thread] = {}
        self._leaving: set[OrderId] = set()
        for note in past:
            self.of_note(note)

    def of_note(self, note: Note) -> Line:
        """Return the line of a note."""
        line = narrate(note)
        match note:
            case FillBooked():
                return evolve(line, trace=self._filled(note))
            case OrderEnded():
                return evolve(line, trace=self._ended(note))
            case OrderDenied():
                return evolve(line, trace=self._of((note.grid, note.cell)))
            case RoundTripClosed():
                thread = self._threads.pop((note.grid, note.cell), None)
                return evolve(line, trace="" if thread is None else thread.trace)
            case _:
                return line

    def of_command(self, command: Command) -> Line | None:
        """Return the line of a command; for a place it is the intent, as the journal held it before anything was sent.

        None for a cancel that is asked for again: while an exchange is away that is so at every mark.
        """
        place, id_ = (command.ref.grid, command.ref.cell), command.ref.id
        where = f"{command.ref.grid} cell {command.ref.cell}"
        if isinstance(command, CancelOrder):
            if id_ in self._leaving:
                return None
            self._leaving.add(id_)
            text = f"{where}: order {id_} is to be cancelled."
            return Line("INFO", "trading", "order_cancel_intent", text, self._of(place) or id_)
        trace = self._intended(place, command)
        kind = "immediate " if command.taker else ""
        text = f"{where}: {kind}{command.side.value} {command.quantity:f} at {command.price:f}, order {id_}."
        return Line("INFO", "trading", "order_intent", text, trace)

    def of_event(self, event: Event) -> Line | None:
        """Return the line of an event; None for those that only their notes are worth telling of."""
        if isinstance(event, OrderReported):
            return self._reported(event)
        row = _EVENTS.get(type(event))
        if row is None:
            return None
        level, dataset, action, words = row
        return Line(level, dataset, action, words(event))

    def _of(self, place: _Place) -> str:
        thread = self._threads.get(place)
        return "" if thread is None else thread.trace

    def _intended(self, place: _Place, command: PlaceLimit) -> str:
        thread = self._threads.get(place)
        if thread is None or (command.side is Side.BUY and thread.bought):
            thread = _Thread(command.ref.id, False)
        self._threads[place] = _Thread(thread.trace, thread.bought or command.side is Side.SELL)
        return thread.trace

    def _filled(self, note: FillBooked) -> str:
        place = (note.grid, note.cell)
        thread = self._threads.get(place)
        if thread is None or (note.side is Side.BUY and thread.bought and thread.trace != note.order):
            thread = self._threads[place] = _Thread(note.order, note.side is Side.SELL)
        return thread.trace

    def _ended(self, note: OrderEnded) -> str:
        self._leaving.discard(note.order)
        place = (note.grid, note.cell)
        thread = self._threads.get(place)
        trace = note.order if thread is None else thread.trace
        if note.side is Side.BUY and thread is not None:
            if note.state is OrderState.FILLED:
                self._threads[place] = _Thread(trace, True)
            elif trace == note.order and not note.filled:
                # It bought nothing, and it was the first to try: the next buy is another story.
                del self._threads[place]
        return trace

    def _reported(self, event: OrderReported) -> Line:
        level = _REPORTS.get(event.fact, "DEBUG")
        why = event.message or event.code
        words = event.fact.value.replace("_", " ")
        text = f"{event.ref.grid} cell {event.ref.cell}: order {event.ref.id}: {words}{f' ({why})' if why else ''}."
        return Line(level, "trading", f"order_{event.fact.value}", text, self._of((event.ref.grid, event.ref.cell)))


_REPORTS = {
    Fact.REJECTED: "WARNING",
    Fact.NOT_SENT: "WARNING",
    Fact.NO_ANSWER: "WARNING",
    Fact.AMBIGUOUS: "ERROR",
    Fact.CANCEL_NO_ANSWER: "WARNING",
    Fact.CANCEL_REFUSED: "WARNING",
    Fact.ACCEPTED: "INFO",
    Fact.NOT_FOUND: "INFO",
}
"""How important a report is; what is not here is everyday, and its outcome is told by a note."""


def _grids(event: RulesChanged) -> str:
    names = ", ".join(f"{grid.id} ({grid.symbol})" for grid in event.rules.grids)
    return f"Rules taken over for mode {event.rules.mode.value}: {names or 'no grids'}."


def _balances(event: AccountOpened) -> str:
    return f"The books begin with {', '.join(f'{amount:f} {asset}' for asset, amount in event.balances) or 'nothing'}."


def _transfer(event: Transferred) -> str:
    if not event.amount:
        return f"{event.asset}: {event.id} is in the balances that the books began with."
    kind = "deposit" if event.amount > 0 else "withdrawal"
    return f"A {kind} of {abs(event.amount):f} {event.asset} ({event.id})."


_EVENTS: dict[type[Any], tuple[str, str, str, Callable[[Any], str]]] = {
    EpochStarted: ("INFO", "system", "epoch_started", lambda e: f"Order ids of this start begin with {e.prefix}."),
    RulesChanged: ("INFO", "audit", "rules_changed", _grids),
    InstrumentChanged: (
        "DEBUG",
        "trading",
        "instrument_changed",
        lambda e: f"{e.instrument.symbol}: price step {e.instrument.tick_size:f}, lot {e.instrument.lot_size:f}.",
    ),
    AccountOpened: ("INFO", "trading", "account_opened", _balances),
    Transferred: ("INFO", "trading", "transferred", _transfer),
    PriceCrossed: ("DEBUG", "trading", "price_crossed", lambda e: f"{e.symbol} crossed {e.level:f}, now {e.price:f}."),
    GridWished: ("INFO", "audit", "grid_wished", lambda e: f"{e.grid}: the user wants {e.wish.value}."),
    GridRemoved: ("WARNING", "audit", "grid_removed", lambda e: f"{e.grid} is taken away: {e.how.value}."),
    KillRequested: ("ERROR", "audit", "kill_requested", lambda e: f"Stop ({e.kind.value}): {e.reason}"),
    KillReleased: ("WARNING", "audit", "kill_released", lambda e: f"Trading is re-armed by {e.by}."),
}
