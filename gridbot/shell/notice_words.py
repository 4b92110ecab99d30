"""What a notification says of each note: whole sentences with market and amounts, for somebody far from the window."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from gridbot.config.app import Notice
from gridbot.core.commands import (
    Alarmed,
    BreakerChanged,
    FillBooked,
    GridStopped,
    KillChanged,
    Note,
    RegimeChanged,
    RoundTripClosed,
)
from gridbot.core.orders import OrderState
from gridbot.core.state import State
from gridbot.core.units import GridId, Side, Symbol
from gridbot.shell.known_orders import LiveOrder

_LONGEST = 400
"""Letters of one sentence: some services take 2,000 in all."""
_PLACES = Decimal("1E-8")

_ENDED = {
    OrderState.FILLED: "it was filled",
    OrderState.CANCELED: "it was cancelled",
    OrderState.EXPIRED: "it expired",
    OrderState.REJECTED: "the exchange had refused it",
    OrderState.NOT_SENT: "it was never sent",
    OrderState.ABSENT: "it never reached the exchange",
}
_NAMES = {
    Notice.FILL: ("fill", "fills"),
    Notice.ROUND_TRIP: ("round trip", "round trips"),
    Notice.BREAKER: ("breaker", "breakers"),
    Notice.KILL: ("stop or release", "stops and releases"),
    Notice.UNKNOWN: ("unknown order", "unknown orders"),
    Notice.ERROR: ("error", "errors"),
    Notice.IDLE: ("idle grid", "idle grids"),
}
_FIRST = (
    Notice.KILL,
    Notice.ERROR,
    Notice.UNKNOWN,
    Notice.BREAKER,
    Notice.IDLE,
    Notice.ROUND_TRIP,
    Notice.FILL,
)
"""What a headline names first."""


class Names:
    """Which market each grid trades, also of grids that are gone, and which ATR breakers are open."""

    def __init__(self, state: State) -> None:
        self._symbols: dict[GridId, Symbol] = {}
        self._open = {id_ for id_, grid in state.grids.items() if grid.signal.breaker is not None}
        self.take(state)

    def take(self, state: State) -> None:
        """Learn the grids of a state."""
        for id_, grid in state.grids.items():
            self._symbols[id_] = grid.rules.symbol

    def of(self, grid: GridId) -> str:
        """Return how a grid is called: its market and its id."""
        symbol = self._symbols.get(grid)
        return f"{symbol} ({grid})" if symbol else str(grid)

    def assets(self, grid: GridId) -> tuple[str, str]:
        """Return base and quote of a grid's market, each "" where it is not known."""
        base, _, quote = str(self._symbols.get(grid, "")).partition("/")
        return base, quote.partition(":")[0]

    def breaker_changed(self, grid: GridId, *, open_now: bool) -> bool:
        """Take whether a grid's ATR breaker is open; tell whether that is new."""
        changed = open_now is not (grid in self._open)
        (self._open.add if open_now else self._open.discard)(grid)
        return changed


def words_of(note: Note, names: Names) -> tuple[Notice, str] | None:
    """Return what kind of notice a note is, and its sentence; None for what nobody needs to be woken for."""
    found = _trade(note, names)
    if found is None:
        found = _stop(note, names)
    return None if found is None else (found[0], _short(found[1]))


def _trade(note: Note, names: Names) -> tuple[Notice, str] | None:
    match note:
        case FillBooked():
            base, quote = names.assets(note.grid)
            verb = "bought" if note.side is Side.BUY else "sold"
            what = f"{_sum(note.quantity, base)} at {_sum(note.price, quote)}"
            return Notice.FILL, f"{names.of(note.grid)} {verb} {what}, fee {_sum(note.fee, note.fee_asset)}."
        case RoundTripClosed():
            base, quote = names.assets(note.grid)
            prices = f"{_sum(note.buy_price, '')} to {_sum(note.sell_price, quote)}"
            sentence = f"{names.of(note.grid)} closed a round trip: {_sum(note.quantity, base)} from {prices}, "
            return Notice.ROUND_TRIP, f"{sentence}profit {_sum(note.profit, quote)}."
        case _:
            return None


def _stop(note: Note, names: Names) -> tuple[Notice, str] | None:
    match note:
        case BreakerChanged():
            return Notice.BREAKER, note.sentence if note.active else f"This is over: {note.sentence}"
        case RegimeChanged():
            if not names.breaker_changed(note.grid, open_now=note.breaker_open):
                return None
            how = "jumps: it buys nothing until that calms down" if note.breaker_open else "is calm again"
            return Notice.BREAKER, f"{names.of(note.grid)}: the market's range {how}."
        case GridStopped():
            return Notice.BREAKER, f"{names.of(note.grid)} stops. {note.sentence}"
        case KillChanged():
            what = f"stopped ({note.kind.value.replace('_', ' ')})" if note.killed else "released again"
            return Notice.KILL, f"Trading is {what}: {note.reason.rstrip('.') or 'no reason was given'}."
        case Alarmed():
            return Notice.ERROR, note.sentence if note.grid is None else f"{names.of(note.grid)}: {note.sentence}"
        case _:
            return None


def still_unknown(live: LiveOrder, names: Names) -> str:
    """Return the sentence of an order whose outcome is unknown for too long."""
    base, quote = names.assets(live.ref.grid)
    order = live.order
    what = f"{order.side.value} of {_sum(order.quantity, base)} at {_sum(order.price, quote)}"
    sentence = f"{names.of(live.ref.grid)}: whether order {order.id} ({what}) rests at the exchange is not known"
    if order.state is OrderState.QUARANTINED:
        return f"{sentence}: more than one may be meant. Look at the exchange and decide in the window."
    return f"{sentence} for more than a minute. It is asked about; nothing is sent in its place."


def ended(state: OrderState | None) -> str:
    """Return what became of an order that was unknown; None is one that has not ended."""
    return "it rests at the exchange" if state is None else _ENDED.get(state, state.value)


def headline(counts: Mapping[Notice, int]) -> str:
    """Return the kinds of a message, the gravest first."""
    return ", ".join(_count(kind, counts[kind]) for kind in _FIRST if counts.get(kind))


def more(counts: Mapping[Notice, int]) -> str:
    """Return "12 more fills, 3 more round trips"."""
    return ", ".join(_count(kind, counts[kind], " more") for kind in _FIRST if counts.get(kind))


def _count(kind: Notice, count: int, extra: str = "") -> str:
    return f"{count}{extra} {_NAMES[kind][count != 1]}"


def _sum(amount: Decimal, asset: str) -> str:
    """Return an amount as a person reads it: to eight places, without needless zeros."""
    shown = amount if abs(amount) >= Decimal(10) ** 18 else amount.quantize(_PLACES)
    text = f"{shown:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return f"{'0' if text in ('-0', '') else text} {asset}".rstrip()


def _short(sentence: str) -> str:
    return sentence if len(sentence) <= _LONGEST else f"{sentence[: _LONGEST - 3]}..."
