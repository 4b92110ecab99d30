"""Pages that are written from code are what would be written now, and links between pages lead somewhere."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import fields
from pathlib import Path
from types import ModuleType

import pytest

from gridbot.config import schema_reference
from gridbot.core.events import KillKind
from gridbot.core.orders import TERMINAL, TRANSITIONS, OrderState
from gridbot.core.rules import RiskRules
from gridbot.core.state import Level

ROOT = Path(__file__).resolve().parent.parent
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_order_page_is_what_the_table_says() -> None:
    assert script("generate_diagrams").main(["--check"]) == 0


def test_the_strategys_pictures_are_what_the_strategys_code_draws() -> None:
    assert script("strategy_pictures").main(["--check"]) == 0


def test_the_diagram_shows_every_move_once_and_every_end() -> None:
    lines = script("generate_diagrams").diagram().splitlines()
    moves = {(state, becomes) for state, facts in TRANSITIONS.items() for becomes in facts.values() if becomes != state}
    drawn = [line.strip() for line in lines if "-->" in line and "[*]" not in line]
    assert {tuple(line.partition(":")[0].split(" --> ")) for line in drawn} == {(a.name, b.name) for a, b in moves}
    assert len(drawn) == len(moves)
    assert {line.strip() for line in lines if line.endswith("--> [*]")} == {f"{s.name} --> [*]" for s in TERMINAL}
    assert f"[*] --> {OrderState.PLANNED.name}" in "\n".join(lines)


def test_a_page_without_its_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="diagram"):
        script("generate_diagrams").rendered("# A page\n")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_between_pages_lead_to_a_file(page: Path) -> None:
    targets = [link for link in LINK.findall(page.read_text("utf-8")) if "://" not in link]
    broken = [link for link in targets if not link.startswith("#") and not (page.parent / link.split("#")[0]).exists()]
    assert broken == []


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_to_a_heading_find_it(page: Path) -> None:
    broken = []
    for link in LINK.findall(page.read_text("utf-8")):
        name, hash_sign, heading = link.partition("#")
        if "://" in link or not hash_sign:
            continue
        target = page.parent / name if name else page
        if target.suffix == ".md" and heading not in anchors(target):
            broken.append(link)
    assert broken == []


def test_the_strategy_page_names_every_setting_of_a_grid_with_its_default() -> None:
    rows = re.findall(r"^\| `([\w.]+)` \| (.*?) \|", (ROOT / "GRID_STRATEGY.md").read_text("utf-8"), re.MULTILINE)
    wanted = {
        setting.path.removeprefix("grids[]."): setting.default
        for setting in schema_reference()
        if setting.path.startswith("grids[].")
    }
    assert {name: default.strip("`") for name, default in rows} == wanted


def test_the_risk_page_names_every_denial_every_setting_and_every_kind_of_kill() -> None:
    page = (ROOT / "docs" / "risk.md").read_text("utf-8")
    source = (ROOT / "gridbot" / "core" / "risk.py").read_text("utf-8")
    codes = set(re.findall(r"Denial\(\s*\"(\w+)\"", source))
    assert len(codes) > 10
    settings = {field.name for field in fields(RiskRules)} - {"equity_asset"}
    named = codes | settings | {kind.value for kind in KillKind} | {level.name for level in Level}
    assert sorted(word for word in named if not re.search(rf"\b{word}\b", page)) == []
    gate = page.partition("## Breakers")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", gate, re.MULTILINE)) == codes
