"""`gridbot exchange key` and `gridbot secret`: kept without an echo, shown never, refused in sentences."""

from __future__ import annotations

import io
import os
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gridbot.adapters.files.consent_file import AcceptedKeyFile
from gridbot.adapters.files.disk import SystemDisk
from gridbot.adapters.files.home import Home
from gridbot.adapters.files.kept_files import may_be_kept
from gridbot.adapters.logbook.masking import MASKED, Mask
from gridbot.adapters.secrets.secret_file import FILE
from gridbot.bootstrap_keys import accepted_key, secret_store
from gridbot.cli import ending
from gridbot.cli_app import known_secrets

KEY, SECRET, PASSPHRASE = "canaryKEY5f1c9e77d0a8Wxyz", "canarySECRET1b2c3d4e5f60718", "canaryPASS99"
FILE_PASSPHRASE = "canary four words of nonsense"
PEM = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIcanary\nAwEHoUQDQgAE\n-----END EC PRIVATE KEY-----"

Pipe = Callable[[str], None]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    monkeypatch.setenv("GRIDBOT_HOME", str(folder))
    monkeypatch.setenv("GRIDBOT_PASSPHRASE", FILE_PASSPHRASE)
    return folder


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Pipe:
    def give(text: str) -> None:
        monkeypatch.setattr(sys, "stdin", io.StringIO(text))

    give("")
    return give


@pytest.fixture(autouse=True)
def no_canary(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Whatever a test does, neither stream shows what must not be seen."""
    yield
    streams = capfd.readouterr()
    assert "canary" not in streams.out.lower() + streams.err.lower()


def told(capfd: pytest.CaptureFixture[str]) -> str:
    streams = capfd.readouterr()
    assert "canary" not in streams.out.lower() + streams.err.lower()
    return streams.out + streams.err


def stored(home: Path, name: str) -> str | None:
    return secret_store(Home(home), {"GRIDBOT_PASSPHRASE": FILE_PASSPHRASE, **_NO_KEYCHAIN}, Mask()).read(name)


_NO_KEYCHAIN = {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}


def test_a_piped_key_is_kept_shown_by_its_end_and_forgotten(
    home: Path, pipe: Pipe, capfd: pytest.CaptureFixture[str]
) -> None:
    assert ending(["exchange", "key", "show"]) == 0
    assert "No key of binance (account default) is kept." in told(capfd)
    pipe(f"{KEY}\n{SECRET}\n")
    assert ending(["exchange", "key", "set"]) == 0
    said = told(capfd)
    assert "No system keychain was found." in said and f"it ends in Wxyz, in the encrypted file {home / FILE}" in said
    assert stored(home, "exchange.binance.default") is not None
    assert ending(["exchange", "key", "show"]) == 0
    assert "A key of binance (account default) is there, without a passphrase: it ends in Wxyz" in told(capfd)
    assert ending(["exchange", "key", "remove", "--yes"]) == 0
    said = told(capfd)
    assert "is no longer in the encrypted file" in said and "delete it there" in said
    assert stored(home, "exchange.binance.default") is None
    assert ending(["exchange", "key", "remove", "--yes"]) == 0 and "No key of" in told(capfd)


def test_each_exchange_and_account_has_its_own(home: Path, pipe: Pipe, capfd: pytest.CaptureFixture[str]) -> None:
    pipe(f"{KEY}\n{SECRET}\n{PASSPHRASE}\n")
    assert ending(["exchange", "key", "set", "--exchange", "okx", "--account", "second"]) == 0
    assert stored(home, "exchange.okx.second") is not None and stored(home, "exchange.okx.default") is None
    assert ending(["exchange", "key", "show", "--exchange", "okx", "--account", "second"]) == 0
    assert "with a passphrase" in told(capfd)
    assert ending(["exchange", "key", "show", "--exchange", "okx"]) == 0 and "No key of okx" in told(capfd)


@pytest.mark.parametrize("written", [PEM, PEM.replace("\n", "\\n"), PEM.replace("\n", " ")])
def test_a_secret_of_several_lines_is_one_part(home: Path, pipe: Pipe, written: str) -> None:
    pipe(f"{KEY}\n{written}\n")
    assert ending(["exchange", "key", "set", "--exchange", "coinbase"]) == 0
    kept = stored(home, "exchange.coinbase.default")
    assert kept is not None and PEM.replace("\n", "\\n") in kept


def test_firi_has_one_part_and_none_of_it_is_shown(home: Path, pipe: Pipe, capfd: pytest.CaptureFixture[str]) -> None:
    pipe(f"{KEY}\n")
    assert ending(["exchange", "key", "set", "--exchange", "firi"]) == 0
    assert ending(["exchange", "key", "show", "--exchange", "firi"]) == 0
    assert "ends in" not in told(capfd) and stored(home, "exchange.firi.default") is not None


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("", "The key is missing"),
        (f"{KEY}\n", "The secret is missing"),
        (f"{KEY}\n{KEY}\n", "the same text"),
        (f"{KEY} \t{SECRET}\n{SECRET}", "The key has a line break or a sign that cannot be seen."),
        (f"my key {KEY}\n{SECRET}\n", "The key has a space"),
        (f"{KEY}\n{SECRET}\u00e9\n", "The secret has a space or a letter that no key has."),
        (f"{KEY}\n{SECRET}\na\nb\n", "The pipe gives 4 lines."),
        ("canary" * 2_000, "longer than 8,192 characters"),
    ],
)
def test_what_is_no_key_is_refused_and_the_old_one_stays(
    home: Path, pipe: Pipe, capfd: pytest.CaptureFixture[str], given: str, sentence: str
) -> None:
    pipe(f"{KEY}\n{SECRET}\n")
    assert ending(["exchange", "key", "set"]) == 0
    before = (home / FILE).read_bytes()
    pipe(given)
    assert ending(["exchange", "key", "set"]) == 2
    assert sentence in told(capfd) and (home / FILE).read_bytes() == before


def test_a_key_as_an_argument_is_refused_unquoted(home: Path, pipe: Pipe, capfd: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--exchange", SECRET], ["--account", KEY]):
        assert ending(["exchange", "key", "set", *arguments]) == 2
        assert "a key is never an argument" in told(capfd)
    assert not home.exists()


@pytest.mark.parametrize(
    "arguments", [["--exchange", "my exchange"], ["--account", "../x"], ["--exchange", ""], ["--account", "con"]]
)
def test_a_name_that_is_none_is_refused(
    home: Path, pipe: Pipe, capfd: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert ending(["exchange", "key", "show", *arguments]) == 2
    assert "must be a short name" in told(capfd)


def test_without_keychain_passphrase_and_person_nothing_is_kept_and_a_run_may_bring_its_own(
    home: Path, pipe: Pipe, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GRIDBOT_PASSPHRASE")
    pipe(f"{KEY}\n{SECRET}\n")
    assert ending(["exchange", "key", "set"]) == 2
    assert "No system keychain was found" in told(capfd) and not (home / FILE).exists()
    monkeypatch.setenv("GRIDBOT_API_KEY", KEY)
    assert ending(["exchange", "key", "show"]) == 2
    assert "GRIDBOT_API_KEY is set and GRIDBOT_API_SECRET is not" in told(capfd)
    monkeypatch.setenv("GRIDBOT_API_SECRET", SECRET)
    assert ending(["exchange", "key", "show"]) == 0
    assert "it ends in Wxyz, in the environment of this run" in told(capfd)


def test_a_wrong_passphrase_and_a_damaged_file_are_sentences(
    home: Path, pipe: Pipe, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe(f"{KEY}\n{SECRET}\n")
    assert ending(["exchange", "key", "set"]) == 0
    monkeypatch.setenv("GRIDBOT_PASSPHRASE", "another canary of words")
    for command in ("show", "set"):
        pipe(f"{KEY}\n{SECRET}\n")
        assert ending(["exchange", "key", command]) == 2
        assert "The passphrase does not open" in told(capfd)
    (home / FILE).write_bytes((home / FILE).read_bytes()[:-9])
    assert ending(["exchange", "key", "show"]) == 2 and "damaged or cut short" in told(capfd)


def test_named_secrets_are_kept_with_their_lines_and_forgotten(
    home: Path, pipe: Pipe, capfd: pytest.CaptureFixture[str]
) -> None:
    pipe("tgram://canary-one\nmailto://canary-two\n")
    assert ending(["secret", "set", "notify-urls"]) == 0
    assert "The secret notify-urls is kept in the encrypted file" in told(capfd)
    assert stored(home, "notify-urls") == "tgram://canary-one\nmailto://canary-two"
    assert ending(["secret", "remove", "notify-urls"]) == 0 and stored(home, "notify-urls") is None
    assert ending(["secret", "remove", "notify-urls"]) == 0
    assert "There is no secret notify-urls." in told(capfd)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("https://canary.example/hook", "That is not the name of a secret"),
        ("1st", "That is not the name of a secret"),
        ("x" * 65, "That is not the name of a secret"),
        ("exchange.binance.default", "Names that begin with exchange. are those of keys."),
    ],
)
def test_a_name_that_no_secret_has_is_refused_without_quoting_it(
    home: Path, pipe: Pipe, capfd: pytest.CaptureFixture[str], name: str, sentence: str
) -> None:
    pipe("canary")
    assert ending(["secret", "set", name]) == 2 and sentence in told(capfd)
    assert ending(["secret", "remove", name]) == 2 and sentence in told(capfd)


def test_nothing_is_no_secret(home: Path, pipe: Pipe, capfd: pytest.CaptureFixture[str]) -> None:
    for text in ("", "\n\n"):
        pipe(text)
        assert ending(["secret", "set", "notify-urls"]) == 2 and "Nothing was given" in told(capfd)


def test_a_crash_of_a_command_is_told_without_the_secrets_that_it_read(
    home: Path, pipe: Pipe, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> str:
        raise RuntimeError(f"a bug that quotes {SECRET} and {PASSPHRASE}")

    pipe(f"{KEY}\n{SECRET}\n{PASSPHRASE}\n")
    monkeypatch.setattr("gridbot.adapters.secrets.chosen_store.ChosenStore.found_in", broken)
    assert ending(["exchange", "key", "set"]) == 1
    said = told(capfd)
    assert MASKED in said and "RuntimeError" in said
    reports = list((home / "crashes").iterdir())
    assert len(reports) == 1 and b"canary" not in reports[0].read_bytes().lower()
    assert known_secrets().text(KEY) == MASKED


def test_what_was_accepted_about_a_key_is_about_that_key_alone(home: Path) -> None:
    first = accepted_key(Home(home), "default", KEY)
    assert not first.given()
    first.store()
    assert first.given() and not accepted_key(Home(home), "default", SECRET).given()
    kept = home / "live" / "default" / "accepted-key"
    assert KEY.encode() not in kept.read_bytes() and not may_be_kept("live/default/accepted-key")
    kept.write_bytes(b"")
    assert not AcceptedKeyFile(SystemDisk(), kept.parent, KEY).given()


# ------------------------------------------------------------------------------------------- terminal


class Terminal:
    """A real process on a terminal of its own; what it shows is read as a person sees it."""

    def __init__(self, *arguments: str, **environment: str) -> None:
        import pty

        self._mine, theirs = pty.openpty()
        self.shown = ""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "gridbot", *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, **environment},
            start_new_session=True,
        )
        os.close(theirs)

    def answer(self, question: str, text: str) -> None:
        """Wait for a question, then type."""
        at = len(self.shown)
        while question not in self.shown[at:]:
            assert self._more(), f"{question!r} was never asked: {self.shown}"
        os.write(self._mine, text.encode() + b"\n")

    def end(self) -> int:
        while self._more():
            pass
        os.close(self._mine)
        return self._process.wait(timeout=30)

    def _more(self) -> bool:
        if not select.select([self._mine], [], [], 30)[0]:
            self._process.kill()
            return False
        try:
            read = os.read(self._mine, 4_096)
        except OSError:
            return False
        self.shown += read.decode()
        return bool(read)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pseudo terminals of this kind.")
def test_a_person_is_asked_and_nothing_of_the_answers_is_shown(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GRIDBOT_PASSPHRASE")
    keeping = Terminal("exchange", "key", "set", "--exchange", "okx")
    keeping.answer("API key: ", KEY)
    keeping.answer("API secret: ", SECRET)
    keeping.answer("Passphrase of the key", PASSPHRASE)
    keeping.answer("New passphrase for the file of secrets: ", FILE_PASSPHRASE)
    keeping.answer("The same passphrase again: ", FILE_PASSPHRASE)
    assert keeping.end() == 0, keeping.shown
    assert "it ends in Wxyz" in keeping.shown and "canary" not in keeping.shown
    removing = Terminal("exchange", "key", "remove", "--exchange", "okx")
    removing.answer("Type REMOVE to go on: ", "remove")
    assert removing.end() == 2 and "The key is still kept." in removing.shown
    assert "canary" not in removing.shown
    kept = stored(home, "exchange.okx.default")
    assert kept is not None and SECRET in kept and PASSPHRASE in kept
