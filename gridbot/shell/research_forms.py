"""What is tested and what came of it as plain data, there and back; data that is no run is a StateFileError."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np

from gridbot.core.units import FillRule, Symbol, TimeMs
from gridbot.errors import StateFileError
from gridbot.shell.research_desk import (
    CandleChoice,
    Curves,
    DataKind,
    Figures,
    KeptRun,
    Month,
    RunBars,
    RunFills,
    Trial,
    WholeRun,
)

_AMOUNTS = {
    "profit": "total_profit",
    "grid_profit": "grid_profit",
    "unrealised": "unrealised",
    "fees": "fees",
    "return_": "return",
    "drawdown": "max_drawdown",
    "drawdown_quote": "max_drawdown_quote",
    "inventory": "inventory",
}
_COUNTS = {
    "same_candle": "same_candle_round_trips",
    **{name: name for name in ("candles", "start", "end", "gaps", "missing", "fills", "buys")},
    **{name: name for name in ("round_trips", "holding_cells")},
}
_SHARES = ("yearly", "hold_drawdown", "win_rate", "profit_factor", "sharpe", "sortino", "in_market", "fully_invested")
_BROKEN = (KeyError, TypeError, ValueError, AttributeError, ArithmeticError)


def trial_data(trial: Trial) -> dict[str, Any]:
    """Return what is tested as plain data."""
    data = trial.data
    return {
        "grid": trial.grid,
        "data": {
            "kind": data.kind.value,
            "symbol": data.symbol,
            "place": data.place,
            "base_url": data.base_url,
            "timeframe_ms": data.timeframe,
            "seed": data.seed,
            "first": data.first,
            "until": data.until,
        },
        "fills": trial.fills.value,
        "latency_ms": trial.latency_ms,
        "risk": trial.risk,
        "equity": None if trial.equity is None else f"{trial.equity:f}",
    }


def trial_of(told: Mapping[str, Any]) -> Trial:
    """Return what was tested; StateFileError for data that is none."""
    try:
        data = told["data"]
        choice = CandleChoice(
            kind=DataKind(data["kind"]),
            symbol=Symbol(str(data["symbol"])),
            place=str(data["place"]),
            base_url=_text_or_none(data["base_url"]),
            timeframe=int(data["timeframe_ms"]),
            seed=int(data["seed"]),
            first=_time(data["first"]),
            until=_time(data["until"]),
        )
        equity = told["equity"]
        return Trial(
            grid=str(told["grid"]),
            data=choice,
            fills=FillRule(told["fills"]),
            latency_ms=int(told["latency_ms"]),
            risk=str(told["risk"]),
            equity=None if equity is None else Decimal(equity),
        )
    except _BROKEN as error:
        raise _damaged(error) from error


def run_of(id_: str, head: Mapping[str, Any]) -> KeptRun:
    """Return a run as it stands in the list; StateFileError."""
    trial = trial_of(head.get("trial", {}))
    try:
        return KeptRun(id=id_, made=int(head["made"]), trial=trial, figures=_figures(head["figures"]))
    except _BROKEN as error:
        raise _damaged(error) from error


def whole_of(run: KeptRun, rest: Mapping[str, Any]) -> WholeRun:
    """Return a run with all that is drawn of it; StateFileError."""
    try:
        curves, bars, fills = rest["curves"], rest["bars"], rest["fills"]
        whole = WholeRun(
            run=run,
            curves=Curves(
                time=np.array(curves["time"], np.int64),
                equity=np.array(curves["equity"], np.float64),
                hold=np.array(curves["hold"], np.float64),
                drawdown=np.array(curves["drawdown"], np.float64),
            ),
            bars=RunBars(
                step=int(bars["step"]),
                time=np.array(bars["time"], np.int64),
                open=np.array(bars["open"], np.float64),
                high=np.array(bars["high"], np.float64),
                low=np.array(bars["low"], np.float64),
                close=np.array(bars["close"], np.float64),
            ),
            fills=RunFills(
                time=np.array(fills["time"], np.int64),
                price=np.array(fills["price"], np.float64),
                buying=np.array(fills["buying"], np.bool_),
            ),
            months=tuple(_month(each) for each in rest["months"]),
        )
    except _BROKEN as error:
        raise _damaged(error) from error
    if not _is_even(whole):
        raise _damaged(None)
    return whole


def _is_even(whole: WholeRun) -> bool:
    """Tell whether the columns that belong together have one length."""
    curves, bars, fills = whole.curves, whole.bars, whole.fills
    groups = (
        (curves.time, curves.equity, curves.hold, curves.drawdown),
        (bars.time, bars.open, bars.high, bars.low, bars.close),
        (fills.time, fills.price, fills.buying),
    )
    return all(len({column.shape for column in group}) == 1 and group[0].ndim == 1 for group in groups)


def _figures(told: Mapping[str, Any]) -> Figures:
    hold = told["buy_and_hold_return"]
    read: dict[str, Any] = {
        "base": str(told["base"]),
        "quote": str(told["quote"]),
        "first_laying": _time(told["first_laying"]),
        "longest_idle_ms": _time(told["longest_idle_ms"]),
        "hold": None if hold is None else Decimal(hold),
        "halt": str(told["halt"]),
    }
    read |= {name: Decimal(told[key]) for name, key in _AMOUNTS.items()}
    read |= {name: int(told[key]) for name, key in _COUNTS.items()}
    read |= {name: None if told[name] is None else float(told[name]) for name in _SHARES}
    return Figures(**read)


def _month(told: Mapping[str, Any]) -> Month:
    return Month(
        name=str(told["name"]),
        profit=float(told["profit"]),
        hold=float(told["hold"]),
        round_trips=int(told["round_trips"]),
        fills=int(told["fills"]),
        fees=float(told["fees"]),
    )


def _time(raw: Any) -> TimeMs | None:
    return None if raw is None else TimeMs(int(raw))


def _text_or_none(raw: Any) -> str | None:
    return None if raw is None else str(raw)


def _damaged(error: Exception | None) -> StateFileError:
    why = "" if error is None else f" ({type(error).__name__}: {error})"
    return StateFileError(f"A kept backtest is damaged and is left out{why}.", hint="Delete it, or run it again.")
