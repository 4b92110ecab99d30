"""What a window may ask about backtests: what to test on which candles, what came of it, which runs are kept.

Plain data that crosses threads; a run itself is the work of another process.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from gridbot.core.units import FillRule, Symbol, TimeMs
from gridbot.core.values import value

Times: TypeAlias = npt.NDArray[np.int64]
Amounts: TypeAlias = npt.NDArray[np.float64]
RunId: TypeAlias = str


class DataKind(StrEnum):
    """Where the candles of a run come from."""

    FILE = "file"
    EXCHANGE = "exchange"
    DEMO = "demo"


@value
class CandleChoice:
    """Which candles: of a market, from `first` up to but not including `until` (ms UTC; None is as far as there are).

    `place` is the path of a file or the id of an exchange, `base_url` another address of that one than usual, `seed`
    the demo market's. A file's `timeframe` (ms) is its own.
    """

    kind: DataKind
    symbol: Symbol
    place: str = ""
    base_url: str | None = None
    timeframe: int = 60_000
    seed: int = 0
    first: TimeMs | None = None
    until: TimeMs | None = None


@value
class Trial:
    """What is tested: a grid (JSON, as in the configuration), on which candles, and what is assumed of the exchange.

    A grid without an `instrument` takes the rules and fees of the market itself. `risk` is the account's limits as
    JSON, "" for none; `equity` (quote) is the money of that account, None is the grid's investment.
    """

    grid: str
    data: CandleChoice
    fills: FillRule = FillRule.THROUGH
    latency_ms: int = 0
    risk: str = ""
    equity: Decimal | None = None


@value
class Figures:
    """What a run gave. Amounts in quote, times in ms UTC, shares and returns as fractions, None where undefined.

    `yearly` is the return as it would be in a year, None for a run of less than a month; `hold` what buying at the
    first laying and holding would have returned, and `hold_drawdown` its deepest fall.
    """

    base: str
    quote: str
    candles: int
    start: int
    end: int
    gaps: int
    missing: int
    first_laying: int | None
    profit: Decimal
    grid_profit: Decimal
    unrealised: Decimal
    fees: Decimal
    return_: Decimal
    yearly: float | None
    hold: Decimal | None
    hold_drawdown: float | None
    drawdown: Decimal
    drawdown_quote: Decimal
    fills: int
    buys: int
    round_trips: int
    same_candle: int
    win_rate: float | None
    profit_factor: float | None
    sharpe: float | None
    sortino: float | None
    in_market: float | None
    fully_invested: float | None
    longest_idle_ms: int | None
    inventory: Decimal
    holding_cells: int
    halt: str


@value
class KeptRun:
    """One run as it stands in the list. `made` is when it ended, ms UTC; `trial` what was tested, as it was."""

    id: RunId
    made: int
    trial: Trial
    figures: Figures


@value
class Month:
    """One calendar month (UTC) of a run: `name` is such as 2024-05, amounts in quote."""

    name: str
    profit: float
    hold: float
    round_trips: int
    fills: int
    fees: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curves:
    """The courses of a run, one element a point: equity and buying and holding in quote, drawdown as a fraction."""

    time: Times
    equity: Amounts
    hold: Amounts
    drawdown: Amounts


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunBars:
    """Candles of `step` ms, long enough that a few thousand of them are the whole run."""

    step: int
    time: Times
    open: Amounts
    high: Amounts
    low: Amounts
    close: Amounts


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunFills:
    """All fills of a run as columns of one length."""

    time: Times
    price: Amounts
    buying: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WholeRun:
    """A kept run with all that can be drawn of it."""

    run: KeptRun
    curves: Curves
    bars: RunBars
    fills: RunFills
    months: tuple[Month, ...]


@value
class RunTrial:
    """Test something, and keep what came of it."""

    trial: Trial


@value
class ListRuns:
    """Tell the kept runs."""


@value
class OpenRuns:
    """Read kept runs whole."""

    ids: tuple[RunId, ...]


@value
class DeleteRuns:
    """Take runs out of the list; they can be put back until the program ends."""

    ids: tuple[RunId, ...]


@value
class RestoreRuns:
    """Put deleted runs back."""

    ids: tuple[RunId, ...]


@value
class NameExchanges:
    """Tell the exchanges whose candles can be asked for."""


@value
class CountCandles:
    """Tell how many candles of an exchange are on this computer already; nothing is asked of the exchange."""

    data: CandleChoice


ResearchWish = RunTrial | ListRuns | OpenRuns | DeleteRuns | RestoreRuns | NameExchanges | CountCandles


@value
class RunsListed:
    """The kept runs, newest first, and what could not be read, in sentences."""

    runs: tuple[KeptRun, ...]
    troubles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class RunsOpened:
    """Kept runs whole, in the order asked for."""

    runs: tuple[WholeRun, ...]


@value
class ExchangesNamed:
    """Exchanges as (id, name), those that gridbot knows best first."""

    exchanges: tuple[tuple[str, str], ...]


@value
class CandlesCounted:
    """How many candles a choice is at most, and how many of them need no download."""

    wanted: int
    kept: int


ResearchReply = RunsListed | RunsOpened | ExchangesNamed | CandlesCounted
