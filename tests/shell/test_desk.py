"""Requests become events, a saved configuration and one answer; a refused one changes nothing."""

from __future__ import annotations

import asyncio
import json

import pytest

from gridbot.config import AppConfig, parse_config
from gridbot.core.events import Removal
from gridbot.core.rules import Wish
from gridbot.core.state import Phase, State
from gridbot.core.units import GridId, Mode, OrderId, Symbol
from gridbot.errors import EnvironmentProblem
from gridbot.shell import executor
from gridbot.shell.facade import (
    Answered,
    CancelOne,
    ReleaseKill,
    RemoveGrid,
    Request,
    SaveConfig,
    SetRunning,
    SetWish,
)
from gridbot.shell.messages import Asked
from tests.fakes.trading import House, choppy, resting_at
from tests.fakes.virtual_time import run_virtual

BTC = GridId("btc")


class Talk:
    """A running house; each request is asked after five seconds, two seconds apart."""

    def __init__(self, *requests: Request, house: House | None = None) -> None:
        self.house = House(choppy(2, minutes=300, quiet=30)) if house is None else house
        self.states: list[State] = []
        run_virtual(self._main(requests))
        assert not self.house.crashes

    async def _main(self, requests: tuple[Request, ...]) -> None:
        async with self.house.trading() as trader:
            await asyncio.sleep(5)
            for number, request in enumerate(requests, start=1):
                trader.ask(Asked(number, request))
                await asyncio.sleep(2)
                self.states.append(trader.state)

    def answer(self, number: int) -> Answered:
        answers = [item for item in self.house.outlet.items if isinstance(item, Answered) and item.request == number]
        assert len(answers) == 1
        return answers[0]


def edited(config: AppConfig, **changes: object) -> str:
    data = config.to_data()
    data.update(changes)
    return json.dumps(data)


def test_a_wish_is_saved_and_lasts_over_a_restart() -> None:
    talk = Talk(SetWish(BTC, Wish.PAUSE), SetWish(BTC, Wish.SELL_ONLY))
    assert talk.answer(1).ok and talk.states[0].grids[BTC].rules.wish is Wish.PAUSE
    assert not talk.house.saved[0].grids[0].enabled
    assert talk.states[1].grids[BTC].rules.wish is Wish.SELL_ONLY and talk.house.saved[1].grids[0].sell_only
    talk.house.config = talk.house.saved[1]
    assert run_virtual(talk.house.run(2)).grids[BTC].rules.wish is Wish.SELL_ONLY


def test_pausing_everything_cancels_the_buys_and_running_places_them_again() -> None:
    talk = Talk(SetRunning(False), SetRunning(True))
    paused, running = (sum(c.want is not None for c in s.grids[BTC].cells if not c.holding) for s in talk.states)
    assert paused == 0 and running > 0 and resting_at(talk.house)


def test_a_wish_for_a_grid_that_is_not_there_is_refused() -> None:
    talk = Talk(SetWish(GridId("eth"), Wish.PAUSE))
    assert not talk.answer(1).ok and not talk.house.saved


def test_a_configuration_with_mistakes_changes_nothing_and_names_them() -> None:
    bad = '{"grids": [{"id": "btc", "symbol": "BTC/USDT", "investment": "-1", "levles": 3}]}'
    talk = Talk(SaveConfig(bad))
    answer = talk.answer(1)
    assert not answer.ok and {mistake.path for mistake in answer.mistakes} == {"grids[0].investment", "grids[0].levles"}
    assert not talk.house.saved and talk.states[0].grids[BTC].rules.investment == 8000


def test_a_new_grid_gets_its_history_and_is_laid_at_once() -> None:
    house = House(choppy(2, minutes=300, quiet=30))
    first = house.config.to_data()["grids"][0]
    talk = Talk(
        SaveConfig(edited(house.config, grids=[first, {**first, "id": "two", "investment": "900"}])), house=house
    )
    assert talk.answer(1).ok and len(house.saved[0].grids) == 2
    assert talk.states[0].grids[GridId("two")].ladder is not None
    assert parse_config(house.outlet.views[-1].config_text, source="view") == house.saved[0]


def test_a_grid_on_an_unknown_market_is_a_problem_and_no_crash() -> None:
    house = House(choppy(2, minutes=300, quiet=30))
    first = house.config.to_data()["grids"][0]
    extra = {**first, "id": "two", "symbol": "XYZ/USDT"}
    talk = Talk(SaveConfig(edited(house.config, grids=[first, extra])), house=house)
    assert any("XYZ/USDT" in sentence for sentence in house.outlet.views[-1].problems)
    assert talk.states[0].grids[BTC].phase is Phase.ACTIVE


def test_another_mode_waits_for_the_next_start_and_says_so() -> None:
    house = House(choppy(2, minutes=300, quiet=30))
    talk = Talk(SaveConfig(edited(house.config, mode="dry")), house=house)
    assert "next start" in talk.answer(1).message
    assert talk.states[0].rules.mode is Mode.DEMO and house.saved[0].mode is Mode.DRY


def test_a_configuration_that_the_disk_refuses_is_not_applied() -> None:
    class Full(list[AppConfig]):
        def append(self, config: AppConfig) -> None:
            raise EnvironmentProblem("The disk is full.")

    house = House(choppy(2, minutes=300, quiet=30))
    house.saved = Full()
    talk = Talk(SetWish(BTC, Wish.PAUSE), house=house)
    assert not talk.answer(1).ok and talk.states[0].grids[BTC].rules.wish is Wish.RUN


def test_a_removed_grid_sells_and_goes() -> None:
    talk = Talk(RemoveGrid(BTC, Removal.UNTRACK))
    assert talk.answer(1).ok and not talk.states[0].grids and not resting_at(talk.house)
    assert not talk.house.saved[0].grids


def test_a_cancelled_order_that_is_still_wanted_is_placed_anew() -> None:
    house = House(choppy(2, minutes=300, quiet=30))

    async def main() -> tuple[str, set[str]]:
        async with house.trading() as trader:
            await asyncio.sleep(5)
            lowest = min(resting_at(house).values(), key=lambda order: order.price)
            trader.ask(Asked(1, CancelOne(lowest.ref.id)))
            await asyncio.sleep(1)
            again = {id_ for id_, order in resting_at(house).items() if order.price == lowest.price}
        return lowest.ref.id, again

    cancelled, again = run_virtual(main())
    assert len(again) == 1 and cancelled not in again


def test_a_cancel_that_a_person_asked_for_and_that_could_not_leave_is_sent_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """He was told that it is on its way."""
    # Sooner than this market makes the engine want the same.
    monkeypatch.setattr(executor, "AGAIN_S", 1.0)
    house = House(choppy(2, minutes=300, quiet=30))

    async def main() -> str:
        async with house.trading() as trader:
            await asyncio.sleep(5)
            lowest = min(resting_at(house).values(), key=lambda order: order.price)
            house.witness.cancels_to_refuse[lowest.ref.id] = 1
            trader.ask(Asked(1, CancelOne(lowest.ref.id)))
            await asyncio.sleep(0.5)
            assert house.witness.cancelled.count(lowest.ref.id) == 1 and lowest.ref.id in resting_at(house)
            await asyncio.sleep(1)
        return lowest.ref.id

    cancelled = run_virtual(main())
    assert house.witness.cancelled.count(cancelled) == 2 and cancelled not in resting_at(house)


def test_refusals_have_a_sentence() -> None:
    talk = Talk(
        CancelOne(OrderId("nobody")),
        ReleaseKill("a test"),
        RemoveGrid(GridId("eth"), Removal.SELL_ONLY),
    )
    answers = [talk.answer(number) for number in range(1, 4)]
    assert not any(answer.ok for answer in answers) and all(answer.message.endswith(".") for answer in answers)


def test_the_chart_has_candles_and_indicators_of_every_frame() -> None:
    house = House(choppy(2, minutes=300, quiet=30))

    async def main() -> None:
        async with house.trading() as trader:
            await asyncio.sleep(5)
            chart = trader.chart(Symbol("BTC/USDT"), 300_000, BTC)
            assert len(chart.open_time) > 80 and (chart.open_time % 300_000 == 0).all()
            grid = trader.state.grids[BTC]
            assert chart.atr[-1] == grid.signal.atr.current and chart.ema_slow[-1] == grid.trend.slow.current

    run_virtual(main())
