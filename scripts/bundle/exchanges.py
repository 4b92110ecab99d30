"""Which modules of ccxt the packaged application has: those of the capability table, and what they stand on.

ccxt's own first file imports more than a hundred exchanges. gridbot never runs it (`ccxt_loading.py`), but whoever
collects modules by reading imports would take them all, so the others are named to be left out.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from gridbot.adapters.exchange.capability_table import TABLE

FIRI = "firi"
"""gridbot's own client; nothing of ccxt is needed for it."""
PACKAGES = ("ccxt", "ccxt.async_support", "ccxt.pro", "ccxt.abstract")
"""Each has one module an exchange: that which waits, that which does not, its streams, and its requests' names."""

_FROM = re.compile(r"^from (ccxt[\w.]*) import ([\w, ]+)", re.MULTILINE)
_DOTTED = re.compile(r"\bccxt(?:\.\w+)+")


def packaged_exchanges() -> tuple[str, ...]:
    """Return the ids of the exchanges in the packaged application: those that were looked into, and no others."""
    return tuple(TABLE)


def ccxt_folder() -> Path:
    """Return where ccxt is installed."""
    return folder_of("ccxt")


def folder_of(package: str) -> Path:
    """Return where a package is installed, without importing it."""
    found = importlib.util.find_spec(package)
    assert found is not None and found.submodule_search_locations
    return Path(found.submodule_search_locations[0])


def exchange_modules(root: Path) -> dict[str, Path]:
    """Return every module of ccxt that is about one exchange, by its full name."""
    names = {file.stem for file in (root / "async_support").glob("[a-z]*.py")}
    found = {}
    for package in PACKAGES:
        for name in names:
            file = root.joinpath(*package.split(".")[1:], f"{name}.py")
            if file.is_file():
                found[f"{package}.{name}"] = file
    return found


@cache
def wanted_modules(root: Path) -> tuple[str, ...]:
    """Return the modules of the packaged exchanges, and those of other exchanges that they stand on."""
    known = exchange_modules(root)
    waiting = [f"{package}.{name}" for package in PACKAGES for name in packaged_exchanges() if name != FIRI]
    wanted: set[str] = set()
    while waiting:
        module = waiting.pop()
        if module in wanted or module not in known:
            continue
        wanted.add(module)
        waiting += named_in(known[module].read_text("utf-8"))
    return tuple(sorted(wanted))


def unwanted_modules(root: Path) -> tuple[str, ...]:
    """Return the modules of all other exchanges."""
    return tuple(sorted(exchange_modules(root).keys() - set(wanted_modules(root))))


def named_in(source: str) -> Iterator[str]:
    """Yield the dotted names below ccxt that a module imports, or takes a class from."""
    for module, names in _FROM.findall(source):
        yield from (f"{module}.{name.strip()}" for name in names.split(","))
    yield from _DOTTED.findall(source)
