"""A real process is killed at the door of every system call that writes; recovery finds all that was acknowledged.

`make soak ARGS="-n0 tests/kill9/test_boundaries.py"` is the whole: every such call of each life below.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from gridbot.adapters.files.disk import SystemDisk
from gridbot.adapters.files.home import Home
from gridbot.core.units import Mode, TimeMs
from gridbot.shell.state_keeper import recover
from gridbot.shell.status import NoHistory
from tests.golden.account import found_in
from tests.golden.make import golden_account
from tests.kill9.aftermath import Aftermath
from tests.kill9.boundaries import Killer, killer
from tests.kill9.workload import lived

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows has no SIGKILL, and processes there end otherwise"
)
GOLDEN = Path(__file__).resolve().parents[1] / "golden"
TIME = TimeMs(1_763_700_000_000)
Check = Callable[[Path, tuple[str, ...]], None]
SHARE = 10
"""`make test` kills at every tenth of the moments."""


@pytest.fixture(scope="module")
def killing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killer]:
    with killer(tmp_path_factory.mktemp("killing")) as made:
        yield made


@pytest.fixture
def room() -> Iterator[Path]:
    """A folder in memory where the machine has one: what a killed process wrote is there as on a disk, and sooner."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as name:
        yield Path(name)


def first_life(seed: int, home: Path) -> Check:
    home.mkdir()
    return lambda place, told: Aftermath(place, told, seed=seed, before=0, prefixes=()).check()


def second_life(seed: int, home: Path) -> Check:
    given = lived(home, seed=seed, upto=20)
    return lambda place, told: Aftermath(place, told, seed=seed, before=20, prefixes=(given,)).check()


def life_of_form(form: int, home: Path) -> Check:
    shutil.copytree(GOLDEN / f"schema-{form}" / "crashed", home)
    wanted = found_in(recover(golden_account(home), mode=Mode.DEMO, notes=NoHistory()))

    def check(place: Path, told: tuple[str, ...]) -> None:
        found = found_in(recover(golden_account(place), mode=Mode.DEMO, notes=NoHistory()))
        assert found == wanted, told
        given = [word.removeprefix("prefix ") for word in told if word.startswith("prefix ")]
        folder = golden_account(place)
        folder.acquire()
        folder.load()
        again = folder.next_prefix(Home(place).install_id(SystemDisk()), TIME)
        folder.release()
        assert all(again > each for each in given)

    return check


LIVES: dict[str, tuple[int, Callable[[int, Path], Check]]] = {
    "a first life": (3, first_life),
    "another first life": (8, first_life),
    "a life behind a killed one": (3, second_life),
    "another life behind a killed one": (8, second_life),
    **{f"files of form {form}": (form, life_of_form) for form in (1, 2, 3)},
}


@pytest.mark.parametrize("share", [SHARE, pytest.param(1, marks=[pytest.mark.soak, pytest.mark.timeout(3_600)])])
@pytest.mark.parametrize("name", LIVES)
def test_killed_at_every_call_that_writes_it_has_all_that_it_acknowledged(
    killing: Killer, tmp_path: Path, room: Path, record_property: Callable[[str, object], None], name: str, share: int
) -> None:
    base = tmp_path / "base"
    seed, begin = LIVES[name]
    check = begin(seed, base)
    kills = recovered = missed = 0
    for turn in (True, False):
        whole = room / f"whole-{turn}"
        shutil.copytree(base, whole)
        for moment in killing.moments(whole, seed=seed, turn=turn)[int(turn) :: share]:
            home = room / "home"
            shutil.copytree(base, home, dirs_exist_ok=True)
            ended = killing.end(home, moment, seed=seed, turn=turn)
            kills, missed = kills + ended.killed, missed + (not ended.killed)
            with ExitStack() as failed:
                failed.callback(_keep, home, tmp_path / "kept", f"{name}, {moment}: {ended.told} {ended.log[-2_000:]}")
                check(home, ended.told)
                failed.pop_all()
            recovered += ended.killed
            shutil.rmtree(home)
    record_property("told", f"SIGKILL of {name}: {kills} kills, {recovered} recovered, {killing.how}.")
    assert kills == recovered > missed // 3, (kills, recovered, missed)


def _keep(home: Path, kept: Path, what: str) -> None:
    shutil.copytree(home, kept)
    sys.stderr.write(f"{what}\nThe folder is kept: {kept}\n")
