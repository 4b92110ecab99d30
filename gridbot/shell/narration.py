"""What each note reads like in the log: level, dataset, action, and a sentence for a person."""

from __future__ import annotations

from gridbot.core.commands import (
    Alarmed,
    BreakerChanged,
    FillBooked,
    GridStopped,
    KillChanged,
    Note,
    OrderDenied,
    OrderEnded,
    RangeChanged,
    RegimeChanged,
    RoundTripClosed,
    SlotsLaid,
    SpacingRaised,
)
from gridbot.core.values import value


@value
class Line:
    """One log line before it is written; `trace` links an order with its fills and its round trip."""

    level: str
    dataset: str
    action: str
    message: str
    trace: str = ""


def narrate(note: Note) -> Line:
    """Return the log line of a note."""
    match note:
        case FillBooked() | RoundTripClosed() | OrderEnded() | OrderDenied():
            return _of_an_order(note)
        case SlotsLaid():
            how = "laid" if note.first else "laid anew"
            text = f"{note.grid}: slots {how} from {note.anchor:f}, {note.spacing:f} apart."
            return Line("INFO", "trading", "slots_laid", text)
        case SpacingRaised():
            text = f"{note.grid}: a spacing of {note.wanted:f} would not pay for its fees; {note.floor:f} is used."
            return Line("INFO", "trading", "spacing_raised", text)
        case RangeChanged():
            return Line("INFO", "trading", "range_changed", f"{note.grid} is now {note.range}.")
        case RegimeChanged():
            spike, breaker = ("a spike" if note.spike else "no spike"), ("open" if note.breaker_open else "closed")
            text = f"{note.grid}: trend {note.trend}, {spike}, ATR breaker {breaker}."
            return Line("INFO", "trading", "regime_changed", text)
        case GridStopped():
            return Line("WARNING", "trading", "grid_stopped", f"{note.grid}: {note.sentence}")
        case BreakerChanged():
            level = "WARNING" if note.active else "INFO"
            text = note.sentence if note.active else f"Cleared: {note.sentence}"
            return Line(level, "risk", "breaker_tripped" if note.active else "breaker_cleared", text)
        case KillChanged():
            action = "trading_stopped" if note.killed else "trading_released"
            return Line("ERROR" if note.killed else "WARNING", "audit", action, note.reason)
        case Alarmed():
            return Line("WARNING", "risk", note.code, note.sentence)


def _of_an_order(note: FillBooked | RoundTripClosed | OrderEnded | OrderDenied) -> Line:
    where = f"{note.grid} cell {note.cell}"
    match note:
        case FillBooked():
            verb = "bought" if note.side.value == "buy" else "sold"
            fee = f"fee {note.fee:f} {note.fee_asset}"
            text = f"{where} {verb} {note.quantity:f} at {note.price:f}, {fee}."
            return Line("INFO", "trading", "fill", text, note.order)
        case RoundTripClosed():
            text = f"{where} closed a round trip: {note.buy_price:f} to {note.sell_price:f}, profit {note.profit:f}."
            return Line("INFO", "trading", "round_trip", text)
        case OrderEnded():
            reason = f": {note.reason}" if note.reason else "."
            text = f"{where}: {note.side.value} at {note.price:f} {note.state.value}{reason}"
            return Line("INFO", "trading", f"order_{note.state.value}", text, note.order)
        case OrderDenied():
            text = f"{where}: {note.side.value} at {note.price:f} is not sent: {note.sentence}"
            return Line("WARNING", "risk", f"denied_{note.code}", text)
