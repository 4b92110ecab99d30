"""What is wrong with a running account is kept for whoever reads the disk, and is needed by nobody."""

from __future__ import annotations

from pathlib import Path

import pytest

from gridbot.adapters.files.disk import SystemDisk
from gridbot.adapters.files.kept_files import PROBLEMS, AccountName, account_files
from gridbot.adapters.files.problem_file import ProblemFile
from gridbot.core.units import Mode
from gridbot.errors import EnvironmentProblem
from gridbot.shell.noting import NotingOutlet
from tests.fakes.record import Notebook
from tests.gui.fake_facade import FakeFacade


def test_the_newest_sentences_are_read_back_and_nothing_else_is_left(tmp_path: Path) -> None:
    file = ProblemFile(SystemDisk(), tmp_path)
    assert file.read() == ()
    file.store(("One thing.", "Another thing."))
    assert file.read() == ("One thing.", "Another thing.")
    file.store(())
    assert file.read() == () and [path.name for path in tmp_path.iterdir()] == [PROBLEMS]


@pytest.mark.parametrize("content", [b"", b"{}", b"[", b"\xff"])
def test_a_file_that_cannot_be_read_says_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / PROBLEMS).write_bytes(content)
    assert ProblemFile(SystemDisk(), tmp_path).read() == ()


def test_a_backup_does_not_hold_it(tmp_path: Path) -> None:
    account = AccountName(Mode.DEMO, "default")
    (tmp_path / account.folder).mkdir(parents=True)
    ProblemFile(SystemDisk(), tmp_path / account.folder).store(("Wrong.",))
    assert list(account_files(SystemDisk(), tmp_path, account)) == []


def test_a_disk_that_refuses_takes_nothing_from_the_window() -> None:
    def refuse(_sentences: tuple[str, ...]) -> None:
        raise EnvironmentProblem("The disk is full.")

    outlet, facade = Notebook(), FakeFacade()
    noting = NotingOutlet(outlet, refuse)
    noting.publish(facade.view())
    noting.tell(())
    assert outlet.views == [facade.view()]
