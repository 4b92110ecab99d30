"""Secrets are named in the configuration and never written there; this tells a name from the thing itself."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

MASK = "(hidden)"

_SECRET_KEYS = re.compile(
    r"(api|access|private|secret)_?key|secret|passw(or)?d|passphrase|(access|auth|bot|bearer)?_?token|credentials?|mnemonic",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"[A-Za-z0-9+/=_-]{24,}", re.ASCII)
_ADDRESS_WITH_PASSWORD = re.compile(r"[a-z][a-z0-9+.-]*://[^/\s]*:[^/\s]*@", re.IGNORECASE)
_REASON = "looks like a secret; store it as a secret, and write only its name here"


def names_a_secret(key: str) -> bool:
    """Tell whether a value under a key of this name may be a secret; under `urls_secret` one lands by mistake."""
    if key.endswith("_secret"):
        return True
    return _SECRET_KEYS.fullmatch(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key).replace("-", "_")) is not None


def looks_secret(text: str) -> bool:
    """Tell whether `text` is so long and so mixed that it is rather a key or a token than a word, path or number."""
    if "PRIVATE KEY-----" in text or _ADDRESS_WITH_PASSWORD.match(text):
        return True
    if not _TOKEN.fullmatch(text):
        return False
    kinds = sum(any(test(c) for c in text) for test in (str.isdigit, str.islower, str.isupper))
    words = re.split(r"[/_-]", text)
    # Paths and file names are words with separators; keys are one long mixture with few repeated characters.
    return kinds >= 2 and max(map(len, words)) >= 20 and len(Counter(text)) >= 10


def secrets_in(data: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield the path of each value in `data` that looks like a secret, and why it is refused."""
    if isinstance(data, dict):
        for key, item in data.items():
            yield from secrets_in(item, (*path, key))
    elif isinstance(data, list):
        for index, item in enumerate(data):
            yield from secrets_in(item, (*path, index))
    elif isinstance(data, str) and looks_secret(data):
        yield path, _REASON
