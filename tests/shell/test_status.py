"""`gridbot status` says of a state exactly what the execution contract lists, and nothing that is not known."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from decimal import Decimal

import pytest

from gridbot.config import default_config
from gridbot.core.codec import digest
from gridbot.core.engine import step
from gridbot.core.events import AccountOpened, InstrumentChanged, KillKind, KillRequested, RulesChanged
from gridbot.core.rules import GridRules, Instrument, Rules
from gridbot.core.state import State, new_state
from gridbot.core.units import Asset, GridId, Mode, Symbol, TimeMs
from gridbot.shell.doors import Consent
from gridbot.shell.noting import NotingOutlet
from gridbot.shell.state_keeper import recover
from gridbot.shell.status import Besides, Latch, besides, status, status_page
from tests.fakes.trading import House, choppy, resting_at
from tests.fakes.virtual_time import run_virtual
from tests.shell.test_balance_check import Bank

KEYS = [
    *("schema", "mode", "account", "running", "killed", "kill", "level", "digest", "sequence", "grids"),
    *("open_orders", "fills", "round_trips", "grid_profit", "unrealised", "total_profit"),
]
GRID_KEYS = ["id", "symbol", "state", "holding_cells", "grid_profit", "unrealised"]


def instrument(base: str, quote: str) -> Instrument:
    cent, fee = Decimal("0.01"), Decimal("0.001")
    symbol = Symbol(f"{base}/{quote}")
    return Instrument(symbol, Asset(base), Asset(quote), cent, cent, cent, Decimal(5), fee, fee)


def account(*markets: tuple[str, str]) -> State:
    """Return the state of an account with one grid on each market, nothing traded yet."""
    known = [instrument(base, quote) for base, quote in markets]
    grids = tuple(GridRules(GridId(each.base.lower()), each.symbol, Decimal(1000)) for each in known)
    now = TimeMs(1_704_067_200_000)
    state = step(new_state(Rules(Mode.DEMO, (), None)), RulesChanged(now, Rules(Mode.DEMO, grids, None))).state
    for each in known:
        state = step(state, InstrumentChanged(now, each)).state
    return step(state, AccountOpened(now, ((Asset("USDT"), Decimal(5000)),))).state


def test_it_has_the_contracts_keys_in_their_order() -> None:
    state = account(("BTC", "USDT"))
    plain = status(state, sequence=3, account="default", running=True, latch=None)
    assert list(plain) == KEYS and [list(grid) for grid in plain["grids"]] == [GRID_KEYS]
    assert plain["digest"] == digest(state) and plain["sequence"] == 3 and plain["running"] is True
    assert plain["killed"] is False and plain["kill"] is None and plain["level"] == "green"
    assert plain["grids"][0]["state"] == "warming_up" and plain["grid_profit"] == "0"
    assert plain["unrealised"] == "0" and plain["total_profit"] == "0"
    assert json.loads(json.dumps(plain)) == plain


def test_what_is_held_without_a_known_price_has_no_value_yet() -> None:
    state = account(("BTC", "USDT"))
    (id_, grid), *_ = state.grids.items()
    holding = replace(grid, tally=replace(grid.tally, inventory=Decimal("0.1")))
    plain = status(replace(state, grids={id_: holding}), sequence=3, account="default", running=False, latch=None)
    assert plain["unrealised"] is None and plain["total_profit"] is None and plain["grid_profit"] == "0"
    assert "unrealised unknown" in status_page(plain)


def test_totals_over_different_quote_currencies_are_not_made_up() -> None:
    one, two = account(("BTC", "USDT"), ("ETH", "USDT")), account(("BTC", "USDT"), ("ETH", "EUR"))
    asked = {"sequence": 1, "account": "default", "running": False, "latch": None}
    assert status(one, **asked)["grid_profit"] == "0"  # type: ignore[arg-type]
    assert status(two, **asked)["grid_profit"] is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("latch", "said"),
    [(Latch("drawdown", "Down too far", 1_704_067_200_000), "Down too far"), (Latch(None, "", None), "")],
)
def test_the_latch_stops_whatever_the_state_says(latch: Latch, said: str) -> None:
    plain = status(account(("BTC", "USDT")), sequence=1, account="default", running=False, latch=latch)
    assert plain["killed"] is True and plain["level"] == "red"
    assert plain["kill"] == {"kind": latch.kind, "reason": said, "time": latch.time}
    assert "STOPPED" in status_page(plain)


@pytest.mark.parametrize("latch", [None, Latch(None, "", None)])
def test_a_kill_in_the_state_shows_without_the_file_or_beside_an_empty_one(latch: Latch | None) -> None:
    state = step(account(("BTC", "USDT")), KillRequested(TimeMs(1_704_067_201_000), KillKind.MANUAL, "By hand")).state
    plain = status(state, sequence=1, account="default", running=False, latch=latch)
    assert plain["kill"] == {"kind": "manual", "reason": "By hand", "time": 1_704_067_201_000}
    assert "STOPPED since 2024-01-01 00:00:01 UTC: By hand" in status_page(plain)


def test_an_account_that_was_never_used_says_so() -> None:
    rules = replace(default_config().to_rules(), grids=())
    plain = status(new_state(rules), sequence=0, account="default", running=False, latch=None)
    assert "Nothing has happened" in status_page(plain) and plain["fills"] == 0


def test_the_page_names_every_grid() -> None:
    plain = status(account(("BTC", "USDT"), ("ETH", "USDT")), sequence=2, account="mine", running=True, latch=None)
    page = status_page(plain)
    assert page.startswith("demo, account mine: running, level GREEN")
    assert "btc: BTC/USDT, warming up, 0 cells hold" in page and "eth: ETH/USDT" in page


# --------------------------------------------------------------------------------- what only a person is told


def trading(seconds: float) -> House:
    """Return a house whose grid has traded so long."""
    house = House(choppy(4, minutes=300, quiet=60))
    run_virtual(house.run(seconds))
    return house


def page_of(house: House, problems: tuple[str, ...] = (), *, running: bool = False) -> str:
    state = recover(house.store, mode=Mode.DEMO, notes=house.notes).state
    plain = status(state, sequence=9, account="default", running=running, latch=None)
    return status_page(plain, besides(state, problems))


def test_orders_that_wait_at_the_gate_are_not_said_to_be_open() -> None:
    house = House(choppy(4, minutes=300, quiet=60), consent=Consent.WANTED)

    async def main() -> State:
        async with house.trading() as trader:
            await asyncio.sleep(8)
            return trader.state

    state = run_virtual(main())
    plain = status(state, sequence=9, account="default", running=True, latch=None)
    told = besides(state)
    assert told.waiting == plain["open_orders"] > 0 and house.witness.created == []
    page = status_page(plain, told)
    assert f"0 open orders, {told.waiting} more not sent yet, " in page
    assert list(plain) == KEYS, "the contract of the JSON stays"


def test_what_rests_is_open_and_says_no_more_than_that() -> None:
    house = trading(6)
    count = len(resting_at(house))
    assert count and f"{count} open orders, " in page_of(house) and "not sent" not in page_of(house)


def test_an_order_of_which_nobody_knows_is_told_as_such() -> None:
    plain = status(account(("BTC", "USDT")), sequence=2, account="mine", running=True, latch=None)
    assert "3 open orders (1 of them not confirmed), 0 fills" in status_page({**plain, "open_orders": 3}, Besides(0, 1))


def test_a_gap_of_the_balances_stands_on_the_page_while_it_is_there() -> None:
    house, kept = House(choppy(3, minutes=300, quiet=1_000)), list[tuple[str, ...]]()
    bank = Bank(house.witness)
    house.witness = bank
    noting = NotingOutlet(house.outlet, kept.append)

    async def main() -> None:
        await house.run(20)
        bank.move(Asset("USDT"), "100", time=house.clock.now_ms(), told=False)
        house.outlet = noting  # type: ignore[assignment]
        await house.run(60)

    run_virtual(main())
    assert len(kept) < 6 and kept[-1], "it is written when it changes, and not with every view"
    page = page_of(house, kept[-1], running=True)
    assert page.count("The exchange holds 100 USDT more than gridbot's books.") == 1
    assert "When it last ran: " in page_of(house, kept[-1])
    assert "When it last ran" not in page_of(house)
