"""The facts of a journal alone give what has happened; what is wished comes anew and doubles nothing."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import orjson
import pytest

from gridbot.core import codec
from gridbot.core.cells import at_rest
from gridbot.core.commands import FillBooked, OrderEnded, PlaceLimit, RoundTripClosed
from gridbot.core.engine import step
from gridbot.core.events import (
    CandleClosed,
    Event,
    GridRemoved,
    GridWished,
    HistoryLoaded,
    KillReleased,
    Marked,
    OrderReported,
    PriceCrossed,
    Quote,
    Removal,
    RulesChanged,
)
from gridbot.core.fact_replay import apply_facts, wish_anew
from gridbot.core.facts import (
    Counted,
    Gone,
    Intended,
    JournalFact,
    Judged,
    Kept,
    Laid,
    Standing,
    Stopped,
    Withdrawn,
    facts_of,
)
from gridbot.core.orders import Fact, OrderState
from gridbot.core.rules import Action, Breaker, HeldCoins, RiskRules, Rules, Wish
from gridbot.core.state import State, new_state
from gridbot.core.units import GridId, Mode, OrderId, Price, Quantity, TimeMs, VenueOrderId
from gridbot.core.values import evolve
from gridbot.errors import IllegalTransition, LedgerError
from gridbot.shell.known_orders import live_orders
from tests.core.engine_walk import Walk

EMPTY = new_state(Rules(Mode.DEMO, (), None))
SEEDS = tuple(range(20))


class EditedWalk(Walk):
    """A walk in which the user edits, pauses, removes and re-adds grids as well, and breakers trip early."""

    def __init__(self, *, seed: int, grids: int = 2, levels: int = 5) -> None:
        self._edits = random.Random(seed * 31 + 1)
        super().__init__(seed=seed, grids=grids, levels=levels)

    def _begin(self) -> None:
        drawdown = Breaker(Decimal("0.0008"), Decimal("0.0003"), Action.KILL)
        self.rules = evolve(self.rules, risk=RiskRules(max_drawdown=drawdown))
        super()._begin()

    def walk(self, steps: int) -> None:
        for _ in range(steps):
            if self._edits.random() < 0.06:
                self._edit()
            else:
                super().walk(1)

    def _edit(self) -> None:
        now, pick = self.state.now, self._edits.random()
        grid = self._edits.choice([rules.id for rules in self.rules.grids])
        if pick < 0.25:
            self.tell(GridWished(now, grid, self._edits.choice(list(Wish))))
        elif pick < 0.45:
            self.tell(GridRemoved(now, grid, self._edits.choice(list(Removal))))
        elif pick < 0.6:
            self.tell(PriceCrossed(now, self._symbols[0], Price(Decimal(97)), Price(Decimal(97))))
        else:
            self.tell(RulesChanged(now, self._edited()))

    def _edited(self) -> Rules:
        grids = []
        for rules in self.rules.grids:
            levels = self._edits.choice((3, 5, 8))
            held = self._edits.choice((None, HeldCoins(Quantity(Decimal("3.00001")), Decimal(300))))
            spacing = evolve(rules.spacing, multiplier=Decimal(self._edits.choice((1, 2))))
            stop_loss = self._edits.choice((None, None, Decimal("0.0001")))
            grids.append(evolve(rules, levels=levels, held=held, spacing=spacing, stop_loss=stop_loss))
        if self._edits.random() < 0.3:
            grids.pop()
        return evolve(self.rules, grids=tuple(grids))


def told(events: list[Event]) -> list[tuple[Event, tuple[JournalFact, ...], State]]:
    """Return each event with its facts and the state that `step` gives after it."""
    state, lines = EMPTY, []
    for event in events:
        answer = step(state, event)
        lines.append((event, facts_of(state, answer), answer.state))
        state = answer.state
    return lines


def by_facts(lines: list[tuple[Event, tuple[JournalFact, ...], State]]) -> State:
    state = EMPTY
    for event, facts, _ in lines:
        state = apply_facts(state, event, facts).state
    return state


def what_happened(state: State) -> dict[str, Any]:
    """Return all of a state that is no wish, nor told anew by the next mark."""
    risk = state.risk
    grids = {
        id_: (
            grid.rules,
            grid.instrument,
            grid.phase,
            grid.halt,
            grid.dropped,
            grid.ladder,
            grid.tally,
            grid.signal,
            grid.trend,
            grid.closed_at,
            grid.signal_at,
            {cell.number: (cell.order, cell.lot) for cell in grid.cells if cell.order or cell.lot},
        )
        for id_, grid in state.grids.items()
    }
    tripped = {code: evolve(trip, sentence="") for code, trip in risk.tripped.items()}
    measured = (risk.quotes, risk.fresh, risk.equity, risk.peak, risk.day, risk.day_start, risk.daily, risk.creates)
    return {
        "grids": grids,
        "order of grids": list(state.grids),
        "risk": (measured, tripped, risk.marked_at, risk.level),
        **{name: getattr(state, name) for name in State.__dataclass_fields__ if name not in ("grids", "risk")},
    }


def walks(seed: int) -> list[Walk]:
    return [Walk(seed=seed), EditedWalk(seed=seed), EditedWalk(seed=100 + seed, grids=3, levels=4)]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_facts_alone_give_what_happened(seed: int) -> None:
    for walk in walks(seed):
        walk.walk(250)
        state = EMPTY
        for number, (event, facts, stepped) in enumerate(told(walk.events)):
            state = apply_facts(state, event, facts).state
            have, want = what_happened(state), what_happened(stepped)
            for name, wanted in want.items():
                assert have[name] == wanted, f"seed {seed}, {type(walk).__name__}, event {number}, {name}: {event}"
        anew = wish_anew(state)
        assert what_happened(anew) == what_happened(walk.state)


@pytest.mark.parametrize("kind", [Intended, Withdrawn, Laid, Standing, Gone, Kept, Counted, Judged, Stopped])
def test_without_one_kind_of_fact_the_past_is_another_or_contradicts_itself(kind: type) -> None:
    assert any(_is_missed(kind, seed) for seed in SEEDS), f"{kind.__name__} could be left out of every walk"


def _is_missed(kind: type, seed: int) -> bool:
    """Tell whether a walk that has facts of this kind becomes another one without them."""
    walk = EditedWalk(seed=seed)
    walk.walk(250)
    lines = told(walk.events)
    if not any(isinstance(fact, kind) for _, facts, _ in lines for fact in facts):
        return False
    poorer = [(event, tuple(f for f in facts if not isinstance(f, kind)), after) for event, facts, after in lines]
    try:
        return what_happened(by_facts(poorer)) != what_happened(walk.state)
    except (IllegalTransition, LedgerError):
        return True


class Exchange:
    """Answers all that a state asks for, with time going on, until nothing is asked any more."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.made: list[str] = []
        self.number = 0

    def tell(self, event: Event) -> None:
        resting = {cell.order.id for grid in self.state.grids.values() for cell in grid.cells if cell.order}
        answer = step(self.state, event)
        self.state = answer.state
        places = [command for command in answer.commands if isinstance(command, PlaceLimit)]
        self.made += [place.ref.id for place in places]
        assert not resting & {place.ref.id for place in places}

    def settle(self, price: Decimal) -> None:
        """Let a start's history, marks and closes come in, and answer every order."""
        now = max(self.state.now, *(grid.closed_at for grid in self.state.grids.values()))
        if self.state.kill is not None:
            self.tell(KillReleased(now, "the test"))
        for n in range(1, 12):
            time = TimeMs(now + n * 20_000)
            symbols = {grid.rules.symbol for grid in self.state.grids.values()}
            quotes = tuple(Quote(symbol, Price(price), Price(price), 1) for symbol in sorted(symbols))
            self.tell(Marked(time, quotes, None, 0, 0))
            for symbol in sorted(symbols):
                self.tell(HistoryLoaded(time, symbol, ()))
                self.tell(CandleClosed(time, symbol, Price(price), ()))
            self.answer(time)

    def answer(self, time: TimeMs) -> None:
        for live in tuple(live_orders(self.state)):
            if live.order.state in (OrderState.OPEN, OrderState.PARTIAL):
                continue
            ends = live.order.state.value.startswith("cancel")
            self.number += 1
            fact = Fact.CANCELED if ends else Fact.ACCEPTED
            self.tell(OrderReported(time, live.ref, fact, None if ends else VenueOrderId(f"w{self.number}")))

    def resting(self) -> list[tuple[str, str, Decimal, Decimal]]:
        return sorted(
            (live.ref.grid, live.order.side.value, live.order.price, live.order.leaves)
            for live in live_orders(self.state)
        )


@pytest.mark.parametrize("seed", SEEDS)
def test_after_the_facts_the_wishes_converge_and_no_order_is_doubled(seed: int) -> None:
    walk = Walk(seed=seed)
    walk.walk(200)
    lines = told(walk.events)
    stepped, anew = Exchange(walk.state), Exchange(wish_anew(by_facts(lines)))
    before = stepped.resting()
    assert anew.resting() == before
    for exchange in (stepped, anew):
        exchange.settle(Decimal("99.5"))
    assert anew.resting() == stepped.resting() and anew.resting(), f"seed {seed}"
    assert len(set(anew.made)) == len(anew.made)
    for grid in anew.state.grids.values():
        assert grid.loose == sum(1 for cell in grid.cells if not at_rest(cell))


def test_an_order_that_rests_as_it_should_is_left_alone_after_the_facts() -> None:
    walk = Walk(seed=5)
    walk.walk(40)
    exchange = Exchange(walk.state)
    exchange.settle(Decimal("99.5"))
    made = len(exchange.made)
    again = Exchange(wish_anew(exchange.state))
    again.settle(Decimal("99.5"))
    assert again.resting() == exchange.resting() and not again.made and made


def test_facts_that_contradict_the_state_are_refused() -> None:
    walk = Walk(seed=1)
    walk.walk(50)
    lines = told(walk.events)
    place = next(n for n, (_, facts, _) in enumerate(lines) if any(isinstance(f, Intended) for f in facts))
    event, facts, after = lines[place]
    with pytest.raises(IllegalTransition, match=r"when .* is made"):
        apply_facts(after, event, facts)
    with pytest.raises(IllegalTransition, match="does not stand"):
        apply_facts(EMPTY, Marked(TimeMs(1), (), None, 0, 0), (Withdrawn(GridId("g1"), 1, OrderId("gb0")),))
    with pytest.raises(IllegalTransition, match="is not there"):
        apply_facts(EMPTY, Marked(TimeMs(1), (), None, 0, 0), (Kept(GridId("g1"), 1, None),))


def test_what_the_history_tells_comes_back_by_the_facts() -> None:
    walk = Walk(seed=3)
    walk.walk(200)
    kept = (FillBooked, RoundTripClosed, OrderEnded)
    state, notes = EMPTY, []
    for event, facts, _ in told(walk.events):
        answer = apply_facts(state, event, facts)
        state = answer.state
        notes += [note for note in answer.notes if isinstance(note, kept)]
        assert not answer.commands
    assert notes == [note for batch in walk.notes for note in batch if isinstance(note, kept)]


def test_facts_come_back_from_plain_data() -> None:
    for seed in SEEDS[:5]:
        walk = EditedWalk(seed=seed)
        walk.walk(250)
        for _, facts, _ in told(walk.events):
            plain = orjson.loads(orjson.dumps(codec.facts_to_plain(facts)))
            assert codec.facts_from_plain(plain) == facts
