"""One account's history in one SQLite file; a file that is damaged or of another form is put aside and made anew.

Nothing is lost with the file: the journals tell it all again. Each write is one transaction that begins by looking
whether the history is still where the writer thinks it is, so that two processes may catch up at the same time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    NullPool,
    Table,
    create_engine,
    delete,
    event,
    func,
    insert,
    select,
    text,
)
from sqlalchemy.dialects.sqlite import insert as insert_or
from sqlalchemy.exc import DatabaseError

from gridbot.adapters.history_db import tables
from gridbot.adapters.history_db.places import HOUR, settled_minute
from gridbot.core.chronicle import FillRow, GivenRow, Rows, SampleRow, StopRow, TransferRow, TripRow
from gridbot.core.ledger import Account, Accounts
from gridbot.core.units import Asset, GridId, OrderId, Price, Quantity, Side, Symbol, TimeMs, TradeId
from gridbot.errors import EnvironmentProblem
from gridbot.ports import Disk, Reached

_WAIT_S = 30
_Answer = TypeVar("_Answer")
_DAMAGE = ("malformed", "not a database", "encrypted", "no such table", "no such column")


class HistoryDatabase:
    """Satisfies the HistoryStore port, and gives its rows to whoever asks.

    Attributes:
        mended: a sentence about what was put aside, "" where nothing was.
    """

    def __init__(self, disk: Disk, path: Path) -> None:
        self._disk = disk
        self._path = path
        self._engine: Engine | None = None
        self.mended = ""

    # ------------------------------------------------------------------------------------ catching up

    def reached(self) -> Reached:
        """Return up to which event it knows the past."""
        return self._ask(_reached)

    def write(self, before: Reached, reached: Reached, rows: Rows, books: Accounts, after: Accounts) -> bool:
        """Add rows and the books after them; False where somebody else wrote meanwhile."""

        def act(connection: Connection) -> bool:
            if _reached(connection) != before:
                return False
            if not before.sequence:
                _put_accounts(connection, "begun", books)
            _put_accounts(connection, "now", after)
            for table, found in (
                (tables.fills, rows.fills),
                (tables.trips, rows.trips),
                (tables.transfers, rows.transfers),
                (tables.stops, rows.stops),
                (tables.given, rows.given),
            ):
                if found:
                    connection.execute(insert(table), [_plain(row) for row in found])
            for sample in rows.samples:
                connection.execute(insert_or(tables.samples).prefix_with("OR REPLACE"), _plain(sample))
            _thin(connection)
            connection.execute(delete(tables.reached))
            connection.execute(insert(tables.reached), _plain(reached))
            return True

        return self._ask(act)

    def clear(self) -> None:
        """Forget everything."""

        def act(connection: Connection) -> None:
            for table in tables.metadata.sorted_tables:
                connection.execute(delete(table))

        self._ask(act)

    # ---------------------------------------------------------------------------------------- reading

    def fills(self, *, after: int = 0) -> tuple[FillRow, ...]:
        """Return the fills of events behind `after`, in the order of the books."""
        return tuple(_fill(row) for row in self._rows(tables.fills, tables.fills.c.sequence, after))

    def trips(self, *, after: int = 0) -> tuple[TripRow, ...]:
        """Return the round trips of events behind `after`, oldest first."""
        return tuple(_trip(row) for row in self._rows(tables.trips, tables.trips.c.sequence, after))

    def transfers(self) -> tuple[TransferRow, ...]:
        """Return every transfer, oldest first."""
        rows = self._rows(tables.transfers, tables.transfers.c.sequence)
        return tuple(TransferRow(r.sequence, TimeMs(r.time), r.id, Asset(r.asset), r.amount, r.worth) for r in rows)

    def given(self) -> tuple[GivenRow, ...]:
        """Return the coins that grids were given, oldest first."""
        return tuple(_given(row) for row in self._rows(tables.given, tables.given.c.sequence))

    def samples(self, *, after: int = -1) -> tuple[SampleRow, ...]:
        """Return what the account was worth behind the minute `after`, oldest first."""
        return tuple(
            SampleRow(row.minute, row.sequence, TimeMs(row.time), row.equity, Asset(row.asset), row.scope)
            for row in self._rows(tables.samples, tables.samples.c.minute, after)
        )

    def stops(self) -> tuple[StopRow, ...]:
        """Return every stop and release, oldest first."""
        rows = self._rows(tables.stops, tables.stops.c.place)
        return tuple(StopRow(row.sequence, TimeMs(row.time), row.killed, row.kind, row.reason) for row in rows)

    def books(self, *, begun: bool = False) -> Accounts:
        """Return the books after the newest event, or before the oldest that was read."""
        moment = "begun" if begun else "now"
        found = self._ask(
            lambda connection: connection.execute(
                select(tables.accounts).where(tables.accounts.c.moment == moment).order_by(tables.accounts.c.asset)
            ).all()
        )
        return {
            Asset(row.asset): Account(row.opening, row.traded, row.fees, row.transferred, row.total) for row in found
        }

    def close(self) -> None:
        """Let go of the file."""
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.dispose()

    # ----------------------------------------------------------------------------------------- inside

    def _rows(self, table: Table, order: Column[int], after: int = -1) -> Sequence[Any]:
        chosen = select(table).where(order > after).order_by(order)
        return self._ask(lambda connection: connection.execute(chosen).all())

    def _ask(self, act: Callable[[Connection], _Answer]) -> _Answer:
        """Do something in one transaction; a damaged file is put aside, and the answer is that of an empty one."""
        try:
            with self._in_words(), self._begun() as connection:
                return act(connection)
        except _Damaged as damage:
            self._put_aside(damage)
        try:
            with self._in_words(), self._begun() as connection:
                return act(connection)
        except _Damaged as damage:
            raise EnvironmentProblem(
                f"The history in {self._path} was made anew and cannot be used either: {damage}.",
                hint="Check the disk before you trade on.",
            ) from damage

    @contextmanager
    def _begun(self) -> Iterator[Connection]:
        with self._opened().connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection
            connection.commit()

    def _opened(self) -> Engine:
        if self._engine is not None:
            return self._engine
        self._disk.make_folder(self._path.parent)
        if not self._path.exists():
            # Made by us, so that it is the owner's alone from the first byte.
            self._disk.append(self._path).close()
        # No connection waits in a pool: the file may be deleted, and on Windows that needs nobody to hold it.
        engine = create_engine(f"sqlite:///{self._path}", poolclass=NullPool, connect_args={"timeout": _WAIT_S})
        event.listen(engine, "connect", _by_hand)
        with engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            form = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
            if form == 0:
                tables.metadata.create_all(connection)
                connection.exec_driver_sql(f"PRAGMA user_version = {tables.SCHEMA}")
            elif form != tables.SCHEMA:
                raise _Damaged(f"it is of form {form} and this gridbot keeps form {tables.SCHEMA}")
            else:
                said = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
                if said != "ok":
                    raise _Damaged(str(said))
            connection.commit()
        self._engine = engine
        return engine

    def _put_aside(self, damage: _Damaged) -> None:
        self.close()
        taken = set(self._disk.names(self._path.parent))
        number = next(n for n in range(1, len(taken) + 2) if f"{self._path.name}.aside-{n}" not in taken)
        aside = self._path.with_name(f"{self._path.name}.aside-{number}")
        for ending in ("-wal", "-shm", "-journal"):
            self._disk.remove(self._path.with_name(self._path.name + ending))
        if self._path.name in taken:
            self._disk.replace(self._path, aside)
        self.mended = (
            f"The history's file could not be used ({damage}). It was put aside as {aside.name} and made anew from "
            "the journals; nothing is lost."
        )

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except DatabaseError as error:
            said = str(error.orig)
            if any(word in said for word in _DAMAGE):
                raise _Damaged(said) from error
            raise EnvironmentProblem(
                f"The history in {self._path} cannot be read or written: {said}.",
                hint="See that there is room on the disk and that the folder may be written.",
            ) from error


class _Damaged(Exception):
    """The file is no history of this form."""


def _by_hand(connection: sqlite3.Connection, _record: object) -> None:
    """Let transactions begin where we say so, and let readers go on while one writes."""
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode = WAL")
    # What a power cut takes is read from the journals again; a history that is behind is never wrong.
    connection.execute("PRAGMA synchronous = NORMAL")


def _reached(connection: Connection) -> Reached:
    row = connection.execute(select(tables.reached)).one_or_none()
    return Reached() if row is None else Reached(row.sequence, row.chain, TimeMs(row.time))


def _put_accounts(connection: Connection, moment: str, books: Accounts) -> None:
    connection.execute(delete(tables.accounts).where(tables.accounts.c.moment == moment))
    if books:
        rows = [{"moment": moment, "asset": asset, **_plain(account)} for asset, account in books.items()]
        connection.execute(insert(tables.accounts), rows)


def _plain(row: Any) -> dict[str, Any]:
    """Return a row value as its columns: the fields have their names."""
    return {field.name: getattr(row, field.name) for field in fields(row)}


def _thin(connection: Connection) -> None:
    """Keep the last sample of each hour that is over for a day; what is left depends on the newest sample alone."""
    newest = connection.execute(select(func.max(tables.samples.c.minute))).scalar_one()
    if newest is None:
        return
    before = settled_minute(newest)
    connection.execute(
        text(
            "DELETE FROM samples WHERE minute < :before AND minute NOT IN "
            "(SELECT MAX(minute) FROM samples WHERE minute < :before GROUP BY minute / :hour)"
        ),
        {"before": before, "hour": HOUR},
    )


def _fill(row: Any) -> FillRow:
    return FillRow(
        row.sequence,
        TimeMs(row.time),
        GridId(row.grid),
        Symbol(row.symbol),
        Asset(row.base),
        Asset(row.quote),
        row.cell,
        OrderId(row.order),
        TradeId(row.trade),
        Side(row.side),
        Price(row.price),
        Quantity(row.quantity),
        row.fee,
        Asset(row.fee_asset),
        row.taker,
        row.realised,
    )


def _trip(row: Any) -> TripRow:
    return TripRow(
        row.sequence,
        TimeMs(row.time),
        GridId(row.grid),
        Symbol(row.symbol),
        Asset(row.quote),
        row.cell,
        row.slot,
        TimeMs(row.opened),
        Price(row.buy_price),
        Price(row.sell_price),
        Quantity(row.quantity),
        row.profit,
    )


def _given(row: Any) -> GivenRow:
    return GivenRow(
        row.sequence,
        TimeMs(row.time),
        GridId(row.grid),
        Symbol(row.symbol),
        Asset(row.base),
        Asset(row.quote),
        row.quantity,
        row.cost,
    )
