"""The house rules hold in this tree, and each rule bites on a small offender."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.tidy import bans, rules

ROOT = Path(__file__).resolve().parent.parent
CODE_FOLDERS = ("gridbot", "tests", "scripts", "benchmarks")
TEXT_ENDINGS = {
    ".py",
    ".md",
    ".toml",
    ".json",
    ".txt",
    ".yml",
    ".yaml",
    ".cfg",
    ".ini",
    ".sh",
    ".qss",
    ".svg",
    ".example",
}
LAW = '"""A law."""\n'


def project_files() -> list[str]:
    """Return the files that are, or would be, tracked; without git all files of the code folders."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    except (FileNotFoundError, subprocess.CalledProcessError):
        folders = [path for folder in CODE_FOLDERS for path in (ROOT / folder).rglob("*")]
        listed = [path.relative_to(ROOT).as_posix() for path in folders]
    return sorted(path for path in listed if path and (ROOT / path).is_file())


def python_sources() -> dict[str, str]:
    paths = [path for path in project_files() if path.endswith(".py") and path.startswith(CODE_FOLDERS)]
    return {path: (ROOT / path).read_text("utf-8") for path in paths}


def report(findings: list[rules.Finding]) -> str:
    return "\n" + "\n".join(map(str, findings))


def test_the_python_files_keep_the_house_rules() -> None:
    sources = python_sources()
    assert "gridbot/__init__.py" in sources
    findings = [finding for path, source in sources.items() for finding in rules.check_python(path, source)]
    assert not findings, report(findings)


def test_no_tracked_text_holds_unfinished_words_machine_paths_downloads_or_emoji() -> None:
    texts = [path for path in project_files() if Path(path).suffix in TEXT_ENDINGS or "." not in Path(path).name]
    assert "pyproject.toml" in texts and "Makefile" in texts
    findings = [finding for path in texts for finding in rules.check_text(path, (ROOT / path).read_text("utf-8"))]
    assert not findings, report(findings)


def test_no_definition_is_dead() -> None:
    findings = rules.dead_definitions(python_sources(), also_named=(ROOT / "pyproject.toml").read_text("utf-8"))
    assert not findings, report(findings)


def test_the_modules_that_a_rule_names_exist() -> None:
    """A rename must not lift a rule without a word."""
    missing = sorted((bans.MONEY_MODULES | bans.BROAD_HANDLERS) - set(project_files()))
    assert not missing, f"tests/tidy/bans.py names what is not there: {missing}"


# Each: where, what stands there, and a word of the replacement that the finding must name.
OFFENDERS = [
    ("gridbot/shell/x.py", "import time\nnow = time.time()", "Clock port"),
    ("gridbot/shell/x.py", "from time import time as clock", "Clock port"),
    ("gridbot/shell/x.py", "import time as t\nfactory = t.monotonic", "Clock port"),
    ("gridbot/sim/x.py", "import time\ntime.sleep(1)", "Clock port's sleep"),
    ("tests/shell/test_x.py", "import time\ntime.sleep(1)", "event that is waited for"),
    ("gridbot/shell/x.py", "import asyncio\nasync def f() -> None:\n    await asyncio.sleep(1)", "Clock port's sleep"),
    ("gridbot/gui/x.py", "from datetime import datetime\ndatetime.now()", "Clock port"),
    ("gridbot/gui/x.py", "import datetime as dt\ndt.datetime.now(dt.UTC)", "Clock port"),
    ("gridbot/sim/x.py", "import random\nrandom.random()", "random.Random(seed)"),
    ("gridbot/sim/x.py", "import random\nrandom.Random()", "random.Random(seed)"),
    ("tests/sim/test_x.py", "import numpy as np\nnp.random.normal()", "default_rng(seed)"),
    ("tests/sim/test_x.py", "import numpy as np\nnp.random.default_rng()", "default_rng(seed)"),
    ("gridbot/core/x.py", "import uuid\nuuid.uuid4()", "derived from the state"),
    ("gridbot/shell/x.py", "open('a')", "Disk port"),
    ("gridbot/research/x.py", "def f(path):\n    return path.read_text()", "Disk port"),
    ("gridbot/shell/x.py", "import os\nos.environ['HOME']", "read once"),
    ("gridbot/research/x.py", "print('a')", "gridbot/cli.py"),
    ("gridbot/shell/x.py", "eval('1')", "named functions"),
    ("tests/test_x.py", "from unittest.mock import Mock", "fake that satisfies the port"),
    ("tests/test_x.py", "from unittest import mock", "fake that satisfies the port"),
    ("gridbot/gui/x.py", "from PySide6.QtWidgets import QMessageBox\nQMessageBox.question(None)", "dialog.open()"),
    ("gridbot/gui/x.py", "def f(plot):\n    plot.showGrid()", "one item that draws"),
    ("gridbot/gui/x.py", "from PySide6.QtCore import QSortFilterProxyModel", "inside the model"),
    (
        "gridbot/gui/x.py",
        "from PySide6.QtWidgets import QHeaderView as H\nH.ResizeMode.ResizeToContents",
        "column widths",
    ),
    ("gridbot/core/x.py", "import numpy", "pure modules"),
    ("gridbot/core/x.py", "from pathlib import Path", "pure modules"),
    ("gridbot/core/x.py", "from gridbot import config", "pure modules"),
    ("gridbot/core/x.py", "from . import y", "full name"),
    ("gridbot/gui/x.py", "from gridbot.core.engine import step", "the facade"),
    ("gridbot/gui/x.py", "from gridbot.shell.trader import Trader", "the facade"),
    ("gridbot/cli.py", "from PySide6.QtCore import QTimer", "the only room that knows Qt"),
    ("gridbot/shell/x.py", "def f():\n    from gridbot.adapters.clock import SystemClock", "hands the adapter in"),
    ("gridbot/adapters/x.py", "from gridbot.adapters.clock import SystemClock", "a port"),
    ("gridbot/shell/x.py", "try:\n    f()\nexcept Exception:\n    pass", "gridbot/errors.py"),
    ("scripts/x.py", "try:\n    f()\nexcept:\n    pass", "gridbot/errors.py"),
    ("gridbot/shell/x.py", "try:\n    f()\nexcept (OSError, BaseException):\n    pass", "gridbot/errors.py"),
    ("gridbot/shell/x.py", "from contextlib import suppress\nwith suppress(Exception):\n    f()", "gridbot/errors.py"),
    ("gridbot/core/ledger.py", "cost = float('1')", "Decimal"),
    ("gridbot/core/ledger.py", "half = 0.5", "Decimal"),
    ("gridbot/core/ledger.py", "def f(cost: float) -> None: ...", "Decimal"),
    ("gridbot/core/x.py", "x = 1\n" * 400, "two modules"),
    ("gridbot/core/x.py", "def f():\n" + "    x = 1\n" * 60, "two functions"),
    ("gridbot/shell/order_utils.py", "x = 1", "name of what it is about"),
    ("gridbot/helpers/x.py", "x = 1", "name of what it is about"),
    ("tests/test_x.py", "def test_nothing():\n    f()", "assertion that can fail"),
]


@pytest.mark.parametrize(("path", "source", "instead"), OFFENDERS)
def test_a_rule_bites_and_names_the_replacement(path: str, source: str, instead: str) -> None:
    messages = [finding.message for finding in rules.check_python(path, LAW + source)]
    assert any(instead in message for message in messages), messages
    assert all(": use " in message for message in messages), messages


INNOCENTS = [
    ("gridbot/adapters/clock.py", "import time\nnow = time.time()"),
    ("gridbot/sim/x.py", "import random\nsource = random.Random(7)"),
    ("gridbot/sim/x.py", "import numpy as np\ndef f(rng: np.random.Generator): ...\nf(np.random.default_rng(7))"),
    ("gridbot/sim/x.py", "def f(random):\n    return random.random()"),
    ("gridbot/shell/x.py", "import asyncio\nasync def f() -> None:\n    await asyncio.sleep(0)"),
    ("gridbot/core/candle.py", "class Candle:\n    open: float\ndef f(open: float) -> float:\n    return open"),
    ("gridbot/core/x.py", "from decimal import Decimal\nfrom gridbot.core.units import Price\nimport gridbot.errors"),
    ("gridbot/gui/x.py", "from PySide6.QtCore import QTimer\nfrom gridbot.shell.facade import Facade"),
    ("gridbot/adapters/firi/x.py", "from gridbot.adapters.firi.signing import sign"),
    ("gridbot/cli.py", "try:\n    f()\nexcept Exception:\n    print('a')"),
    ("gridbot/core/x.py", "x = 1\n" * 399),
    ("gridbot/core/x.py", "def f():\n" + "    x = 1\n" * 59),
    ("tests/test_x.py", "def test_something():\n    assert f() == 1"),
]


@pytest.mark.parametrize(("path", "source"), INNOCENTS)
def test_a_rule_leaves_the_innocent_alone(path: str, source: str) -> None:
    assert rules.check_python(path, LAW + source) == []


def test_a_module_without_a_law_is_found() -> None:
    (finding,) = rules.check_python("gridbot/core/x.py", "x = 1\n")
    assert finding == rules.Finding("gridbot/core/x.py", 1, "no docstring: use the first line to say the module's law")


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        ("# TODO: more", "finish it"),
        ("raise NotImplementedError", "finish it"),
        ("This is a placeholder.", "finish it"),
        ("For now we wait.", "finish it"),
        ("A simplified fee.", "finish it"),
        ("see /root/gridbot/x.py", "relative to the project"),
        ("cd /home/someone/gridbot", "relative to the project"),
        ("pip install --index" + "-url x", "the package's name"),
        ("https:" + "//example.org/simple/ruff/", "the package's name"),
        ("https:" + "//example.org/files/a-1.whl", "the package's name"),
        ("Done \U0001f680", "a word"),
        ("Done \u2705", "a word"),
    ],
)
def test_a_text_rule_bites_and_names_the_replacement(text: str, instead: str) -> None:
    (finding,) = rules.check_text("docs/x.md", f"A first line.\n{text}\n")
    assert finding.line == 2 and instead in finding.message


@pytest.mark.parametrize(
    "text",
    [
        "edit.setPlaceholderText('BTC/USD')",
        "a round trip of 0.4 % \u2192 0.2 % net, \u2265 0",
        "~/.local/share/gridbot/state.json",
    ],
)
def test_a_text_rule_leaves_the_innocent_alone(text: str) -> None:
    assert rules.check_text("gridbot/gui/x.py", text) == []


def test_a_definition_that_only_calls_itself_is_dead() -> None:
    sources = {"gridbot/core/x.py": "def walk(n):\n    return walk(n - 1)\n"}
    assert [str(finding) for finding in rules.dead_definitions(sources)] == [
        "gridbot/core/x.py:1: nobody names walk: use it or delete it"
    ]


@pytest.mark.parametrize(
    ("other_path", "other"),
    [
        ("tests/core/test_x.py", "from gridbot.core.x import walk\n"),
        ("gridbot/core/y.py", "from gridbot.core import x\nx.walk()\n"),
        ("benchmarks/bench_x.py", "step: 'walk'\n"),
    ],
)
def test_a_definition_that_another_file_names_is_alive(other_path: str, other: str) -> None:
    assert rules.dead_definitions({"gridbot/core/x.py": "def walk(): ...\n", other_path: other}) == []


def test_a_definition_that_a_decorator_or_an_entry_point_takes_is_alive() -> None:
    sources = {"gridbot/cli.py": "@app.command()\ndef status(): ...\ndef main(): ...\n"}
    assert rules.dead_definitions(sources, also_named='gridbot = "gridbot.cli:main"') == []


def test_git_ignores_no_source_file() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--others", "--ignored", "--exclude-standard", "gridbot", "tests", "scripts"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert [path for path in listed if path.endswith(".py")] == []
