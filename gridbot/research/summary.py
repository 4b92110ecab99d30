"""A backtest in words: what a person reads at the end of `gridbot backtest`. Formats only, computes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

from gridbot.core.rules import GridRules, Progression, SpacingMode
from gridbot.core.units import Side
from gridbot.research.result import BacktestResult

_DAY_MS, _HOUR_MS, _MINUTE_MS = 86_400_000, 3_600_000, 60_000
_UNDEFINED = "-"
_LABEL_WIDTH = 24


def summary(result: BacktestResult, *, source: str) -> str:
    """Return the summary, several lines without a newline at the end; `source` is the candle file's name."""
    sections = (_data(result, source), _trades(result), _money(result), _risk(result))
    parts = [f"{_grid(result.rules)}\n", *("".join(_line(label, text) for label, text in rows) for rows in sections)]
    return "\n".join([*parts, *_remarks(result)]).rstrip("\n")


def _line(label: str, text: str) -> str:
    return f"  {label:<{_LABEL_WIDTH}}{text}\n"


def _grid(rules: GridRules) -> str:
    spacing = rules.spacing
    distance = {
        SpacingMode.ATR: f"{spacing.multiplier:f} x ATR",
        SpacingMode.FRACTION: f"{(spacing.fraction * 100).normalize():f} %",
        SpacingMode.ABSOLUTE: f"{spacing.absolute}",
    }[spacing.mode]
    form = ", geometric" if spacing.progression is Progression.GEOMETRIC else ""
    return (
        f"{rules.symbol} ({rules.id}): {rules.levels} levels, investment {rules.investment:f}, spacing {distance}{form}"
    )


def _data(result: BacktestResult, source: str) -> Iterator[tuple[str, str]]:
    yield "candles", f"{result.candles:,} from {source}"
    yield "period", f"{_utc(result.start)} to {_utc(result.end)} UTC ({_span(result.end - result.start)})"
    if result.gaps:
        yield "gaps", f"{result.gaps:,}, {result.missing_candles:,} candles missing"
    warm_up = "never laid" if result.warm_up_ms is None else _span(result.warm_up_ms)
    yield "warm-up", warm_up


def _trades(result: BacktestResult) -> Iterator[tuple[str, str]]:
    buys = sum(1 for fill in result.fills if fill.side is Side.BUY)
    yield "fills", f"{len(result.fills):,} ({buys:,} buys, {len(result.fills) - buys:,} sells)"
    trips = f"{len(result.trips):,}"
    if result.same_candle_round_trips:
        trips += f", {result.same_candle_round_trips:,} of them within one candle"
    yield "round trips", trips
    yield "win rate", _percent(result.win_rate, signed=False)
    yield "profit factor", _number(result.profit_factor)
    yield "layings", f"{result.layings:,}, {result.cancelled_orders:,} orders cancelled"


def _money(result: BacktestResult) -> Iterator[tuple[str, str]]:
    quote, base = result.instrument.quote, result.instrument.base
    yield "grid profit", _money_text(result.grid_profit, quote)
    held = f"   ({result.inventory.normalize():f} {base} in {result.holding_cells} cells)" if result.inventory else ""
    yield "unrealised", _money_text(result.unrealised, quote) + held
    yield "total", f"{_money_text(result.total_profit, quote)}   {_percent(result.return_)}"
    yield "fees paid", f"{result.fees:,.2f} {quote}"
    yield "buy and hold", _percent(result.buy_and_hold_return)


def _risk(result: BacktestResult) -> Iterator[tuple[str, str]]:
    fall = result.max_drawdown_quote
    share = _percent(fall / result.rules.investment, signed=False)
    yield "largest drawdown", f"{share} of the investment ({fall:,.2f} {result.instrument.quote})"
    yield "Sharpe, Sortino", f"{_number(result.sharpe)}, {_number(result.sortino)}   (daily, a year of 365 days)"
    yield "most cells holding", f"{result.max_holding_cells} of {result.rules.levels}"
    yield "fully invested", f"{_percent(result.fully_invested, signed=False)} of the time"
    idle = _UNDEFINED if result.longest_idle_ms is None else _span(result.longest_idle_ms)
    yield "longest without a fill", idle


def _remarks(result: BacktestResult) -> Iterator[str]:
    """Yield what a reader should know before he believes the figures, a sentence a line."""
    if result.first_laying is None:
        yield "  The grid never became ready: it needs 30 values of the ATR and a full slow average. Use more candles."
    if result.halt:
        yield f"  The grid stopped: {result.halt}"
    within, trips = result.same_candle_round_trips, len(result.trips)
    if within * 20 > trips:
        yield (
            f"  {within / trips:.0%} of the round trips lean on the assumed path inside a candle; "
            "use candles of a shorter timeframe to be surer."
        )
    if result.inventory:
        yield "  What is held at the end is marked at the last close, without the cost of selling it."


def _utc(time: int) -> str:
    return datetime.fromtimestamp(time / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def _span(length_ms: int) -> str:
    days, rest = divmod(length_ms, _DAY_MS)
    hours, rest = divmod(rest, _HOUR_MS)
    if days >= 10:
        return f"{days:,} days"
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {rest // _MINUTE_MS} min"


def _money_text(amount: Decimal, currency: str) -> str:
    return f"{amount:+,.2f} {currency}"


def _percent(fraction: Decimal | float | None, *, signed: bool = True) -> str:
    if fraction is None:
        return _UNDEFINED
    return f"{fraction:+.2%}" if signed else f"{fraction:.2%}"


def _number(figure: float | None) -> str:
    return _UNDEFINED if figure is None else f"{figure:.2f}"
