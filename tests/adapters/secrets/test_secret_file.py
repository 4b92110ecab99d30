"""The encrypted file: it opens with its passphrase alone, tells damage from a wrong one, and loses nothing."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridbot.adapters.files.disk import SystemDisk
from gridbot.adapters.files.whole import save_whole
from gridbot.adapters.secrets.secret_file import FILE, LOCK, Cost, SecretFile
from gridbot.errors import EnvironmentProblem
from gridbot.ports import Disk
from tests.adapters.faulty_disk import FaultyDisk

CHEAP = Cost(rounds=1, memory_kib=64, lanes=1)
RIGHT = "four words of nonsense"
CANARY = "canary-5f1c9e77d0a84b1e"


class Told:
    """Says the passphrase that it was given, and counts how often it was asked."""

    def __init__(self, passphrase: str = RIGHT) -> None:
        self.passphrase = passphrase
        self.asked: list[bool] = []

    def __call__(self, *, new: bool) -> str:
        self.asked.append(new)
        return self.passphrase


def opened(root: Path, passphrase: str = RIGHT, *, disk: Disk | None = None) -> SecretFile:
    return SecretFile(disk or SystemDisk(), root, Told(passphrase), save_whole, cost=CHEAP)


def test_what_was_written_is_read_by_the_next_process_and_stands_nowhere_in_the_file(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.write("exchange.binance.default", CANARY)
    store.write("notify-urls", "tgram://schlüssel/ツ\n")
    again = opened(tmp_path)
    assert again.read("exchange.binance.default") == CANARY
    assert again.read("notify-urls") == "tgram://schlüssel/ツ\n"
    content = (tmp_path / FILE).read_bytes()
    assert CANARY.encode() not in content and b"tgram" not in content and RIGHT.encode() not in content
    assert b"notify-urls" in content


@pytest.mark.skipif(os.name == "nt", reason="Windows has access lists, which its own test looks at.")
def test_only_its_owner_may_read_it_before_anything_is_in_it(tmp_path: Path) -> None:
    """[I29], also where a crash left a temporary file that everybody may read."""
    leftover = tmp_path / f"{FILE}.tmp"
    leftover.write_bytes(b"")
    leftover.chmod(0o644)
    seen: list[tuple[int, int]] = []

    class Watching(FaultyDisk):
        def step(self, operation: str, path: Path) -> None:
            if operation == "write":
                seen.append((stat.S_IMODE(path.stat().st_mode), path.stat().st_size))
            super().step(operation, path)

    opened(tmp_path, disk=Watching()).write("a", CANARY)
    assert seen == [(0o600, 0)]
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


def test_nobody_is_asked_for_a_passphrase_that_is_not_needed(tmp_path: Path) -> None:
    told = Told()
    store = SecretFile(SystemDisk(), tmp_path, told, save_whole, cost=CHEAP)
    assert store.read("a") is None and not store.there()
    store.remove("a")
    assert told.asked == [] and not (tmp_path / LOCK).exists()
    store.write("a", "1")
    assert told.asked == [True] and store.there()
    assert store.read("a") == "1" and store.read("b") is None
    store.write("b", "2")
    store.remove("a")
    assert told.asked == [True] and store.read("a") is None
    later = SecretFile(SystemDisk(), tmp_path, told, save_whole, cost=CHEAP)
    assert later.read("c") is None and told.asked == [True]
    assert later.read("b") == "2" and told.asked == [True, False]


def test_a_wrong_passphrase_is_told_changes_nothing_and_is_not_remembered(tmp_path: Path) -> None:
    opened(tmp_path).write("a", CANARY)
    before = (tmp_path / FILE).read_bytes()
    told = Told("another passphrase")
    store = SecretFile(SystemDisk(), tmp_path, told, save_whole, cost=CHEAP)
    with pytest.raises(EnvironmentProblem, match="passphrase does not open"):
        store.read("a")
    with pytest.raises(EnvironmentProblem, match="passphrase does not open"):
        store.write("b", "2")
    assert (tmp_path / FILE).read_bytes() == before
    told.passphrase = RIGHT
    assert store.read("a") == CANARY


def test_accents_typed_in_another_form_are_the_same_passphrase(tmp_path: Path) -> None:
    opened(tmp_path, "blåbærsyltetøy").write("a", CANARY)
    assert opened(tmp_path, "bla\u030abærsyltetøy").read("a") == CANARY


def test_a_short_passphrase_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem, match="at least 10 characters; this one has 9"):
        opened(tmp_path, "ninechars").write("a", CANARY)
    assert not (tmp_path / FILE).exists()


def sealed_again(content: bytes, change: Callable[[dict[str, dict[str, object]]], None]) -> bytes:
    """Return the file with its JSON changed and its checksum made right again, as an attacker would."""
    head, _, body = content.partition(b"\n")
    plain = orjson.loads(body)
    change(plain)
    body = orjson.dumps(plain) + b"\n"
    return head.rsplit(b" ", 1)[0] + b" " + hashlib.sha256(body).hexdigest().encode() + b"\n" + body


def test_a_secret_is_bound_to_its_name(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.write("exchange.binance.real", "1")
    store.write("exchange.binance.practice", "2")

    def swap(plain: dict[str, dict[str, object]]) -> None:
        kept = plain["secrets"]
        real, practice = "exchange.binance.real", "exchange.binance.practice"
        kept[real], kept[practice] = kept[practice], kept[real]

    (tmp_path / FILE).write_bytes(sealed_again((tmp_path / FILE).read_bytes(), swap))
    with pytest.raises(EnvironmentProblem, match=r"changed by something else: the secret exchange\.binance\.real"):
        opened(tmp_path).read("exchange.binance.real")


@pytest.mark.parametrize(
    ("field", "value"), [("rounds", 2), ("lanes", 2), ("salt", "AAAAAAAAAAAAAAAAAAAAAA=="), ("memory_kib", 128)]
)
def test_a_key_made_otherwise_does_not_open_it(tmp_path: Path, field: str, value: object) -> None:
    opened(tmp_path).write("a", CANARY)

    def weaken(plain: dict[str, dict[str, object]]) -> None:
        plain["key"][field] = value

    (tmp_path / FILE).write_bytes(sealed_again((tmp_path / FILE).read_bytes(), weaken))
    with pytest.raises(EnvironmentProblem, match="passphrase does not open"):
        opened(tmp_path).read("a")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("memory_kib", 2**40),
        ("rounds", 10**9),
        ("lanes", 0),
        ("name", "md5"),
        ("salt", "AAAA"),
        ("salt", "?"),
        ("rounds", None),
    ],
)
def test_a_key_that_no_machine_could_make_is_damage(tmp_path: Path, field: str, value: object) -> None:
    opened(tmp_path).write("a", CANARY)

    def spoil(plain: dict[str, dict[str, object]]) -> None:
        plain["key"][field] = value

    (tmp_path / FILE).write_bytes(sealed_again((tmp_path / FILE).read_bytes(), spoil))
    with pytest.raises(EnvironmentProblem, match="damaged"):
        opened(tmp_path).read("a")


def test_every_shortened_file_is_damage_and_stays_as_it_is(tmp_path: Path) -> None:
    opened(tmp_path).write("a", CANARY)
    whole = (tmp_path / FILE).read_bytes()
    for size in range(len(whole)):
        (tmp_path / FILE).write_bytes(whole[:size])
        store = opened(tmp_path)
        with pytest.raises(EnvironmentProblem, match="damaged or cut short"):
            store.read("a")
        with pytest.raises(EnvironmentProblem, match="damaged or cut short"):
            store.write("b", "2")
        assert (tmp_path / FILE).read_bytes() == whole[:size]


@settings(max_examples=200)
@given(data=st.data())
def test_any_changed_byte_is_told_and_never_a_wrong_secret(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("secrets")
    opened(folder).write("a", CANARY)
    content = bytearray((folder / FILE).read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    (folder / FILE).write_bytes(bytes(content))
    with pytest.raises(EnvironmentProblem):
        opened(folder).read("a")


def test_a_newer_form_is_left_alone(tmp_path: Path) -> None:
    content = b"gridbot secrets 2 " + b"0" * 64 + b"\nwhatever comes then\n"
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(EnvironmentProblem, match="newer gridbot"):
        opened(tmp_path).read("a")
    with pytest.raises(EnvironmentProblem, match="newer gridbot"):
        opened(tmp_path).write("a", "1")
    assert (tmp_path / FILE).read_bytes() == content


def test_a_disk_that_refuses_at_any_step_leaves_the_old_secrets(tmp_path: Path) -> None:
    opened(tmp_path).write("a", CANARY)
    steps = ("create", "write", "fsync", "replace")
    for operation in steps:
        disk = FaultyDisk()
        disk.fail(operation)
        with pytest.raises(EnvironmentProblem, match="no room left"):
            opened(tmp_path, disk=disk).write("a", "another")
        assert opened(tmp_path).read("a") == CANARY
    disk = FaultyDisk()
    opened(tmp_path, disk=disk).write("a", "another")
    tail = [each.partition(" ")[0] for each in disk.log if each.partition(" ")[0] in {*steps, "fsync_folder"}]
    assert tail == [*steps, "fsync_folder"] and opened(tmp_path).read("a") == "another"


def test_two_processes_cannot_lose_each_others_secrets(tmp_path: Path) -> None:
    first, second = opened(tmp_path), opened(tmp_path)
    first.write("a", "1")
    second.write("b", "2")
    first.write("c", "3")
    assert [opened(tmp_path).read(name) for name in "abc"] == ["1", "2", "3"]
    held = SystemDisk().lock(tmp_path / LOCK)
    with pytest.raises(EnvironmentProblem, match="Another gridbot is changing the stored secrets"):
        second.write("d", "4")
    held.release()
    second.write("d", "4")
    assert first.read("d") == "4"


def test_the_cost_of_a_file_without_one_given_is_the_documented_one(tmp_path: Path) -> None:
    SecretFile(SystemDisk(), tmp_path, Told(), save_whole).write("a", CANARY)
    key = orjson.loads((tmp_path / FILE).read_bytes().partition(b"\n")[2])["key"]
    assert (key["rounds"], key["memory_kib"], key["lanes"]) == (3, 65_536, 4)
    assert opened(tmp_path).read("a") == CANARY
