"""The long run: `make fuzz [INPUTS=200000]` meets every target with spoilt inputs and prints how each came off.

Half of the inputs are made from a seed, and the same seed makes them again; the other half are led by atheris, where it
is installed. An input that is met wrongly is kept in build/fuzz/; mended, it moves to tests/fuzz/kept/.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.fuzz.meeting import TARGETS, Count, run, target_named
from tests.fuzz.target import Target

ROOT = Path(__file__).resolve().parents[2]
INPUTS = 20_000


def say(line: str) -> None:
    """Write a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def guided(target: Target, *, inputs: int, seed: int, folder: Path) -> Count:
    """Let atheris meet so many inputs in a process of its own."""
    out = folder / "count.json"
    command = [sys.executable, "-m", "tests.fuzz.guided", target.name, str(inputs), str(seed), str(out)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if not out.exists():
        return Count(wrong=(f"{target.name}: atheris ended with {ended.returncode}: {ended.stderr[-2_000:]}",))
    plain = json.loads(out.read_text("utf-8"))
    return Count(plain["accepted"], plain["refused"], tuple(plain["wrong"]))


def main() -> int:
    """Run; return 1 where an input was met wrongly."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--inputs", type=int, default=INPUTS, help="how many in all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--target", help="this one alone, all inputs")
    chosen = parser.parse_args()
    led = importlib.util.find_spec("atheris") is not None
    if not led:
        say("atheris is not here (it has a wheel for Linux on x86-64 alone): all inputs are made from the seed.")
    targets = TARGETS if chosen.target is None else (target_named(chosen.target),)
    whole, began, shares = Count(), time.perf_counter(), sum(target.share for target in targets)
    say(f"{'target':24} {'inputs':>8} {'refused':>8} {'accepted':>8} {'wrong':>6}   of them led by coverage")
    for target in targets:
        inputs = max(chosen.inputs * target.share // shares, 1)
        by_atheris = inputs // 2 if led else 0
        count = Count()
        with tempfile.TemporaryDirectory(prefix="gridbot-fuzz-") as name:
            folder = Path(name)
            if by_atheris:
                count += guided(target, inputs=by_atheris, seed=chosen.seed, folder=folder)
            (folder / "work").mkdir()
            count += run(target, folder / "work", inputs=inputs - by_atheris, seed=chosen.seed)
        figures = f"{count.inputs:8,} {count.refused:8,} {count.accepted:8,} {len(count.wrong):6,}"
        say(f"{target.name:24} {figures}   {by_atheris:,}")
        for reason in count.wrong[:10]:
            say(f"  {reason}")
        whole += count
    say(
        f"{whole.inputs:,} malformed inputs, {len(whole.wrong):,} met wrongly; seed {chosen.seed}, "
        f"{time.perf_counter() - began:,.0f} s."
    )
    return 1 if whole.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
