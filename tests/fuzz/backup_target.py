"""Backups: the zip file as bytes, and a whole one whose manifest says something else."""

from __future__ import annotations

import io
import zipfile
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from gridbot.adapters.config_files import save
from gridbot.adapters.files.backup_file import MANIFEST, open_backup, write_backup
from gridbot.adapters.files.disk import SystemDisk
from gridbot.bootstrap import read_account
from gridbot.config import default_config
from gridbot.core.units import TimeMs
from gridbot.errors import GridbotError, StateFileError
from tests.fakes.account_on_disk import WalkedAccount
from tests.fuzz.target import Meet, Target, simply

_ZIP = b"PK"


@cache
def _sound() -> bytes:
    with TemporaryDirectory() as name:
        home, target = Path(name, "home"), Path(name, "sound.zip")
        save(home / "config.json", default_config())
        WalkedAccount(home, seed=3).trade(6, 6)
        write_backup(SystemDisk(), home, target, now=TimeMs(1_763_700_000_000), load=read_account, with_logs=False)
        return target.read_bytes()


@cache
def _contents() -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(_sound())) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


@cache
def _corpus() -> tuple[bytes, ...]:
    return _sound(), _contents()[MANIFEST]


def _with_manifest(manifest: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as packed:
        for name, content in _contents().items():
            packed.writestr(name, manifest if name == MANIFEST else content)
    return made.getvalue()


def _backup(folder: Path) -> Meet:
    path = folder / "saved.zip"

    def meet(content: bytes) -> bool:
        path.write_bytes(content if content[:2] == _ZIP else _with_manifest(content))
        try:
            backup = open_backup(path)
            backup.verify(read_account)
        except StateFileError as refused:
            assert "saved.zip" in refused.message
            return False
        except GridbotError as refused:
            assert refused.message
            return False
        assert {*backup.manifest.files, MANIFEST} == set(_contents()), "another set of files was believed"
        assert all(backup.read((name,))[name] == _contents()[name] for name in backup.manifest.files)
        return True

    return meet


BACKUP_TARGETS = (Target("backup", 20, _corpus, simply(_backup)),)
