"""Writes the generated parts of docs/orders.md from `gridbot.core.orders.TRANSITIONS`: the diagram and the table.

`--check` writes nothing and fails if the page is not what would be written.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    # Started as a file, Python looks beside it for gridbot and not above it.
    sys.path.insert(0, str(ROOT))

from gridbot.core.orders import TERMINAL, TRANSITIONS, Fact, OrderState  # noqa: E402

PAGE = ROOT / "docs" / "orders.md"


def _words(name: str) -> str:
    return name.replace("_", " ")


def diagram() -> str:
    """Return the state diagram in Mermaid. Facts that leave a state as it is are in the table only."""
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {OrderState.PLANNED.name}"]
    for state, facts in TRANSITIONS.items():
        moves: dict[OrderState, list[str]] = {}
        for fact, becomes in facts.items():
            if becomes is not state:
                moves.setdefault(becomes, []).append(_words(fact.value))
        lines += [f"    {state.name} --> {becomes.name}: {', '.join(why)}" for becomes, why in moves.items()]
    lines += [f"    {state.name} --> [*]" for state in OrderState if state in TERMINAL]
    return "\n".join([*lines, "```"])


def table() -> str:
    """Return every legal fact of every state, and what it makes of it, as a Markdown table."""
    lines = ["| state | fact: state after it |", "|---|---|"]
    for state, facts in TRANSITIONS.items():
        by_fact = (f"{_words(fact.value)}: {facts[fact].name}" for fact in Fact if fact in facts)
        lines.append(f"| {state.name} | {'; '.join(by_fact)} |")
    ended = ", ".join(state.name for state in OrderState if state in TERMINAL)
    lines.append(f"| {ended} | none: these never revert |")
    return "\n".join(lines)


PARTS: dict[str, Callable[[], str]] = {"diagram": diagram, "table": table}


def rendered(page: str) -> str:
    """Return `page` with each generated part written anew between its two markers; ValueError if one is missing."""
    for name, part in PARTS.items():
        begin, end = f"<!-- generated: {name} -->\n", f"\n<!-- end of {name} -->"
        before, found_begin, rest = page.partition(begin)
        _, found_end, behind = rest.partition(end)
        if not found_begin or not found_end:
            raise ValueError(f"docs/orders.md lacks the markers of the part {name!r}")
        page = f"{before}{begin}{part()}{end}{behind}"
    return page


def main(argv: Sequence[str]) -> int:
    """Write docs/orders.md, or with --check compare it; return 1 if it was not up to date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the page would change")
    checking = parser.parse_args(argv).check
    page = PAGE.read_text("utf-8")
    wanted = rendered(page)
    if page == wanted:
        return 0
    if checking:
        print("docs/orders.md is not up to date: run scripts/generate_diagrams.py")
        return 1
    PAGE.write_text(wanted, "utf-8", newline="\n")
    print("docs/orders.md written")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
