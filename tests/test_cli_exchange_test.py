"""`gridbot exchange list` and `test`: the real clients ask the sandbox, and a key that can withdraw is refused."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from gridbot.adapters.exchange.key_check import KeyRights
from gridbot.cli import ending
from gridbot.config import AppConfig
from gridbot.sandbox.server import Protocol
from tests.sandbox.in_thread import sandbox_thread
from tests.sandbox.serving import BLACK_HOLE, Served

WITHDRAWS = {
    "match": "GET /sapi/v1/account/apiRestrictions",
    "do": "replace",
    "values": {"enableWithdrawals": True},
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("GRIDBOT_HOME", str(folder))
    monkeypatch.setenv("GRIDBOT_PASSPHRASE", "four words of nonsense")
    return folder


def configure(home: Path, exchange: str, address: str) -> None:
    settings = AppConfig.model_validate({"exchange": {"id": exchange, "base_url": address}})
    (home / "config.json").write_text(settings.to_json(), "utf-8")


def pipe(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def keep(monkeypatch: pytest.MonkeyPatch, served: Served) -> None:
    pipe(monkeypatch, f"{served.key.name}\n{served.key.secret}\n")
    assert ending(["exchange", "key", "set"]) == 0


def test_a_good_key_is_called_good(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with sandbox_thread(tmp_path / "sandbox") as served:
        configure(home, "binance", served.address)
        keep(monkeypatch, served)
        capsys.readouterr()
        assert ending(["exchange", "test"]) == 0
    said = capsys.readouterr()
    assert said.out.splitlines()[0] == "This key can read yes, can trade yes, can withdraw no - good"
    assert "binance answers: 1 markets" in said.out and "Your balances can be read: 4 currencies" in said.out
    assert "A buy's fee is taken from the coins bought" in said.out
    assert "Reading your balances…" in said.err
    assert served.key.name not in said.out + said.err and served.key.secret not in said.out + said.err


def test_a_key_that_can_withdraw_is_refused_until_its_user_types_a_sentence(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with sandbox_thread(tmp_path / "sandbox", WITHDRAWS) as served:
        configure(home, "binance", served.address)
        keep(monkeypatch, served)
        capsys.readouterr()
        assert ending(["exchange", "test"]) == 2
        said = capsys.readouterr()
        assert "can withdraw yes - refused" in said.out and "--accept-withdrawal-key" in said.err
        for typed in ("", "yes\n", "This key can withdraw\n"):
            pipe(monkeypatch, typed)
            assert ending(["exchange", "test", "--accept-withdrawal-key"]) == 2
            assert "The key stays refused." in capsys.readouterr().err
        pipe(monkeypatch, "this key can withdraw\n")
        assert ending(["exchange", "test", "--accept-withdrawal-key"]) == 0
        assert "accepted by you, for this key alone" in capsys.readouterr().out
        assert (home / "live" / "default" / "accepted-key").exists()
        assert ending(["exchange", "test"]) == 0
        assert ending(["exchange", "test", "--account", "other"]) == 2
        assert "There is no key of binance (account other)." in capsys.readouterr().err


def test_firi_has_a_key_of_one_part_and_does_not_tell_what_it_may_do(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with sandbox_thread(tmp_path / "sandbox", protocol=Protocol.FIRI) as served:
        configure(home, "firi", served.address)
        pipe(monkeypatch, f"{served.key.name}\n")
        assert ending(["exchange", "key", "set"]) == 0
        capsys.readouterr()
        assert ending(["exchange", "test"]) == 0
    said = capsys.readouterr().out
    assert "can read yes, can trade is not told, can withdraw is not told - look at the exchange's page" in said
    assert served.key.name not in said


REFUSALS = [
    ({"match": "GET /api/v3/account", "do": "error", "code": -2015, "message": "Invalid API-key"}, "copied whole"),
    ({"match": "GET /api/v3/account", "do": "html"}, "Try again"),
    ({"match": "GET /sapi/v1/account/apiRestrictions", "do": "null"}, "was not reached as it should be"),
]


@pytest.mark.parametrize(("fault", "hint"), REFUSALS)
def test_what_fails_on_the_way_is_a_sentence_without_the_key(
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    fault: dict[str, object],
    hint: str,
) -> None:
    with sandbox_thread(tmp_path / "sandbox", fault) as served:
        configure(home, "binance", served.address)
        keep(monkeypatch, served)
        capsys.readouterr()
        assert ending(["exchange", "test"]) == 2
    said = capsys.readouterr()
    assert hint in said.err, said.err
    for secret in (served.key.name, served.key.secret, "signature", "127.0.0.1"):
        assert secret not in said.out + said.err


def test_an_exchange_that_is_not_there_is_told_as_such(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(home, "binance", BLACK_HOLE)
    pipe(monkeypatch, "canary-key-of-twenty\ncanary-secret\n")
    assert ending(["exchange", "key", "set"]) == 0
    assert ending(["exchange", "test"]) == 2
    assert "Is this machine online?" in capsys.readouterr().err


def test_an_unknown_exchange_is_refused_with_the_nearest_name(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pipe(monkeypatch, "k" * 20 + "\n" + "s" * 20)
    assert ending(["exchange", "key", "set", "--exchange", "binanse"]) == 2
    assert "Did you mean 'binance'?" in capsys.readouterr().err


def test_a_key_without_its_passphrase_is_refused_where_one_is_needed(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pipe(monkeypatch, "k" * 20 + "\n" + "s" * 20)
    assert ending(["exchange", "key", "set", "--exchange", "okx"]) == 2
    assert "The passphrase is missing" in capsys.readouterr().err


def test_the_list_has_the_exchanges_that_were_looked_into_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert ending(["exchange", "list"]) == 0
    first, _, others = capsys.readouterr().out.partition("Known to ccxt")
    assert all(f"  {name} " in first for name in ("binance", "kraken", "firi", "okx"))
    assert "The strictest is assumed: gridbot sends no order ids" in " ".join(others.split())
    assert "bitvavo" in others and "kraken," not in others.replace("krakenfutures", "")


@pytest.mark.parametrize(
    ("rights", "accepted", "ends"),
    [
        (KeyRights(True, True, False), False, "can withdraw no - good"),
        (KeyRights(True, True, True), False, "refused: whoever gets hold of this key can take your money away."),
        (KeyRights(True, False, True), False, "refused: whoever gets hold of this key can take your money away."),
        (KeyRights(True, True, True), True, "accepted by you, for this key alone."),
        (KeyRights(True, False, False), False, "not enough: allow it to trade, on the exchange's page of this key."),
        (KeyRights(True, None, None), False, "switch withdrawals off there."),
    ],
)
def test_the_rights_of_a_key_read_as_a_sentence(rights: KeyRights, accepted: bool, ends: str) -> None:
    assert rights.sentence(accepted=accepted).endswith(ends)
