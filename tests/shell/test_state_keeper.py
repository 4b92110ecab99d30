"""Replay: the same core is held to its facts, another one is taken at its word, and neither trades on a guess."""

from __future__ import annotations

from pathlib import Path

import pytest

from gridbot.adapters.files.account_folder import AccountFolder
from gridbot.adapters.files.disk import SystemDisk
from gridbot.core.codec import digest
from gridbot.core.events import OrderFilled
from gridbot.core.fact_replay import wish_anew
from gridbot.core.facts import CORE_VERSION, Intended, JournalFact
from gridbot.core.units import Mode, Price
from gridbot.core.values import evolve
from gridbot.errors import StateFileError
from gridbot.ports import Restored
from gridbot.shell.known_orders import live_orders
from gridbot.shell.state_keeper import StateKeeper, replay
from gridbot.shell.status import NoHistory
from tests.core.engine_walk import Walk
from tests.core.test_facts import by_facts, told, what_happened
from tests.fakes.record import MemoryNotes, MemoryStore


def lived(seed: int = 3, steps: int = 150) -> tuple[Walk, Restored]:
    walk = Walk(seed=seed)
    walk.walk(steps)
    return walk, Restored(None, 0, tuple(walk.events), ("It was torn.",), tuple(walk.facts), journal="journal-1.jsonl")


def without(facts: tuple[tuple[JournalFact, ...], ...], place: int) -> tuple[tuple[JournalFact, ...], ...]:
    return (*facts[:place], (), *facts[place + 1 :])


def test_the_same_core_steps_again_and_finds_its_facts() -> None:
    walk, restored = lived()
    recovered = replay(restored, mode=Mode.DEMO, notes=NoHistory())
    assert digest(recovered.state) == digest(walk.state)
    assert (recovered.sequence, recovered.warnings, recovered.outdated) == (len(walk.events), ("It was torn.",), False)


def test_another_core_is_replayed_by_its_facts_and_the_notes_come_back() -> None:
    walk, restored = lived()
    notes = MemoryNotes()
    recovered = replay(evolve(restored, core=CORE_VERSION + 1), mode=Mode.DEMO, notes=notes)
    assert recovered.state == wish_anew(by_facts(told(walk.events)))
    assert what_happened(recovered.state) == what_happened(walk.state)
    assert recovered.outdated and len(recovered.warnings) == 2
    assert "journal-1.jsonl is of core 2, this gridbot has core 1" in recovered.warnings[1]
    assert len(notes.kept) >= 2 * walk.state.fills


def test_what_was_done_wins_over_what_this_core_would_do_now() -> None:
    walk, restored = lived()
    place, fact = next(
        (place, fact) for place, facts in enumerate(walk.facts) for fact in facts if isinstance(fact, Intended)
    )
    other = evolve(fact, price=Price(fact.price - 1))
    changed = tuple(other if each == fact else each for each in walk.facts[place])
    facts = (*walk.facts[:place], changed)
    events = restored.events[: place + 1]
    recovered = replay(evolve(restored, events=events, facts=facts), mode=Mode.DEMO, notes=NoHistory())
    prices = {live.order.id: live.order.price for live in live_orders(recovered.state)}
    assert prices[fact.id] == other.price
    assert recovered.outdated
    assert f"Event {place + 1} of journal-1.jsonl was answered otherwise" in recovered.warnings[-1]


def test_facts_that_contradict_each_other_are_refused_by_file_and_event() -> None:
    walk, restored = lived()
    place = next(n for n, event in enumerate(walk.events) if isinstance(event, OrderFilled))
    made = next(n for n, facts in enumerate(walk.facts) if any(isinstance(fact, Intended) for fact in facts))
    twice = (*restored.facts[: made + 1], restored.facts[made], *restored.facts[made + 2 :]) if restored.facts else ()
    with pytest.raises(StateFileError, match=rf"Event {made + 2} of journal-1\.jsonl contradicts") as refused:
        replay(evolve(restored, facts=twice, core=CORE_VERSION + 1), mode=Mode.DEMO, notes=NoHistory())
    assert "backup" in refused.value.hint and place > made


def test_another_core_without_facts_is_refused_with_the_way_out() -> None:
    _, restored = lived()
    with pytest.raises(StateFileError, match="does not tell what was done") as refused:
        replay(evolve(restored, facts=None, core=CORE_VERSION + 1), mode=Mode.DEMO, notes=NoHistory())
    assert "close it" in refused.value.hint
    closed = evolve(restored, state=Walk(seed=3).state, events=(), facts=None, core=CORE_VERSION + 1)
    assert replay(closed, mode=Mode.DEMO, notes=NoHistory()).outdated


def test_nothing_is_appended_to_what_is_outdated_before_a_snapshot(tmp_path: Path) -> None:
    walk, restored = lived()
    store = MemoryStore()
    recovered = replay(evolve(restored, core=CORE_VERSION + 1), mode=Mode.DEMO, notes=NoHistory())
    journal = store.journal(0)
    for event, facts in zip(walk.events, walk.facts, strict=True):
        journal.append(event, facts)
    keeper = StateKeeper(recovered, journal=journal, notes=MemoryNotes(), tell=lambda event, step: None)
    assert (store.snapshot, store.snapshot_at, store.durable_events) == (keeper.state, len(walk.events), [])
    folder = AccountFolder(SystemDisk(), tmp_path, mode=Mode.DEMO, account="default")
    assert folder.load().outdated is False
