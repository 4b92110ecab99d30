"""A finished backtest as the picture that the gui paints; nothing is computed here but how its curves are read."""

from __future__ import annotations

from pathlib import Path

from gridbot.gui.backtest_plot import BacktestPlot, FillMark, SlotStep, plot_backtest
from gridbot.research.curves import drawdown_curve, hold_curve
from gridbot.research.result import BacktestResult
from gridbot.sim.candle_arrays import CandleArrays


def draw(result: BacktestResult, candles: CandleArrays, target: Path) -> None:
    """Paint the picture of a backtest on `candles` into a PNG; EnvironmentProblem if it cannot be written."""
    plot_backtest(picture(result, candles), target)


def picture(result: BacktestResult, candles: CandleArrays) -> BacktestPlot:
    """Return what the picture shows. As in the summary, drawdown is a fraction of the investment."""
    return BacktestPlot(
        title=f"{result.rules.symbol} ({result.rules.id}): {result.return_:+.2%}, {len(result.trips):,} round trips",
        base=result.instrument.base,
        quote=result.instrument.quote,
        open_time=candles.open_time,
        low=candles.low,
        high=candles.high,
        close=candles.close,
        fills=[FillMark(time=fill.time, side=fill.side, price=float(fill.price)) for fill in result.fills],
        slots=[
            SlotStep(time=int(candles.open_time[laying.index]), prices=[float(price) for price in laying.slots])
            for laying in result.layings_laid
        ],
        equity=result.equity,
        buy_and_hold=hold_curve(result, candles),
        drawdown=drawdown_curve(result),
    )
