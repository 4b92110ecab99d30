"""From the text of a configuration file to its value, or to all of its mistakes at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, TypeVar

from gridbot.config.app import SCHEMA, AppConfig
from gridbot.config.fields import ConfigModel
from gridbot.config.grid import GridConfig
from gridbot.config.mistakes import Path, known_keys, path_text, shown, validated
from gridbot.config.secret_values import MASK, secrets_in
from gridbot.errors import ConfigError, Mistake

_Model = TypeVar("_Model", bound=ConfigModel)

MAX_CHARACTERS = 2_000_000
"""Far above any real configuration (200 grids are 300,000); what is longer is another kind of file."""

_PLAIN_SYNTAX = {
    "Expecting value": "a value is missing here, or is not one (text needs quotes; true, false and null do not)",
    "Expecting property name enclosed in double quotes": (
        "a key in double quotes is expected here, or the comma before it is too many"
    ),
    "Illegal trailing comma before end of object": "the comma before this } is too many",
    "Illegal trailing comma before end of array": "the comma before this ] is too many",
    "Expecting ',' delimiter": "a comma is missing before this",
    "Expecting ':' delimiter": "a colon is missing before this",
    "Extra data": "the configuration has ended here, but something follows",
    "Unterminated string starting at": "this text has no closing quote",
    "Invalid control character at": "a line break or tab stands inside a text",
    "Invalid \\escape": "a backslash inside a text must be written twice",
}


class _Object(dict[str, Any]):
    """A JSON object that remembers which of its keys were written more than once."""

    repeated: tuple[str, ...] = ()


def parse_config(text: str, *, source: str) -> AppConfig:
    """Return the application's configuration; ConfigError with every mistake. `source` names the file in messages."""
    data = _read_json(text, source=source)
    _refuse_newer(data, source=source)
    return checked(AppConfig, data, source=source)


def parse_grid_or_app(text: str, *, source: str) -> AppConfig:
    """Return the configuration in `text`, which is a whole application's or a single grid's; else ConfigError.

    A single grid becomes a configuration with this grid alone; the paths of its mistakes are the grid's own.
    """
    data = _read_json(text, source=source)
    if not isinstance(data, dict) or not _is_grid(data):
        _refuse_newer(data, source=source)
        return checked(AppConfig, data, source=source)
    return AppConfig(grids=(checked(GridConfig, data, source=source),))


def checked(model: type[_Model], data: Any, *, source: str) -> _Model:
    """Return `data` as `model`; ConfigError with every mistake, repeated keys and secrets too."""
    first = [*_repeated_keys(data), *_secrets(data)]
    made, others = validated(model, data)
    taken = {mistake.path for mistake in first}
    found = (*first, *(mistake for mistake in others if mistake.path not in taken))
    if found or made is None:
        raise config_error(found, source=source)
    return made


def config_error(mistakes: tuple[Mistake, ...], *, source: str) -> ConfigError:
    """Return the error that tells all mistakes, one a line."""
    count = "1 mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
    lines = "\n".join(f"  {mistake.sentence()}" for mistake in mistakes)
    hint = "Correct it and try again; docs/configuration.md explains every key."
    return ConfigError(f"{source} has {count}:\n{lines}", hint=hint, mistakes=mistakes)


def _is_grid(data: dict[str, Any]) -> bool:
    """Tell whether an object is meant as a single grid: by what only a grid has, else by which has more of its keys."""
    if "grids" in data:
        return False
    if "symbol" in data or "investment" in data:
        return True
    return len(data.keys() & set(known_keys(GridConfig))) > len(data.keys() & set(known_keys(AppConfig)))


def _read_json(text: str, *, source: str) -> Any:
    # Some editors put a mark before the first character; it means nothing.
    text = text.removeprefix("\ufeff")
    if not text.strip():
        raise _unreadable("the file is empty", "nothing", source=source)
    if len(text) > MAX_CHARACTERS:
        raise _unreadable("is far too long for a configuration", f"{len(text)} characters", source=source)
    try:
        return json.loads(text, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        reason = _PLAIN_SYNTAX.get(error.msg.partition(": ")[0], error.msg)
        raise _unreadable(reason, _line_at(error), source=source, place=place) from error
    except RecursionError as error:
        raise _unreadable("is nested too deeply for a configuration", "brackets", source=source) from error
    except ValueError as error:  # Python refuses to read a number of thousands of digits
        raise _unreadable("holds a number of far too many digits", "a number", source=source) from error


def _line_at(error: json.JSONDecodeError) -> str:
    line = error.doc.splitlines()[error.lineno - 1] if error.doc.splitlines()[error.lineno - 1 :] else ""
    words = [word.strip("\",:'") for word in line.split()]
    return MASK if any(True for _ in secrets_in(words)) else shown(line.strip(), ())


def _unreadable(reason: str, value: str, *, source: str, place: str = "the whole file") -> ConfigError:
    return config_error((Mistake(path=place, value=value, reason=reason),), source=source)


def _object(pairs: list[tuple[str, Any]]) -> _Object:
    made = _Object(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        made.repeated = tuple(name for name in made if names.count(name) > 1)
    return made


def _repeated_keys(data: Any, path: Path = ()) -> Iterator[Mistake]:
    if isinstance(data, dict):
        for key in data.repeated if isinstance(data, _Object) else ():
            place = (*path, key)
            reason = "is written more than once in the same object; keep one (the last one is shown)"
            yield Mistake(path=path_text(place), value=shown(data[key], place), reason=reason)
        for key, item in data.items():
            yield from _repeated_keys(item, (*path, key))
    elif isinstance(data, list):
        for index, item in enumerate(data):
            yield from _repeated_keys(item, (*path, index))


def _secrets(data: Any) -> Iterator[Mistake]:
    for path, reason in secrets_in(data):
        yield Mistake(path=path_text(path), value=MASK, reason=reason)


def _refuse_newer(data: Any, *, source: str) -> None:
    """Refuse a file of a later form at once: its other differences are no mistakes."""
    schema = data.get("schema") if isinstance(data, dict) else None
    if isinstance(schema, int) and not isinstance(schema, bool) and schema > SCHEMA:
        reason = f"was made by a newer gridbot; this one knows schema {SCHEMA}"
        mistake = Mistake(path="schema", value=str(schema), reason=reason)
        hint = "Install the newer version again, or begin with `gridbot config init`."
        raise ConfigError(f"{source} {reason} (found {schema}).", hint=hint, mistakes=(mistake,))
