"""Runs the measured processes of the window's benchmark, each in a folder of its own, and reads what they tell."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from threading import Timer
from time import perf_counter
from types import MappingProxyType
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
LONGEST_S = 300.0

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
def started(
    module: str, *arguments: object, more: Mapping[str, str] = MappingProxyType({})
) -> Iterator[subprocess.Popen[str]]:
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
            env=environment(home) | dict(more),
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


def run(module: str, *arguments: object, more: Mapping[str, str] = MappingProxyType({})) -> Told:
    """Run a measuring process, with `more` in its environment, to its end; return what it told."""
    figures, arrived = dict[str, Figures](), dict[str, float]()
    begun = perf_counter()
    with started(module, *arguments, more=more) as process:
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
