"""Measures the window beside its peers, each figure in a process of its own, and writes the section "desktop".

`make bench-desktop` runs it; so does `python benchmarks/bench_desktop.py`. `--part` names one of its parts, whose table
is printed and not written. Without a display Qt's offscreen platform is used.
This process imports no Qt: it starts the others, reads what they tell and makes the tables.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from time import perf_counter

from execution_rooms import sandbox, write_config
from results import machine, table, write_section
from window_processes import Figures, Refused, backtests, environment, run, say

STARTS, PRESSES, WIRE_PRESSES = 5, 30, 12
LIVED_S, DAY_S, EVENTS_S, PEER_EVENTS_S, PRICES_S = 10, 144, 10, 4, 15
LINES = 1_000_000


# ------------------------------------------------------------------------------------------- the parts


def starts() -> tuple[Sequence[str], list[list[str]]]:
    """Measure fresh processes to their first paint, in turn, and then one that lives for a while."""
    seconds: dict[str, list[float]] = {"gridbot": [], "peer": []}
    for _ in range(STARTS):
        for kind, taken in seconds.items():
            taken.append(run("window_start", kind, 0).arrived_s["painted"])
    rows = []
    middles = {kind: median(taken) for kind, taken in seconds.items()}
    lived = {kind: run("window_start", kind, LIVED_S).figures["lived"] for kind in seconds}
    lived["day"] = run("window_start", "gridbot", DAY_S).figures["lived"]
    seconds["day"], middles["day"] = seconds["gridbot"], middles["gridbot"]
    for kind, name in (
        ("gridbot", "gridbot, demo"),
        ("day", f"the same after {DAY_S} s, a day of the market"),
        ("peer", "bare window, empty plot"),
    ):
        taken, memory = seconds[kind], lived[kind]["resident_bytes"]
        rows.append(
            [
                name,
                f"{middles[kind]:.2f} s",
                f"{min(taken):.2f} to {max(taken):.2f} s",
                ratio(middles[kind], middles["peer"]),
                "not told" if memory is None else f"{memory / 1e6:.0f} MB",
                "" if memory is None else ratio(memory, lived["peer"]["resident_bytes"]),
                f"{lived[kind]['core_share'] * 100:.1f} %",
            ]
        )
    return ("program", "first paint", "spread", "over peer", "memory", "over peer", "of a core"), rows


def charts() -> tuple[Sequence[str], list[list[str]]]:
    """Measure panning, with few and with all candles in view."""
    rows = []
    for count, shown, peer_frames in ((100_000, 140, 20), (100_000, 100_000, 20), (1_000_000, 1_000_000, 4)):
        ours = run("window_chart", "gridbot", count, 200, shown).figures["frames"]
        theirs = run("window_chart", "peer", count, peer_frames, shown).figures["frames"]
        for name, figures in (("gridbot", ours), ("QPicture", theirs)):
            rows.append(
                [
                    name,
                    f"{count:,}",
                    f"{shown:,}",
                    str(figures["count"]),
                    *(f"{figures[key]:.1f}" for key in ("p50", "p95", "max")),
                    ratio(figures["p95"], ours["p95"]),
                    f"{figures['ready_s']:.2f} s",
                ]
            )
    return (
        "way",
        "candles",
        "in view",
        "frames",
        "p50 ms",
        "p95 ms",
        "max ms",
        "p95 over gridbot's",
        "ready after",
    ), rows


def loops() -> tuple[Sequence[str], list[list[str]]]:
    """Measure how long the event loop was away."""
    ways = (
        ("gridbot", "gridbot, looks 20 times a second", EVENTS_S, 1_000),
        ("peer", "the same window, one signal an event", PEER_EVENTS_S, 1_000),
        ("bare", "a label and a table, one signal an event", PEER_EVENTS_S, 1_000),
        ("minimised", "gridbot minimised, looks once a second", EVENTS_S, 1_000),
        ("gridbot", "gridbot", EVENTS_S, 100),
        ("minimised", "gridbot minimised", EVENTS_S, 100),
    )
    all_told = [run("window_events", kind, seconds, rate).figures["gaps"] for kind, _, seconds, rate in ways]
    rows = [
        [
            name,
            f"{rate:,}",
            f"{told['events']:,}",
            f"{told['shown']:,}",
            *(f"{told[key]:.1f}" for key in ("p50", "p95", "max")),
            ratio(told["p95"], all_told[0]["p95"]),
            f"{told['core_share'] * 100:.0f} %",
        ]
        for (_, name, _, rate), told in zip(ways, all_told, strict=True)
    ]
    header = ("way", "events/s", "events", "shown", "p50 ms", "p95 ms", "max ms", "p95 over the first", "of a core")
    return header, rows


def prices() -> tuple[Sequence[str], list[list[str]]]:
    """Measure what the whole program takes while prices come at the pace of a real market."""
    ways = (
        ("engine and window", "visible", 100),
        ("engine and window, minimised", "minimised", 100),
        ("what makes such prices, alone", "maker", 100),
        ("engine and window, no such prices", "visible", 0),
        ("engine and window, minimised, no such prices", "minimised", 0),
    )
    told = [[run("window_ticks", kind, PRICES_S, rate).figures["ticks"] for _, kind, rate in ways] for _ in range(3)]
    shares = [sorted(each["core_share"] * 100 for each in rounds) for rounds in zip(*told, strict=True)]
    maker = next(median(found) for (_, kind, _), found in zip(ways, shares, strict=True) if kind == "maker")
    rows = []
    for (name, kind, rate), first, found in zip(ways, told[0], shares, strict=True):
        own = median(found) - (maker if rate else 0)
        rows.append(
            [
                name,
                f"{rate:,}",
                f"{first['events']:,}",
                f"{first['shown']:,}",
                f"{median(found):.1f} % ({found[0]:.1f} to {found[-1]:.1f})",
                "" if kind == "maker" else f"{own:.1f} %",
            ]
        )
    return ("way", "prices/s", "prices", "seen by the window", "process, of a core", "without the maker"), rows


STOP_WAYS = (
    ("handler's start to request handed over", "handler_to_handed"),
    ("click to request handed over", "click_to_handed"),
    ("click to no order can leave (memory)", "click_to_braking"),
    ("click to the stop is on disk", "click_to_latched"),
    ("click to first cancel at the venue", "click_to_cancel"),
)


def stops() -> tuple[Sequence[str], list[list[str]]]:
    """Measure STOP, in quiet and while backtests run in another process."""
    quiet = run("window_stop", PRESSES, "demo", 0).figures["stop"]
    with backtests():
        loaded = run("window_stop", PRESSES, "demo", 0).figures["stop"]
    rows = [
        [name, *(f"{told[key][each]:.2f}" for told in (quiet, loaded) for each in ("p50", "p95", "max"))]
        for name, key in STOP_WAYS
    ]
    header = ("way, in ms", "p50", "p95", "max", "p50, backtest", "p95, backtest", "max, backtest")
    return header, rows


def wires() -> tuple[Sequence[str], list[list[str]]]:
    """Measure STOP of a live account at the sandbox exchange, over HTTP."""
    quiet = stopped_on_the_wire(0)
    busy = stopped_on_the_wire(1_000)
    with backtests():
        beside = stopped_on_the_wire(0)
    rows = [
        [name, str(told["orders"]), *(f"{told['click_to_cancel'][each]:.1f}" for each in ("p50", "p95", "max"))]
        for name, told in (("idle", quiet), ("1,000 log lines a second", busy), ("beside backtests", beside))
    ]
    return ("the window is", "orders", "p50 ms", "p95 ms", "max ms"), rows


def stopped_on_the_wire(per_second: int) -> Figures:
    """Press STOP in a window over a live account with twenty orders; return what it told."""
    with tempfile.TemporaryDirectory() as folder, sandbox(Path(folder) / "exchange", ["BTC/USDT"], money=100_000) as to:
        home = Path(folder) / "gridbot"
        write_config(home, to, ["BTC/USDT"], grids=1, levels=20, spacing="0.004")
        keys = {"GRIDBOT_HOME": str(home), "GRIDBOT_API_KEY": to.key, "GRIDBOT_API_SECRET": to.secret}
        return run("window_stop", WIRE_PRESSES, "live", per_second, more=keys).figures["stop"]


def exports() -> tuple[Sequence[str], list[list[str]]]:
    """Measure the export of the log while the window is alive."""
    rows = []
    peer = run("window_export", "peer", LINES, "jsonl").figures["export"]["seconds"]
    for form in ("jsonl", "csv"):
        told = run("window_export", "gridbot", LINES, form).figures["export"]
        rows.append(
            [
                f"gridbot, {form.upper()}",
                f"{told['seconds']:.1f} s",
                ratio(told["seconds"], peer),
                *(f"{told[key]:.1f}" for key in ("p95", "max")),
            ]
        )
    rows.append(["each line parsed and written, no more", f"{peer:.1f} s", "1.00x", "", ""])
    return ("way", "takes", "over peer", "loop gap p95 ms", "max ms"), rows


def orders() -> tuple[Sequence[str], list[list[str]]]:
    """Measure sorting and filtering."""
    told = {
        kind: run("window_orders", kind, rounds).figures["orders"] for kind, rounds in (("gridbot", 20), ("peer", 4))
    }
    ours = told["gridbot"]
    if told["peer"]["counts"] != ours["counts"]:
        raise Refused("The two tables do not filter the same rows.")
    rows = [
        [
            name,
            *(f"{told[kind][act][each]:.0f}" for act in ("sort", "filter") for each in ("p50", "max")),
            ratio(told[kind]["sort"]["p50"], ours["sort"]["p50"]),
            ratio(told[kind]["filter"]["p50"], ours["filter"]["p50"]),
            f"{told[kind]['filled_s']:.2f} s",
        ]
        for kind, name in (("gridbot", "gridbot"), ("peer", "QStandardItemModel"))
    ]
    header = ("model", "sort p50 ms", "max", "filter p50 ms", "max", "sort, over gridbot's", "filter", "filled after")
    return header, rows


def ratio(figure: float, beside: float) -> str:
    """Return how many times as large a figure is."""
    return f"{figure / beside:.2f}x" if beside else ""


# ----------------------------------------------------------------------------------------- the section

PARTS = (
    (
        "Start and memory",
        starts,
        "From the start of a fresh process (modules compiled already, disk warm) until the window and all in it is "
        f"painted; median of {STARTS}, programs alternating. Memory (resident) and processor after {LIVED_S} s of "
        "demo at 600 times real time, and after a day of its market. Aims: <= 1.2 s, <= 200 MB, <= 350 MB after a day.",
    ),
    (
        "A frame of the chart",
        charts,
        "One step of a drag until it is painted, 900x560, 200 level lines and 1,000 fill marks in view. QPicture: the "
        "candles recorded once and replayed, InfiniteLine and ScatterPlotItem for the rest, prices held fast, while "
        "gridbot finds the prices to show and places the labels anew at each frame. Aim: p95 <= 16 ms at 100,000.",
    ),
    (
        "The event loop",
        loops,
        f"Time between two turns of a 5 ms timer in the window's thread, so 5 ms is no gap; Market tab, {EVENTS_S} s "
        f"(peers {PEER_EVENTS_S} s). An event is a new price with a log line, and ten minutes of two grids pass a "
        "second: far more than a market brings. Aims: p95 <= 30 ms, max <= 100 ms, nothing lost. Of a core: with the "
        "timer and with the thread that makes the events.",
    ),
    (
        "Prices at the pace of a market",
        prices,
        f"The whole program: the demo at real time with its engine, files and venue, Market tab, {PRICES_S} s; its "
        "feed brings so many more trades a second, each at another price. Three runs each in turns, median and spread; "
        "the last column is without what making those prices takes in a process of its own. Aims: <= 25 % of a core at "
        "100 a second, <= 3 % minimised.",
    ),
    (
        "STOP",
        stops,
        f"{PRESSES} presses (mouse events from another thread at any moment) in the demo with its engine, files and "
        "venue, 5 to 10 orders resting; released in between. On the right while another process runs backtests. "
        "Aims: handler <= 1 ms; click to first cancel p95 <= 50 ms, max <= 250 ms.",
    ),
    (
        "STOP on the wire",
        wires,
        f"{WIRE_PRESSES} presses each, as above, over a live account at the sandbox exchange in a process of its own: "
        "from the click until the first bytes of the first cancel's request are handed to the socket. Aims: p95 <= 50 "
        "ms, max <= 250 ms.",
    ),
    (
        "Export of the log",
        exports,
        f"{LINES:,} lines, as the Export dialog asks for them, from the request to its answer; the window is open, 20 "
        "events a second reach it. The peer reads, parses and writes the same lines in a process that does nothing "
        "else. Aim: <= 10 s with the window alive.",
    ),
    (
        "50,000 orders",
        orders,
        "Sorted by time and by price in turn (so never sorted before), filtered by a word that half of them have and "
        "by none; until the table is painted. The peer sorts in C++ and hides rows in the view. Aim: <= 150 ms.",
    ),
)


def main() -> int:
    """Measure everything, write the section; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=[title for title, _, _ in PARTS], help="measure this part only")
    only = parser.parse_args().part
    begun = perf_counter()
    platform = environment("").get("QT_QPA_PLATFORM", "the desktop's")
    text = ["## The window beside its peers", f"`make bench-desktop`. {machine()} Qt platform: {platform}."]
    try:
        for title, measure, words in PARTS:
            if only in {None, title}:
                say(title)
                header, rows = measure()
                text += [f"### {title}", words, table(header, rows)]
    except Refused as refused:
        say(f"The benchmark stopped: {refused}")
        return 2
    section = "\n\n".join(text)
    print(section)
    if only is None:
        write_section("desktop", section)
    say(f"It took {perf_counter() - begun:.0f} s.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
