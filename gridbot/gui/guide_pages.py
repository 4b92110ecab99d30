"""The user guide as it is shipped: pages of Markdown beside this module, found by topic, read only when wanted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from gridbot.core.values import value

FOLDER = Path(__file__).parent / "guide"
TOPICS = (
    "start",
    "market",
    "grid",
    "chart",
    "risk",
    "orders",
    "logs",
    "settings",
    "backtest",
    "portfolio",
    "stop",
    "live",
    "keys",
    "trouble",
    "words",
)
"""The pages in their order; each is `<topic>.md`."""


@value
class Page:
    """One page: its topic, its heading, and the whole text as Markdown."""

    topic: str
    title: str
    text: str


@value
class Found:
    """Where a search found something: the page and the first line that has it, without Markdown's signs."""

    page: Page
    line: str


def page(topic: str) -> Page:
    """Return a page; KeyError for a topic that is none."""
    if topic not in TOPICS:
        raise KeyError(topic)
    text = (FOLDER / f"{topic}.md").read_text("utf-8")
    return Page(topic, text.partition("\n")[0].lstrip("# ").strip(), text)


def pages() -> tuple[Page, ...]:
    """Return every page in its order."""
    return tuple(page(topic) for topic in TOPICS)


def search(wanted: str) -> Iterator[Found]:
    """Yield the pages that have every one of the words, those that name them in the heading first."""
    terms = wanted.lower().split()
    if not terms:
        return
    hits = [each for each in pages() if all(term in each.text.lower() for term in terms)]
    hits.sort(key=lambda each: not any(term in each.title.lower() for term in terms))
    for each in hits:
        lines = [line for line in each.text.splitlines()[1:] if any(term in line.lower() for term in terms)]
        yield Found(each, _plain(lines[0]) if lines else each.title)


def _plain(line: str) -> str:
    """Return a line without links, emphasis, and the signs of lists, tables and headings."""
    without_links = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", line)
    return re.sub(r"[*`|#]+", " ", without_links).strip(" -").strip()
