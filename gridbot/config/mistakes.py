"""Every mistake of a configuration at once, each with its path, its value, its reason and the nearest right word."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Iterator, Mapping
from difflib import SequenceMatcher
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from gridbot.config.fields import ConfigModel, Contradiction
from gridbot.config.secret_values import MASK, looks_secret, names_a_secret
from gridbot.errors import Mistake

Path = tuple[str | int, ...]
_Model = TypeVar("_Model", bound=ConfigModel)

ROUNDS = 50
"""How often broken values are set aside to see what is wrong behind them; each round sets at least one aside."""
SHOWN = 80
"""How many characters of a wrong value are shown."""
_STAND_IN: dict[str, Any] = {"symbol": "BTC/USDT", "investment": "10000"}


def validated(model: type[_Model], data: Any) -> tuple[_Model | None, tuple[Mistake, ...]]:
    """Return the model made from `data`, or None and all that is wrong with it.

    Contradictions are only seen between values that are right by themselves. So what is wrong is set aside, the rest
    is looked at again, and a contradiction with a value that was set aside is not reported.
    """
    rest, found, broken = copy.deepcopy(data), list[Mistake](), list[Path]()
    for _ in range(ROUNDS):
        try:
            made = model.model_validate(rest)
        except ValidationError as error:
            fresh = list(_faults(error, model, rest))
            found += [mistake for paths, mistake in fresh if not any(_touch(p, b) for p in paths for b in broken)]
            broken += [path for paths, _ in fresh for path in paths]
            if not isinstance(rest, dict) or not _set_aside(rest, [path for paths, _ in fresh for path in paths]):
                break
        else:
            return (None if found else made), tuple(found)
    return None, tuple(found)


def path_text(path: Path) -> str:
    """Return a path as people write it: grids[0].spacing.multiplier."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif part.isidentifier():
            text += f".{part}" if text else part
        else:
            text += f"[{json.dumps(part)}]"
    return text or "the whole file"


def shown(raw: Any, path: Path) -> str:
    """Return a wrong value as it stands in the file, shortened; what looks like a secret is masked."""
    if isinstance(raw, str) and (looks_secret(raw) or any(names_a_secret(str(part)) for part in path)):
        return MASK
    if isinstance(raw, (dict, list)):
        return "an object { … }" if isinstance(raw, dict) else "a list [ … ]"
    text = json.dumps(raw, ensure_ascii=False, default=str)
    # Half of a surrogate pair cannot be printed; a file may hold one as an escape.
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def nearest(word: str, known: Iterable[str], *, least: float = 0.5) -> str:
    """Return the known word that is most like `word`, or an empty string if it is not at least `least` alike (0..1).

    Most alike is the one with the fewest letters to change; of several, the one that difflib finds most similar.
    """
    folded = word[:SHOWN].lower().replace("-", "_")  # what is longer than any known word is like none of them

    def likeness(name: str) -> float:
        return SequenceMatcher(None, folded, name.lower()).ratio()

    best = min(known, key=lambda name: (_letters_to_change(folded, name.lower()), -likeness(name)), default="")
    return best if likeness(best) >= least else ""


def _letters_to_change(one: str, other: str) -> int:
    """Return the Levenshtein distance: how many letters to put in, take out or replace."""
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        before, row[0] = row[0], i
        for j, wanted in enumerate(other, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (letter != wanted))
    return row[-1]


def known_keys(model: type[BaseModel]) -> list[str]:
    """Return the keys of one object of the file, as they are written there."""
    return [field.alias or name for name, field in model.model_fields.items()]


def submodel(model: type[BaseModel], key: str) -> tuple[type[BaseModel] | None, bool]:
    """Return the model of the object (or of the list's items: True) under `key`; None if there is none."""
    field = next((field for name, field in model.model_fields.items() if (field.alias or name) == key), None)
    if field is None:
        return None, False
    for kind in (field.annotation, *get_args(field.annotation)):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind, kind in get_args(field.annotation) and ... in get_args(field.annotation)
    return None, False


def _faults(error: ValidationError, model: type[BaseModel], data: Any) -> Iterator[tuple[tuple[Path, ...], Mistake]]:
    for fault in error.errors(include_url=False):
        context: Mapping[str, Any] = fault.get("ctx", {})
        if fault["type"] == "contradiction":
            for item in context["contradictions"]:
                yield _contradiction(item, fault["loc"])
            continue
        missing = fault["type"] == "missing"
        path, raw = (fault["loc"], None) if missing else _written(fault["loc"], data)
        value = "nothing" if missing else shown(raw, path)
        reason, suggestion = _reason(fault["type"], context, fault["msg"], fault["input"])
        if fault["type"] == "extra_forbidden":
            reason, suggestion = _unknown_key(model, path)
        yield (path,), Mistake(path=path_text(path), value=value, reason=reason, suggestion=suggestion)


def _contradiction(item: Contradiction, at: Path) -> tuple[tuple[Path, ...], Mistake]:
    paths = tuple((*at, *path) for path in item.paths)
    return paths, Mistake(path=path_text(paths[0]), value=item.found, reason=item.reason, suggestion=item.suggestion)


def _reason(kind: str, context: Mapping[str, Any], message: str, raw: Any) -> tuple[str, str]:
    """Return the reason in plain words and a suggestion, for one of pydantic's kinds of error."""
    if kind == "missing":
        return "is required", ""
    if raw is None:
        return "must not be empty (null)", ""
    if kind == "value":
        return context["reason"], context["suggestion"]
    if kind in ("enum", "literal_error"):
        words = context["expected"].replace("'", "")
        return f"must be {words}", nearest(str(raw), words.replace(" or ", ", ").split(", "))
    plain = {
        "greater_than": "must be above {gt}",
        "greater_than_equal": "must be at least {ge}",
        "less_than": "must be under {lt}",
        "less_than_equal": "must be at most {le}",
        "finite_number": "must be a finite number",
        "string_type": "must be text in quotes",
        "string_unicode": "must be readable text",
        "string_too_short": "must not be empty",
        "string_too_long": "must have at most {max_length} characters",
        "tuple_type": "must be a list [ … ]",
        "model_type": "must be an object {{ … }}",
        "model_attributes_type": "must be an object {{ … }}",
        "dict_type": "must be an object {{ … }}",
    }
    return (plain[kind].format(**context) if kind in plain else message), ""


def _unknown_key(model: type[BaseModel], path: Path) -> tuple[str, str]:
    """Return why this key is refused, and the nearest key here, or the place where this very key belongs."""
    *parents, key = path
    home: type[BaseModel] | None = model
    for part in parents:
        if isinstance(part, str) and home is not None:
            home, _ = submodel(home, part)
    here = known_keys(home or model)
    reason = "is not a known key here"
    if close := nearest(str(key), here, least=0.75):
        return reason, close
    if names_a_secret(str(key)):
        return "is no key; secrets are never written into this file, only the names of stored secrets are", ""
    if elsewhere := next((p for p in _all_paths(model) if p.rpartition(".")[2] == key), ""):
        return reason, elsewhere.replace("grids[]", path_text(path[:2])) if path[0] == "grids" else elsewhere
    if close := nearest(str(key), here):
        return reason, close
    return f"{reason}; known are {', '.join(here)}", ""


def _all_paths(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for key in known_keys(model):
        yield f"{prefix}{key}"
        below, many = submodel(model, key)
        if below is not None:
            yield from _all_paths(below, f"{prefix}{key}{'[]' if many else ''}.")


def _written(path: Path, data: Any) -> tuple[Path, Any]:
    """Return the part of `path` that stands in the file, and what stands there.

    A breaker given as a plain number has no `limit` in the file.
    """
    for depth, part in enumerate(path):
        inside = isinstance(data, dict) and part in data
        if not inside and not (isinstance(data, list) and isinstance(part, int) and part < len(data)):
            return path[:depth], data
        data = data[part]
    return path, data


def _touch(one: Path, other: Path) -> bool:
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


def _set_aside(data: dict[str, Any], paths: list[Path]) -> bool:
    """Take what is broken out of `data`, so that defaults stand there; tell whether anything changed."""
    before = copy.deepcopy(data)
    for path in paths:
        _take_out(data, path)
    return data != before


def _take_out(data: dict[str, Any], path: Path) -> None:
    parents: list[Any] = [data]
    for part in path[:-1]:
        holder = parents[-1]
        inside = (isinstance(holder, dict) and part in holder) or (isinstance(holder, list) and isinstance(part, int))
        if not inside:
            return
        if not isinstance(holder[part], (dict, list)):
            # The rest of the path is not in the file: a plain number stands for the whole object.
            _take_out(data, path[: len(parents)])
            return
        parents.append(holder[part])
    if not path:
        return
    holder, last = parents[-1], path[-1]
    if isinstance(holder, list):
        if path[-2] == "grids":
            # Taken out, it would move its neighbours to other paths.
            holder[int(last)] = {"id": f"stand-in-{last}", **_STAND_IN}
        else:
            parents[-2].pop(path[-2], None)
    elif isinstance(holder, dict):
        holder.pop(last, None)
        if last in _STAND_IN:
            holder[str(last)] = _STAND_IN[str(last)]
        elif last in ("quantity", "cost") and len(path) > 1:
            parents[-2].pop(path[-2], None)
