"""The account as its files tell it, for `gridbot status`: plain data and a page of text, made from a state alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from gridbot.core.codec import digest
from gridbot.core.commands import Note
from gridbot.core.orders import OrderState
from gridbot.core.snapshot import GridView, Snapshot, snapshot
from gridbot.core.state import Level, State
from gridbot.core.units import ZERO, Asset
from gridbot.core.values import value

STATUS_SCHEMA = 1
_UNCLEAR = frozenset({OrderState.UNKNOWN, OrderState.CANCEL_UNKNOWN, OrderState.QUARANTINED})


@value
class Latch:
    """What stands in the KILL file; None where it does not say. `time` in ms UTC."""

    kind: str | None
    reason: str
    time: int | None


class NoHistory:
    """Satisfies the NotesStore port for a reader: what was told before is not kept a second time."""

    def append(self, sequence: int, notes: Sequence[Note]) -> None:
        """Keep nothing."""

    def sync(self) -> None:
        """There is nothing to make durable."""

    def close(self) -> None:
        """There is nothing to close."""

    def tail(self, limit: int) -> tuple[Note, ...]:
        """Return nothing: a reader of the state has no use for the past."""
        return ()


@value
class Besides:
    """What a person is told besides the contract of a status: orders that were never sent yet, those of which nobody
    knows for certain, and what is wrong with the running program (or was, when it ran), in sentences."""

    waiting: int = 0
    unclear: int = 0
    problems: tuple[str, ...] = ()


_NOTHING = Besides()


def besides(state: State, problems: tuple[str, ...] = ()) -> Besides:
    """Return what is to be told besides the counts of a state."""
    states = [order.state for order in snapshot(state).orders]
    waiting = sum(each in (OrderState.PLANNED, OrderState.INTENT) for each in states)
    return Besides(waiting, sum(each in _UNCLEAR for each in states), problems)


def status(state: State, *, sequence: int, account: str, running: bool, latch: Latch | None) -> dict[str, Any]:
    """Return the status as `gridbot status --json` prints it: counts are integers, amounts text, unknown ones None.

    `sequence` is the newest event in `state`, `running` whether a process holds the account, `latch` what the KILL
    file says, None without one. Totals are None where the grids' quote currencies differ.
    """
    seen = snapshot(state)
    if seen.kill is not None and (latch is None or not latch.reason):
        # The state knows more than a file that somebody made by hand.
        latch = Latch(seen.kill.kind.value, seen.kill.reason, seen.kill.time)
    level = Level.RED if latch is not None and seen.level is not Level.BLACK else seen.level
    return {
        "schema": STATUS_SCHEMA,
        "mode": seen.mode.value,
        "account": account,
        "running": running,
        "killed": latch is not None,
        "kill": None if latch is None else {"kind": latch.kind, "reason": latch.reason, "time": latch.time},
        "level": level.value,
        "digest": digest(state),
        "sequence": sequence,
        "grids": [_grid(grid) for grid in seen.grids],
        "open_orders": len(seen.orders),
        "fills": seen.fills,
        "round_trips": seen.round_trips,
        "grid_profit": _text(_sum(seen, [grid.grid_profit for grid in seen.grids])),
        "unrealised": _text(_sum(seen, [_unrealised(grid) for grid in seen.grids])),
        "total_profit": _text(_sum(seen, [_total(grid) for grid in seen.grids])),
    }


def _grid(grid: GridView) -> dict[str, Any]:
    return {
        "id": grid.id,
        "symbol": grid.symbol,
        "state": grid.range.value,
        "holding_cells": grid.holding_cells,
        "grid_profit": _text(grid.grid_profit),
        "unrealised": _text(_unrealised(grid)),
    }


def _unrealised(grid: GridView) -> Decimal | None:
    """Return the unrealised profit; where nothing is held it takes no price to know it."""
    return grid.unrealised if grid.inventory else ZERO


def _total(grid: GridView) -> Decimal | None:
    unrealised = _unrealised(grid)
    return None if unrealised is None else grid.grid_profit + unrealised


def _sum(seen: Snapshot, amounts: list[Decimal | None]) -> Decimal | None:
    quotes: set[Asset] = {grid.instrument.quote for grid in seen.grids if grid.instrument is not None}
    known = [amount for amount in amounts if amount is not None]
    return sum(known, ZERO) if len(quotes) <= 1 and len(known) == len(amounts) else None


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:f}"


def status_page(plain: dict[str, Any], more: Besides = _NOTHING) -> str:
    """Return a status for a person, without a newline at the end."""
    return "\n".join(_page(plain, more))


def _page(plain: dict[str, Any], more: Besides) -> Iterator[str]:
    running = "running" if plain["running"] else "not running"
    yield f"{plain['mode']}, account {plain['account']}: {running}, level {plain['level'].upper()}"
    kill = plain["kill"]
    if kill is not None:
        since = "" if kill["time"] is None else f" since {_utc(kill['time'])} UTC"
        yield f"STOPPED{since}: {kill['reason'] or 'the KILL file does not say why'}"
    yield from (problem if plain["running"] else f"When it last ran: {problem}" for problem in more.problems)
    if not plain["sequence"]:
        yield "Nothing has happened on this account yet."
        return
    yield from state_lines(plain, more)
    yield f"event {plain['sequence']:,}, digest {plain['digest'][:12]}"


def state_lines(plain: dict[str, Any], more: Besides) -> Iterator[str]:
    """Yield what a status says of the state alone: counts, money, and each grid."""
    orders = f"{plain['open_orders'] - more.waiting:,} open orders"
    unclear = f" ({more.unclear:,} of them not confirmed)" if more.unclear else ""
    waiting = f", {more.waiting:,} more not sent yet" if more.waiting else ""
    yield f"{orders}{unclear}{waiting}, {plain['fills']:,} fills, {plain['round_trips']:,} round trips"
    total, profit, unrealised = (_money(plain[key]) for key in ("total_profit", "grid_profit", "unrealised"))
    yield f"total {total} (grid profit {profit}, unrealised {unrealised})"
    for grid in plain["grids"]:
        money = f"grid profit {_money(grid['grid_profit'])}, unrealised {_money(grid['unrealised'])}"
        state = grid["state"].replace("_", " ")
        yield f"  {grid['id']}: {grid['symbol']}, {state}, {grid['holding_cells']} cells hold, {money}"


def _money(text: str | None) -> str:
    return "unknown" if text is None else f"{Decimal(text):+,.2f}"


def _utc(time: int) -> str:
    return datetime.fromtimestamp(time / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
