"""What a person types and nobody may see: asked for without an echo, or read from a pipe; never an argument.

An argument would stand in the shell's history and in the list of processes.
"""

from __future__ import annotations

import getpass
import os
import sys
from typing import TYPE_CHECKING

from gridbot.cli_app import gridbot_home, known_secrets
from gridbot.errors import EnvironmentProblem

if TYPE_CHECKING:
    from gridbot.adapters.secrets.chosen_store import ChosenStore

LONGEST = 8_192
_BEGIN, _END = "-----BEGIN", "-----END"


def asks() -> bool:
    """Tell whether a person sits at the other end."""
    return sys.stdin.isatty()


def hidden(question: str) -> str | None:
    """Ask for something without an echo; None where the person ends the input instead."""
    try:
        return getpass.getpass(f"{question}: ") or None
    except EOFError:
        print(file=sys.stderr)
        return None


def piped() -> str:
    """Return what a pipe gives, without the line break at its end; EnvironmentProblem for no text, or too much."""
    try:
        text = sys.stdin.read(LONGEST + 1)
    except UnicodeDecodeError:
        raise EnvironmentProblem("What the pipe gives is no text.", hint="Give the secret as text in UTF-8.") from None
    if len(text) > LONGEST:
        raise EnvironmentProblem(f"What the pipe gives is longer than {LONGEST:,} characters, so it is no secret.")
    return text.strip("\r\n")


def hidden_key_part(question: str) -> str:
    """Ask for a part of a key; a key in PEM form has several lines, which are read to its end."""
    typed = (hidden(question) or "").strip()
    lines = [typed]
    while typed.startswith(_BEGIN) and _END not in lines[-1]:
        more = hidden("  the next line")
        if more is None:
            break
        lines.append(more.strip())
    return "\n".join(lines)


def open_store() -> ChosenStore:
    """Return the store of secrets of this folder; it asks for the passphrase where a person sits."""
    from gridbot.bootstrap_keys import secret_store

    return secret_store(gridbot_home(), os.environ, known_secrets(), ask=hidden if asks() else None)
