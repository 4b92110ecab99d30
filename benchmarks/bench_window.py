"""Measures the window beside its peers, each figure in a process of its own, and writes the section "window".

`make bench` runs it; so does `python benchmarks/bench_window.py`. Without a display Qt's offscreen platform is used.
This process imports no Qt: it starts the others, reads what they tell and makes the tables.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryFile
from threading import Timer
from time import perf_counter
from typing import Any

from results import machine, table, write_section

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
LONGEST_S = 90.0
STARTS, PRESSES = 5, 30
LIVED_S, EVENTS_S, PEER_EVENTS_S = 10, 10, 4

Figures = Mapping[str, Any]


class Refused(Exception):
    """The benchmark cannot go on; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a process told, by stage, and the seconds from its start to each line's arrival."""

    figures: Mapping[str, Figures]
    arrived_s: Mapping[str, float]


def environment(home: str) -> dict[str, str]:
    """Return the environment of a measured process: gridbot's checks off, a folder of its own, somewhere to draw."""
    env = {name: value for name, value in os.environ.items() if name != "CHECKED"}
    # The account that the window's tests are written on is not installed with gridbot.
    env |= {"GRIDBOT_HOME": home, "PYTHONPATH": str(ROOT)}
    if sys.platform.startswith("linux") and not any(map(env.get, ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))):
        env["QT_QPA_PLATFORM"] = "offscreen"
    return env


@contextmanager
def started(module: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Start a measuring process in an empty folder of its own; it is ended with the block, if it lives that long."""
    command = [sys.executable, str(HERE / f"{module}.py"), *map(str, arguments)]
    with tempfile.TemporaryDirectory() as home, TemporaryFile("w+", encoding="utf-8") as complaints:
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
            encoding="utf-8",
            cwd=ROOT,
            env=environment(home),
        )
        limit = Timer(LONGEST_S, process.kill)
        limit.start()
        try:
            with process:
                yield process
            if process.returncode != 0:
                complaints.seek(0)
                raise Refused(
                    f"{module} {' '.join(command[2:])} ended with {process.returncode}:\n{complaints.read().strip()}"
                )
        finally:
            limit.cancel()


def run(module: str, *arguments: object) -> Told:
    """Run a measuring process to its end; return what it told."""
    figures, arrived = dict[str, Figures](), dict[str, float]()
    begun = perf_counter()
    with started(module, *arguments) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith('{"stage"'):
                told = json.loads(line)
                arrived[told["stage"]] = perf_counter() - begun
                figures[told["stage"]] = told
    say(f"  {module} {' '.join(map(str, arguments))}: {perf_counter() - begun:.1f} s")
    return Told(figures=figures, arrived_s=arrived)


@contextmanager
def backtests() -> Iterator[None]:
    """Keep a process busy with backtests while the block runs; it begins when the first of them is done."""
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, str(HERE / "window_load.py")]
        env = environment(home)
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=env) as process:
            assert process.stdout is not None
            try:
                if not process.stdout.readline():
                    raise Refused("The backtests that are to keep a core busy did not begin.")
                yield
                if process.poll() is not None:
                    raise Refused("The backtests ended before the measurement did.")
            finally:
                process.kill()


def say(text: str) -> None:
    """Tell how far the benchmark is."""
    print(text, file=sys.stderr, flush=True)


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
    for kind, name in (("gridbot", "gridbot, demo"), ("peer", "bare window, empty plot")):
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
    names = {
        "gridbot": ("gridbot, looks 20 times a second", EVENTS_S),
        "peer": ("the same window, one signal an event", PEER_EVENTS_S),
        "bare": ("a label and a table, one signal an event", PEER_EVENTS_S),
    }
    told = {kind: run("window_events", kind, seconds).figures["gaps"] for kind, (_, seconds) in names.items()}
    rows = [
        [
            name,
            f"{told[kind]['events']:,}",
            f"{told[kind]['shown']:,}",
            *(f"{told[kind][key]:.1f}" for key in ("p50", "p95", "max")),
            ratio(told[kind]["p95"], told["gridbot"]["p95"]),
            f"{told[kind]['core_share'] * 100:.0f} %",
        ]
        for kind, (name, _) in names.items()
    ]
    return ("way", "events", "shown", "p50 ms", "p95 ms", "max ms", "p95 over gridbot's", "of a core"), rows


STOP_WAYS = (
    ("handler's start to request handed over", "handler_to_handed"),
    ("click to request handed over", "click_to_handed"),
    ("click to no order can leave (memory)", "click_to_braking"),
    ("click to the stop is on disk", "click_to_latched"),
    ("click to first cancel at the venue", "click_to_cancel"),
)


def stops() -> tuple[Sequence[str], list[list[str]]]:
    """Measure STOP, in quiet and while backtests run in another process."""
    quiet = run("window_stop", PRESSES).figures["stop"]
    with backtests():
        loaded = run("window_stop", PRESSES).figures["stop"]
    rows = [
        [name, *(f"{told[key][each]:.2f}" for told in (quiet, loaded) for each in ("p50", "p95", "max"))]
        for name, key in STOP_WAYS
    ]
    header = ("way, in ms", "p50", "p95", "max", "p50, backtest", "p95, backtest", "max, backtest")
    return header, rows


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
        "demo at 600 times real time. Aims: <= 1.2 s, <= 200 MB.",
    ),
    (
        "A frame of the chart",
        charts,
        "One step of a drag until it is painted, 900x560, 200 level lines and 1,000 fill marks in view. QPicture: the "
        "candles recorded once and replayed, InfiniteLine and ScatterPlotItem for the rest, prices held fast, while "
        "gridbot finds the prices to show and places the labels anew at each frame. Aim: p95 <= 16 ms at 100,000.",
    ),
    (
        "The event loop at 1,000 events/s",
        loops,
        f"Time between two turns of a 5 ms timer in the window's thread, so 5 ms is no gap; Market tab, {EVENTS_S} s "
        f"(peers {PEER_EVENTS_S} s). An event is a new price with a log line; ten minutes of two grids pass a second. "
        "Aims: p95 <= 30 ms, max <= 100 ms, nothing lost.",
    ),
    (
        "STOP",
        stops,
        f"{PRESSES} presses (mouse events from another thread at any moment) in the demo with its engine, files and "
        "venue, 5 to 10 orders resting; released in between. On the right while another process runs backtests. "
        "Aims: handler <= 1 ms; click to first cancel p95 <= 50 ms, max <= 250 ms.",
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
    begun = perf_counter()
    platform = environment("").get("QT_QPA_PLATFORM", "the desktop's")
    text = [
        "## The window beside its peers",
        f"`python benchmarks/bench_window.py`. {machine()} Qt platform: {platform}.",
    ]
    try:
        for title, measure, words in PARTS:
            say(title)
            header, rows = measure()
            text += [f"### {title}", words, table(header, rows)]
    except Refused as refused:
        say(f"The benchmark stopped: {refused}")
        return 2
    section = "\n\n".join(text)
    print(section)
    write_section("window", section)
    say(f"It took {perf_counter() - begun:.0f} s.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
