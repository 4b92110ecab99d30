"""The upkeep room on a real folder: bundles without secrets, backups, a restore beside an engine, messages."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from gridbot import __version__
from gridbot.adapters.autostart import DesktopEntry
from gridbot.adapters.config_files import load, save
from gridbot.adapters.files.disk import SystemDisk
from gridbot.adapters.files.home import Home
from gridbot.adapters.files.kept_files import AccountName
from gridbot.adapters.files.whole import save_whole
from gridbot.adapters.licences import Shipped, write_folder
from gridbot.adapters.logbook.masking import MASKED, Mask
from gridbot.adapters.update_notice import Newest
from gridbot.bootstrap import read_account
from gridbot.bootstrap_restore import Restoring
from gridbot.bootstrap_upkeep import UpkeepRoom
from gridbot.config import default_config
from gridbot.core.units import Mode
from gridbot.errors import AlreadyRunning, ConfigError, EnvironmentProblem, GridbotError, StateFileError
from gridbot.shell.errand_thread import Errand, GivenUp
from gridbot.shell.upkeep_desk import (
    BackUp,
    BackupSeen,
    BundleListed,
    KeepAddresses,
    Licences,
    LineFilter,
    LookAround,
    LookAtBackup,
    LookAtBundle,
    LookForUpdate,
    ReadLicences,
    RestoreBackup,
    Restored,
    SendTestMessage,
    SetAutostart,
    Surroundings,
    Told,
    UpdateSeen,
    WriteBundle,
    WriteLogs,
    Written,
)
from tests.fakes.account_on_disk import WalkedAccount
from tests.fakes.engine import settings, trading, until
from tests.fakes.notifying import listening

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # apprise's compat layer
OWN = AccountName(Mode.DEMO, "default")
KEY, SECRET = "canaryKey1234567890abcdef", "canarySecret/Zq9+kk=1234567890"
EVERYTHING = frozenset({"Versions and checks", "Configuration", "Logs", "Journal", "Crash reports"})


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    save(made.config, default_config())
    made.logs.mkdir()
    made.crashes.mkdir()
    return made


def room(home: Home, mask: Mask | None = None, *, stop: Callable[[], bool] | None = None) -> UpkeepRoom:
    environment = {"GRIDBOT_SECRETS": "file", "GRIDBOT_PASSPHRASE": "four words of nonsense"}
    return UpkeepRoom(
        home,
        environment,
        mask or Mask(),
        restoring=Restoring(home, own=OWN, stop_engine=stop),
        autostart=DesktopEntry(SystemDisk(), home.root.parent / "autostart", ["gridbot"], {}, save_whole),
    )


def bundle(home: Home, target: Path, mask: Mask | None = None) -> dict[str, bytes]:
    done = room(home, mask).work(WriteBundle(target, EVERYTHING), Errand())
    assert isinstance(done, Written) and done.path == target
    with zipfile.ZipFile(target) as packed:
        assert packed.testzip() is None
        return {name: packed.read(name) for name in packed.namelist()}


# --------------------------------------------------------------------------------------- the bundle


def test_no_secret_gets_into_a_bundle_wherever_it_stands(home: Home, tmp_path: Path) -> None:
    WalkedAccount(home.root, seed=3).trade(30)
    line = {"@timestamp": "2026-11-21T04:00:00.000Z", "message": f"signed with {SECRET}", "gridbot.api_key": KEY}
    lines = [json.dumps(line), f'{{"message":"apiKey={KEY} url=https://me:{SECRET}@example.org/x"}}', f"raw {KEY}"]
    (home.logs / "gridbot.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    (home.crashes / "crash-20261121T040000.000Z-1.txt").write_text(f"it quotes {SECRET} and\n{KEY}\n", "utf-8")
    home.window.write_text(json.dumps({"path": str(Path.home() / "gridbot"), "x": KEY}), "utf-8")
    (home.root / "demo" / "default" / "exchange.json").write_text(json.dumps({"password": "hunter22"}), "utf-8")
    (home.root / "secrets.enc").write_text("never in a bundle", "utf-8")
    packed = bundle(home, tmp_path / "b.zip", Mask([KEY, SECRET]))
    whole = b"\n".join(packed.values()).decode()
    for canary in (KEY, SECRET, json.dumps(SECRET)[1:-1], "hunter22", "never in a bundle"):
        assert canary not in whole
    assert MASKED in packed["logs/gridbot.jsonl"].decode() and MASKED in packed["ui.json"].decode()
    assert str(Path.home()) not in packed["ui.json"].decode() and "~/gridbot" in packed["ui.json"].decode()
    assert {"doctor.txt", "config.json", "ui.json", "logs/gridbot.jsonl"} <= packed.keys()
    assert any(name.startswith("crashes/") for name in packed)
    assert not [name for name in packed if "secret" in name or "install" in name or "lock" in name]


def test_what_holds_no_secret_is_in_the_bundle_byte_for_byte(home: Home, tmp_path: Path) -> None:
    WalkedAccount(home.root, seed=3).trade(60, 60)
    packed = bundle(home, tmp_path / "b.zip", Mask([KEY]))
    journals = [name for name in packed if name.startswith("demo/default/") and "journal" in name]
    assert journals
    for name in (*journals, "config.json"):
        assert packed[name] == (home.root / name).read_bytes(), name
    assert f"gridbot {__version__}" in packed["doctor.txt"].decode()


def test_what_is_listed_before_is_what_is_written(home: Home, tmp_path: Path) -> None:
    WalkedAccount(home.root, seed=3).trade(30)
    (home.logs / "gridbot.jsonl").write_text("{}\n", "utf-8")
    listed = room(home).work(LookAtBundle(), Errand())
    assert isinstance(listed, BundleListed) and {group.title for group in listed.groups} == EVERYTHING
    sizes = {group.title: group.size for group in listed.groups}
    assert sizes["Logs"] == 3 and sizes["Crash reports"] == 0 and sizes["Journal"] > 1_000
    packed = bundle(home, tmp_path / "b.zip")
    assert sorted(packed) == sorted(name for group in listed.groups for name in group.files)


def test_parts_that_are_not_wanted_stay_out(home: Home, tmp_path: Path) -> None:
    WalkedAccount(home.root, seed=3).trade(30)
    room(home).work(WriteBundle(tmp_path / "b.zip", frozenset({"Configuration"})), Errand())
    with zipfile.ZipFile(tmp_path / "b.zip") as packed:
        assert packed.namelist() == ["config.json"]


def test_of_many_logs_the_newest_go_in_and_the_list_says_so(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gridbot.bootstrap_bundle.MOST_LOG_BYTES", 2_500)
    for day in (1, 2, 3):
        (home.logs / f"gridbot-2026110{day}T000000000Z.jsonl").write_text("x" * 999 + "\n", "utf-8")
    (home.logs / "gridbot.jsonl").write_text("x" * 999 + "\n", "utf-8")
    listed = room(home).work(LookAtBundle(), Errand())
    assert isinstance(listed, BundleListed)
    logs = next(group for group in listed.groups if group.title == "Logs")
    assert logs.files == ("logs/gridbot-20261103T000000000Z.jsonl", "logs/gridbot.jsonl")
    assert "2 older files are left out" in logs.about


class EndedAtOnce(Errand):
    """An errand that is given up as soon as it has said how far it is."""

    def tell(self, sentence: str, share: float | None = None) -> None:
        if share is not None:
            self.end()
        super().tell(sentence, share)


@pytest.mark.parametrize("what", ["logs", "bundle"])
def test_what_is_given_up_leaves_nothing_behind(home: Home, tmp_path: Path, what: str) -> None:
    (home.logs / "gridbot.jsonl").write_text("{}\n" * 100_000, "utf-8")
    out = tmp_path / "out"
    out.mkdir()
    wish = WriteLogs(out / "x", "jsonl") if what == "logs" else WriteBundle(out / "x", EVERYTHING)
    with pytest.raises(GivenUp):
        room(home).work(wish, EndedAtOnce())
    assert not list(out.iterdir())


def test_log_lines_are_written_and_counted(home: Home, tmp_path: Path) -> None:
    (home.logs / "gridbot.jsonl").write_text('{"log.level":"info"}\n{"log.level":"error"}\n', "utf-8")
    wish = WriteLogs(tmp_path / "x.jsonl", "jsonl", LineFilter(levels=frozenset({"error"})))
    done = room(home).work(wish, Errand())
    assert done == Written(tmp_path / "x.jsonl", f"Saved to {tmp_path / 'x.jsonl'}: 1 line.")
    assert (tmp_path / "x.jsonl").read_text("utf-8") == '{"log.level":"error"}\n'


# --------------------------------------------------------------------------------- backup and restore


def test_a_backup_is_put_back_and_the_engine_is_ended_first(home: Home, tmp_path: Path) -> None:
    config = settings()
    save(home.config, config)
    with trading(home.root, config) as engine:
        assert until(lambda: engine.facade.view().snapshot.orders)
        desk = room(home, stop=engine.stop)
        saved = desk.work(BackUp(tmp_path), Errand())
        assert isinstance(saved, Written) and "read again and sound" in saved.sentence
        save(home.config, config.model_copy(update={"account_currency": "EUR"}))
        seen = desk.work(LookAtBackup(saved.path), Errand())
        assert isinstance(seen, BackupSeen) and "sound" in seen.sentences[0] and "demo/default" in seen.sentences[1]
        restored = desk.work(RestoreBackup(saved.path), Errand())
        assert isinstance(restored, Restored) and "Start gridbot again" in restored.sentences[-1]
        assert not engine.facade.view().running
    assert load(home.config).account_currency is None
    assert read_account(SystemDisk(), home.root, OWN)[1] > 0
    with trading(home.root, config) as engine:
        assert until(lambda: engine.facade.view().snapshot.orders), "it goes on with what was restored"


def test_nothing_is_restored_while_the_engine_does_not_end(home: Home, tmp_path: Path) -> None:
    WalkedAccount(home.root, seed=3).trade(30)
    saved = room(home).work(BackUp(tmp_path), Errand())
    assert isinstance(saved, Written)
    before = read_account(SystemDisk(), home.root, OWN)
    with pytest.raises(EnvironmentProblem, match="did not end in time"):
        room(home, stop=lambda: False).work(RestoreBackup(saved.path), Errand())
    with pytest.raises(EnvironmentProblem, match="cannot end the engine"):
        room(home).work(RestoreBackup(saved.path), Errand())
    assert read_account(SystemDisk(), home.root, OWN) == before


def test_an_account_that_another_process_trades_keeps_the_engine_running(home: Home, tmp_path: Path) -> None:
    WalkedAccount(home.root, seed=3).trade(30)
    saved = room(home).work(BackUp(tmp_path), Errand())
    assert isinstance(saved, Written)
    ended: list[bool] = []
    other = settings(account="other")
    with trading(home.root, other), pytest.raises(AlreadyRunning, match="demo/other"):
        room(home, stop=lambda: not ended.append(True)).work(RestoreBackup(saved.path), Errand())  # type: ignore[func-returns-value]
    assert not ended


@pytest.mark.parametrize("wish", [LookAtBackup, RestoreBackup])
def test_a_damaged_backup_ends_nothing(
    home: Home, tmp_path: Path, wish: type[LookAtBackup] | type[RestoreBackup]
) -> None:
    (tmp_path / "b.zip").write_bytes(b"no zip")
    ended: list[bool] = []
    with pytest.raises(StateFileError, match="cannot be used as a backup"):
        room(home, stop=lambda: not ended.append(True)).work(wish(tmp_path / "b.zip"), Errand())  # type: ignore[func-returns-value]
    assert not ended


# --------------------------------------------------------------------------------- people and versions


def test_addresses_that_were_typed_are_kept_and_get_the_test_message(home: Home) -> None:
    mask = Mask()
    desk = room(home, mask)
    with pytest.raises(ConfigError, match="No notifications are configured"):
        desk.work(SendTestMessage(), Errand())
    save(home.config, settings(notifications={"urls_secret": "notify-urls"}))
    with listening() as works, listening() as fails:
        fails.status = 500
        typed = "\n".join(f"json://127.0.0.1:{each.port}/canaryTopic55217" for each in (works, fails))
        kept = desk.work(KeepAddresses("notify-urls", f"# mine\n{typed}\n"), Errand())
        assert isinstance(kept, Told) and kept.sentences[0].startswith("2 addresses are kept in")
        told = desk.work(SendTestMessage(), Errand())
    assert isinstance(told, Told) and not told.all_sent
    assert "sent." in told.sentences[0] and "not sent" in told.sentences[1]
    assert works.heard[0][2]["title"] == "gridbot: a test"
    assert "canaryTopic55217" not in "".join(told.sentences) and mask.text("canaryTopic55217") == MASKED
    with pytest.raises(EnvironmentProblem, match="no address"):
        desk.work(KeepAddresses("notify-urls", "# nothing\n"), Errand())
    assert "canary" not in repr(KeepAddresses("notify-urls", typed, "canary"))


def test_autostart_is_off_and_the_switch_undoes_itself(home: Home) -> None:
    desk = room(home)
    seen = desk.work(LookAround(), Errand())
    assert isinstance(seen, Surroundings) and seen.autostart is False and seen.folder == home.root
    on = desk.work(SetAutostart(True), Errand())
    assert isinstance(on, Surroundings) and on.autostart is True and "gridbot.desktop" in on.autostart_note
    off = desk.work(SetAutostart(False), Errand())
    assert isinstance(off, Surroundings) and off.autostart is False
    assert not list((home.root.parent / "autostart").iterdir())


def test_nobody_is_asked_for_a_version_before_an_address_is_set(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = room(home)
    with pytest.raises(EnvironmentProblem, match="nobody is asked"):
        desk.work(LookForUpdate(), Errand())
    save(home.config, settings(update_address="https://example.org/newest.json"))
    asked: list[str] = []

    def newest(address: str) -> Newest:
        asked.append(address)
        return Newest(version, ("Faster.",), "https://example.org/get")

    monkeypatch.setattr("gridbot.adapters.update_notice.newest_version", newest)
    version = "99.0.0"
    seen = desk.work(LookForUpdate(), Errand())
    assert isinstance(seen, UpdateSeen) and seen.page and "99.0.0" in seen.sentence and seen.changes == ("Faster.",)
    version = __version__
    seen = desk.work(LookForUpdate(), Errand())
    assert isinstance(seen, UpdateSeen) and not seen.page and "newest version" in seen.sentence
    assert asked == ["https://example.org/newest.json"] * 2


def test_the_licences_of_all_that_is_shipped_are_read(home: Home) -> None:
    read = room(home).work(ReadLicences(), Errand())
    assert isinstance(read, Licences) and read.licences[0].name == "gridbot"
    names = {each.name.lower() for each in read.licences}
    assert {"pyside6_essentials", "numpy", "ccxt", "python", "duckdb"} <= names and not names & {"pytest", "pyqtgraph"}
    assert all(each.licence and each.text for each in read.licences)


def test_a_packaged_application_tells_the_licences_that_its_build_wrote(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "LICENCES"
    folder.mkdir()
    write_folder(folder, [Shipped("gridbot", "1", "MIT", "Free."), Shipped("Qt", "6", "LGPL-3.0", "Free as well.")])
    monkeypatch.setattr("sys._MEIPASS", str(tmp_path), raising=False)
    read = room(home).work(ReadLicences(), Errand())
    assert isinstance(read, Licences)
    assert [(each.name, each.text) for each in read.licences] == [("gridbot", "Free."), ("Qt", "Free as well.")]
    (folder / "Qt.txt").unlink()
    with pytest.raises(GridbotError, match="cannot be read"):
        room(home).work(ReadLicences(), Errand())


def test_each_refusal_is_one_that_a_window_can_show(home: Home, tmp_path: Path) -> None:
    home.config.write_text("{", "utf-8")
    for wish in (SendTestMessage(), LookForUpdate(), WriteLogs(tmp_path / "no" / "x", "jsonl")):
        with pytest.raises(GridbotError) as refused:
            room(home).work(wish, Errand())
        assert refused.value.message.endswith(".")
