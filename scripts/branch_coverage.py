"""Which branches of what must never be wrong no test takes: `make coverage`.

Runs the tests that are about these modules under coverage.py, prints a line for each module, and fails where a module
is under the floor, or where a branch is missed that `scripts/untaken_branches.toml` does not explain.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FLOOR = 95.0
EXPLAINED = ROOT / "scripts" / "untaken_branches.toml"
MODULES = (
    *(f"gridbot/core/{name}.py" for name in ("orders", "booking", "ledger", "risk", "plan", "facts", "fact_replay")),
    *(
        f"gridbot/adapters/files/{name}.py"
        for name in ("journal_file", "journal_lines", "journal_history", "snapshot_file", "upgrades", "account_folder")
    ),
    *(f"gridbot/adapters/files/{name}.py" for name in ("order_ids", "kill_latch", "notes_archive", "whole")),
    "gridbot/shell/state_keeper.py",
)
TESTS = (
    *("tests/core", "tests/golden", "tests/shell/test_state_keeper.py", "tests/shell/test_trader.py"),
    *(f"tests/adapters/test_{name}.py" for name in ("account_folder", "damage", "journal", "journal_history")),
    *(f"tests/adapters/test_{name}.py" for name in ("home_and_latch", "notes_archive", "rare_branches")),
)


def main() -> int:
    """Run and report; 1 where something is under the floor or not explained, or a test failed."""
    with tempfile.TemporaryDirectory() as name:
        data, report = Path(name) / "data", Path(name) / "report.json"
        coverage = [sys.executable, "-m", "coverage"]
        include = "--include=" + ",".join(MODULES)
        env = {**os.environ, "COVERAGE_FILE": str(data)}
        run = [*coverage, "run", "--branch", include, "-m", "pytest", "-q", "-n0", "-o", "timeout=0", *TESTS]
        failed = subprocess.run(run, cwd=ROOT, env=env, check=False).returncode
        if failed:
            return failed
        subprocess.run([*coverage, "json", "-q", "-o", str(report)], cwd=ROOT, env=env, check=True)
        files: dict[str, Any] = json.loads(report.read_text("utf-8"))["files"]
    return told(files)


def told(files: dict[str, Any]) -> int:
    """Print the table; return 1 where it is not good enough."""
    reasons = {
        (each["file"], each["line"]): each["why"] for each in tomllib.loads(EXPLAINED.read_text("utf-8"))["branch"]
    }
    used, wrong = set[tuple[str, str]](), list[str]()
    print(f"{'module':45} {'branches':>8} {'taken':>8} {'share':>8} {'lines':>8}")
    for module in MODULES:
        found = files[module]
        summary = found["summary"]
        total, taken = summary["num_branches"], summary["covered_branches"]
        share = 100.0 * taken / total if total else 100.0
        lines = 100.0 * summary["covered_lines"] / max(summary["num_statements"], 1)
        print(f"{module:45} {total:8} {taken:8} {share:7.1f}% {lines:7.1f}%")
        if share < FLOOR:
            wrong.append(f"{module} is at {share:.1f} %, under {FLOOR:g} %.")
        source = (ROOT / module).read_text("utf-8").splitlines()
        for begin, end in found["missing_branches"]:
            line = source[begin - 1].strip()
            used.add((module, line))
            why = reasons.get((module, line))
            to = "the end" if end < 0 else f"line {end}"
            if why is None:
                wrong.append(f"{module}:{begin} never goes to {to}, and nothing explains it: {line}")
            else:
                print(f"    {begin} to {to}: {line}\n        {why}")
    wrong += [
        f"{file} takes every branch of {line!r} now: take it out." for file, line in sorted(reasons.keys() - used)
    ]
    for sentence in wrong:
        print(sentence)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
