"""Mistakes that somebody could make in production's code, each a small patch; the simulation must see every one."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from gridbot import bootstrap
from gridbot.adapters.files import account_folder, journal_lines
from gridbot.adapters.files.account_folder import AccountFolder
from gridbot.adapters.files.journal_file import JournalFile
from gridbot.adapters.files.kill_latch import KillLatchFile
from gridbot.adapters.files.notes_archive import NotesArchive
from gridbot.adapters.files.order_ids import order_prefix
from gridbot.adapters.files.whole import save_whole
from gridbot.core import engine
from gridbot.core.commands import CancelOrder, PlaceLimit
from gridbot.core.events import EpochStarted, OrderReported
from gridbot.core.orders import Fact
from gridbot.core.rules import Rules
from gridbot.core.state import Seen
from gridbot.core.values import evolve
from gridbot.ports import Disk, OpenFile
from gridbot.shell import kill_procedure, reconciler
from gridbot.shell.balance_check import BalanceCheck
from gridbot.shell.brake import Brake
from gridbot.shell.executor import Executor
from gridbot.shell.start_up import StartUp
from gridbot.shell.state_keeper import StateKeeper
from gridbot.shell.trader import Trader
from tests.simulation.planting import Planted, instead, swap, together
from tests.simulation.scenario import STORM
from tests.simulation.weathers import (
    CROSSING,
    CUTTING,
    DEAF,
    KILLING,
    PRESSED,
    RESTORED,
    SICK,
    SICK_STOPPED,
)


class _Careless:
    """A disk or a file in front of another, which leaves out some steps."""

    def __init__(self, inner: Any, left_out: frozenset[str]) -> None:
        self._inner = inner
        self._left_out = left_out

    def __getattr__(self, name: str) -> Any:
        if name in self._left_out:
            return lambda *arguments: None
        return getattr(self._inner, name)

    def create(self, path: Path) -> Any:
        """Open a file that is as careless."""
        return _Careless(self._inner.create(path), self._left_out)


def _journal_without_fsync(true: Callable[[JournalFile], None]) -> Callable[[Any], None]:
    def write_out(self: Any) -> None:
        file: OpenFile | None = self._file
        self._file = None if file is None else _Careless(file, frozenset({"fsync"}))
        try:
            true(self)
        finally:
            self._file = file

    return write_out


def _saved_carelessly(*left_out: str) -> Callable[[Any], Callable[[Disk, Path, bytes], None]]:
    def careless(disk: Any, path: Path, content: bytes) -> None:
        save_whole(_Careless(disk, frozenset(left_out)), path, content)

    return lambda true: careless


def _rotated_carelessly(true: Callable[..., Any]) -> Callable[..., Any]:
    """Leave out every fsync of a folder in a rotation."""

    def rotate(self: Any, *arguments: Any) -> Any:
        disk = self._disk
        self._disk = _Careless(disk, frozenset({"fsync_folder"}))
        try:
            return true(self, *arguments)
        finally:
            self._disk = disk

    return rotate


def _act_first(true: Callable[[StateKeeper], Awaitable[None]]) -> Callable[[StateKeeper], Awaitable[None]]:
    async def durable(self: StateKeeper) -> None:
        asyncio.ensure_future(true(self)).add_done_callback(lambda done: done.cancelled() or done.exception())

    return durable


@contextmanager
def _ids_begin_anew() -> Iterator[None]:
    def on_epoch(draft: Any, event: EpochStarted) -> None:
        draft.prefix, draft.sequence = event.prefix, 0

    def next_prefix(self: AccountFolder, install: str, now: int) -> str:
        return order_prefix(install, 7)

    kept = engine._HANDLERS[EpochStarted]
    engine._HANDLERS[EpochStarted] = on_epoch
    try:
        with instead(AccountFolder, "next_prefix", next_prefix):
            yield
    finally:
        engine._HANDLERS[EpochStarted] = kept


def _latch_forgotten(true: Callable[[Trader], Awaitable[None]]) -> Callable[[Any], Awaitable[None]]:
    async def run(self: Any) -> None:
        self._record.latch.clear()
        await true(self)

    return run


def _looks_too_early(true: Callable[..., Awaitable[OrderReported]]) -> Callable[..., Awaitable[OrderReported]]:
    async def send(self: Any, order: PlaceLimit, flight: Any) -> OrderReported:
        refusal = self._refusal(order)
        await self._clock.sleep(30.0)
        blind = copy.copy(self)
        blind._refusal = lambda order: refusal
        return await true(blind, order, flight)

    return send


def _sends_again(true: Callable[..., Awaitable[OrderReported]]) -> Callable[..., Awaitable[OrderReported]]:
    async def send(self: Executor, order: PlaceLimit, flight: Any) -> OrderReported:
        report = await true(self, order, flight)
        return await true(self, order, flight) if report.fact is Fact.NO_ANSWER else report

    return send


@contextmanager
def _absent_at_once() -> Iterator[None]:
    with instead(reconciler, "ABSENT_ROUNDS", 1), instead(reconciler, "ABSENT_AFTER_MS", 0):
        yield


def _gate_opens_first(true: Callable[[StartUp], Awaitable[None]]) -> Callable[[Any], Awaitable[None]]:
    async def run(self: Any) -> None:
        self._executor.open_gate()
        await true(self)

    return run


def _torn_is_whole(true: Callable[..., Any]) -> Callable[..., Any]:
    def read(*arguments: Any, **named: Any) -> Any:
        return evolve(true(*arguments, **named), torn=0)

    return read


def _rules_lost(true: Callable[..., Any]) -> Callable[..., Any]:
    def replay(*arguments: Any, **named: Any) -> Any:
        recovered = true(*arguments, **named)
        return evolve(recovered, state=evolve(recovered.state, rules=Rules(recovered.state.rules.mode, (), None)))

    return replay


def _checksum_unchecked(true: Callable[..., Any]) -> Callable[..., Any]:
    def unsealed(path: Path, number: int, line: bytes) -> Any:
        rest = line[journal_lines._BODY :]
        sealed = b'{"sum":"%s",%s' % (journal_lines.checksum(rest).encode(), rest)
        return true(path, number, sealed)

    return unsealed


def _believes_a_cancel(true: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Take a cancel whose answer was lost for one that has ended the order."""

    async def send_cancel(self: Executor, order: CancelOrder) -> Any:
        await true(self, order)
        return Fact.CANCELED, "cancelled"

    return send_cancel


def _forgets_fills(true: Callable[..., Any]) -> Callable[..., Any]:
    """Lose the fills that `trades` tells of orders that have ended."""

    async def put_new(self: Any, trades: Any) -> None:
        retired = self._state().retired
        await true(self, [trade for trade in trades if trade.ref.id not in retired])

    return put_new


def _latch_without_folder(true: Callable[..., None]) -> Callable[..., None]:
    def set_(self: Any, reason: str, *kind: Any) -> None:
        if self.read() is None:
            self._disk.append(self._path).close()

    return set_


def _without_lock(true: Callable[..., None]) -> Callable[..., None]:
    class Nothing:
        def release(self) -> None:
            return

    def acquire(self: Any) -> None:
        self._disk.make_folder(self.archive)
        self._held = Nothing()

    return acquire


def _looks_back_no_further(true: Callable[..., None]) -> Callable[..., None]:
    """Let the first question about trades after a start reach back to the start only."""

    def init(self: Any, **named: Any) -> None:
        true(self, **named)
        clock = named["clock"]

        class Swept(dict[Any, Any]):
            def get(self, key: Any, default: Any = None) -> Any:
                return super().get(key, clock.now_ms())

        self._swept = Swept()

    return init


def _waits_for_the_disk(true: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Keep a cancel back until the stop is durable, as a create is."""

    async def send_cancel(self: Any, order: CancelOrder) -> Any:
        if self._brake.write():
            return None, "the disk refuses"
        return await true(self, order)

    return send_cancel


def _sees_no_gap(true: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def look(self: Any) -> Any:
        return ()

    return look


@contextmanager
def _epoch_not_advanced() -> Iterator[None]:
    """Count the starts by what the folder says alone, not by the time."""

    def next_epoch(path: Path, stored: bytes | None, now: int) -> int:
        return 0 if stored is None else int(stored) + 1

    with instead(account_folder, "next_epoch", next_epoch):
        yield


def _always(answer: Any) -> Callable[[Any], Callable[..., Any]]:
    return lambda true: lambda *arguments, **named: answer


_OVERTAKEN = swap(reconciler.Reconciler, "is_whole", _always(True))
"""The first defence against lost fills, gone: an order may end before its fills are booked."""
MISTAKES = (
    Planted(name="the journal is not fsynced", patch=swap(JournalFile, "_write_out", _journal_without_fsync)),
    Planted(
        name="the snapshot is not fsynced before its rename",
        patch=swap(account_folder, "save_whole", _saved_carelessly("fsync", "fsync_folder")),
        weather=CUTTING,
    ),
    Planted(
        name="no folder is fsynced in a rotation",
        patch=swap(AccountFolder, "_rotate", _rotated_carelessly),
        weather=CUTTING,
    ),
    Planted(name="commands leave before the journal is durable", patch=swap(StateKeeper, "durable", _act_first)),
    Planted(name="order ids begin anew at each start", patch=_ids_begin_anew),
    Planted(name="trade ids are not remembered", patch=swap(Seen, "__contains__", _always(False)), weather=DEAF),
    Planted(name="a restart forgets the latch", patch=swap(Trader, "run", _latch_forgotten), weather=KILLING),
    Planted(
        name="the KILL file is not looked at", patch=swap(KillLatchFile, "latched", _always(None)), weather=KILLING
    ),
    Planted(name="the latch is looked at too early", patch=swap(Executor, "_send", _looks_too_early), weather=KILLING),
    Planted(
        name="the latch's name is not made durable",
        patch=swap(KillLatchFile, "set", _latch_without_folder),
        weather=KILLING,
    ),
    Planted(name="the rules are lost at a restart", patch=swap(bootstrap, "replay", _rules_lost)),
    Planted(name="a create without an answer is sent again", patch=swap(Executor, "_send", _sends_again), weather=DEAF),
    Planted(
        name="what the exchange does not know yet counts as absent",
        quick=False,
        patch=_absent_at_once,
        weather=replace(DEAF, late_ms=40_000),
    ),
    Planted(
        name="the gate opens before anything is asked",
        patch=swap(StartUp, "run", _gate_opens_first),
        weather=replace(STORM, venue=0.4, crash_s=600.0),
    ),
    Planted(
        name="a torn line stays in the journal",
        patch=swap(account_folder, "read_lines", _torn_is_whole),
        weather=CUTTING,
    ),
    Planted(
        name="checksums are not checked",
        patch=swap(journal_lines, "_unsealed", _checksum_unchecked),
        weather=replace(STORM, rot=1.0),
    ),
    Planted(
        name="the history is not fsynced before a rotation",
        patch=swap(NotesArchive, "sync", _always(None)),
        weather=CUTTING,
    ),
    Planted(
        name="fills of ended orders are dropped",
        quick=False,
        patch=together(_OVERTAKEN, swap(engine, "retire", _always(None))),
        weather=CROSSING,
    ),
    Planted(
        name="lost fills of ended orders are not looked for",
        quick=False,
        patch=together(_OVERTAKEN, swap(reconciler.Reconciler, "_put_new", _forgets_fills)),
        weather=CROSSING,
    ),
    Planted(
        name="a start looks for fills no further back than itself",
        quick=False,
        patch=together(_OVERTAKEN, swap(reconciler.Reconciler, "__init__", _looks_back_no_further)),
        weather=replace(CROSSING, crash_s=600.0),
    ),
    Planted(
        name="a cancel without an answer counts as done",
        patch=swap(Executor, "_send_cancel", _believes_a_cancel),
        weather=DEAF,
    ),
    Planted(
        name="creates go on with a broken disk",
        patch=swap(Trader, "_refusal", lambda true: lambda self, order: self.brake.refusal()),
        weather=SICK,
    ),
    Planted(
        name="books and account are not compared", patch=swap(BalanceCheck, "look", _sees_no_gap), weather=RESTORED
    ),
    Planted(name="every order counts as ours", patch=swap(Trader, "is_ours", _always(True))),
    Planted(name="the account is not locked", patch=swap(AccountFolder, "acquire", _without_lock)),
    Planted(name="the brake holds nothing", patch=swap(Brake, "refusal", _always(None)), weather=KILLING),
    Planted(
        name="one look without an order counts as flat",
        patch=swap(kill_procedure, "ZEROS", lambda true: 1),
        invariant="[I20]",
        weather=KILLING,
    ),
    Planted(
        name="no cancel leaves while the disk refuses",
        quick=False,
        patch=swap(Executor, "_send_cancel", _waits_for_the_disk),
        invariant="[I27]",
        weather=SICK_STOPPED,
    ),
    Planted(
        name="the order ids of an older copy go on from there",
        patch=_epoch_not_advanced,
        # [I2], or [I10] where a repeated id made an old trade look like one of the new order first.
        invariant="[I",
        weather=RESTORED,
    ),
    Planted(
        name="a release asks nobody before it sends",
        patch=swap(StartUp, "released", _always(None)),
        invariant="[I26]",
        weather=PRESSED,
    ),
)
