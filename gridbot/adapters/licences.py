"""The licences of everything that is shipped, read from what is really installed, not from a list that grows old.

A packaged application brings more than Python packages (Qt, Python, libraries of the system that it was built on), so
the build writes its whole list into a folder of its own, which is then what is read.
"""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path

import orjson

from gridbot.core.values import value
from gridbot.errors import EnvironmentProblem

OURS = "gridbot"
INDEX = "index.json"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_FILE = re.compile(r"(?:licen[cs]e|copying|notice|authors)[\w.-]*", re.IGNORECASE)
_ONLY_EXTRA = re.compile(r"\bextra\s*==")
_UNKNOWN = "not named"
NO_TEXT = "This package ships no text of its licence."


@value
class Shipped:
    """One package: its name, version, the licence's name, and the whole text of its licence files."""

    name: str
    version: str
    licence: str
    text: str


def shipped(root: str = OURS) -> tuple[Shipped, ...]:
    """Return the package `root`, what it needs in turn, and Python itself; its own first, the rest by name."""
    found: dict[str, Shipped] = {}
    waiting = [root]
    while waiting:
        name = waiting.pop()
        key = _key(name)
        if key in found:
            continue
        try:
            package = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            # Needed on another system only.
            continue
        found[key] = Shipped(package.metadata["Name"], package.version, _licence(package), _text(package))
        waiting += _needs(package)
    ours = found.pop(_key(root), None)
    rest = [*found.values(), _python()]
    return (*(() if ours is None else (ours,)), *sorted(rest, key=lambda each: each.name.lower()))


def write_folder(folder: Path, parts: Sequence[Shipped]) -> None:
    """Write one file for each part, and the index of them all, into a folder that is there."""
    index = []
    for part in parts:
        file = f"{part.name}.txt"
        (folder / file).write_text(f"{part.name} {part.version}\nLicence: {part.licence}\n\n{part.text}\n", "utf-8")
        index.append({"name": part.name, "version": part.version, "licence": part.licence, "file": file})
    (folder / INDEX).write_bytes(orjson.dumps(index, option=orjson.OPT_INDENT_2))


def read_folder(folder: Path) -> tuple[Shipped, ...]:
    """Return what `write_folder` wrote, in its order; EnvironmentProblem where a file of it is missing or damaged."""
    try:
        index = orjson.loads((folder / INDEX).read_bytes())
        return tuple(
            Shipped(
                each["name"],
                each["version"],
                each["licence"],
                (folder / each["file"]).read_text("utf-8").partition("\n\n")[2].strip(),
            )
            for each in index
        )
    except (OSError, ValueError, KeyError, TypeError) as damaged:
        raise EnvironmentProblem(
            f"The licences beside the program, in {folder}, cannot be read: {damaged}.",
            hint="Install gridbot again: its folder is not as it was built.",
        ) from damaged


def _needs(package: metadata.Distribution) -> Iterator[str]:
    for line in package.requires or ():
        found = _NAME.match(line)
        if found is not None and _ONLY_EXTRA.search(line) is None:
            yield found[0]


def _key(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _licence(package: metadata.Distribution) -> str:
    """Return the licence's name: the expression, else the classifiers', else the first line of the old field."""
    said = package.metadata
    expression = said.get_all("License-Expression")
    if expression:
        return str(expression[0])
    classified = [each.rpartition(" :: ")[2] for each in said.get_all("Classifier") or () if "License ::" in each]
    named = [each for each in classified if each != "OSI Approved"]
    if named:
        return ", ".join(named)
    old = " ".join(map(str, said.get_all("License") or ())).strip()
    return (old or _UNKNOWN).splitlines()[0][:80]


def _text(package: metadata.Distribution) -> str:
    texts = []
    for file in package.files or ():
        if _FILE.fullmatch(file.name) is None or file.suffix == ".py":
            continue
        if ".dist-info" not in str(file) and len(file.parts) > 2:
            # Of something that this package carries along, which its own files name.
            continue
        text = _read(Path(str(file.locate())))
        if text:
            texts.append(text)
    return "\n\n".join(dict.fromkeys(texts)) or NO_TEXT


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _python() -> Shipped:
    folder = Path(sys.base_prefix) / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    text = next(
        (text for path in (folder / "LICENSE.txt", Path(sys.base_prefix) / "LICENSE.txt") if (text := _read(path))), ""
    )
    return Shipped("Python", platform.python_version(), "PSF-2.0", text or NO_TEXT)
