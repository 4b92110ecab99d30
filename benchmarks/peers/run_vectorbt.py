"""The ladder in vectorbt: a flexible order function, compiled by numba, that walks each candle's path.

The form is the cheapest one we could find for vectorbt: the ladder needs one number as its state (in one ladder whose
buys are each sold at the rung above, the rungs that hold are always the first ones from the top), there are no position
records, no temporary records and no more order records than needed. The first run in the process compiles; the second
is the warm one.
"""

from time import perf_counter

import numpy as np
import pyarrow.parquet
import vectorbt as vbt
from numba import njit
from vectorbt.portfolio import nb
from vectorbt.portfolio.enums import Direction, SizeType
from work import Work, tell, work_from_command_line

HELD = 0
LEG = 1


@njit
def path_point(leg, open_, high, low, close):
    """Return the end of a leg: into the open, then the two extremes, then the close."""
    if leg == 0:
        return open_
    if leg == 3:
        return close
    if (leg == 1) == (close >= open_):
        return low
    return high


@njit
def walk(c, opens, highs, lows, closes, buys, targets, quantities, fee, laid_at, counters, price):
    """Return the next fill of this candle as an order, or column -1 when the candle's path is at its end."""
    i = c.i
    if i <= laid_at:
        price[0] = closes[i]
        return -1, nb.order_nothing_nb()
    held = counters[HELD]
    if c.call_idx == 0:
        counters[LEG] = 0
        buy_reached = held < len(buys) and lows[i] < buys[held]
        sell_reached = held > 0 and highs[i] > targets[held - 1]
        if not (buy_reached or sell_reached):
            price[0] = closes[i]
            return -1, nb.order_nothing_nb()
    while counters[LEG] < 4:
        end = path_point(counters[LEG], opens[i], highs[i], lows[i], closes[i])
        if held < len(buys) and end < buys[held] < price[0]:
            price[0] = buys[held]
            counters[HELD] = held + 1
            return 0, nb.order_nb(
                size=quantities[held],
                price=price[0],
                size_type=SizeType.Amount,
                direction=Direction.LongOnly,
                fees=fee,
            )
        if held > 0 and end > targets[held - 1] > price[0]:
            price[0] = targets[held - 1]
            counters[HELD] = held - 1
            return 0, nb.order_nb(
                size=-quantities[held - 1],
                price=price[0],
                size_type=SizeType.Amount,
                direction=Direction.LongOnly,
                fees=fee,
            )
        price[0] = end
        counters[LEG] += 1
    return -1, nb.order_nothing_nb()


def simulate(work: Work, columns: dict[str, np.ndarray]) -> vbt.Portfolio:
    """Return the portfolio of one run over all candles."""
    rungs = np.array([[float(rung.price), float(rung.target), float(rung.quantity)] for rung in work.rungs])
    return vbt.Portfolio.from_order_func(
        columns["close"],
        walk,
        columns["open"],
        columns["high"],
        columns["low"],
        columns["close"],
        np.ascontiguousarray(rungs[:, 0]),
        np.ascontiguousarray(rungs[:, 1]),
        np.ascontiguousarray(rungs[:, 2]),
        float(work.fee),
        work.laying_index,
        np.zeros(2, dtype=np.int64),
        np.zeros(1),
        flexible=True,
        init_cash=float(work.investment),
        fill_pos_record=False,
        update_value=False,
        max_orders=65_536,
        max_logs=0,
        freq="1min",
    )


def report(portfolio: vbt.Portfolio) -> float:
    """Let vectorbt compute the main figures that gridbot's result holds too; return the total profit in quote."""
    portfolio.total_return()
    portfolio.max_drawdown()
    portfolio.sharpe_ratio()
    portfolio.sortino_ratio()
    portfolio.trades.win_rate()
    return float(portfolio.total_profit())


def main() -> None:
    """Run twice in this process and tell both results; then tell what vectorbt's own report costs, compiled."""
    work = work_from_command_line()
    table = pyarrow.parquet.read_table(work.candles_file, columns=["open", "high", "low", "close"])
    columns = {name: table.column(name).to_numpy() for name in table.column_names}
    for stage in ("first", "warm"):
        start = perf_counter()
        portfolio = simulate(work, columns)
        fills = len(portfolio.order_records)
        tell(stage, version=vbt.__version__, engine_seconds=perf_counter() - start, fills=fills)
    total = report(portfolio)
    portfolio = simulate(work, columns)
    start = perf_counter()
    report(portfolio)
    tell("report", version=vbt.__version__, engine_seconds=perf_counter() - start, fills=fills, total_profit=total)


if __name__ == "__main__":
    main()
