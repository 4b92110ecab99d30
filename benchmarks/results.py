"""Writes the benchmarks' results: Markdown tables, and each benchmark's own section of RESULTS.md."""

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).resolve().parent / "RESULTS.md"
TITLE = (
    "# Results\n\n"
    "Each section is written by the command that it names, and holds what that command measured last.\n"
    "What is outside the markers stays.\n"
)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table, its columns as wide as their widest cell; the first column is text, the rest figures."""
    widths = [max(len(row[index]) for row in (header, *rows)) for index in range(len(header))]

    def line(cells: Sequence[str]) -> str:
        first = cells[0].ljust(widths[0])
        others = [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)]
        return "| " + " | ".join([first, *others]) + " |"

    rule = "| " + " | ".join(["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]) + " |"
    return "\n".join([line(header), rule, *map(line, rows)])


def machine() -> str:
    """Return a sentence that says when and on what something was measured, without a name or a path of the machine."""
    today = datetime.now(UTC).date().isoformat()
    waiting = f"load average at the start {os.getloadavg()[0]:.1f}, " if hasattr(os, "getloadavg") else ""
    return (
        f"Measured {today} on {os.cpu_count()} cores ({_processor()}), {waiting}"
        f"{platform.system()}, CPython {platform.python_version()}."
    )


def write_section(name: str, text: str, *, file: Path = RESULTS) -> None:
    """Replace the section `name` of the results file by `text`, or add it at the end."""
    begin, end = f"<!-- {name}: begin, written by the command -->", f"<!-- {name}: end -->"
    section = f"{begin}\n{text.strip()}\n{end}\n"
    whole = file.read_text(encoding="utf-8") if file.exists() else TITLE
    if begin in whole and end in whole:
        before, rest = whole.split(begin, 1)
        whole = before + section + rest.split(end, 1)[1].removeprefix("\n")
    else:
        whole = whole.rstrip("\n") + "\n\n" + section
    file.write_text(whole, encoding="utf-8")


def _processor() -> str:
    described = Path("/proc/cpuinfo")
    if described.exists():
        for line in described.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
