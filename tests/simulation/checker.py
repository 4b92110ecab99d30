"""Judges every request by the venue's truth and the disk's durable content alone, never by the trader's own opinion.

Each method names what it holds: `[I7]` and so on are the invariants of the design ("Execution", "Invariants").
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from gridbot.adapters.files.journal_history import ARCHIVE
from gridbot.adapters.files.notes_archive import NAME
from gridbot.core.commands import CancelOrder, FillBooked, PlaceLimit
from gridbot.core.draft import Step
from gridbot.core.events import Event, OrderFilled, OrderReported, Quote, Transferred
from gridbot.core.orders import OrderState
from gridbot.core.state import State
from gridbot.core.units import GridId, Mode, Side, Symbol
from gridbot.ports import OrderReport
from gridbot.shell.known_orders import live_order, live_orders
from gridbot.sim.matching import Resting
from tests.simulation.at_transport import AtTransport
from tests.simulation.cancel_watch import CancelWatch
from tests.simulation.disk import VirtualDisk
from tests.simulation.doubles import double_of
from tests.simulation.exchange import TrueVenue
from tests.simulation.fill_watch import FillWatch
from tests.simulation.gaps import Gaps
from tests.simulation.life import Life
from tests.simulation.machine import Machine
from tests.simulation.market import Market
from tests.simulation.order_proof import OrderProof
from tests.simulation.own_books import OwnBooks
from tests.simulation.replica import Replica, are_same
from tests.simulation.stop_watch import StopWatch
from tests.simulation.trace import Trace

_GRACE_MS = 50
"""A failure is known to the process a few turns of its loop after the disk told it to the journal's writer."""
_INTENDED = frozenset({OrderState.INTENT, OrderState.CANCEL_INTENT})
"""A cancel may be wanted while a create waits for its turn to leave."""
_SURE = frozenset({OrderState.OPEN, OrderState.PARTIAL})

Cell = tuple[GridId, int, Side]


@dataclass(frozen=True, slots=True)
class Past:
    """What an account's folder knew when it was copied."""

    replica: Replica
    books: OwnBooks
    freed: Mapping[str, OrderState]
    booked: frozenset[str]
    lived: frozenset[str]


class Checker:
    """Holds the invariants while the simulation runs. `violations` are sentences, each with its invariant's name."""

    def __init__(
        self,
        *,
        disk: VirtualDisk,
        folder: Path,
        latch: Path,
        venue: TrueVenue,
        markets: Mapping[Symbol, Market],
        machine: Machine,
        ours: str,
        trace: Trace,
        mode: Mode,
        shown: Callable[[Symbol], Quote | None],
    ) -> None:
        self.violations: list[str] = []
        self.counted: Counter[str] = Counter()
        self._disk = disk
        self._history = folder / ARCHIVE / NAME
        self._venue = venue
        self._markets = markets
        self._machine = machine
        self._ours = ours
        self._trace = trace
        self._sent: set[str] = set()
        self._lived: set[str] = set()
        self.cancels = CancelWatch(machine, self._our_resting, venue.serves, self.fail)
        self._fills = FillWatch(venue, forgotten=self._is_forgotten, fail=self.fail)
        self.gaps = Gaps(venue, markets, strange=self._fills.is_strange, fail=self.fail)
        self.proof = OrderProof(venue, machine, self.fail)
        self.stops = StopWatch(
            disk=disk, latch=latch, killed=self._is_killed, resting=self._our_resting, fail=self.fail
        )
        self._transport = AtTransport(
            venue=venue,
            machine=machine,
            shown=shown,
            booked=lambda trade: trade in self._fills.booked,
            fail=self.fail,
        )
        self._books = OwnBooks(self.fail)
        self._flying: dict[str, PlaceLimit] = {}
        self._broken: dict[Life, int] = {}
        self._needed: set[tuple[str, str]] = set()
        self._traded: set[Symbol] = set()
        self._current: Life | None = None
        self.replica = Replica(disk, folder, mode=mode, fail=self.fail, seen=self._on_event, stepped=self._on_step)

    def fail(self, invariant: str, sentence: str, order: str | None = None) -> None:
        """Remember that an invariant does not hold."""
        self.violations.append(self._trace.violation(invariant, sentence, order))

    # --------------------------------------------------------------------------- what a process does

    def born(self, life: Life) -> None:
        """A process begins. [I25] it is the only one; [I26] what it must ask before it may create is noted."""
        if self._current is not None and self._current.alive:
            self.fail("I25", f"process {life.number} trades while process {self._current.number} does")
        self._current = life
        self.stops.born()
        self.must_ask()

    def must_ask(self) -> None:
        """From now on no create may leave before every market in which our orders may be was asked about."""
        symbols = {order.symbol for order in self._flying.values()}
        symbols |= {resting.order.symbol for resting in self._our_resting()}
        self._needed = {(what, symbol) for symbol in symbols for what in ("open_orders", "trades")}

    def recovered(self, state: State, sequence: int) -> None:
        """A process has read its disk. [I23] it has every durable event, and no count goes back; [I19] the latch."""
        self.replica.catch_up()
        known = self.replica
        if sequence < known.sequence:
            self.fail("I23", f"the start knows {sequence} events, {known.sequence} were durable")
        if state.fills < known.state.fills or state.round_trips < known.state.round_trips:
            self.fail("I23", f"the start knows {state.fills} fills, {known.state.fills} were durable")
        if sequence == known.sequence and not are_same(state, known.state):
            self.fail("I24", f"the state after event {sequence} is not what the durable journal gives")
        self.look_at_latch()

    def look_at_latch(self) -> None:
        """[I19] a latch that was durable is there until a person releases it."""
        self.stops.look()

    def _is_killed(self) -> bool:
        self.replica.catch_up()
        return self.replica.state.kill is not None

    def may_release(self, *, now: bool) -> None:
        """A person asks for the release (`now`), so that the latch may go, or has had an answer."""
        self.stops.may_release(now=now)
        # What crossed with the stop's cancels is not known before that.
        self._needed |= {(what, symbol) for symbol in self._traded for what in ("open_orders", "trades") if now}

    def release_refused(self) -> None:
        """Trading stays stopped, so nothing need be asked for its sake."""
        self._needed.clear()

    def disk_refused(self, path: Path, life: Life) -> None:
        """[I27] counts from here."""
        if path.name.startswith(("journal-", "notes", "state.json")):
            self._broken.setdefault(life, self._machine.true_ms())

    def is_broken(self, life: Life) -> bool:
        """Tell whether the disk refused this process's records."""
        return life in self._broken

    def answered(self, what: str, about: str) -> None:
        """A read was answered, which [I26] asks for."""
        self._needed.discard((what, about))
        if what == "find":
            self.proof.asked(about)

    def creating(self, life: Life, order: PlaceLimit) -> None:
        """A create enters the transport."""
        id_ = order.ref.id
        self.counted["creates"] += 1
        if not life.alive or life is not self._current:
            self.fail("I25", "a process that is not the one in charge creates", id_)
        if id_ in self._sent:
            self.fail("I2", f"order id {id_} is sent a second time", id_)
        self._sent.add(id_)
        self._lived.add(id_)
        self._traded.add(order.symbol)
        if {type(order.price), type(order.quantity)} != {Decimal}:
            self.fail("I12", f"{order.price!r} or {order.quantity!r} is no Decimal", id_)
            return  # Nothing can be reckoned with it.
        self._create_is_intended(order)
        self._create_is_allowed(life, order)
        self._create_has_room(order)
        self.proof.sent(id_)
        self._flying[id_] = order

    def _create_is_intended(self, order: PlaceLimit) -> None:
        """[I1] the durable journal holds the intent."""
        self.replica.catch_up()
        live = live_order(self.replica.state, order.ref)
        if live is None or live.order.state not in _INTENDED:
            state = "no order" if live is None else f"an order that is {live.order.state.value}"
            self.fail("I1", f"the durable journal holds {state} where a create is sent", order.ref.id)
        elif self.replica.intended.get(order.ref.id) != order:
            self.fail("I1", "the create is not the one that the durable journal intends", order.ref.id)

    def _create_is_allowed(self, life: Life, order: PlaceLimit) -> None:
        """[I18] no latch, [I26] start-up is complete, [I27] the disk has not refused."""
        self.stops.may_create(order.ref.id)
        if self._needed:
            missing = ", ".join(sorted(f"{what} {symbol}" for what, symbol in self._needed))
            self.fail("I26", f"a create leaves before the venue was asked: {missing}", order.ref.id)
            self._needed.clear()
        broken = self._broken.get(life)
        if broken is not None and self._machine.true_ms() - broken > _GRACE_MS:
            self.fail("I27", "a create leaves though the disk has refused the journal", order.ref.id)

    def _create_has_room(self, order: PlaceLimit) -> None:
        """[I3] one order a cell and side, whatever is under way; [I11] no sell beyond the coins; every limit."""
        resting = []
        for rests in self._our_resting():
            id_ = rests.order.ref.id
            self.proof.rests(id_)
            # One that no journal answers for is cancelled, and is no cell's until then.
            if not self._is_forgotten(id_) and not self.proof.is_late(id_):
                resting.append(rests)
        # One whose answer hangs is on its way no more once the exchange has ended it.
        ended = {id_ for id_ in self._flying if (one := self._venue.orders().get(id_)) is not None and not one.open}
        flying = {id_: one for id_, one in self._flying.items() if id_ in self._lived and id_ not in ended}
        self._transport.creating(
            order,
            resting=resting,
            flying=flying,
            books=self._books,
            state=self.replica.state,
            forgotten=self._is_forgotten,
        )
        rivals = [one for one in flying.values() if one.symbol == order.symbol]
        selling = sum((one.quantity for one in rivals if one.side is Side.SELL), Decimal(0))
        for rests in resting:
            if rests.order.symbol == order.symbol and rests.order.ref.id not in flying:
                # What its double has sold it will not sell: to whoever does not know of it yet they are one order.
                left = rests.leaves - self._venue.doubles.traded(rests.order.ref.id)
                selling += max(left, Decimal(0)) if rests.order.side is Side.SELL else 0
                rivals.append(rests.order)
        for rival in rivals:
            if _cell(rival) == _cell(order):
                self.fail("I3", f"{rival.ref.id} lives or is under way in the same cell and side", order.ref.id)
        if order.side is Side.SELL:
            base = self._markets[order.symbol].instrument.base
            held = self._venue.holdings().get(base, Decimal(0))
            # What somebody has taken meanwhile no journal knows yet.
            if selling + order.quantity > held and not self.gaps.is_short(base, self.replica.state):
                self.fail("I11", f"{selling + order.quantity:f} would be on sale and {held:f} are held", order.ref.id)

    def shown(self, quote: Quote) -> None:
        """A process is shown a price."""
        self._transport.was_shown(quote)

    def cancelling(self, order: CancelOrder) -> None:
        """[I21] a cancel names an order of ours."""
        self.counted["cancels"] += 1
        self.cancels.sent(order.ref.id)
        if not order.ref.id.startswith(self._ours):
            self.fail("I21", f"a cancel of {order.ref.id}, which is not ours", order.ref.id)
        true = self._venue.orders().get(order.ref.id)
        if true is not None and order.venue_id not in (None, true.venue_id, double_of(order.ref)):
            self.fail("I21", f"a cancel of {order.venue_id}, and ours is {true.venue_id}", order.ref.id)

    # ------------------------------------------------------------------------------ the kill switch

    def kill_listed(self, symbol: Symbol, listed: Iterable[OrderReport]) -> None:
        """The kill switch is told by the exchange what rests in a market; it may be told what was a while ago."""
        self.stops.listed(symbol, {report.ref.id for report in listed if report.ref.id.startswith(self._ours)})

    def flat(self, life: Life) -> None:
        """[I20] flat is said only after the exchange has said of every market twice in a row that it is empty."""
        self.counted["flat"] += 1
        if life is not self._current:
            self.fail("I20", f"process {life.number} says flat and is not the one in charge")
        self.stops.flat(self._traded)

    def landed(self, order: PlaceLimit) -> None:
        """A create is under way no more."""
        self._flying.pop(order.ref.id, None)
        self.proof.landed(order.ref.id)

    def refused(self, id_: str, code: str) -> None:
        """[I4] a reservation that is freed only on proof never leads to an order that cannot be paid."""
        self.proof.rejected(id_)
        if code == "duplicate_id":
            self.fail("I2", f"the venue refused: {code}", id_)
        elif code == "insufficient_funds" and not self.gaps.explain(self.replica.intended.get(id_), self.replica.state):
            self.fail("I4", f"the venue refused: {code}", id_)

    # ------------------------------------------------------------------------- what the journal says

    def _on_event(self, sequence: int, event: Event) -> None:
        if isinstance(event, (OrderReported, OrderFilled)):
            what = event.fact.value if isinstance(event, OrderReported) else f"filled {event.quantity:f}"
            self._trace.order(event.ref.id, f"journal {sequence}: {what}")
        elif isinstance(event, Transferred):
            self.gaps.transferred(event)

    def _on_step(self, event: Event, answer: Step) -> None:
        for note in answer.notes:
            if type(note) is FillBooked:
                self.counted["booked"] += 1
                self._fills.on_booked(note)
        self.proof.follow(event, answer)
        self._books.follow(event, answer)
        self._transport.follow(event)
        if type(event) is OrderFilled:
            self._fills.on_event(event, answer.state)

    # ------------------------------------------------------------------------------ after the quiet

    def _our_resting(self) -> list[Resting]:
        return [
            resting
            for symbol in self._markets
            for resting in self._venue.resting(symbol)
            if resting.order.ref.id.startswith(self._ours)
        ]

    def quiet(self) -> None:
        """Faults are off and time has passed: the venue and the durable books agree about everything."""
        self.replica.catch_up()
        self.look_at_latch()
        state = self.replica.state
        for live_one in live_orders(state):
            id_ = live_one.order.id
            if live_one.order.state not in _SURE and not (self.proof.was_rejected(id_) or self.proof.is_new(id_)):
                self.fail("I30", f"an order is still {live_one.order.state.value}", live_one.order.id)
        self._fills.quiet(state)
        self._every_order_is_known(state)
        self.gaps.closed(state)

    def at_rest(self, last: State) -> None:
        """The program has ended cleanly: a reader of the disk finds its last state, each fill noted once."""
        self.replica.catch_up()
        if not are_same(self.replica.state, last):
            self.fail("I24", "the state on the disk is not the last one of the program")
        self._fills.in_history(self._disk, self._history)

    # ------------------------------------------------------------------ an older copy of the account

    def past(self) -> Past:
        """Return what the account's folder knows."""
        self.replica.catch_up()
        return Past(
            self.replica.branch(),
            self._books.branch(),
            self.proof.ends(),
            frozenset(self._fills.booked),
            frozenset(self._lived),
        )

    def put_back(self, past: Past) -> None:
        """The account knows what it knew then. [I2] still: no id is ever sent twice, and so is [I19]."""
        self.counted["older copies put back"] += 1
        self.replica, self._books = past.replica.branch(), past.books.branch()
        self._lived = set(past.lived)
        self._fills.put_back(past.booked)
        self.proof.put_back(past.freed)
        self.replica.found_again()
        # The newest events of the copy were not durable when it was made, and its marks are long past.
        self._transport.lenient = True
        self.replica.catch_up()
        self._transport.lenient = False

    def _is_forgotten(self, id_: str) -> bool:
        """Tell whether an order of ours was sent after the copy that was put back: no journal knows it."""
        return id_ in self._sent and id_ not in self._lived

    def _every_order_is_known(self, state: State) -> None:
        """[I20] nothing rests under the latch; [I6], [I8] what rests is what the journal believes; [I3] once."""
        for double in self._venue.doubles.resting.values():
            self.fail("I3", "it was carried out twice, and its double rests", double.order.ref.id)
        known = {one.order.id: one.order for one in live_orders(state)}
        resting = {one.order.ref.id: one for one in self._our_resting()}
        if self.stops.is_there() or state.kill is not None:
            for id_ in resting:
                self.fail("I20", "an order rests though trading is stopped", id_)
        for id_, rests in resting.items():
            order = known.get(rests.order.ref.id)
            if order is None:
                self.fail("I6", "an order rests that the journal does not know", id_)
            elif (order.price, order.quantity, order.filled) != (rests.order.price, rests.order.quantity, rests.filled):
                self.fail("I8", f"{rests.filled:f} are filled and the journal says {order.filled:f}", id_)
        # A refusal that the newest mark has not made durable yet is nothing to hold against the journal.
        for order_id in sorted(known.keys() - resting.keys()):
            if self.proof.was_rejected(order_id):
                continue
            self.fail("I6", f"the journal has it {known[order_id].state.value} and it does not rest", order_id)


def _cell(order: PlaceLimit) -> Cell:
    return order.ref.grid, order.ref.cell, order.side
