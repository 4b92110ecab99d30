"""A room for backtests written by hand: it notes what was asked, and says what a test tells it to say."""

from __future__ import annotations

import json
from decimal import Decimal

import numpy as np

from gridbot.config import GridConfig, InstrumentConfig
from gridbot.core.units import Symbol, TimeMs
from gridbot.shell.errands import Done, Errands, Refused
from gridbot.shell.research_desk import (
    CandleChoice,
    CandlesCounted,
    CountCandles,
    Curves,
    DataKind,
    DeleteRuns,
    ExchangesNamed,
    Figures,
    KeptRun,
    ListRuns,
    Month,
    NameExchanges,
    OpenRuns,
    ResearchReply,
    ResearchWish,
    RestoreRuns,
    RunBars,
    RunFills,
    RunsListed,
    RunsOpened,
    RunTrial,
    Trial,
    WholeRun,
)
from tests.gui.fake_desk import FakeDesk

START, DAY = 1_704_067_200_000, 86_400_000


def kept(number: int, *, levels: int = 10, profit: str = "500", symbol: str = "BTC/USDT") -> KeptRun:
    """Return a run of ninety days, the later the greater its number."""
    grid = GridConfig(symbol=symbol, investment=Decimal(10_000), levels=levels, instrument=InstrumentConfig())
    data = CandleChoice(DataKind.DEMO, Symbol(symbol), seed=7, first=TimeMs(START), until=TimeMs(START + 90 * DAY))
    gain = Decimal(profit)
    figures = Figures(
        base="BTC",
        quote="USDT",
        candles=129_600,
        start=START,
        end=START + 90 * DAY - 60_000,
        gaps=1,
        missing=3,
        first_laying=START + 9 * DAY,
        profit=gain,
        grid_profit=gain + 80,
        unrealised=Decimal(-80),
        fees=Decimal("120.5"),
        return_=gain / 10_000,
        yearly=0.21,
        hold=Decimal("0.1"),
        hold_drawdown=0.3,
        drawdown=Decimal("0.0625"),
        drawdown_quote=Decimal(625),
        fills=101,
        buys=51,
        round_trips=50,
        same_candle=10,
        win_rate=0.98,
        profit_factor=None,
        sharpe=1.1,
        sortino=None,
        in_market=0.75,
        fully_invested=0.1,
        longest_idle_ms=3 * DAY,
        inventory=Decimal("0.01"),
        holding_cells=1,
        halt="",
    )
    return KeptRun(
        f"run-{number}", START + 400 * DAY + number * 60_000, Trial(json.dumps(grid.to_data()), data), figures
    )


def whole(run: KeptRun) -> WholeRun:
    """Return a run with something to draw: a rise, one deep fall, three fills, three months."""
    time = START + DAY * np.arange(90, dtype=np.int64)
    equity = np.linspace(10_000, 10_000 + float(run.figures.profit), 90)
    price = 100 + np.sin(np.arange(90) / 5)
    drawdown = np.zeros(90)
    drawdown[40] = 0.0625
    return WholeRun(
        run=run,
        curves=Curves(time=time, equity=equity, hold=np.linspace(10_000, 11_000, 90), drawdown=drawdown),
        bars=RunBars(step=DAY, time=time, open=price, high=price + 1, low=price - 1, close=price),
        fills=RunFills(time=time[[10, 20, 30]], price=price[[10, 20, 30]], buying=np.array([True, False, True])),
        months=tuple(Month(f"2024-0{n}", 100.0 * n - 150, 0.02, 10 * n, 20 * n, 4.5) for n in (1, 2, 3)),
    )


class FakeResearch(FakeDesk[ResearchWish, ResearchReply]):
    """Satisfies Errands for backtests. Runs wait until `end`; everything else is answered at once.

    Attributes:
        runs: the kept runs, newest first; `deleted` those that can be put back.
    """

    lasts = RunTrial

    def __init__(self, *runs: KeptRun) -> None:
        super().__init__()
        self.runs = list(runs)
        self.deleted: list[KeptRun] = []

    def ran(self, run: KeptRun) -> None:
        """Let it end well."""
        self.runs.insert(0, run)
        self.end(Done(RunsOpened((whole(run),))))

    def trials(self) -> list[Trial]:
        """Return what was wanted to be run."""
        return [wish.trial for wish in self.asked if isinstance(wish, RunTrial)]

    def reply_to(self, wish: ResearchWish) -> Done[ResearchReply] | Refused:
        match wish:
            case OpenRuns(ids=ids):
                if self.damaged:
                    return Refused("A kept backtest is damaged and is left out.", "Delete it, or run it again.")
                known = {run.id: run for run in self.runs}
                return Done(RunsOpened(tuple(whole(known[each]) for each in ids)))
            case NameExchanges():
                return Done(ExchangesNamed((("binance", "Binance"), ("firi", "Firi"))))
            case CountCandles():
                return Done(CandlesCounted(129_600, 43_200))
            case DeleteRuns(ids=ids):
                self.deleted = [run for run in self.runs if run.id in ids]
                self.runs = [run for run in self.runs if run.id not in ids]
            case RestoreRuns(ids=ids):
                self.runs = sorted([*self.runs, *self.deleted], key=lambda run: -run.made)
            case ListRuns() | RunTrial():
                pass
        return Done(RunsListed(tuple(self.runs), self.troubles))


def satisfies_the_protocol(fake: FakeResearch) -> Errands[ResearchWish, ResearchReply]:
    """The type checker holds the fake to the port."""
    return fake
