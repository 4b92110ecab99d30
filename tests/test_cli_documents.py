"""Pages that are written from code are what would be written now, and links between pages lead somewhere."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from gridbot.core.orders import TERMINAL, TRANSITIONS, OrderState

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
