"""What is said about backtests: what was tested, how it went, how two differ, and what none of them knows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from gridbot.core.candles import timeframe_ms
from gridbot.core.units import FillRule
from gridbot.core.values import value
from gridbot.gui import numbers, words
from gridbot.gui.grid_form import titles
from gridbot.gui.setting_words import said_value
from gridbot.shell.research_desk import CandleChoice, DataKind, Figures, KeptRun, Trial

TIMEFRAMES = ("1m", "5m", "15m", "1h", "4h")
MANY_TRIES = 5
"""After so many runs over the same candles the best of them looks better than it is."""
_LEANING = 20
"""One round trip in so many that leans on the assumed path inside a candle is worth a word."""
_NAMES = {each: timeframe_ms(each) for each in ("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "12h", "1d")}
FILL_WORDS = {
    FillRule.THROUGH: "when the price goes through it",
    FillRule.TOUCH: "as soon as the price touches it",
}


@value
class Figure:
    """One figure of a run: what it is called, what it says, and what it means."""

    title: str
    text: str
    note: str
    meaning: str
    ink: str = ""


def timeframe_name(timeframe: int) -> str:
    """Return how a timeframe of so many ms is written."""
    return next((name for name, length in _NAMES.items() if length == timeframe), f"{timeframe // 60_000}m")


def share(fraction: Decimal | float | None, *, signed: bool = False) -> str:
    """Return a fraction as percent."""
    return words.percent(None if fraction is None else Decimal(repr(float(fraction))), signed=signed)


def day(time: int) -> str:
    """Return a date, UTC."""
    return f"{datetime.fromtimestamp(time / 1000, UTC):%Y-%m-%d}"


def source(data: CandleChoice) -> str:
    """Return where candles come from, in a few words."""
    match data.kind:
        case DataKind.FILE:
            return data.place.replace("\\", "/").rpartition("/")[2]
        case DataKind.EXCHANGE:
            return f"{data.place}, {timeframe_name(data.timeframe)}"
        case DataKind.DEMO:
            return f"demo, seed {data.seed}"


def heading(run: KeptRun) -> str:
    """Return what was tested, as a title."""
    figures = run.figures
    return f"{run.trial.data.symbol}   {day(figures.start)} to {day(figures.end)}"


def subtitle(run: KeptRun) -> str:
    """Return on what it was tested, as a line."""
    figures, grid = run.figures, grid_of(run.trial)
    gaps = f", {words.counted(figures.missing, 'candle')} missing" if figures.missing else ""
    parts = (
        f"{words.counted(figures.candles, 'candle')} ({source(run.trial.data)}){gaps}",
        f"{grid.get('levels')} levels",
        words.money(_decimal(grid.get("investment")), figures.quote),
    )
    return "  ·  ".join(parts)


def grid_of(trial: Trial) -> dict[str, Any]:
    """Return the tested grid as plain data, empty for a text that is none."""
    try:
        told = json.loads(trial.grid)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def figures_of(run: KeptRun) -> tuple[Figure, ...]:
    """Return the figures of a run, the most telling ones first."""
    return (*_gains(run.figures), *_trading(run.figures))


def _gains(f: Figures) -> tuple[Figure, ...]:
    better = f.hold is not None and f.return_ > f.hold
    against = "" if f.hold is None else f"grid {share(abs(f.return_ - f.hold))} {'ahead' if better else 'behind'}"
    yearly = "too short to say" if f.yearly is None else "at this pace"
    return (
        Figure(
            "Profit",
            share(f.return_, signed=True),
            words.money(f.profit, f.quote, signed=True),
            "What the grid made of its investment, open coins at the last price, all fees paid.",
            _ink(f.profit),
        ),
        Figure(
            "In a year",
            share(f.yearly, signed=True),
            yearly,
            "The profit as it would be over 365 days with interest on interest. Runs of less than 30 days say nothing "
            "about a year.",
            _ink(Decimal(repr(f.yearly or 0.0))),
        ),
        Figure(
            "Buy and hold",
            share(f.hold, signed=True),
            against,
            "What you would have had by buying coins for the whole investment when the grid began, and waiting.",
            "" if f.hold is None else _ink(f.hold),
        ),
        Figure(
            "Deepest fall",
            share(f.drawdown),
            f"holding {share(f.hold_drawdown)}",
            "The furthest that the account was under its highest point until then (the drawdown), as a part of the "
            "investment.",
        ),
        Figure(
            "Time in market",
            share(f.in_market),
            f"all cells {share(f.fully_invested)}",
            "How much of the time the grid held any coins, and how much of it all its money was in coins.",
        ),
    )


def _trading(f: Figures) -> tuple[Figure, ...]:
    idle = "" if f.longest_idle_ms is None else f"pause {words.span(f.longest_idle_ms)}"
    return (
        Figure(
            "Round trips",
            numbers.grouped(f.round_trips, 0),
            idle,
            "A buy and the sell that followed it. Under it the longest time without a fill.",
        ),
        Figure(
            "Win rate",
            share(f.win_rate),
            "of round trips",
            "The part of the round trips that made a profit after fees. Coins still held are not among them.",
        ),
        Figure(
            "Fills",
            numbers.grouped(f.fills, 0),
            f"{words.counted(f.buys, 'buy')}, {words.counted(f.fills - f.buys, 'sell')}",
            "Orders that were filled.",
        ),
        Figure(
            "Fees",
            words.money(f.fees),
            f.quote,
            "All fees together; they are taken off the profit already.",
        ),
        Figure(
            "Still held",
            words.money(f.unrealised, signed=True),
            f"{f.quote}, {words.counted(f.holding_cells, 'cell')}",
            "The profit or loss of the coins that were not sold by the end, at the last price, and their cells.",
            _ink(f.unrealised),
        ),
    )


def doubts(run: KeptRun, *, tries: int) -> Iterator[str]:
    """Yield what a reader should know before he believes the figures; `tries` counts runs over the same candles."""
    f, trial, grid = run.figures, run.trial, grid_of(run.trial)
    if f.first_laying is None:
        yield (
            "The grid never began: its averages need more candles than there were. Choose a longer period, or shorter "
            "timeframes for volatility and trend."
        )
    if f.halt:
        yield f"The grid stopped before the end: {f.halt}"
    if tries >= MANY_TRIES:
        yield (
            f"You have run {tries} backtests over this market and period. The best of many tries looks better than it "
            "is, because it was chosen for this very past. Try the settings on a period that you have not looked at."
        )
    yield "A backtest shows what would have been. It cannot show what will be: the next months are never the last ones."
    yield (
        f"An order counts as filled {FILL_WORDS[trial.fills]}, and always whole. At an exchange others may stand "
        "before you in the queue, and a fill may come in parts or not at all."
    )
    if f.same_candle * _LEANING > f.round_trips:
        part = share(f.same_candle / f.round_trips) if f.round_trips else ""
        yield (
            f"{part} of the round trips were bought and sold within one candle, where the order of prices is assumed, "
            "not known. Candles of a shorter timeframe make this surer."
        )
    if not trial.latency_ms:
        yield "Orders reached the exchange at once. A real one takes a moment, and longer when the market is wild."
    if f.missing:
        yield (
            f"{words.counted(f.missing, 'candle')} in {words.counted(f.gaps, 'gap')} are missing. They were not made "
            "up: the grid saw nothing of that time."
        )
    if f.inventory:
        yield "The coins that are still held count at the last price, without the cost of selling them."
    signal = grid.get("signal") or {}
    if isinstance(signal, dict) and (signal.get("exchange") or signal.get("symbol")):
        yield "Volatility was read from these candles, not from the other market that the grid's settings name."
    if not trial.risk:
        yield "The account's limits were off, so nothing but the grid's own settings could stop it."
    yield "Fees are those of today. They may have been others then, and your own may differ."


def settings_of(run: KeptRun) -> dict[str, str]:
    """Return everything that was chosen for a run, by its name, as texts that can be compared."""
    trial, data = run.trial, run.trial.data
    told = {
        "market": str(data.symbol),
        "candles": source(data),
        "from": day(run.figures.start),
        "to": day(run.figures.end),
        "filled": FILL_WORDS[trial.fills],
        "latency": f"{trial.latency_ms} ms",
        "account's limits": "on" if trial.risk else "off",
    }
    return told | dict(_named(grid_of(trial), ""))


def differences(runs: Sequence[KeptRun]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return each setting that is not the same in all runs, with its text in each."""
    told = [settings_of(run) for run in runs]
    names = list(dict.fromkeys(name for each in told for name in each))
    rows = ((name, tuple(each.get(name, words.NONE) for each in told)) for name in names)
    return tuple((name.replace("_", " ").replace(".", ": "), texts) for name, texts in rows if len(set(texts)) > 1)


def same_ground(one: KeptRun, other: KeptRun) -> bool:
    """Tell whether two runs went over the same market and, for most of it, the same time."""
    mine, theirs = one.figures, other.figures
    both = min(mine.end, theirs.end) - max(mine.start, theirs.start)
    shorter = min(mine.end - mine.start, theirs.end - theirs.start)
    return one.trial.data.symbol == other.trial.data.symbol and both * 2 > shorter


def _named(data: dict[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    """Yield a grid's settings as its form calls and writes them."""
    for key, item in data.items():
        if isinstance(item, dict):
            yield from _named(item, f"{prefix}{key}.")
        elif key != "id":
            path, text = f"{prefix}{key}", str(item).lower() if isinstance(item, bool) else item
            yield titles().get(path, path), said_value(path, None if text is None else str(text))


def _ink(amount: Decimal) -> str:
    return "up" if amount > 0 else "down" if amount < 0 else ""


def _decimal(raw: object) -> Decimal | None:
    return Decimal(str(raw)) if raw is not None else None
