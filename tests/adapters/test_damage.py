"""Whatever happens to an account's file: the right state, or a refusal that names file and line; never another state.

Every cut of the last two records and every flipped bit of the last one, of a journal whose lines tell facts, and every
flipped bit of a real snapshot. A tenth of it runs always (which tenth comes from a seed), the whole in the soak.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from hashlib import blake2b, sha256
from pathlib import Path

import orjson
import pytest

from gridbot.adapters.files.account_folder import AccountFolder
from gridbot.adapters.files.order_ids import ZERO_SECOND
from gridbot.adapters.files.snapshot_file import read_snapshot
from gridbot.core.codec import digest
from gridbot.core.events import EpochStarted
from gridbot.core.units import Mode, TimeMs
from gridbot.errors import EnvironmentProblem, StateFileError
from gridbot.shell.state_keeper import Recovered, recover
from gridbot.shell.status import NoHistory
from tests.adapters.faulty_disk import FaultyDisk
from tests.core.engine_walk import Walk

SHARES = [pytest.param(10, id="a tenth"), pytest.param(1, id="whole", marks=pytest.mark.soak)]


def account(home: Path) -> AccountFolder:
    return AccountFolder(FaultyDisk(), home, mode=Mode.DEMO, account="default")


def read(home: Path) -> Recovered:
    return recover(account(home), mode=Mode.DEMO, notes=NoHistory())


class Damaged:
    """An account whose last two lines tell facts: `digests` are those of the state after each number of its events."""

    def __init__(self, home: Path, *, seed: int = 2) -> None:
        self.home = home
        folder, walk = account(home), Walk(seed=seed, grids=1, levels=4)
        folder.acquire()
        journal = folder.journal(0)
        walk.walk(60)
        for event, facts in zip(walk.events, walk.facts, strict=True):
            journal.append(event, facts)
        kept = len(walk.events)
        journal.rotate(walk.state, kept)
        self.digests = [digest(walk.state)]
        while len(self.digests) < 5 or not (walk.facts[-1] and walk.facts[-2]):
            before = len(walk.events)
            walk.walk(1)
            if len(walk.events) > before:
                journal.append(walk.events[-1], walk.facts[-1])
                self.digests.append(digest(walk.state))
        journal.close()
        folder.release()
        self.journal = folder.folder / f"journal-{kept + 1}.jsonl"
        self.snapshot = folder.folder / "state.json"
        self.content = self.journal.read_bytes()
        self.ends = [place + 1 for place, byte in enumerate(self.content) if byte == ord("\n")]


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory) -> Damaged:
    return Damaged(tmp_path_factory.mktemp("damaged"))


def some(places: range, share: int, seed: int = 20_261_121) -> Iterator[int]:
    """Yield every place, or one of `share`, chosen by a seed."""
    choice = random.Random(seed)
    return (place for place in places if share == 1 or choice.randrange(share) == 0)


@pytest.mark.parametrize("share", SHARES)
def test_cut_at_any_byte_of_the_last_two_records_the_state_is_the_one_of_the_whole_lines(
    damaged: Damaged, share: int
) -> None:
    assert b'"did"' in damaged.content[damaged.ends[-2] :]
    cuts = range(damaged.ends[-3], len(damaged.content) + 1)
    for cut in {*some(cuts, share), *damaged.ends[-3:], len(damaged.content) - 1}:
        damaged.journal.write_bytes(damaged.content[:cut])
        whole = sum(end <= cut for end in damaged.ends) - 1
        recovered = read(damaged.home)
        assert digest(recovered.state) == damaged.digests[whole], f"cut at {cut}"
        assert [damaged.journal.name in sentence for sentence in recovered.warnings] == [True] * (
            cut not in damaged.ends
        )
    damaged.journal.write_bytes(damaged.content)
    assert digest(read(damaged.home).state) == damaged.digests[-1]


@pytest.mark.parametrize("share", SHARES)
def test_every_flipped_bit_of_the_last_record_is_refused_with_its_line_or_is_a_torn_line(
    damaged: Damaged, share: int
) -> None:
    line, last = len(damaged.ends), len(damaged.content) - 1
    bits = range(damaged.ends[-2] * 8, len(damaged.content) * 8)
    for place in {*some(bits, share), *range(last * 8, last * 8 + 8)}:
        changed = bytearray(damaged.content)
        changed[place // 8] ^= 1 << place % 8
        damaged.journal.write_bytes(changed)
        if place // 8 == last:
            # Without its newline the line was never finished, so it was never confirmed.
            assert digest(read(damaged.home).state) == damaged.digests[-2]
            continue
        with pytest.raises(StateFileError, match=rf"{damaged.journal.name}, line {line}[, ]") as refused:
            read(damaged.home)
        assert "backup" in refused.value.hint, f"bit {place}"
    damaged.journal.write_bytes(damaged.content)


@pytest.mark.parametrize("share", SHARES)
def test_every_flipped_bit_of_the_snapshot_is_refused_by_name(damaged: Damaged, share: int) -> None:
    content = damaged.snapshot.read_bytes()
    for place in some(range(len(content) * 8), share):
        changed = bytearray(content)
        changed[place // 8] ^= 1 << place % 8
        with pytest.raises(StateFileError, match=r"state\.json is damaged") as refused:
            read_snapshot(damaged.snapshot, bytes(changed))
        assert "backup" in refused.value.hint, f"bit {place}"
    for cut in some(range(len(content)), share * 5):
        with pytest.raises(StateFileError, match=r"state\.json is damaged"):
            read_snapshot(damaged.snapshot, content[:cut])


def sealed(plain: object, digits: int) -> bytes:
    """Return plain data with a right checksum, as a bug or another program might leave it."""
    rest = orjson.dumps(plain)[1:] + (b"\n" if digits == 32 else b"")
    total = blake2b(rest, digest_size=digits // 2).hexdigest().encode()
    return b'{"sum":"' + total + b'",' + rest + (b"\n" if digits == 16 else b"")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"schema": 99}, "has form 99"),
        ({"schema": "2"}, "has form '2'"),
        ({"schema": 0}, "has form 0"),
        ({"journal": "../../other.jsonl"}, "names"),
        ({"sequence": "7"}, "cannot be read"),
        ({"sequence": 7}, "names"),
        ({"digest": "0" * 64}, "does not hold the state"),
        ({"state": {}}, "does not hold the state"),
        (
            {"state": None, "digest": sha256(b"null").hexdigest()},
            "cannot be read",
        ),
        ({"core": None}, "cannot be read"),
        ({"chain": None}, "cannot be read"),
        ({"state": ...}, "no snapshot"),
        ({"schema": ...}, "has form None"),
    ],
)
def test_a_whole_snapshot_that_is_wrong_inside_is_refused(
    damaged: Damaged, change: dict[str, object], words: str
) -> None:
    plain = orjson.loads(damaged.snapshot.read_bytes())
    del plain["sum"]
    plain = {key: item for key, item in {**plain, **change}.items() if item is not ...}
    with pytest.raises(StateFileError, match=words) as refused:
        read_snapshot(damaged.snapshot, sealed(plain, 32))
    assert "state.json" in refused.value.message and refused.value.hint


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"did": 1}, "cannot read"),
        ({"did": [{"type": "Sold"}]}, "cannot read"),
        ({"did": [{"type": "Gone"}]}, "Gone without grid"),
        ({"event": ...}, "cannot read"),
        ({"event": {"type": "Nothing"}}, "cannot read"),
    ],
)
def test_a_whole_line_that_is_wrong_inside_is_refused_with_its_line(
    damaged: Damaged, change: dict[str, object], words: str
) -> None:
    start = damaged.ends[-2]
    plain = orjson.loads(damaged.content[start:])
    del plain["sum"]
    plain = {key: item for key, item in {**plain, **change}.items() if item is not ...}
    damaged.journal.write_bytes(damaged.content[:start] + sealed(plain, 16))
    with pytest.raises(StateFileError, match=rf"line {len(damaged.ends)}, .*{words}"):
        read(damaged.home)
    damaged.journal.write_bytes(damaged.content)


@pytest.mark.parametrize("change", [{"core": "0.1.0"}, {"core": ...}, {"first": 3}, {"schema": 99}, {"schema": ...}])
def test_a_header_that_is_wrong_inside_is_refused(damaged: Damaged, change: dict[str, object]) -> None:
    plain = orjson.loads(damaged.content[: damaged.ends[0]])
    del plain["sum"]
    plain = {key: item for key, item in {**plain, **change}.items() if item is not ...}
    damaged.journal.write_bytes(sealed(plain, 16))
    with pytest.raises(StateFileError, match=damaged.journal.name) as refused:
        read(damaged.home)
    assert refused.value.hint
    damaged.journal.write_bytes(damaged.content)


def test_a_snapshot_of_another_account_is_refused(tmp_path: Path) -> None:
    here, there = Damaged(tmp_path / "here"), Damaged(tmp_path / "there", seed=8)
    plain = orjson.loads(there.snapshot.read_bytes())
    assert plain["chain"] != orjson.loads(here.snapshot.read_bytes())["chain"]
    del plain["sum"]
    number = here.journal.name.removeprefix("journal-").removesuffix(".jsonl")
    foreign = {**plain, "journal": here.journal.name, "sequence": int(number) - 1}
    here.snapshot.write_bytes(sealed(foreign, 32))
    with pytest.raises(StateFileError, match=rf"{here.journal.name}, line 1, does not follow|does not give back"):
        read(here.home)


def test_a_lock_that_cannot_be_taken_is_a_sentence(tmp_path: Path) -> None:
    folder = account(tmp_path)
    folder.folder.mkdir(parents=True)
    (folder.folder / "lock").mkdir()
    with pytest.raises(EnvironmentProblem, match="lock"):
        folder.acquire()


def test_where_the_epoch_is_gone_and_the_clock_is_wrong_no_id_comes_again(tmp_path: Path) -> None:
    now = TimeMs((ZERO_SECOND + 1_000_000) * 1000)
    folder = account(tmp_path)
    folder.acquire()
    first = folder.next_prefix("ab3de", now)
    journal = folder.journal(0)
    journal.append(EpochStarted(now, first))
    journal.close()
    folder.release()
    (folder.folder / "epoch").unlink()
    for _ in range(2):
        again = account(tmp_path)
        again.acquire()
        restored = again.load()
        assert again.next_prefix("ab3de", TimeMs(0)) > first
        assert again.next_prefix("zzzzz", TimeMs(0)) > "gbzzzzz"
        (again.folder / "epoch").unlink()
        recovered = recover(again, mode=Mode.DEMO, notes=NoHistory())
        journal = again.journal(recovered.sequence)
        journal.rotate(recovered.state, recovered.sequence)
        journal.close()
        again.release()
        assert restored.sequence in (0, 1)
