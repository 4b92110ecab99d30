"""`gridbot status` says of a state exactly what the execution contract lists, and nothing that is not known."""

from __future__ import annotations

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
from gridbot.shell.status import Latch, status, status_page

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
