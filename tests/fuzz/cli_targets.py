"""The command line: an input is arguments, one a line. Whatever they are, it ends with a sentence and no crash.

What would trade, serve, ask a network or open a window is understood and not begun. A path is one in a folder of its
own, so that no input can name a file of the machine.
"""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import typer
from typer.main import get_command

from gridbot import cli
from gridbot.cli_app import EXIT_BUG
from tests.fuzz.target import Meet, Target

_NOT_BEGUN = frozenset(
    {"run", "sandbox", "test", "check", "list", "backtest-job", "search-job", "set", "show", "forget", "kill"}
)
"""Commands that would go on for ever, or out into the world, or ask for a secret."""
_LINES = (
    ("--version",),
    ("--help",),
    ("status", "--json"),
    ("status", "--mode", "dry", "--account", "main"),
    ("doctor",),
    ("config", "check", "config.json"),
    ("config", "show"),
    ("config", "init", "new.json"),
    ("backtest", "--candles", "candles.csv", "--config", "grid.json", "--fills", "touch", "--latency-ms", "250"),
    ("backtest", "--candles", "candles.csv", "--config", "grid.json", "--from", "2023-11-14", "--until", "2023-11-15"),
    (
        "backtest",
        "--candles",
        "candles.csv",
        "--config",
        "grid.json",
        "--risk",
        "--equity",
        "10000",
        "--json",
        "out.json",
    ),
    ("backup", "saved.zip"),
    ("restore", "saved.zip"),
    ("replay",),
    ("replay", "--journal", "journal-1.jsonl"),
    ("export", "fills", "out.csv"),
    ("export", "logs", "out.txt"),
    ("run", "--resume"),
    ("kill", "--reason", "by hand"),
    ("rearm", "--by", "me"),
    ("exchange", "key", "set", "binance"),
    ("secret", "set", "telegram"),
    ("notify", "test"),
    ("--exit-after", "5", "--screenshot", "a.png"),
    ("accept-balances",),
)


@cache
def _arguments() -> tuple[bytes, ...]:
    return tuple("\n".join(words).encode() for words in _LINES)


def _began(*_words: Any, **_named: Any) -> None:
    raise typer.Exit(0)


def _tamed(app: typer.Typer) -> Any:
    """Return the command line's own commands; what would leave this process ends where it would begin."""
    command: Any = get_command(app)
    pending: list[Any] = [command]
    while pending:
        each = pending.pop()
        if each.name in _NOT_BEGUN:
            each.callback = _began
        pending += list(getattr(each, "commands", {}).values())
    invoke = command.invoke

    def no_window(context: Any) -> Any:
        if not (*context._protected_args, *context.args) and not context.params.get("version"):
            raise typer.Exit(0)
        return invoke(context)

    command.invoke = no_window
    return command


@contextlib.contextmanager
def _cli(folder: Path) -> Iterator[Meet]:
    work = folder / "work"
    work.mkdir(exist_ok=True)
    environment = dict(os.environ)
    os.environ.update(GRIDBOT_HOME=str(folder / "home"), TERM="dumb")
    vars(cli)["get_command"] = _tamed
    try:
        yield _cli_meet(work)
    finally:
        vars(cli)["get_command"] = get_command
        os.environ.clear()
        os.environ.update(environment)


def _cli_meet(work: Path) -> Meet:
    def meet(content: bytes) -> bool:
        words = [_harmless(word) for word in content.decode("utf-8", "surrogateescape").split("\n")]
        _fresh(work)
        before = Path.cwd()
        os.chdir(work)
        said, told = io.StringIO(), io.StringIO()
        try:
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(told):
                code = cli.ending(words)
        finally:
            os.chdir(before)
        assert code != EXIT_BUG and "Traceback" not in told.getvalue(), f"{words}: {told.getvalue()[-2_000:]}"
        assert code == 0 or told.getvalue() or said.getvalue(), f"{words} ended with {code} and without a word"
        return code == 0

    return meet


def _harmless(word: str) -> str:
    """Return the word with no way out of the folder, and without the one character that no system passes on."""
    return word.replace("/", "_").replace("\\", "_").replace("~", "_").replace("..", "_").replace("\x00", "")


def _fresh(work: Path) -> None:
    for name, content in _files().items():
        (work / name).write_bytes(content)


@cache
def _files() -> dict[str, bytes]:
    from tests.fuzz.file_targets import _configurations, _csv

    example, _, grid = _configurations()
    return {"config.json": example, "grid.json": grid, "candles.csv": _csv()[0]}


CLI_TARGETS = (Target("command line", 10, _arguments, _cli),)
