"""Turns the samples of `bench_backtest.py` into its section of RESULTS.md. Pure: it reads and writes nothing."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from results import table

GRIDBOT, VECTORBT, NAUTILUS = "gridbot", "vectorbt", "nautilus"

TITLES = {
    "ladder": "One ladder of 20 buys on a generated year",
    "dense": "The same ladder on a generated year that moves more",
    "bitfinex": "The same ladder on real candles: bitfinex BTC-USD, 1m, 2018",
}
REMARKS = {
    "ladder": "",
    "dense": "",
    "bitfinex": (
        "The market fell by 72 % in that year, so the ladder is full most of the time and fills are few. No signal bar "
        "closes far enough above the ladder for gridbot to lay it anew, so the work is the same for all three here too."
    ),
}
AIMS: dict[str, tuple[float | None, float]] = {"ladder": (40.0, 1.5), "dense": (None, 0.5)}
"""Per workload: how many times as fast as nautilus_trader and as vectorbt (warm) gridbot is to be."""
ALSO_LEAN = ("ladder",)
"""The workloads for which the aims of memory and of the first result hold too."""
MEMORY_AIM = 1 / 3
FIRST_RESULT_AIM_S = 1.0

RULES = """\
**The work.** 20 buys under the close of the candle in which gridbot's 50th bar of 4 hours closes, spaced by 0.4 %
of that close; a filled buy is sold one spacing higher, a filled sell is bought again; maker fee 0.1 %; nothing is
laid anew. All programs read the same Parquet file and get the same prices and quantities. A resting order fills
when the price has gone beyond it, whole and at its own price. The generated price reverts to the middle of the
ladder (fixed seed).

**What is counted.** Candles/s: all candles of the file by the seconds of the run over candles that are already in
memory. For gridbot these are the seconds of engine, ledger and report together, without the records of single fills,
which are made of columns when they are read (some 1 microsecond a fill more); for vectorbt those of `from_order_func`
alone, its second call in the process, whose records are columns too; for nautilus_trader those of `engine.run()`
alone, with its analysis, its risk engine and its logging off. First result: from the start of a fresh process to its
result, imports, file, compiling and gridbot's records included. Memory: the process's largest resident set
(`ru_maxrss`) until its first result. Each figure is the median of the rounds.

**How the peers are set up.** Each in the form that suits it best. vectorbt: a flexible order function that keeps
one number as the ladder's state, as many order records as needed and no position records. nautilus_trader: bars, a
strategy with post-only limit orders that unsubscribes from bars once the ladder is laid, volumes so large that no
fill is partial, `prob_fill_on_limit=0` (beyond the price, not at it). By default it carries out what a fill causes
only after the bar; in the dense work that halves its fills, so here it acts at once (`use_message_queue=False`).
gridbot runs as its command does, with Python's cyclic garbage collector off during the run (worth 2 to 4 %); the peers
keep their defaults. gridbot's start-up, peers' too, is outside candles/s.

**Where the rules differ.** gridbot and vectorbt walk the same path: open, low, high, close in a rising candle,
open, high, low, close in a falling one; so their fills are to be equal. nautilus_trader takes first the extreme
that is nearer to the open; and when one step of that path runs through several resting orders it fills the first of
them and puts the market at that order's price for the rest of the step, so that the others fill at the path's next
point, or not if the price has come back by then. Both show only in candles that reach more than one rung."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One process: the seconds of its engine (warm, where it compiles) and of its first call, its needs, its fills.

    `report_s`: what the program's own report of the same figures costs on top, compiled; None where it is not apart.
    `total_profit`: in quote, marked at the last close; None where the program was not asked.
    """

    version: str
    engine_s: float
    first_call_s: float
    report_s: float | None
    first_result_s: float
    peak_bytes: int
    fills: int
    total_profit: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Middle:
    """The medians over the rounds of one program, and the spread of its engine's seconds."""

    version: str
    engine_s: float
    fastest_s: float
    slowest_s: float
    first_call_s: float
    report_s: float | None
    first_result_s: float
    peak_bytes: float
    fills: str
    total_profit: float | None


def middle(samples: Sequence[Sample]) -> Middle:
    """Return the medians of the samples of one program."""

    def of(figure: Callable[[Sample], float]) -> float:
        return statistics.median(map(figure, samples))

    engine = [one.engine_s for one in samples]
    reports = [one.report_s for one in samples if one.report_s is not None]
    return Middle(
        version=samples[0].version,
        engine_s=statistics.median(engine),
        fastest_s=min(engine),
        slowest_s=max(engine),
        first_call_s=of(lambda one: one.first_call_s),
        report_s=statistics.median(reports) if reports else None,
        first_result_s=of(lambda one: one.first_result_s),
        peak_bytes=of(lambda one: one.peak_bytes),
        fills=" / ".join(f"{fills:,}" for fills in sorted({one.fills for one in samples})),
        total_profit=samples[0].total_profit,
    )


HEADER = (
    "program",
    "candles/s",
    "gridbot is",
    "seconds (spread)",
    "first result",
    "peak memory",
    "fills",
    "candles per fill",
)


def _row(name: str, candles: int, seconds: float, got: Middle, *, own_s: float | None, whole: bool) -> list[str]:
    """Return one line; the second line of a program leaves out what its first one has said."""
    spread = f"{seconds:.3f} ({got.fastest_s:.3f} to {got.slowest_s:.3f})" if whole else f"{seconds:.3f}"
    fills = int(got.fills.split(" / ")[0].replace(",", ""))
    density = f"{candles / fills:.1f}" if fills else "no fill"
    return [
        name,
        f"{candles / seconds:,.0f}",
        "" if own_s is None else f"{seconds / own_s:.2f}x as fast",
        spread,
        f"{got.first_result_s:.2f} s" if whole else "",
        f"{got.peak_bytes / 1e6:.0f} MB" if whole else "",
        got.fills if whole else "",
        density if whole else "",
    ]


def comparison(candles: int, middles: Mapping[str, Middle]) -> str:
    """Return the table of one workload."""
    own_s = middles[GRIDBOT].engine_s if GRIDBOT in middles else None
    rows = []
    for program, got in middles.items():
        rows.append(
            _row(
                f"{program} {got.version}" + (", warm" if program == VECTORBT else ""),
                candles,
                got.engine_s,
                got,
                own_s=None if program == GRIDBOT else own_s,
                whole=True,
            )
        )
        if got.report_s is not None:
            with_report = got.engine_s + got.report_s
            rows.append(_row(f"{program}, warm, with its report", candles, with_report, got, own_s=own_s, whole=False))
        if program == VECTORBT:
            name = f"{program}, first call (compiles)"
            rows.append(_row(name, candles, got.first_call_s, got, own_s=own_s, whole=False))
    return table(HEADER, rows)


def verdicts(workload: str, middles: Mapping[str, Middle]) -> list[str]:
    """Return a line for each aim of this workload: the figure, the aim, and whether it was reached."""
    if workload not in AIMS or set(middles) != {GRIDBOT, VECTORBT, NAUTILUS}:
        return []
    nautilus_aim, vectorbt_aim = AIMS[workload]
    own, vectorbt, nautilus = middles[GRIDBOT], middles[VECTORBT], middles[NAUTILUS]
    lines = []

    def verdict(what: str, figure: str, aim: str, *, reached: bool) -> None:
        lines.append(f"- {what}: {figure}, aim {aim}: {'reached' if reached else '**missed**'}.")

    if nautilus_aim is not None:
        times = nautilus.engine_s / own.engine_s
        verdict("Speed over nautilus_trader", f"{times:.1f}x", f">= {nautilus_aim:g}x", reached=times >= nautilus_aim)
    times = vectorbt.engine_s / own.engine_s
    verdict("Speed over vectorbt, warm", f"{times:.2f}x", f">= {vectorbt_aim:g}x", reached=times >= vectorbt_aim)
    if vectorbt.report_s is not None:
        times = (vectorbt.engine_s + vectorbt.report_s) / own.engine_s
        lines.append(f"- Beside it, not what the aim names: with vectorbt's report counted too, {times:.2f}x.")
    if workload in ALSO_LEAN:
        share = own.peak_bytes / vectorbt.peak_bytes
        verdict("Peak memory over vectorbt's", f"{share:.2f}", f"<= {MEMORY_AIM:.2f}", reached=share <= MEMORY_AIM)
        first = own.first_result_s
        verdict(
            "First result of a fresh process",
            f"{first:.2f} s",
            f"<= {FIRST_RESULT_AIM_S:g} s",
            reached=first <= FIRST_RESULT_AIM_S,
        )
    verdict("Fills, as vectorbt's", own.fills, vectorbt.fills, reached=own.fills == vectorbt.fills)
    if own.total_profit is not None and vectorbt.total_profit is not None:
        ours, theirs = f"{own.total_profit:,.2f}", f"{vectorbt.total_profit:,.2f}"
        verdict("Total profit, as vectorbt's", ours, theirs, reached=ours == theirs)
    return lines


def report(
    *,
    when: str,
    rounds: int,
    facts: Mapping[str, Mapping[str, Any]],
    compared: Mapping[str, Mapping[str, Sequence[Sample]]],
    own: Mapping[str, Sequence[Sample]],
) -> str:
    """Return the whole section in Markdown. `facts`: the ladders of `series.py`; `own`: the default strategy."""
    parts = [
        "## Backtest beside its peers",
        f"`make bench-backtest`. {when} {rounds} rounds, the programs alternating, each in a fresh process.",
        RULES,
    ]
    for workload, programs in compared.items():
        ladder = facts[workload]
        middles = {program: middle(samples) for program, samples in programs.items()}
        parts.append(f"### {TITLES[workload]}")
        parts.append(
            f"{ladder['candles']:,} candles, ladder under {ladder['anchor']} from candle "
            f"{ladder['laying_index'] + 1:,} on, spacing {ladder['spacing']}. {REMARKS[workload]}".rstrip()
        )
        parts.append(comparison(ladder["candles"], middles))
        parts.append("\n".join(verdicts(workload, middles)))
    if own:
        parts.append("### gridbot's default strategy on the same candles")
        rows = [
            _row(workload, facts[workload]["candles"], got.engine_s, got, own_s=None, whole=True)
            for workload, got in ((workload, middle(samples)) for workload, samples in own.items())
        ]
        beside = HEADER.index("gridbot is")
        without = [
            [cell for index, cell in enumerate(row) if index != beside] for row in (["candles", *HEADER[1:]], *rows)
        ]
        parts.append(table(without[0], without[1:]))
    return "\n\n".join(part for part in parts if part)
