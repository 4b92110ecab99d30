"""Journals that a running gridbot moves and packs while they are read: none is missed, whenever it happens."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from gridbot.adapters.files.disk import SystemDisk
from gridbot.adapters.files.journal_choice import chapters_about, chapters_to
from gridbot.adapters.files.journal_history import ARCHIVE, PACKED, journal_firsts, journals_in, read_history
from gridbot.core.commands import OrderEnded
from gridbot.core.events import Event
from tests.fakes.account_on_disk import WalkedAccount


class MovingDisk(SystemDisk):
    """A disk on which another process does something right before the call number `at`."""

    def __init__(self, act: Callable[[], None], at: int) -> None:
        super().__init__()
        self._act, self._at, self.calls = act, at, 0

    def names(self, folder: Path) -> tuple[str, ...]:
        self._count()
        return super().names(folder)

    def read(self, path: Path) -> bytes | None:
        self._count()
        return super().read(path)

    def _count(self) -> None:
        if self.calls == self._at:
            self._act()
        self.calls += 1


def told(disk: SystemDisk, folder: Path, order: str) -> list[tuple[int, tuple[Event, ...]]]:
    """Return the journals that are about an order, as (sequence, events)."""
    found = chapters_about(disk, folder, order, lambda: False)
    return [(chapter.restored.sequence, chapter.restored.events) for chapter in found]


@pytest.fixture
def account(tmp_path: Path) -> WalkedAccount:
    """An account of four journals, the newest of which is being written."""
    made = WalkedAccount(tmp_path, seed=11)
    made.trade(60, 60, 60, 40)
    return made


def take_back(account: WalkedAccount) -> Callable[[], None]:
    """Put the newest finished journal where it lay before the rotation; return what rotates it again, and packs it."""
    archive = account.folder / ARCHIVE
    name = list(journals_in(SystemDisk(), archive).values())[-1]
    content = gzip.decompress((archive / name).read_bytes()) if name.endswith(PACKED) else (archive / name).read_bytes()
    plain = name.removesuffix(PACKED)
    (archive / name).unlink()
    (account.folder / plain).write_bytes(content)

    def rotate() -> None:
        (account.folder / plain).rename(archive / plain)
        (archive / (plain + PACKED)).write_bytes(gzip.compress(content))
        (archive / plain).unlink()

    return rotate


def while_moving(account: WalkedAccount, at: int, read: Callable[[SystemDisk], object]) -> object:
    """Return what is read while a journal moves on right before the call number `at`."""
    rotate = take_back(account)
    moving = MovingDisk(rotate, at)
    found = read(moving)
    if moving.calls <= at:
        rotate()
    return found


def order_of(account: WalkedAccount) -> str:
    """Return an order that ended in the journal that moves."""
    firsts = journal_firsts(SystemDisk(), account.folder)
    begin, end = firsts[-2], firsts[-1]
    ended = [
        (number, note.order)
        for number, notes in enumerate(account.walk.notes, start=1)
        for note in notes
        if isinstance(note, OrderEnded)
    ]
    return next(order for number, order in ended if begin <= number < end)


def test_an_order_is_found_whenever_its_journal_moves_while_it_is_looked_for(account: WalkedAccount) -> None:
    order = order_of(account)
    calm = told(SystemDisk(), account.folder, order)
    assert len(calm) >= 2
    counting = MovingDisk(lambda: None, -1)
    assert told(counting, account.folder, order) == calm
    for at in range(counting.calls):
        assert while_moving(account, at, lambda disk: told(disk, account.folder, order)) == calm, at


def test_the_whole_past_and_a_moment_of_it_are_read_while_a_journal_moves(account: WalkedAccount) -> None:
    last = len(account.walk.events)
    reads: tuple[Callable[[SystemDisk], object], ...] = (
        lambda disk: [each.restored.sequence for each in read_history(disk, account.folder)],
        lambda disk: [each.restored.sequence for each in chapters_to(disk, account.folder, last)][-1:],
        lambda disk: journal_firsts(disk, account.folder),
    )
    for read in reads:
        counting = MovingDisk(lambda: None, -1)
        calm = read(counting)
        for at in range(counting.calls):
            assert while_moving(account, at, read) == calm, at
