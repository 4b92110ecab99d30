"""Keeps what a run has booked and turns it into the figures of the strategy's section 9, amounts as exact decimals."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from decimal import Decimal
from itertools import pairwise
from math import sqrt
from statistics import mean, stdev
from typing import Any

DAY_MS = 86_400_000


@dataclass
class Fill:
    """One fill; `time` is the open time (ms) of its candle."""

    time: int
    cell: int
    side: str
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_currency: str


@dataclass
class Book:
    """Everything that is counted while the candles pass. Amounts are in quote currency."""

    investment: Decimal
    fills: list[Fill] = field(default_factory=list)
    profits: list[Decimal] = field(default_factory=list)
    grid_profit: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)
    same_candle: int = 0
    layings: int = 0
    cancelled: int = 0
    first_laying: int | None = None
    first_price: Decimal | None = None
    candles_laid: int = 0
    candles_full: int = 0
    most_held: int = 0
    peak: Decimal = field(init=False)
    drawdown: Decimal = Decimal(0)
    day_ends: dict[int, Decimal] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """The drawdown's first peak is the investment."""
        self.peak = self.investment

    def total_profit(self, cost: Decimal, inventory: Decimal, price: Decimal) -> Decimal:
        """Return grid profit plus unrealised profit at that price."""
        return self.grid_profit + inventory * price - cost

    def book_fill(self, fill: Fill, *, fee_in_quote: Decimal, held: int) -> None:
        """Take a fill; a fee in base counts towards the fees at the fill's price, `held` is what holds after it."""
        self.fills.append(fill)
        self.fees += fee_in_quote
        self.most_held = max(self.most_held, held)

    def book_round_trip(self, profit: Decimal, *, within_one_candle: bool) -> None:
        """Take the profit of a finished round trip."""
        self.profits.append(profit)
        self.grid_profit += profit
        self.same_candle += within_one_candle

    def mark(self, opened: int, gain: Decimal, *, laid: bool, full: bool) -> None:
        """Take the equity at one candle's close, investment plus `gain`, and what the cells were doing."""
        equity = self.investment + gain
        self.peak = max(self.peak, equity)
        self.drawdown = max(self.drawdown, self.peak - equity)
        if laid:
            self.candles_laid += 1
            self.candles_full += full
            self.day_ends[opened // DAY_MS] = equity


def summary(book: Book, *, cost: Decimal, inventory: Decimal, price: Decimal, end: int) -> dict[str, Any]:
    """Return section 9's figures at the last close; what is undefined (no round trip, no second day) is None."""
    won = sum((profit for profit in book.profits if profit > 0), Decimal(0))
    lost = -sum((profit for profit in book.profits if profit < 0), Decimal(0))
    total = book.total_profit(cost, inventory, price)
    sharpe, sortino = _daily_ratios([book.investment, *book.day_ends.values()])
    return {
        "first_laying": book.first_laying,
        "fills": [asdict(fill) for fill in book.fills],
        "round_trips": len(book.profits),
        "same_candle_round_trips": book.same_candle,
        "grid_profit": book.grid_profit,
        "unrealised": inventory * price - cost,
        "total_profit": total,
        "fees": book.fees,
        "return": total / book.investment,
        "buy_and_hold_return": None if book.first_price is None else price / book.first_price - 1,
        "inventory": inventory,
        "max_holding_cells": book.most_held,
        "max_drawdown_quote": book.drawdown,
        "max_drawdown": book.drawdown / book.investment,
        "fully_invested": book.candles_full / book.candles_laid if book.candles_laid else None,
        "longest_idle_ms": _longest_idle(book, end),
        "sharpe": sharpe,
        "sortino": sortino,
        "win_rate": sum(profit > 0 for profit in book.profits) / len(book.profits) if book.profits else None,
        "profit_factor": float(won / lost) if lost else None,
        "layings": book.layings,
        "cancelled_orders": book.cancelled,
    }


def _longest_idle(book: Book, end: int) -> int | None:
    """Return the longest time without a fill, from the first laying to the end of the data, in milliseconds."""
    if book.first_laying is None:
        return None
    times = [book.first_laying, *(fill.time for fill in book.fills), end]
    return max(after - before for before, after in pairwise(times))


def _daily_ratios(equity: list[Decimal]) -> tuple[float | None, float | None]:
    """Return Sharpe and Sortino of daily returns, risk-free 0, a year having 365 days; the first starts at 0 profit."""
    returns = [float(after / before - 1) for before, after in pairwise(equity)]
    if len(returns) < 2:
        return None, None
    spread = stdev(returns)
    downside = sqrt(sum(min(r, 0.0) ** 2 for r in returns) / (len(returns) - 1))
    year = sqrt(365)
    return (mean(returns) / spread * year if spread else None), (mean(returns) / downside * year if downside else None)
