"""The licences of what is shipped: from the installed packages, and from the folder that a build wrote."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridbot.adapters.licences import INDEX, Shipped, read_folder, write_folder
from gridbot.errors import EnvironmentProblem

WORDS = st.text(st.characters(categories=("L", "N"), include_characters=" .-"), min_size=1).map(str.strip).filter(bool)
# Line ends are those of the file's own system, and a text ends where its last letter is.
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\r\x0b\x0c\x1c\x1d\x1e\x85")).map(str.strip)


@given(st.lists(st.tuples(WORDS, WORDS, TEXTS)))
def test_what_is_written_into_the_folder_is_read_again(tmp_path_factory: pytest.TempPathFactory, told: object) -> None:
    assert isinstance(told, list)
    parts = tuple(Shipped(f"part-{number}", *each) for number, each in enumerate(told))
    folder = tmp_path_factory.mktemp("licences")
    write_folder(folder, parts)
    assert read_folder(folder) == parts


@pytest.mark.parametrize("damage", ["index gone", "index cut", "no list", "text gone"])
def test_a_folder_that_is_not_as_it_was_built_is_refused_in_a_sentence(tmp_path: Path, damage: str) -> None:
    write_folder(tmp_path, [Shipped("numpy", "2", "BSD", "Text.")])
    index = tmp_path / INDEX
    match damage:
        case "index gone":
            index.unlink()
        case "index cut":
            index.write_bytes(index.read_bytes()[:20])
        case "no list":
            index.write_bytes(b"[7]")
        case _:
            (tmp_path / "numpy.txt").unlink()
    with pytest.raises(EnvironmentProblem, match="cannot be read") as refused:
        read_folder(tmp_path)
    assert "Install gridbot again" in refused.value.hint
