"""A saved configuration is the new one or the old one, never half of one, and only its owner's to read."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from gridbot.adapters import config_files
from gridbot.config import default_config
from gridbot.errors import ConfigError, EnvironmentProblem


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "home" / "config.json"
    config = default_config("dry", grid_preset="wide")
    config_files.save(path, config)
    assert config_files.load(path) == config
    assert config_files.read_text(path) == config.to_json()


@pytest.mark.skipif(os.name == "nt", reason="Windows has other rights than these")
def test_a_saved_file_is_its_owners_alone_even_where_the_old_one_was_not(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text("{}", "utf-8")
    path.chmod(0o644)
    config_files.save(path, default_config())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_content_is_durable_before_the_name_is_and_the_name_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "config.json"
    seen: list[tuple[str, bool]] = []
    real = os.fsync

    def watched(descriptor: int) -> None:
        kind = "folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file"
        seen.append((kind, path.exists()))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    config_files.save(path, default_config())
    assert seen[0] == ("file", False)
    assert seen[1:] == ([] if os.name == "nt" else [("folder", True)])


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "config.json"
    config_files.save(path, default_config())
    before = path.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(EnvironmentProblem, match="no space left") as caught:
        config_files.save(path, default_config("live"))
    assert caught.value.hint
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["config.json"]


def test_a_folder_that_cannot_be_made_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(EnvironmentProblem, match="cannot be saved"):
        config_files.save(tmp_path / "file" / "config.json", default_config())


@pytest.mark.skipif(os.name == "nt", reason="making links needs rights on Windows")
def test_a_link_stays_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real.json", tmp_path / "config.json"
    real.write_text("{}", "utf-8")
    link.symlink_to(real)
    config_files.save(link, default_config())
    assert link.is_symlink()
    assert config_files.load(real) == default_config()


def test_a_file_that_is_not_there_or_no_text_is_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="There is no configuration file") as caught:
        config_files.load(tmp_path / "config.json")
    assert "gridbot config init" in caught.value.hint
    with pytest.raises(ConfigError, match="is not a file"):
        config_files.load(tmp_path)
    (tmp_path / "latin.json").write_bytes(b'{"account": "\xe5se"}')
    with pytest.raises(ConfigError, match="not UTF-8 text"):
        config_files.load(tmp_path / "latin.json")


def test_the_mistakes_of_a_file_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text('\ufeff{"mode": "real"}', "utf-8")
    with pytest.raises(ConfigError) as caught:
        config_files.load(path)
    assert str(path) in caught.value.message
    assert [mistake.path for mistake in caught.value.mistakes] == ["mode"]
