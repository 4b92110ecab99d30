"""The rooms' own eyes: a key that stands in a file is found, plain or packed."""

from __future__ import annotations

import gzip
from pathlib import Path

from tests.live.rooms import where_told


def test_a_key_is_found_wherever_it_stands(tmp_path: Path) -> None:
    home = tmp_path / "home" / "logs"
    home.mkdir(parents=True)
    (tmp_path / "said.txt").write_text("nothing", "utf-8")
    assert where_told(tmp_path, ("secret",)) == []
    (home / "a.jsonl").write_text('{"message":"a secret"}', "utf-8")
    with gzip.open(home / "b.jsonl.gz", "wb") as packed:
        packed.write(b"another secret")
    (tmp_path / "said.txt").write_text("the secret was said", "utf-8")
    assert {each.name for each in where_told(tmp_path, ("secret",))} == {"a.jsonl", "b.jsonl.gz", "said.txt"}
