"""Two small files in an account's folder by which one process asks another that holds the account's lock, and hears.

``request.json`` is written whole by whoever asks and removed by whoever takes it; ``answer.json`` bears the request's
number. Neither outlives its purpose: a start throws away a request to re-arm that nobody took.
"""

from __future__ import annotations

import secrets
from pathlib import Path

import orjson

from gridbot.adapters.files.whole import save_whole
from gridbot.core.values import value
from gridbot.ports import Ask, Disk, Letter

REQUEST, ANSWER = "request.json", "answer.json"


@value
class Reply:
    """What the other process said."""

    ok: bool
    message: str


class MailboxFiles:
    """Satisfies the Mailbox port for the holder; `post`, `reply` and `withdraw` are for whoever asks."""

    def __init__(self, disk: Disk, folder: Path) -> None:
        self._disk = disk
        self._request, self._answer = folder / REQUEST, folder / ANSWER

    def take(self) -> Letter | None:
        """Return the letter that waits, once; what cannot be understood is thrown away."""
        content = self._disk.read(self._request)
        if content is None:
            return None
        self._disk.remove(self._request)
        return _letter(content)

    def answer(self, letter: Letter, *, ok: bool, message: str) -> None:
        """Answer a letter."""
        said = {"number": letter.number, "ok": ok, "message": message}
        save_whole(self._disk, self._answer, orjson.dumps(said) + b"\n")

    def post(self, ask: Ask, text: str, *, liquidate: bool = False, everything: bool = False) -> Letter:
        """Ask the process that holds the account; return the letter, under whose number it will answer."""
        letter = Letter(secrets.token_hex(8), ask, text, liquidate, everything)
        said = {
            "number": letter.number,
            "ask": ask.value,
            "text": text,
            "liquidate": liquidate,
            "everything": everything,
        }
        save_whole(self._disk, self._request, orjson.dumps(said) + b"\n")
        return letter

    def reply(self, letter: Letter) -> Reply | None:
        """Return the answer to a letter, None while there is none."""
        said = _object(self._disk.read(self._answer))
        if said.get("number") != letter.number:
            return None
        return Reply(said.get("ok") is True, str(said.get("message", "")))

    def withdraw(self) -> None:
        """Take back a letter that nobody took."""
        self._disk.remove(self._request)


def _letter(content: bytes) -> Letter | None:
    said = _object(content)
    number, ask, text = said.get("number"), said.get("ask"), said.get("text")
    if not (isinstance(number, str) and isinstance(text, str) and isinstance(ask, str) and ask in set(Ask)):
        return None
    return Letter(number, Ask(ask), text, said.get("liquidate") is True, said.get("everything") is True)


def _object(content: bytes | None) -> dict[str, object]:
    try:
        said = orjson.loads(content or b"")
    except orjson.JSONDecodeError:
        return {}
    return said if isinstance(said, dict) else {}
