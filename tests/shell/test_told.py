"""What a decision asks for leaves first and is told then, and what was told is whole and in its order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from gridbot.core.commands import KillChanged, PlaceLimit
from gridbot.core.engine import step
from gridbot.core.events import KillKind, KillRequested
from gridbot.shell.facade import Answered, StopTrading
from gridbot.shell.messages import Asked
from tests.fakes.record import LogBook
from tests.fakes.trading import House, choppy
from tests.fakes.virtual_time import run_virtual


def intents(house: House) -> list[str]:
    return [message for _, _, action, message in house.log.lines if action == "order_intent"]


def test_an_order_that_answers_a_fill_is_sent_before_anything_is_told_of_it() -> None:
    house = House(choppy(1, minutes=300, quiet=60))
    early: list[str] = []
    late: list[str] = []

    def leaves(order: PlaceLimit) -> None:
        told = any(order.ref.id in message for message in intents(house))
        (early if told else late).append(order.ref.id)

    house.witness.on_create = leaves
    run_virtual(house.run(34))
    assert len(late) > 10
    # The first laying was decided before it was known what rests, and waited for that.
    assert len(early) <= 8 and set(early) < set(house.witness.created[:8])
    for id_ in house.witness.created:
        assert sum(id_ in message for message in intents(house)) == 1


def test_what_is_told_to_be_sent_is_on_the_disk() -> None:
    house, held = House(choppy(2, minutes=200, quiet=20)), []

    class Watching(LogBook):
        def log(self, level: str, dataset: str, action: str, message: str, **fields: object) -> None:
            super().log(level, dataset, action, message, **fields)
            if action == "order_intent":
                newest = str(house.store.durable_facts[-40:])
                held.append(any(word.strip(".") in newest for word in message.split() if word.startswith("gb")))

    house.log = Watching()
    run_virtual(house.run(24))
    assert len(held) > 10 and all(held)


def test_whatever_else_is_told_comes_after_what_happened_before_it() -> None:
    house = House(choppy(3, minutes=200, quiet=20))

    async def main() -> None:
        async with house.trading() as trader:
            await asyncio.sleep(20)
            event = KillRequested(trader.state.now, KillKind.MANUAL, "a canary stops it")
            others: tuple[Callable[[], None], ...] = (
                lambda: trader._teller.alarm("a_test", "Somebody should look at this."),
                lambda: trader._teller.problem("a test", "This is broken."),
                lambda: trader._teller.request("ATest", "It was done."),
            )
            for tell in others:
                trader._teller.step(event, step(trader.state, event))
                before = len(house.log.lines)
                tell()
                told = [message for _, _, _, message in house.log.lines[before:]]
                assert len(told) > 1 and "a canary stops it" in told[0] and "canary" not in told[-1]

    run_virtual(main())
    assert not house.crashes


def test_a_stop_is_told_before_it_is_answered() -> None:
    house = House(choppy(3, minutes=200, quiet=20))

    async def main() -> None:
        async with house.trading() as trader:
            await asyncio.sleep(20)
            trader.ask(Asked(1, StopTrading("a test")))
            await asyncio.sleep(2)

    run_virtual(main())
    kinds = [type(item) for item in house.outlet.items]
    assert not house.crashes and KillChanged in kinds and kinds.index(KillChanged) < kinds.index(Answered)
