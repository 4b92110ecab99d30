"""Every command that a document tells a reader to type is one that exists."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import io
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer
from typer.main import get_command

ROOT = Path(__file__).resolve().parent.parent
FENCE = re.compile(r"^ *```(?:sh|shell|bash|console|text)?\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
MAKE_VARIABLES = {"ARGS", "PYTHON", "SEEDS", "SEED", "FIRST_SEED", "HOURS", "GRIDS", "WEATHER", "INPUTS", "SHRINK"}


@dataclass(frozen=True, slots=True)
class Typed:
    """One command as a document shows it."""

    document: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.document}: {shlex.join(self.words)}"


def documents() -> list[Path]:
    named = [ROOT / name for name in ("README.md", "README_PROD.md", "CONTRIBUTING.md", "GRID_STRATEGY.md")]
    return [path for path in (*named, *sorted((ROOT / "docs").rglob("*.md"))) if path.is_file()]


def split_shell(line: str) -> Iterator[tuple[str, ...]]:
    """Yield the simple commands of a line, without leading variable assignments and redirections."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="&|;")
    lexer.whitespace_split = True
    words: list[str] = []
    for word in (*lexer, ";"):
        if set(word) <= set("&|;"):
            while words and re.match(r"\w+=", words[0]):
                words.pop(0)
            if words:
                yield tuple(words)
            words = []
        else:
            words.append(word)


def commands_of(document: str, text: str) -> Iterator[Typed]:
    for fence in FENCE.findall(text):
        for line in re.sub(r"\\\n\s*", " ", fence).splitlines():
            typed = line.strip().removeprefix("$ ").removeprefix("# ")
            if re.match(r"(\w+=\S* )*(\S*/)?(make|gridbot|python3?(\.exe)?)\b", typed):
                yield from (Typed(document, words) for words in split_shell(typed))


def as_gridbot_arguments(words: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return what gridbot's command line would be given, or None if this starts something else."""
    program = re.split(r"[/\\]", words[0])[-1].removesuffix(".exe")
    if program == "gridbot":
        return words[1:]
    if program.startswith("python") and words[1:3] == ("-m", "gridbot"):
        return words[3:]
    if program.startswith("python") and words[1:3] == ("scripts/dev.py", "run"):
        return words[3:]
    if program == "make" and "run" in words[1:]:
        given = [word.removeprefix("ARGS=") for word in words[1:] if word.startswith("ARGS=")]
        return tuple(shlex.split(" ".join(given)))
    return None


def make_targets() -> set[str]:
    (phony,) = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    return set(phony.split())


def wrong_make_words(words: tuple[str, ...]) -> list[str]:
    """Return the words of a make command that name no target and no variable."""
    known = make_targets()
    return [word for word in words[1:] if word not in known and word.partition("=")[0] not in MAKE_VARIABLES]


def refusal_of(app: typer.Typer, arguments: tuple[str, ...]) -> str:
    """Return what the command line says against these arguments; nothing is run, and "" means that they parse."""
    command = get_command(app)
    pending = [command]
    while pending:
        each = pending.pop()
        each.callback = None
        pending += list(getattr(each, "commands", {}).values())
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()), pytest.raises(SystemExit) as end:
        command.main(args=list(arguments), prog_name="gridbot")
    text = said.getvalue()
    # A reader's own file is not here; that its name was understood is what counts.
    return "" if end.value.code in {0, None} or "does not exist" in text else text


ALL = [typed for path in documents() for typed in commands_of(path.name, path.read_text("utf-8"))]
MAKE = [typed for typed in ALL if typed.words[0] == "make"]
GRIDBOT = [typed for typed in ALL if as_gridbot_arguments(typed.words) is not None]


@pytest.fixture(scope="module")
def app() -> typer.Typer:
    if importlib.util.find_spec("gridbot.cli") is None:
        pytest.skip("There is no gridbot/cli.py in this tree, so no command line to hold the documents to.")
    values = vars(importlib.import_module("gridbot.cli")).values()
    (found,) = {id(value): value for value in values if isinstance(value, typer.Typer)}.values()
    return found


def test_the_documents_show_commands() -> None:
    assert {"check", "test", "run"} <= {word for typed in MAKE for word in typed.words}


@pytest.mark.parametrize("typed", MAKE, ids=str)
def test_a_make_command_in_a_document_names_a_target(typed: Typed) -> None:
    assert wrong_make_words(typed.words) == [], typed


@pytest.mark.parametrize("typed", GRIDBOT, ids=str)
def test_a_gridbot_command_in_a_document_parses(typed: Typed, app: typer.Typer) -> None:
    arguments = as_gridbot_arguments(typed.words)
    assert arguments is not None
    refusal = refusal_of(app, arguments)
    assert not refusal, f"{typed}\n{refusal}"


def test_commands_are_read_out_of_fences_only() -> None:
    text = "Use `make no-such`.\n\n```sh\n$ A=1 make run ARGS='--x 1' && gridbot status \\\n    --json # why\nls\n```\n"
    found = [typed.words for typed in commands_of("x.md", text)]
    assert found == [("make", "run", "ARGS=--x 1"), ("gridbot", "status", "--json")]
    assert as_gridbot_arguments(found[0]) == ("--x", "1")
    assert as_gridbot_arguments((".venv/bin/python", "-m", "gridbot", "run")) == ("run",)
    assert as_gridbot_arguments(("make", "test")) is None


def test_an_unknown_target_is_found() -> None:
    assert wrong_make_words(("make", "test", "ARGS=-x", "paint", "SPEED=1")) == ["paint", "SPEED=1"]


def example() -> typer.Typer:
    example_app = typer.Typer()

    @example_app.callback(invoke_without_command=True)
    def window(*, exit_after: float = 0.0) -> None:
        raise AssertionError(f"the command was run with {exit_after}")

    @example_app.command()
    def status(*, json: bool = False) -> None:
        raise AssertionError(f"the command was run with {json}")

    return example_app


@pytest.mark.parametrize("arguments", [(), ("--exit-after", "5"), ("status",), ("status", "--json"), ("--help",)])
def test_a_command_line_that_exists_is_accepted_and_not_run(arguments: tuple[str, ...]) -> None:
    assert refusal_of(example(), arguments) == ""


@pytest.mark.parametrize("arguments", [("stats",), ("status", "--jsn"), ("--exit-after",), ("status", "file")])
def test_a_command_line_that_does_not_exist_is_found(arguments: tuple[str, ...]) -> None:
    assert refusal_of(example(), arguments) != ""
