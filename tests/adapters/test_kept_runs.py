"""Kept backtests on the disk: newest first, deleted and put back, damaged and newer ones left out with a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from gridbot.adapters.files.disk import SystemDisk
from gridbot.adapters.files.kept_runs import KeptRuns
from gridbot.errors import StateFileError


def kept(folder: Path) -> KeptRuns:
    runs = KeptRuns(SystemDisk(), folder)
    for id_ in ("20260101-000000-a", "20260301-000000-b", "20260201-000000-c"):
        runs.save(id_, {"made": 1}, {"curves": [id_]})
    return runs


def test_a_folder_that_is_not_there_holds_no_runs(tmp_path: Path) -> None:
    assert KeptRuns(SystemDisk(), tmp_path / "none").ids() == []


def test_runs_are_told_newest_first_and_read_again(tmp_path: Path) -> None:
    runs = kept(tmp_path)
    assert runs.ids() == ["20260301-000000-b", "20260201-000000-c", "20260101-000000-a"]
    assert runs.head("20260301-000000-b")["made"] == 1
    assert runs.rest("20260101-000000-a")["curves"] == ["20260101-000000-a"]


def test_a_taken_id_gets_a_number(tmp_path: Path) -> None:
    runs = kept(tmp_path)
    assert runs.free_id("20260101-000000-a") == "20260101-000000-a-2"
    runs.delete("20260101-000000-a")
    assert runs.free_id("20260101-000000-a") == "20260101-000000-a-2", "a deleted one may come back"
    assert runs.free_id("x") == "x"


def test_a_deleted_run_comes_back_whole_until_it_is_purged(tmp_path: Path) -> None:
    runs = kept(tmp_path)
    runs.delete("20260201-000000-c")
    assert "20260201-000000-c" not in runs.ids()
    runs.restore("20260201-000000-c")
    assert runs.rest("20260201-000000-c")["curves"] == ["20260201-000000-c"]
    runs.delete("20260201-000000-c")
    runs.purge()
    runs.restore("20260201-000000-c")
    assert len(runs.ids()) == 2
    assert sorted(path.name.partition(".")[0] for path in tmp_path.iterdir()) == 2 * ["20260101-000000-a"] + 2 * [
        "20260301-000000-b"
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is damaged"),
        (b"[1, 2]", "is damaged"),
        (b'{"made": 1}', "is damaged"),
        (b'{"schema": 2, "made": 1}', "another version"),
    ],
)
def test_a_damaged_or_newer_run_is_a_sentence(tmp_path: Path, content: bytes, said: str) -> None:
    runs = kept(tmp_path)
    (tmp_path / "20260101-000000-a.json").write_bytes(content)
    with pytest.raises(StateFileError, match=said):
        runs.head("20260101-000000-a")
    with pytest.raises(StateFileError, match="not there any more"):
        runs.head("never")
