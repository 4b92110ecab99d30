"""The sandbox's memory on disk: one SQLite file, one transaction for each effect, so that a kill loses nothing told."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

from gridbot.core.units import Side
from gridbot.errors import AlreadyRunning, StateFileError
from gridbot.sandbox.effects import Effect
from gridbot.sandbox.matching import Room
from gridbot.sandbox.minutes import Minute
from gridbot.sandbox.records import Kind, Order, Prevention, Status, TimeInForce, Trade, Transfer
from gridbot.sandbox.wallet import Balance

_TABLES = """
CREATE TABLE IF NOT EXISTS orders(
  id INTEGER PRIMARY KEY, symbol TEXT, client_id TEXT, side TEXT, kind TEXT, time_in_force TEXT, price TEXT,
  quantity TEXT, quote_quantity TEXT, prevention TEXT, time INTEGER, update_time INTEGER, status TEXT, executed TEXT,
  quote_executed TEXT, ahead TEXT, reserved TEXT, cancel_id TEXT);
CREATE INDEX IF NOT EXISTS orders_by_client ON orders(symbol, client_id);
CREATE INDEX IF NOT EXISTS orders_by_status ON orders(status);
CREATE TABLE IF NOT EXISTS trades(
  symbol TEXT, id INTEGER, order_id INTEGER, price TEXT, quantity TEXT, fee TEXT, fee_asset TEXT, time INTEGER,
  is_buyer INTEGER, is_maker INTEGER, PRIMARY KEY(symbol, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS trades_by_order ON trades(order_id);
CREATE TABLE IF NOT EXISTS balances(asset TEXT PRIMARY KEY, free TEXT, locked TEXT, fees TEXT, outside TEXT);
CREATE TABLE IF NOT EXISTS transfers(id TEXT PRIMARY KEY, asset TEXT, amount TEXT, time INTEGER);
CREATE TABLE IF NOT EXISTS figures(name TEXT PRIMARY KEY, value TEXT);
CREATE TABLE IF NOT EXISTS counts(name TEXT PRIMARY KEY, value INTEGER);
CREATE TABLE IF NOT EXISTS minutes(
  symbol TEXT, open_time INTEGER, open TEXT, high TEXT, low TEXT, close TEXT, volume TEXT, turnover TEXT,
  trades INTEGER, PRIMARY KEY(symbol, open_time)) WITHOUT ROWID;
"""
_ORDER = "id,symbol,client_id,side,kind,time_in_force,price,quantity,quote_quantity,prevention,time,update_time,"
_ORDER += "status,executed,quote_executed,ahead,reserved,cancel_id"
_TRADE = "symbol,id,order_id,price,quantity,fee,fee_asset,time,is_buyer,is_maker"
TRADE_NUMBERS = 10_000
"""Numbers of trades are reserved by so many at a time: one that nobody stored must not be given again."""


class Store:
    """The file. Its lock is held until `close` or the end of the process, however that comes."""

    def __init__(self, path: Path) -> None:
        """Open or make the file; AlreadyRunning if another sandbox has it, StateFileError if it is not one of ours."""
        self._path = path
        try:
            self._db = sqlite3.connect(path, isolation_level=None, timeout=0)
            self._db.execute("PRAGMA locking_mode=EXCLUSIVE")
            self._db.execute("PRAGMA journal_mode=WAL")
            # A killed process loses nothing that was handed to the system; a power cut may lose the last moments.
            self._db.execute("PRAGMA synchronous=NORMAL")
            with self.whole():
                for statement in filter(str.strip, _TABLES.split(";")):
                    self._db.execute(statement)
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise AlreadyRunning(
                    f"Another sandbox works in {path.parent}.", hint="End that one, or choose another --data folder."
                ) from error
            raise StateFileError(f"{path} cannot be opened: {error}.", hint="Choose another --data folder.") from error
        except sqlite3.DatabaseError as error:
            raise StateFileError(
                f"{path} is not a file of the sandbox: {error}.", hint="Move it away, or choose another --data folder."
            ) from error

    def close(self) -> None:
        """Let the file go."""
        self._db.close()

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Make everything inside one transaction."""
        self._db.execute("BEGIN IMMEDIATE")
        # The connection commits at the end, and takes all back if something is raised.
        with self._db:
            yield

    # -------------------------------------------------------------------------------------- writing

    def write_effect(self, effect: Effect, room: Room) -> None:
        """Write what one effect changed; call it inside `whole`."""
        self.write_orders(effect.orders.values())
        rows = [
            (
                t.symbol,
                t.id,
                t.order_id,
                _s(t.price),
                _s(t.quantity),
                _s(t.fee),
                t.fee_asset,
                t.time,
                t.is_buyer,
                t.is_maker,
            )
            for t in effect.trades
        ]
        self._db.executemany(f"INSERT INTO trades({_TRADE}) VALUES(?,?,?,?,?,?,?,?,?,?)", rows)
        moved = [(each.id, each.asset, _s(each.amount), each.time) for each in effect.transfers]
        self._db.executemany("INSERT INTO transfers VALUES(?,?,?,?)", moved)
        for asset in effect.assets:
            balance = room.wallet.of(asset)
            row = (asset, _s(balance.free), _s(balance.locked), _s(balance.fees), _s(balance.outside))
            self._db.execute("INSERT OR REPLACE INTO balances VALUES(?,?,?,?,?)", row)
        self.write_figure("next_order", str(room.next_order))

    def write_orders(self, orders: Iterable[Order]) -> None:
        """Write orders as they stand."""
        rows = [
            (
                *(o.id, o.symbol, o.client_id, o.side.value, o.kind.value, o.time_in_force.value, _s(o.price)),
                *(_s(o.quantity), _s(o.quote_quantity), o.prevention.value, o.time, o.update_time, o.status.value),
                *(_s(o.executed), _s(o.quote_executed), _s(o.ahead), _s(o.reserved), o.cancel_id),
            )
            for o in orders
        ]
        marks = ",".join("?" * 18)
        self._db.executemany(f"INSERT OR REPLACE INTO orders({_ORDER}) VALUES({marks})", rows)

    def write_minutes(self, symbol: str, minutes: Iterable[Minute]) -> None:
        """Write candles of a minute."""
        rows = [
            (
                symbol,
                m.open_time,
                _s(m.open),
                _s(m.high),
                _s(m.low),
                _s(m.close),
                _s(m.volume),
                _s(m.turnover),
                m.trades,
            )
            for m in minutes
        ]
        self._db.executemany("INSERT OR REPLACE INTO minutes VALUES(?,?,?,?,?,?,?,?,?)", rows)

    def write_figure(self, name: str, value: str) -> None:
        """Write one named figure."""
        self._db.execute("INSERT OR REPLACE INTO figures VALUES(?,?)", (name, value))

    def count(self, names: Iterable[str]) -> None:
        """Add one to each of these counters; call it inside `whole`."""
        for name in names:
            self._db.execute("INSERT INTO counts VALUES(?,1) ON CONFLICT(name) DO UPDATE SET value=value+1", (name,))

    # -------------------------------------------------------------------------------------- reading

    def random_hex(self, size: int) -> str:
        """Return `size` random bytes as text, for a key."""
        return str(self._db.execute("SELECT lower(hex(randomblob(?)))", (size,)).fetchone()[0])

    def figure(self, name: str) -> str | None:
        """Return one named figure."""
        row = self._db.execute("SELECT value FROM figures WHERE name=?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def counts(self) -> dict[str, int]:
        """Return every counter."""
        return dict(self._db.execute("SELECT name, value FROM counts ORDER BY name"))

    def minutes(self, symbol: str) -> list[Minute]:
        """Return the stored minutes of a market, oldest first."""
        rows = self._db.execute("SELECT * FROM minutes WHERE symbol=? ORDER BY open_time", (symbol,))
        found = []
        for _, time, opened, high, low, close, volume, turnover, trades in rows:
            found.append(
                Minute(
                    *(time, Decimal(opened), Decimal(high), Decimal(low), Decimal(close)),
                    *(Decimal(volume), Decimal(turnover), trades),
                )
            )
        return found

    def load(self, room: Room) -> None:
        """Put balances and open orders into an empty room."""
        for asset, *amounts in self._db.execute("SELECT asset, free, locked, fees, outside FROM balances"):
            room.wallet.balances[asset] = Balance(*(Decimal(each) for each in amounts))
        room.next_order = int(self.figure("next_order") or 1)
        for symbol, market in room.markets.items():
            market.next_trade = int(self.figure(f"next_trade {symbol}") or 1)
        for order in self.orders("status IN ('NEW','PARTIALLY_FILLED') ORDER BY id"):
            if order.symbol not in room.markets:
                raise StateFileError(
                    f"{self._path} has open orders of {order.symbol}, which is not listed now.",
                    hint="Start the sandbox with the markets that it had, or choose another --data folder.",
                )
            room.adopt(order)

    def orders(self, where: str, *values: object) -> list[Order]:
        """Return the orders for which an SQL condition holds."""
        rows = self._db.execute(f"SELECT {_ORDER} FROM orders WHERE {where}", values)
        return [_order(row) for row in rows]

    def trades(self, where: str, *values: object) -> list[Trade]:
        """Return the user's trades for which an SQL condition holds."""
        rows = self._db.execute(f"SELECT {_TRADE} FROM trades WHERE {where}", values)
        return [_trade(row) for row in rows]

    def transfers(self, where: str, *values: object) -> list[Transfer]:
        """Return the deposits and withdrawals for which an SQL condition holds, oldest first."""
        rows = self._db.execute(
            f"SELECT id, asset, amount, time FROM transfers WHERE {where} ORDER BY time, rowid", values
        )
        return [Transfer(str(id_), str(asset), Decimal(str(amount)), int(time)) for id_, asset, amount, time in rows]


def _s(amount: Decimal) -> str:
    return format(amount, "f")


def _order(row: tuple[object, ...]) -> Order:
    texts = [str(each) for each in row]
    return Order(
        id=int(texts[0]),
        symbol=texts[1],
        client_id=texts[2],
        side=Side(texts[3]),
        kind=Kind(texts[4]),
        time_in_force=TimeInForce(texts[5]),
        price=Decimal(texts[6]),
        quantity=Decimal(texts[7]),
        quote_quantity=Decimal(texts[8]),
        prevention=Prevention(texts[9]),
        time=int(texts[10]),
        update_time=int(texts[11]),
        status=Status(texts[12]),
        executed=Decimal(texts[13]),
        quote_executed=Decimal(texts[14]),
        ahead=Decimal(texts[15]),
        reserved=Decimal(texts[16]),
        cancel_id=texts[17],
    )


def _trade(row: tuple[object, ...]) -> Trade:
    symbol, number, order_id, price, quantity, fee, fee_asset, time, is_buyer, is_maker = (str(each) for each in row)
    return Trade(
        *(symbol, int(number), int(order_id), Decimal(price), Decimal(quantity), Decimal(fee), fee_asset, int(time)),
        is_buyer == "1",
        is_maker == "1",
    )
