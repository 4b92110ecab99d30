"""The lists of dependencies agree: pyproject.toml, the locks and docs/dependencies.md."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import gridbot

ROOT = Path(__file__).resolve().parent.parent


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def name_of(requirement: str) -> str:
    return canonical(re.split(r"[\s<>=!~\[;]", requirement, maxsplit=1)[0])


def declared() -> dict[str, set[str]]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    project = settings["project"]
    return {
        "run": {name_of(each) for each in project["dependencies"]},
        "test": {name_of(each) for each in project["optional-dependencies"]["test"]},
        "build": {name_of(each) for each in settings["build-system"]["requires"]},
        "package": {name_of(each) for each in project["optional-dependencies"]["build"]},
    }


def pins(lock: str) -> dict[str, str]:
    text = (ROOT / lock).read_text("utf-8")
    return {canonical(name): version for name, version in re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE)}


def test_the_document_gives_each_direct_dependency_its_reason_and_no_other() -> None:
    text = (ROOT / "docs" / "dependencies.md").read_text("utf-8")
    rows = re.findall(r"^\| ([\w-]+) \| (.+) \|$", text, re.MULTILINE)
    explained = {canonical(name) for name, _why in rows if name != "package"}
    assert explained == set().union(*declared().values())


def test_the_lock_to_run_pins_what_running_and_building_need() -> None:
    wanted = declared()
    assert wanted["run"] | wanted["build"] <= set(pins("requirements.txt"))


def test_the_lock_to_test_pins_all_and_agrees_with_the_lock_to_run() -> None:
    to_run, to_test = pins("requirements.txt"), pins("requirements-test.txt")
    assert declared()["test"] <= set(to_test)
    assert to_run.items() <= to_test.items()


def test_the_lock_to_package_pins_all_and_agrees_with_the_lock_to_run() -> None:
    to_run, to_package = pins("requirements.txt"), pins("requirements-build.txt")
    assert declared()["package"] <= set(to_package)
    assert to_run.items() <= to_package.items()


@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-test.txt", "requirements-build.txt"])
def test_a_lock_has_a_hash_for_each_pin_and_no_option_line(lock: str) -> None:
    text = (ROOT / lock).read_text("utf-8")
    blocks = re.split(r"^(?=[\w.-]+==)", text, flags=re.MULTILINE)[1:]
    assert blocks and all("--hash=sha256:" in block for block in blocks)
    assert not re.search(r"^-", text, re.MULTILINE)


@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-test.txt", "requirements-build.txt"])
def test_a_lock_pins_what_only_other_systems_need(lock: str) -> None:
    """A lock with hashes that misses one of these cannot be installed there at all, and no run here would show it."""
    text = (ROOT / lock).read_text("utf-8")
    for_windows = {"pywin32-ctypes", "winloop"} | ({"pefile"} if "build" in lock else {"tzdata"})
    conditions = {canonical(name): rest for name, rest in re.findall(r"^([\w.-]+)==\S+ ; (.+)$", text, re.MULTILINE)}
    assert all("win32" in conditions[name] for name in for_windows)
    assert "linux" in conditions["secretstorage"] and "colorama" in pins(lock)
    assert "build" not in lock or "darwin" in conditions["macholib"]


def test_pyside_is_pinned_to_the_last_version_that_keeps_none() -> None:
    assert pins("requirements.txt")["pyside6-essentials"] == "6.11.3"


def test_the_version_stands_the_same_in_both_places() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert settings["project"]["version"] == gridbot.__version__
