"""Holds what the durable journal says of an order to what truly became of it: [I4], [I5], [I6].

An order's place and reservation are given free only where nothing of it can rest or trade any more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from gridbot.core.commands import OrderEnded
from gridbot.core.draft import Step
from gridbot.core.events import Event, OrderReported
from gridbot.core.orders import Fact, OrderState
from gridbot.core.units import OrderId
from gridbot.shell.known_orders import live_order
from tests.simulation.exchange import TrueVenue
from tests.simulation.machine import Machine

LEAST_ROUNDS = 3
"""How often the venue must have been asked for an order, and never have had it, before it counts as absent."""
MARK_MS = 60_000
"""How far apart marks are."""
LEAST_MS = 100_000
"""How long ago it must have been sent by then: 120 s, less what a wall clock may be set forward meanwhile."""

Fail = Callable[[str, str, str | None], None]


class OrderProof:
    """Knows which orders were sent, which are under way, and of which the journal says that they have ended."""

    def __init__(self, venue: TrueVenue, machine: Machine, fail: Fail) -> None:
        self._venue = venue
        self._machine = machine
        self._fail = fail
        self._sent_at: dict[str, int] = {}
        self._asked: Counter[str] = Counter()
        self._rejected: set[str] = set()
        self._flying: set[str] = set()
        self._freed: dict[str, OrderState] = {}

    # -------------------------------------------------------------------------- what truly happens

    def sent(self, id_: str) -> None:
        """A create entered the transport."""
        self._sent_at[id_] = self._machine.true_ms()
        self._flying.add(id_)

    def landed(self, id_: str) -> None:
        """A create is under way no more, unless its request comes late."""
        self._flying.discard(id_)

    def rejected(self, id_: str) -> None:
        """The venue has refused it."""
        self._rejected.add(id_)

    def asked(self, id_: str) -> None:
        """The venue has answered a question for this order."""
        self._asked[id_] += 1

    def was_rejected(self, id_: str) -> bool:
        """Tell whether the venue has refused it."""
        return id_ in self._rejected

    def is_new(self, id_: str) -> bool:
        """Tell whether it was sent so lately that the next mark makes its answer durable (seed 30448)."""
        return self._machine.true_ms() - self._sent_at.get(id_, 0) < MARK_MS

    def is_late(self, id_: str) -> bool:
        """Tell whether an order rests that was rightly given up: its request came when nobody could wait any more, or
        it was filled by the trades of its double."""
        return self._freed.get(id_) is OrderState.ABSENT or self._is_filled_by_double(id_)

    def _is_filled_by_double(self, id_: str) -> bool:
        return self._freed.get(id_) is OrderState.FILLED and self._venue.doubles.traded(id_) > 0

    def rests(self, id_: str) -> None:
        """An order of ours rests. [I4] nobody has given its reservation away, but for one that came late."""
        state = self._freed.get(id_)
        if state is not None and state is not OrderState.ABSENT and not self._is_filled_by_double(id_):
            self._fail("I4", f"the journal ended it as {state.value}, and it rests", id_)

    # ------------------------------------------------------------------------ what the journal says

    def follow(self, event: Event, answer: Step) -> None:
        """Take in an event of the journal and what came of it."""
        if type(event) is OrderReported:
            if event.fact is Fact.ACCEPTED:
                self._acknowledged(event)
            if event.ref.id in self._freed and live_order(answer.state, event.ref) is not None:
                self._fail("I6", f"it had ended and lives again after {event.fact.value}", event.ref.id)
        for note in answer.notes:
            if type(note) is OrderEnded:
                self._ended(note)

    def _acknowledged(self, event: OrderReported) -> None:
        """[I5] an acknowledgement counts only with the exchange's own id of this very order."""
        true = self._venue.orders().get(event.ref.id)
        if not event.venue_id:
            self._fail("I5", "the journal has it accepted without an id of the exchange", event.ref.id)
        elif true is None:
            if event.ref.id in self._sent_at and event.ref.id not in self._freed:
                self._fail("I5", "the journal has it accepted, and the exchange never had it", event.ref.id)
        elif true.venue_id != event.venue_id:
            sentence = f"the journal has it accepted as {event.venue_id}, and it is {true.venue_id}"
            self._fail("I5", sentence, event.ref.id)

    def _ended(self, note: OrderEnded) -> None:
        """[I4] an end is believed only with its proof."""
        id_, state = note.order, note.state
        true = self._venue.orders().get(id_)
        missing = ""
        doubled = self._venue.doubles.traded(id_)
        if state is OrderState.FILLED:
            filled = note.quantity if true is None else true.filled + doubled
            right = filled >= note.quantity if doubled else filled == note.quantity
            missing = "" if right else f"{filled:f} are filled"
        elif true is not None and true.open:
            missing = "it rests"
        elif true is None and id_ in self._flying:
            missing = "its request is under way"
        elif state in (OrderState.CANCELED, OrderState.EXPIRED):
            missing = "" if true is not None else "the exchange never had it"
        elif state is OrderState.REJECTED:
            missing = "" if id_ in self._rejected else "the exchange never refused it"
        elif state is OrderState.NOT_SENT:
            missing = "" if true is None else "the exchange had it"
        elif state is OrderState.ABSENT:
            missing = self._unproved_absence(id_)
        if missing:
            self._fail("I4", f"the journal ended it as {state.value}, and {missing}", OrderId(id_))
        self._freed[id_] = state
        self._asked.pop(id_, None)

    def _unproved_absence(self, id_: str) -> str:
        # One whose double is all that is told of, and which rests no more, can end in no other way (I8 holds fills).
        if self._venue.orders().get(id_) is not None and self._venue.doubles.told(id_) is None:
            return "the exchange had it"
        sent = self._sent_at.get(id_)
        if sent is not None and self._machine.true_ms() - sent < LEAST_MS:
            return f"it was sent {self._machine.true_ms() - sent} ms ago"
        if self._asked[id_] < LEAST_ROUNDS:
            return f"the exchange was asked {self._asked[id_]} times"
        return ""

    # ------------------------------------------------------------------ an older copy of the account

    def ends(self) -> dict[str, OrderState]:
        """Return what the journal has ended so far, to be remembered with a copy."""
        return dict(self._freed)

    def put_back(self, freed: Mapping[str, OrderState]) -> None:
        """The journal knows what it knew then."""
        self._freed = dict(freed)
