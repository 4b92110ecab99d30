"""Secrets leave no trace: known ones are found by their value, others by the words that stand before them."""

from __future__ import annotations

import re
import threading
from base64 import b64encode
from collections.abc import Iterable, Mapping
from urllib.parse import quote, quote_plus

import orjson

MASKED = "(hidden)"
SHORTEST = 4
"""Shorter values are no secrets, and masking them would eat words."""

_WORD = (
    r"[\w.-]*(?:api[ _-]?(?:key|sign|secret)|access[ _-]?key|private[ _-]?key|secret|signature|passphrase|passwd"
    r"|password|passcode|token|credentials?|mnemonic)[\w.-]*"
)
_QUOTED = r"""\\"[^"\\]*\\"|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'"""
_BARE = r"""[^\s"'&,;}\])]+"""
_IS = r"""\\?["']?\s*(?:=>|[:=])\s*"""
_NOT_YET = r"""(?![\\"']*\(hidden\))"""
_SCHEME = r"(?:(?:bearer|basic|digest|hmac)\s+)?"

_PATTERNS = (
    re.compile(r"(-----BEGIN [A-Z ]*PRIVATE KEY-----).*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
    re.compile(r"(\b[a-z][a-z0-9+.-]*://[^/\s:@]*:)[^/\s@]+(?=@)", re.IGNORECASE),
    re.compile(rf"(\b(?:proxy-)?authorization{_IS}){_NOT_YET}(?:{_QUOTED}|{_SCHEME}{_BARE})", re.IGNORECASE),
    re.compile(r"(\b(?:bearer|basic)\s+)[A-Za-z0-9+/=._~-]{8,}", re.IGNORECASE),
    re.compile(rf"((?<![\w.-]){_WORD}{_IS}){_NOT_YET}(?:{_QUOTED}|{_BARE})", re.IGNORECASE),
    re.compile(rf"((?<![\w.-])(?:sign|sig|pwd){_IS}){_NOT_YET}(?:{_QUOTED}|{_BARE})", re.IGNORECASE),
    # A long mixture that follows such a word without any sign, as in "the key was AbC...".
    re.compile(
        r"(\b(?:key|secret|signature|passphrase|password|token)\b\W{1,3}(?:\w{1,6}\W{1,3}){0,2})"
        r"(?=[A-Za-z+/=_-]*\d)[A-Za-z0-9+/=_-]{20,}",
        re.IGNORECASE,
    ),
)
_HINTS = ("key", "secret", "sign", "sig", "pass", "pwd", "token", "cred", "mnemonic", "auth", "bearer", "basic", "://")
"""Without one of these in a text no pattern can match; most lines have none, and the patterns cost a hundred times
as much. "api sign" has "sign"."""
_SECRET_NAME = re.compile(rf"{_WORD}|(?:proxy-)?authorization|sign|sig|pwd", re.IGNORECASE)
_NAMES_ONLY = re.compile(r".*_secret")
"""Settings such as `urls_secret` hold the name of a stored secret, which is none itself."""


class Mask:
    """Takes secrets out of texts and of plain data. Safe to use from any thread."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._lock = threading.Lock()
        self._forms: set[str] = set()
        self._known: re.Pattern[str] | None = None
        self.learn(*secrets)

    def learn(self, *secrets: str) -> None:
        """Hide these values from now on, in every form in which a text may quote them."""
        with self._lock:
            for secret in secrets:
                self._forms.update(form for form in _forms(secret) if len(form) >= SHORTEST)
            # The longest first, so that a part of a secret does not break up the whole.
            forms = sorted(self._forms, key=lambda form: (-len(form), form))
            self._known = re.compile("|".join(map(re.escape, forms))) if forms else None

    def text(self, text: str) -> str:
        """Return `text` without its secrets."""
        if self._known is not None:
            text = self._known.sub(MASKED, text)
        lowered = text.lower()
        if any(hint in lowered for hint in _HINTS):
            for pattern in _PATTERNS:
                text = pattern.sub(_hidden, text)
        return text

    def plain(self, value: object) -> object:
        """Return plain data without its secrets; what stands under a secret's name is hidden whole."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, bool | int | float) or value is None:
            return value
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.under(str(key), item) for key, item in value.items()}
        if isinstance(value, Iterable) and not isinstance(value, bytes | bytearray):
            return [self.plain(item) for item in value]
        return self.text(value.decode(errors="replace") if isinstance(value, bytes | bytearray) else str(value))

    def under(self, name: str, value: object) -> object:
        """Return a field's value without its secrets, hidden whole if the name says that it is one."""
        last = name.rpartition(".")[2]
        says = _SECRET_NAME.fullmatch(last) is not None and _NAMES_ONLY.fullmatch(last) is None
        if says and not isinstance(value, bool) and value is not None:
            return MASKED
        return self.plain(value)


def _hidden(found: re.Match[str]) -> str:
    return f"{found[1]}{MASKED}"


def _forms(secret: str) -> set[str]:
    """Return how a secret may stand in a text: as it is, escaped, in an address, in base64, and line by line."""
    stripped = secret.strip()
    if not stripped:
        return set()
    lines = {line.strip() for line in stripped.splitlines() if len(line.strip()) >= 16}
    whole = {secret, stripped}
    escaped = {orjson.dumps(form).decode()[1:-1] for form in whole}
    in_address = {quote(stripped, safe=""), quote_plus(stripped)}
    return whole | lines | escaped | in_address | {b64encode(stripped.encode()).decode()}
