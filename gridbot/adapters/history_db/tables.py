"""The tables of the history; an amount is text on the disk and a Decimal everywhere else, never a binary fraction."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import Boolean, Column, Dialect, Index, Integer, MetaData, Table, Text
from sqlalchemy.types import TypeDecorator

SCHEMA = 2
"""The form of these tables; a file of another form is made anew. Count up with any change below, and with a change of
what `gridbot/core/chronicle.py` tells."""


class Exact(TypeDecorator[Decimal]):
    """A Decimal, written with all of its digits."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        return None if value is None else str(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value)


metadata = MetaData()

reached = Table(
    "reached",
    metadata,
    Column("sequence", Integer, nullable=False),
    Column("chain", Text, nullable=False),
    Column("time", Integer, nullable=False),
)
"""One row: up to which event the journals were read."""

accounts = Table(
    "accounts",
    metadata,
    Column("moment", Text, primary_key=True),
    Column("asset", Text, primary_key=True),
    Column("opening", Exact, nullable=False),
    Column("traded", Exact, nullable=False),
    Column("fees", Exact, nullable=False),
    Column("transferred", Exact, nullable=False),
    Column("total", Exact, nullable=False),
)
"""The books before the oldest event that was read (moment "begun") and after the newest ("now")."""

fills = Table(
    "fills",
    metadata,
    Column("sequence", Integer, primary_key=True),
    Column("time", Integer, nullable=False),
    Column("grid", Text, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("base", Text, nullable=False),
    Column("quote", Text, nullable=False),
    Column("cell", Integer, nullable=False),
    Column("order", Text, nullable=False),
    Column("trade", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("price", Exact, nullable=False),
    Column("quantity", Exact, nullable=False),
    Column("fee", Exact, nullable=False),
    Column("fee_asset", Text, nullable=False),
    Column("taker", Boolean, nullable=False),
    Column("realised", Exact, nullable=False),
    Index("fills_by_time", "time"),
)

trips = Table(
    "trips",
    metadata,
    Column("sequence", Integer, primary_key=True),
    Column("time", Integer, nullable=False),
    Column("grid", Text, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("quote", Text, nullable=False),
    Column("cell", Integer, nullable=False),
    Column("slot", Integer, nullable=False),
    Column("opened", Integer, nullable=False),
    Column("buy_price", Exact, nullable=False),
    Column("sell_price", Exact, nullable=False),
    Column("quantity", Exact, nullable=False),
    Column("profit", Exact, nullable=False),
    Index("trips_by_time", "time"),
)

transfers = Table(
    "transfers",
    metadata,
    Column("sequence", Integer, primary_key=True),
    Column("time", Integer, nullable=False),
    Column("id", Text, nullable=False),
    Column("asset", Text, nullable=False),
    Column("amount", Exact, nullable=False),
    Column("worth", Exact),
)

samples = Table(
    "samples",
    metadata,
    Column("minute", Integer, primary_key=True),
    Column("sequence", Integer, nullable=False),
    Column("time", Integer, nullable=False),
    Column("equity", Exact, nullable=False),
    Column("asset", Text, nullable=False),
    Column("scope", Text, nullable=False),
)
"""One a minute for a day, the last one of each hour before that."""

stops = Table(
    "stops",
    metadata,
    Column("place", Integer, primary_key=True),
    Column("sequence", Integer, nullable=False),
    Column("time", Integer, nullable=False),
    Column("killed", Boolean, nullable=False),
    Column("kind", Text, nullable=False),
    Column("reason", Text, nullable=False),
)

given = Table(
    "given",
    metadata,
    Column("sequence", Integer, primary_key=True),
    Column("grid", Text, primary_key=True),
    Column("time", Integer, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("base", Text, nullable=False),
    Column("quote", Text, nullable=False),
    Column("quantity", Exact, nullable=False),
    Column("cost", Exact, nullable=False),
)
