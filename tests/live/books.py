"""Two bookkeepers, one truth: what gridbot's files say of an account, held to the last digit to the sandbox's books."""

from __future__ import annotations

from collections import Counter
from collections.abc import Set
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

from gridbot.adapters.files.account_folder import AccountFolder
from gridbot.adapters.files.disk import SystemDisk
from gridbot.adapters.files.kept_files import AccountName
from gridbot.adapters.files.notes_archive import NotesArchive
from gridbot.bootstrap import read_account
from gridbot.core.facts import Intended
from gridbot.core.orders import OrderState
from gridbot.core.state import State
from gridbot.core.units import ZERO, Mode, Side
from gridbot.shell.known_orders import live_orders
from tests.live.rooms import ACCOUNT

LIVE = AccountName(Mode.LIVE, ACCOUNT)
OPEN = frozenset({"NEW", "PARTIALLY_FILLED"})
UNSURE = frozenset({OrderState.UNKNOWN, OrderState.CANCEL_UNKNOWN, OrderState.QUARANTINED})


def state_of(home: Path) -> State:
    """Return the account's state from its files alone."""
    return read_account(SystemDisk(), home, LIVE)[0]


def folder_of(home: Path) -> AccountFolder:
    """Return the account's folder."""
    return AccountFolder(SystemDisk(), home, mode=LIVE.mode, account=LIVE.name)


def intended(home: Path) -> dict[str, Intended]:
    """Return every order that was ever decided on, by its id."""
    found: dict[str, Intended] = {}
    for chapter in folder_of(home).history():
        for facts in chapter.restored.facts or ():
            for fact in facts:
                if isinstance(fact, Intended):
                    assert fact.id not in found, f"order {fact.id} was decided on twice"
                    found[fact.id] = fact
    return found


def check_trades(home: Path, books: Any) -> int:
    """Every trade of ours once, as the sandbox has it; return how many there are."""
    ids = {each["id"]: each["client_id"] for each in books["orders"]}
    theirs = [
        (
            *(str(each["id"]), ids[each["order_id"]], Side.BUY if each["is_buyer"] else Side.SELL),
            *(Decimal(each["price"]), Decimal(each["quantity"]), Decimal(each["fee"]), each["fee_asset"]),
        )
        for each in books["trades"]
        if ids[each["order_id"]].startswith("gb")
    ]
    folder = folder_of(home)
    ours = [
        (str(each.trade), str(each.order), each.side, each.price, each.quantity, each.fee, str(each.fee_asset))
        for each in NotesArchive(SystemDisk(), folder.archive).fills()
    ]
    assert Counter(ours) == Counter(theirs), (set(ours) ^ set(theirs), len(ours), len(theirs))
    assert len(ours) == len(set(ours)) == state_of(home).fills
    return len(ours)


def check_balances(home: Path, books: Any) -> None:
    """Totals and fees of every asset are what the sandbox holds and took."""
    accounts = state_of(home).accounts
    for asset, balance in books["balances"].items():
        booked = accounts.get(asset)
        held = Decimal(balance["free"]) + Decimal(balance["locked"])
        assert held == (ZERO if booked is None else booked.total), (asset, balance, booked)
        assert Decimal(balance["fees"]) == (ZERO if booked is None else booked.fees), (asset, balance, booked)
    for account in accounts.values():
        account.check()


def never_came(state: State, books: Any) -> set[str]:
    """Return the orders that nobody has heard of: decided on, perhaps sent, and not in the sandbox's table."""
    came = {each["client_id"] for each in books["orders"]}
    return {
        str(live.order.id)
        for live in live_orders(state)
        if live.order.venue_id is None and not live.order.filled and str(live.order.id) not in came
    }


def check_resting(home: Path, books: Any, *, waits: Set[str]) -> None:
    """What rests at the sandbox is what the engine believes to rest, filled as far; but what `waits` to be absent."""
    ours = {
        str(live.order.id): (
            *(str(live.order.venue_id), live.order.side, live.order.price),
            *(live.order.quantity, live.order.filled),
        )
        for live in live_orders(state_of(home))
        if str(live.order.id) not in waits
    }
    theirs = {
        each["client_id"]: (
            *(str(each["id"]), Side(each["side"]), Decimal(each["price"])),
            *(Decimal(each["quantity"]), Decimal(each["executed"])),
        )
        for each in books["orders"]
        if each["status"] in OPEN
    }
    assert ours == theirs


def check_orders(home: Path, books: Any, *, waits: Set[str], by_time: bool) -> None:
    """No client id twice, none that was not decided on first; per cell and side one order at a time; none in doubt.

    `by_time` says that the sandbox's clock was true, so that what rested together can be seen by it.
    """
    decided = intended(home)
    mine = [each for each in books["orders"] if each["client_id"].startswith("gb")]
    assert len({each["client_id"] for each in mine}) == len(mine), "a client id was sent twice"
    stays: dict[tuple[str, int, Side], list[tuple[int, int, str]]] = {}
    for each in mine:
        intent = decided[each["client_id"]]
        wanted = (intent.side, intent.price, intent.quantity)
        assert wanted == (Side(each["side"]), Decimal(each["price"]), Decimal(each["quantity"])), each
        until = 2**62 if each["status"] in OPEN else each["update_time"]
        stays.setdefault((intent.grid, intent.cell, intent.side), []).append((each["time"], until, each["client_id"]))
    for place, there in stays.items() if by_time else ():
        there.sort()
        for (_, left, one), (came, _, other) in pairwise(there):
            assert left <= came, f"{one} and {other} rested together at {place}"
    unsure = [live.order for live in live_orders(state_of(home)) if live.order.state in UNSURE]
    unsure = [order for order in unsure if str(order.id) not in waits]
    assert not unsure, unsure


def is_settled(home: Path, books: Any, *, patient: bool = True) -> bool:
    """Tell whether the files have caught up with the sandbox: every trade booked, and what rests believed to rest.

    Where nobody is `patient`, an order that never came to the sandbox may still wait for its two minutes of asking.
    """
    state = state_of(home)
    waits = set() if patient else never_came(state, books)
    believed = {str(live.order.id): live.order.filled for live in live_orders(state) if str(live.order.id) not in waits}
    resting = {each["client_id"]: Decimal(each["executed"]) for each in books["orders"] if each["status"] in OPEN}
    mine = {each["id"] for each in books["orders"] if each["client_id"].startswith("gb")}
    trades = sum(1 for each in books["trades"] if each["order_id"] in mine)
    return state.fills == trades and believed == resting


def check_all(home: Path, books: Any, *, patient: bool = True, by_time: bool = True) -> int:
    """Everything; return how many trades there are."""
    waits = set() if patient else never_came(state_of(home), books)
    check_orders(home, books, waits=waits, by_time=by_time)
    check_resting(home, books, waits=waits)
    check_balances(home, books)
    return check_trades(home, books)
