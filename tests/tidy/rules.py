"""Every house rule is a function from source text to findings; a finding names the replacement."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from tests.tidy import bans


@dataclass(frozen=True, slots=True)
class Finding:
    """One place where a house rule is broken."""

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


def room_of(path: str) -> str:
    """Return the room of a module of gridbot (``shell``, ``cli``), else the top folder (``tests``).

    The command line is one room, however many files it takes: ``gridbot/cli.py`` and ``gridbot/cli_account.py``. So is
    the wiring: ``gridbot/bootstrap.py`` and ``gridbot/bootstrap_keys.py``.
    """
    parts = PurePosixPath(path).with_suffix("").parts
    if parts[0] != "gridbot" or len(parts) == 1:
        return parts[0]
    many = ("cli", "bootstrap") if len(parts) == 2 else ()
    return next((room for room in many if parts[1].startswith(f"{room}_")), parts[1])


def is_test_of_the_rules(path: str) -> bool:
    """The rules must name what they forbid."""
    return path.startswith("tests/tidy/") or path == "tests/test_tidy.py"


def check_python(path: str, source: str) -> list[Finding]:
    """Return what is wrong with one Python file; `path` is relative to the project's root, with slashes."""
    tree = ast.parse(source, path)
    found = [
        *_banned_names(path, tree),
        *_imports(path, tree),
        *_broad_handlers(path, tree),
        *_floats_in_money(path, tree),
        *_lengths(path, source, tree),
        *_first_line(path, tree),
        *_module_name(path),
        *_tests_that_cannot_fail(path, tree),
    ]
    return sorted(found, key=lambda finding: finding.line)


# --------------------------------------------------------------------------------------- banned names


def _aliases(tree: ast.Module) -> dict[str, str]:
    """Return what each imported name stands for: ``{"sleep": "time.sleep", "np": "numpy"}``."""
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.split(".")[0]
                known[alias.asname or first] = alias.name if alias.asname else first
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                known[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return known


def _dotted(node: ast.expr, known: Mapping[str, str]) -> str | None:
    """Return the full name of a name or attribute chain; None for what begins with a call or an index.

    Below a name that nobody imported nothing is known: a parameter called ``random`` is not the module.
    """
    if isinstance(node, ast.Name):
        return known.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        base = _dotted(node.value, known)
        is_local = isinstance(node.value, ast.Name) and node.value.id not in known
        return f"{'local ' if is_local else ''}{base}.{node.attr}" if base else None
    return None


def _last_name(node: ast.expr) -> str:
    return (_dotted(node, {}) or "").rpartition(".")[2]


def _is_banned(ban: bans.Ban, dotted: str | None, attribute: str | None) -> bool:
    for name in ban.names:
        if name.startswith("."):
            if attribute == name[1:]:
                return True
        elif name.endswith(".*"):
            if dotted is not None and dotted.startswith(name[:-1]):
                return True
        elif dotted == name:
            return True
    return False


def _harmless(tree: ast.Module, known: Mapping[str, str]) -> set[int]:
    """Return the ids of the nodes that only look ambient.

    They are seeded generators, such a generator's type in an annotation, ``asyncio.sleep(0)``, and a local variable
    that has the name of a builtin, as the open of a candle has.
    """
    called = {id(node.func): node for node in ast.walk(tree) if isinstance(node, ast.Call)}
    harmless: set[int] = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Name | ast.Attribute):
            continue
        name, call = _dotted(node, known), called.get(id(node))
        if call is None:
            is_local = isinstance(node, ast.Name) and node.id not in known
            if is_local or name in bans.SEEDED:
                harmless.add(id(node))
        elif name in bans.SEEDED:
            if call.args or call.keywords:
                harmless.add(id(node))
        elif name == "asyncio.sleep" and isinstance(call.args[0], ast.Constant) and call.args[0].value == 0:
            harmless.add(id(node))
    return harmless


def _banned_names(path: str, tree: ast.Module) -> Iterator[Finding]:
    known = _aliases(tree)
    harmless = _harmless(tree, known)
    room, module = room_of(path), path.removeprefix("gridbot/").removesuffix(".py")
    active = [ban for ban in bans.BANS if not {room, module} & ban.allowed]
    named: list[tuple[int, str | None, str | None]] = [
        (line, name, None) for line, name in _imported(tree) if name not in bans.SEEDED
    ]
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute) and id(node) not in harmless:
            named.append((node.lineno, _dotted(node, known), node.attr if isinstance(node, ast.Attribute) else None))
    for line, dotted, attribute in named:
        for ban in active:
            if _is_banned(ban, dotted, attribute):
                yield Finding(path, line, f"{dotted or f'.{attribute}'}: use {ban.instead}")


# -------------------------------------------------------------------------------------------- imports


def _imported(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield line and full name of everything imported, at any depth of the module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, f"{'.' * node.level}{node.module or ''}.{alias.name}") for alias in node.names)


def _is_below(name: str, roots: tuple[str, ...]) -> bool:
    return any(name == root or name.startswith(root + ".") for root in roots)


def _imports(path: str, tree: ast.Module) -> Iterator[Finding]:
    if not path.startswith("gridbot/"):
        return
    room = room_of(path)
    for line, name in _imported(tree):
        top = name.split(".")[0]
        if name.startswith("."):
            yield Finding(path, line, f"relative import {name}: use the full name, beginning with gridbot")
        if room == "core" and not _core_may_import(path, name):
            yield Finding(path, line, f"core imports {name}: use an argument or an event; core knows only pure modules")
        if room in {"gui", "service"} and top == "gridbot" and not _is_below(name, bans.GUI_MAY_KNOW):
            yield Finding(path, line, f"{room} imports {name}: use the facade and core.snapshot")
        if top in bans.QT_LIBRARIES and room != "gui":
            yield Finding(path, line, f"{room} imports {name}: use gridbot.gui, the only room that knows Qt")
        if room not in {"adapters", "bootstrap", "cli", "__main__"} and name.startswith("gridbot.adapters"):
            yield Finding(path, line, f"{room} imports {name}: use a port; gridbot/bootstrap.py hands the adapter in")
        if room == "adapters" and name.startswith("gridbot.adapters") and not _is_same_adapter(path, name):
            yield Finding(path, line, f"an adapter imports another, {name}: use a port, or join them in bootstrap")


def _core_may_import(path: str, name: str) -> bool:
    top = name.partition(".")[0]
    if top == "gridbot":
        return _is_below(name, ("gridbot.core", "gridbot.errors"))
    return top in bans.CORE_STDLIB or top in bans.CORE_EXTRA.get(path, frozenset())


def _is_same_adapter(path: str, name: str) -> bool:
    """Modules in one sub-folder of adapters are one adapter."""
    folder = PurePosixPath(path).parent.as_posix().replace("/", ".")
    return folder != "gridbot.adapters" and name.startswith(folder + ".")


# ------------------------------------------------------------------------------------ handlers, floats


def _broad_handlers(path: str, tree: ast.Module) -> Iterator[Finding]:
    if path in bans.BROAD_HANDLERS:
        return
    broad = {"Exception", "BaseException"}
    instead = "use an error of gridbot/errors.py or the library's own; only cli.py and shell/trader.py catch all"
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            caught = (
                {"bare except"} if node.type is None else {n.id for n in ast.walk(node.type) if isinstance(n, ast.Name)}
            )
            if node.type is None or caught & broad:
                yield Finding(path, node.lineno, f"except catches {', '.join(sorted(caught))}: {instead}")
        elif isinstance(node, ast.Call) and _last_name(node.func) == "suppress":
            caught = {arg.id for arg in node.args if isinstance(arg, ast.Name)}
            if caught & broad:
                yield Finding(path, node.lineno, f"suppress({', '.join(sorted(caught))}): {instead}")


def _floats_in_money(path: str, tree: ast.Module) -> Iterator[Finding]:
    if path not in bans.MONEY_MODULES:
        return
    for node in ast.walk(tree):
        is_name = isinstance(node, ast.Name) and node.id == "float"
        is_number = isinstance(node, ast.Constant) and isinstance(node.value, float)
        if is_name or is_number:
            assert isinstance(node, ast.Name | ast.Constant)
            yield Finding(
                path, node.lineno, 'float in a money module: use Decimal, made from text as in Decimal("0.1")'
            )


# --------------------------------------------------------------------------------------- form and name


def _lengths(path: str, source: str, tree: ast.Module) -> Iterator[Finding]:
    lines = source.count("\n") + (not source.endswith("\n"))
    if lines > bans.MAX_MODULE_LINES:
        yield Finding(path, 1, f"{lines} lines: use two modules of one subject each (limit {bans.MAX_MODULE_LINES})")
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > bans.MAX_FUNCTION_LINES:
                limit = f"(limit {bans.MAX_FUNCTION_LINES})"
                yield Finding(path, node.lineno, f"{node.name} has {length} lines: use two functions {limit}")


def _first_line(path: str, tree: ast.Module) -> Iterator[Finding]:
    text = ast.get_docstring(tree) or ""
    if not text.partition("\n")[0].strip():
        yield Finding(path, 1, "no docstring: use the first line to say the module's law")


def _module_name(path: str) -> Iterator[Finding]:
    words = {word for part in PurePosixPath(path).with_suffix("").parts for word in part.split("_")}
    for word in sorted(words & bans.EMPTY_NAMES):
        yield Finding(path, 1, f"the name {word} says nothing: use the name of what it is about")


_ASSERTING = ("Assert", "raises", "wait", "assert", "check", "verify", "expect", "golden")


def _tests_that_cannot_fail(path: str, tree: ast.Module) -> Iterator[Finding]:
    if not PurePosixPath(path).name.startswith("test_") or not path.startswith("tests/"):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test"):
            body = "".join(ast.dump(statement) for statement in node.body)
            if not any(word in body for word in _ASSERTING):
                yield Finding(path, node.lineno, f"{node.name} asserts nothing: use an assertion that can fail")


# ------------------------------------------------------------------------------------------------ text

_UNFINISHED = re.compile(
    r"\b(?:TO"
    r"DO|FIX"
    r"ME|XX"
    r"X|Not"
    r"Implemented(?:Error)?|(?i:not"
    r" implemented|place"
    r"holder(?!-text-color)|for"
    r" now|simp"
    r"lified))\b"
)
_MACHINE_PATH = re.compile(r"(?<![\w.~$}])/(?:work|root|home|Users|opt)/\w|\b[A-Z]:\\Users\\")
_DOWNLOAD = re.compile(r"index[-]url|find[-]links|https?://[^\s)\"'>]*(?:/simple/|\.whl\b|\.tar\.gz\b|\.tgz\b)")
_EMOJI = re.compile("[\U0001f000-\U0001faff\u2600-\u27bf\u2b50\u2b55\ufe0f]")

_TEXT_RULES = (
    (_UNFINISHED, "finish it, or leave it out and say so in the issue"),
    (_MACHINE_PATH, "use a path relative to the project, or GRIDBOT_HOME"),
    (_DOWNLOAD, "use the package's name and its version; where it comes from is the machine's own setting"),
    (_EMOJI, "use a word"),
)


def check_text(path: str, text: str) -> list[Finding]:
    """Return the words, addresses and signs that no tracked text may hold."""
    if is_test_of_the_rules(path):
        return []
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        for pattern, instead in _TEXT_RULES:
            match = pattern.search(line)
            if match:
                found.append(Finding(path, number, f"{match.group()!r}: {instead}"))
    return found


# ------------------------------------------------------------------------------------ dead definitions

# These change how a definition behaves; any other decorator hands it to someone, who then knows it.
_KEEPS_PRIVATE = frozenset(
    {
        "abstractmethod",
        "asynccontextmanager",
        "cache",
        "contextmanager",
        "dataclass",
        "dataclass_transform",
        "final",
        "lru_cache",
        "overload",
        "runtime_checkable",
        "total_ordering",
        "unique",
        "value",
        "wraps",
    }
)


def dead_definitions(sources: Mapping[str, str], *, also_named: str = "") -> list[Finding]:
    """Return the module-level functions and classes of gridbot that nothing else in `sources` names.

    `also_named` is other text that names entry points, such as pyproject.toml.
    """
    trees = {path: ast.parse(source, path) for path, source in sources.items()}
    uses: Counter[str] = Counter(re.findall(r"\w+", also_named))
    for tree in trees.values():
        uses.update(_names_in(tree))
    found = []
    for path, tree in trees.items():
        if not path.startswith("gridbot/"):
            continue
        for node in tree.body:
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                continue
            if _is_handed_over(node) or (node.name.startswith("__") and node.name.endswith("__")):
                continue
            by_itself = Counter(_names_in(node))[node.name]
            if uses[node.name] <= by_itself:
                found.append(Finding(path, node.lineno, f"nobody names {node.name}: use it or delete it"))
    return found


def _is_handed_over(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    bare = [decorator.func if isinstance(decorator, ast.Call) else decorator for decorator in node.decorator_list]
    return any(_last_name(decorator) not in _KEEPS_PRIVATE for decorator in bare)


_ANNOTATION = re.compile(r"[\w.\[\],|]{1,80}")


def _names_in(tree: ast.AST) -> Iterator[str]:
    """Yield each name that is read, imported, or written in a string that could be an annotation or an entry point."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.ImportFrom):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _ANNOTATION.fullmatch(node.value):
            yield from re.findall(r"\w+", node.value)
