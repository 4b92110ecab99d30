"""A start says what has changed, forgets no coins, and lets a live account wait for a person."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from decimal import Decimal

import pytest

from gridbot.config import AppConfig, parse_config
from gridbot.core.events import Removal
from gridbot.core.orders import OrderState
from gridbot.core.rules import GridRules, RiskRules, Rules, SignalRules, Wish
from gridbot.core.state import State
from gridbot.core.units import GridId, Mode, Side, Symbol
from gridbot.shell.doors import Consent
from gridbot.shell.facade import Answered, ReleaseKill, RemoveGrid, ResumeTrading, SaveConfig, StartView, StopTrading
from gridbot.shell.known_orders import live_orders
from gridbot.shell.messages import Asked
from gridbot.shell.rule_changes import differences
from tests.fakes.trading import CONFIG, House, believed, choppy, resting_at
from tests.fakes.virtual_time import run_virtual

BTC = GridId("btc")


def shown(house: House) -> StartView:
    return house.outlet.views[-1].start


def said(house: House, action: str) -> list[str]:
    return [message for _, _, found, message in house.log.lines if found == action]


def answers(house: House) -> dict[int, Answered]:
    return {item.request: item for item in house.outlet.items if isinstance(item, Answered)}


# ------------------------------------------------------------------------------------------- consent


def test_a_live_account_sends_nothing_until_a_person_lets_it_and_then_trades() -> None:
    house = House(choppy(4, minutes=300, quiet=60), consent=Consent.WANTED)

    async def main() -> State:
        async with house.trading() as trader:
            await asyncio.sleep(8)
            assert not trader.starting and shown(house).waits
            assert house.witness.created == [] and list(live_orders(trader.state))
            before = {live.order.id for live in live_orders(trader.state)}
            trader.ask(Asked(1, ResumeTrading()))
            await asyncio.sleep(12)
            assert not shown(house).waits and house.witness.created
            # What was decided while it waited is out of date: it was never sent.
            assert not before & set(house.witness.created)
        return trader.state

    state = run_virtual(main())
    assert not house.crashes and state.fills
    assert answers(house)[1].ok and said(house, "resume_wanted") and said(house, "resumed")
    assert set(believed(state)) == set(resting_at(house))


def test_orders_that_rest_stay_and_their_fills_are_booked_while_a_live_account_waits() -> None:
    house = House(choppy(4, minutes=300, quiet=60))

    async def main() -> tuple[State, State]:
        first = await house.run(6)
        house.consent = Consent.WANTED
        sent = len(house.witness.created)
        second = await house.run(12)
        assert len(house.witness.created) == sent
        return first, second

    first, second = run_virtual(main())
    assert second.fills > first.fills and not house.crashes
    assert set(resting_at(house)) <= set(believed(second))


def test_what_was_held_back_is_known_to_be_unsent_when_it_ends_without_consent() -> None:
    house = House(choppy(4, minutes=300, quiet=60), consent=Consent.WANTED)

    async def main() -> tuple[State, State]:
        first = await house.run(6)
        assert house.witness.created == []
        house.consent = Consent.GIVEN
        return first, await house.run(6)

    first, second = run_virtual(main())
    assert not list(live_orders(first)) and not house.crashes
    assert {live.order.state for live in live_orders(second)} == {OrderState.OPEN}


def test_a_stopped_account_is_not_resumed_before_it_is_released() -> None:
    house = House(choppy(4, minutes=300, quiet=60), consent=Consent.WANTED)

    async def main() -> None:
        async with house.trading() as trader:
            await asyncio.sleep(4)
            trader.ask(Asked(1, StopTrading("enough")))
            await asyncio.sleep(1)
            trader.ask(Asked(2, ResumeTrading()))
            await asyncio.sleep(3)
            assert shown(house).waits and house.witness.created == []
            trader.ask(Asked(3, ReleaseKill("test")))
            await asyncio.sleep(3)
            assert house.witness.created == []
            trader.ask(Asked(4, ResumeTrading()))
            await asyncio.sleep(6)

    run_virtual(main())
    assert [answers(house)[number].ok for number in (1, 2, 3, 4)] == [True, False, True, True]
    assert "release the stop first" in answers(house)[2].message and house.witness.created


def test_a_consent_that_was_stored_does_not_open_a_latched_account() -> None:
    house = House(choppy(4, minutes=300, quiet=60))

    async def main() -> State:
        await house.run(5)
        house.latch.set("by hand")
        sent = len(house.witness.created)
        state = await house.run(8)
        assert len(house.witness.created) == sent
        return state

    state = run_virtual(main())
    assert not house.crashes and not resting_at(house) and state.kill is not None


# ------------------------------------------------------------------------------------ a changed config


def with_grid(**changes: object) -> AppConfig:
    plain = json.loads(CONFIG)
    plain["grids"][0].update(changes)
    return parse_config(json.dumps(plain), source="test")


def without_grid() -> AppConfig:
    return parse_config(json.dumps({**json.loads(CONFIG), "grids": []}), source="test")


def test_a_configuration_that_was_changed_meanwhile_is_shown_and_applied() -> None:
    house = House(choppy(4, minutes=300, quiet=60))

    async def main() -> State:
        await house.run(5)
        assert said(house, "config_differs") == []
        house.config = with_grid(levels=5, trend={"timeframe": "1h"})
        return await house.run(2)

    state = run_virtual(main())
    assert state.grids[BTC].rules.levels == 5 and not house.crashes
    expected = {
        "grids[btc].levels was 8 and becomes 5.",
        "grids[btc].trend.timeframe was 5m and becomes 1h.",
    }
    assert set(shown(house).differences) == expected
    assert {line.removeprefix("The configuration was changed: ") for line in said(house, "config_differs")} == expected


def test_a_first_start_has_nothing_to_differ_from() -> None:
    house = House(choppy(4, minutes=300, quiet=60))
    run_virtual(house.run(1))
    assert shown(house) == StartView() and said(house, "config_differs") == []


async def holding(house: House) -> State:
    """Trade until the grid holds coins, and end."""
    state = await house.run(7)
    assert any(cell.lot is not None for cell in state.grids[BTC].cells)
    return state


def test_a_grid_that_is_gone_from_the_configuration_sells_only_and_its_coins_are_asked_about() -> None:
    house = House(choppy(4, minutes=300, quiet=60))

    async def main() -> tuple[Decimal, State]:
        before = (await holding(house)).grids[BTC].tally.inventory
        house.config = without_grid()
        async with house.trading():
            await asyncio.sleep(0.5)
            assert shown(house).taken_away == (BTC,)
            assert any("grids[btc] is gone" in line for line in said(house, "config_differs"))
        # A second start asks no more: the difference is applied, and the grid goes on selling.
        state = await house.run(1)
        assert shown(house) == StartView()
        return before, state

    before, state = run_virtual(main())
    (told,) = said(house, "grid_taken_away")
    assert "btc" in told and "sells them" in told and not house.crashes
    grid = state.grids[BTC]
    assert grid.rules.wish is Wish.SELL_ONLY and grid.dropped and Decimal(0) < grid.tally.inventory <= before
    assert {order.side for order in resting_at(house).values()} == {Side.SELL}


@pytest.mark.parametrize("how", list(Removal))
def test_the_persons_choice_about_the_coins_is_done(how: Removal) -> None:
    house = House(choppy(4, minutes=300, quiet=60))

    async def main() -> tuple[Decimal, State]:
        before = (await holding(house)).grids[BTC].tally.inventory
        house.config = without_grid()
        async with house.trading() as trader:
            await asyncio.sleep(0.5)
            trader.ask(Asked(1, RemoveGrid(BTC, how)))
            await asyncio.sleep(5 if how is Removal.SELL_NOW else 0.5)
            assert shown(house).taken_away == ()
        return before, trader.state

    before, state = run_virtual(main())
    assert answers(house)[1].ok and not house.crashes
    coins = next(account.total for asset, account in state.accounts.items() if asset == "BTC")
    if how is Removal.UNTRACK:
        assert BTC not in state.grids and coins >= before > 0
    elif how is Removal.SELL_NOW:
        assert BTC not in state.grids and coins < Decimal("0.0001")
    else:
        assert BTC in state.grids and state.grids[BTC].dropped


def test_a_grid_that_a_saved_configuration_drops_is_asked_about_and_comes_back() -> None:
    house = House(choppy(4, minutes=300, quiet=60))

    async def main() -> None:
        await holding(house)
        async with house.trading() as trader:
            await asyncio.sleep(0.5)
            trader.ask(Asked(1, SaveConfig(without_grid().to_json())))
            await asyncio.sleep(0.2)
            assert shown(house).taken_away == (BTC,)
            trader.ask(Asked(2, SaveConfig(with_grid().to_json())))
            await asyncio.sleep(0.2)
            assert shown(house).taken_away == () and not trader.state.grids[BTC].dropped

    run_virtual(main())
    assert answers(house)[1].ok and answers(house)[2].ok


# ------------------------------------------------------------------------------------ the sentences


LIMITS = RiskRules()


def rules(*grids: GridRules, risk: RiskRules | None = LIMITS) -> Rules:
    return Rules(Mode.DEMO, grids, risk)


def grid(name: str, **changes: object) -> GridRules:
    return replace(GridRules(GridId(name), Symbol("BTC/USDT"), Decimal(1000)), **changes)  # type: ignore[arg-type]


def test_equal_rules_do_not_differ_however_an_amount_is_written() -> None:
    assert differences(rules(grid("a")), rules(grid("a", investment=Decimal("1000.00")))) == ()


@pytest.mark.parametrize(
    ("old", "new", "sentences"),
    [
        (rules(grid("a")), rules(grid("a"), grid("b")), {"grids[b] is new: BTC/USDT, 10 levels, investment 1000."}),
        (rules(grid("a")), rules(), {"grids[a] is gone: BTC/USDT, 10 levels, investment 1000."}),
        (
            rules(grid("a"), grid("b")),
            rules(grid("b"), grid("a")),
            {"The order of the grids was a, b and becomes b, a."},
        ),
        (
            rules(grid("a", wish=Wish.PAUSE)),
            rules(grid("a", signal=SignalRules(timeframe=900_000))),
            {"grids[a].wish was pause and becomes run.", "grids[a].signal.timeframe was 4h and becomes 15m."},
        ),
        (
            rules(grid("a")),
            rules(grid("a", stop_loss=Decimal("0.2"))),
            {"grids[a].stop_loss was not set and becomes 0.2."},
        ),
        (rules(), replace(rules(), post_only=False), {"post_only was on and becomes off."}),
        (
            rules(),
            rules(risk=RiskRules(max_open_orders=10)),
            {"risk.max_open_orders was 200 and becomes 10."},
        ),
    ],
)
def test_each_difference_is_a_sentence_with_its_path(old: Rules, new: Rules, sentences: set[str]) -> None:
    assert set(differences(old, new)) == sentences


def test_limits_that_come_or_go_are_named_one_by_one() -> None:
    told = differences(rules(risk=None), rules())
    assert "risk.max_drawdown.limit was not set and becomes 0.20." in told and len(told) > 10
