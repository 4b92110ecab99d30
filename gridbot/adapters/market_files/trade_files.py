"""Files of recorded trades, Parquet or CSV, every row checked on the way in."""

from decimal import Decimal
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from gridbot.adapters.market_files.columns import Layout, read_columns
from gridbot.adapters.market_files.row_checks import (
    Problem,
    Times,
    number_problem,
    possible,
    refuse_wrong_rows,
    time_problem,
    times_of,
)
from gridbot.core.units import Price, Quantity, Side, Symbol, TimeMs
from gridbot.errors import CandleFileError
from gridbot.ports import TradePrint

_SIDES: Final = (Side.BUY, Side.SELL)
TRADES: Final = Layout(
    kind="trade file",
    time="time",
    numbers=("price", "amount"),
    choices={"side": tuple(side.value for side in _SIDES)},
    hint="A trade file is Parquet, or CSV with a header, and has the columns time (milliseconds UTC), side (of the "
    "taker: buy or sell), price and amount.",
)


def load_trades(path: Path, symbol: Symbol) -> tuple[TradePrint, ...]:
    """Read a file of the trades of one market, oldest first, and check every row of it.

    The content decides the format, not the name. Columns are found by name, in any order and case; others (an id) are
    ignored. Trades of one millisecond keep the file's order. A price or amount is the shortest decimal number that
    reads back as the file's float64, so what was recorded on a tick is on it.

    Raises:
        CandleFileError: the file cannot be read, lacks a column, holds something that is not a number or not a side,
            has no trade, or a row that cannot be true; names the file and the row (the first data row is row 1).
    """
    columns = read_columns(path, TRADES)
    if not columns["time"].size:
        raise CandleFileError(f"{path} has no trades, only the names of its columns.", hint="Take a longer period.")
    times = times_of(path, TRADES, columns["time"])
    price = np.asarray(columns["price"], dtype=np.float64)
    amount = np.asarray(columns["amount"], dtype=np.float64)
    _check_rows(path, times, price, amount)
    sides = [_SIDES[place] for place in columns["side"].tolist()]
    return tuple(
        TradePrint(symbol, TimeMs(time), Price(at), Quantity(much), side)
        for time, at, much, side in zip(times.tolist(), _decimals(price), _decimals(amount), sides, strict=True)
    )


def _decimals(column: npt.NDArray[np.float64]) -> list[Decimal]:
    """Return each number as the decimal that it was written as; equal ones are one object, as most prices repeat."""
    numbers = column.tolist()
    known = {number: Decimal(repr(number)) for number in set(numbers)}
    return [known[number] for number in numbers]


def _check_rows(path: Path, times: Times, price: npt.NDArray[np.float64], amount: npt.NDArray[np.float64]) -> None:
    """Refuse the first row that cannot be true. A comparison with NaN is false, so every check is written as a yes."""
    good = possible(times)
    good[1:] &= times[1:] >= times[:-1]
    for column in (price, amount):
        good &= column > 0
        good &= np.isfinite(column)

    def problem_of(index: int) -> Problem:
        before = int(times[index - 1]) if index else -1
        problem = (
            time_problem("time", int(times[index]), before)
            or number_problem("price", float(price[index]))
            or number_problem("amount", float(amount[index]))
        )
        assert problem is not None, "a row was refused for a reason that has no words"
        return problem

    refuse_wrong_rows(path, TRADES, times, good, problem_of)
