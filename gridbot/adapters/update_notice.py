"""Asks one address, which the user names, for the newest version of gridbot; nothing is ever downloaded or installed.

The answer is JSON: {"version": "1.2.3", "changes": ["one sentence", ...], "page": "https://where.to/get-it"}.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import orjson
import requests

from gridbot.core.values import value
from gridbot.errors import EnvironmentProblem

PATIENCE_S = 10.0
LONGEST = 64_000
"""Bytes of an answer that are read: a list of changes is shorter."""
MOST_CHANGES, LONGEST_CHANGE = 20, 300
_VERSION = re.compile(r"(\d{1,6})\.(\d{1,6})\.(\d{1,6})")

Fetch = Callable[[str], bytes]
"""Returns what is at an address; EnvironmentProblem."""


@value
class Newest:
    """What the address told: the version, what it changes, and the page where it is to be had."""

    version: str
    changes: tuple[str, ...]
    page: str


def newest_version(address: str, *, fetch: Fetch | None = None) -> Newest:
    """Return what the address tells; EnvironmentProblem where it does not answer, or not in the form above."""
    return _understood((fetch or fetch_https)(address))


def is_newer(version: str, than: str) -> bool:
    """Tell whether one version is later than another; versions in any other form are not."""
    one, other = _VERSION.fullmatch(version), _VERSION.fullmatch(than)
    return one is not None and other is not None and tuple(map(int, one.groups())) > tuple(map(int, other.groups()))


def fetch_https(address: str) -> bytes:
    """Return what is at an address."""
    try:
        with requests.get(address, timeout=PATIENCE_S, stream=True, allow_redirects=False) as answer:
            if answer.status_code != requests.codes.ok:
                raise _no_answer(f"it answers with the code {answer.status_code}")
            content: bytes = answer.raw.read(LONGEST + 1, decode_content=True)
    except (requests.RequestException, OSError) as error:
        raise _no_answer(f"it does not answer ({type(error).__name__})") from error
    if len(content) > LONGEST:
        raise _no_answer("its answer is too long")
    return content


def _understood(content: bytes) -> Newest:
    try:
        plain: Any = orjson.loads(content)
        version, page = plain["version"], plain["page"]
        changes = plain.get("changes", [])
        texts = [version, page, *changes]
        if not isinstance(changes, list) or not all(isinstance(each, str) for each in texts):
            raise _no_answer("its answer has another form")
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise _no_answer("its answer has another form") from error
    if _VERSION.fullmatch(version) is None or not page.startswith("https://"):
        raise _no_answer("its answer has another form")
    return Newest(version, tuple(each[:LONGEST_CHANGE] for each in changes[:MOST_CHANGES]), page)


def _no_answer(why: str) -> EnvironmentProblem:
    return EnvironmentProblem(
        f"The address for newer versions was asked, and {why}.",
        hint="Look at the address under Settings, or try later.",
    )
