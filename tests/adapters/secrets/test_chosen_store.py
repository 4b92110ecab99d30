"""Which place keeps the secrets, said in words; and everything that is read is hidden from the log first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import keyring.backends.fail
import keyring.backends.null
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError, PasswordSetError

from gridbot.adapters.files.disk import SystemDisk
from gridbot.adapters.files.whole import save_whole
from gridbot.adapters.logbook.masking import MASKED, Mask
from gridbot.adapters.secrets import keychain
from gridbot.adapters.secrets.chosen_store import Ask, ChosenStore, choose_store
from gridbot.adapters.secrets.environment import variable
from gridbot.adapters.secrets.keychain import Keychain, find_keychain
from gridbot.adapters.secrets.secret_file import FILE
from gridbot.errors import EnvironmentProblem
from gridbot.ports import SecretStore

CANARY = "canary-5f1c9e77d0a84b1e"
NO_KEYCHAIN = {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
PASSPHRASE = {"GRIDBOT_PASSPHRASE": "four words of nonsense"}


class InMemory(KeyringBackend):
    """A keychain of keyring's own kind that keeps everything in a dict, and fails as it is told."""

    priority = 1.0

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[tuple[str, str], str] = {}
        self.fails: Exception | None = None
        self.forgets = False

    def get_password(self, service: str, username: str) -> str | None:
        self._fail()
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._fail()
        if not self.forgets:
            self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._fail()
        if self.kept.pop((service, username), None) is None:
            raise PasswordDeleteError("no such password")

    def _fail(self) -> None:
        if self.fails is not None:
            raise self.fails


@pytest.fixture
def backend() -> Iterator[InMemory]:
    known = set(KeyringBackend._classes)
    yield InMemory()
    KeyringBackend._classes.intersection_update(known)


def chosen(root: Path, environment: dict[str, str], *, ask: Ask | None = None, mask: Mask | None = None) -> ChosenStore:
    learn = (mask or Mask()).learn
    return choose_store(root, environment=environment, disk=SystemDisk(), save=save_whole, ask=ask, learn=learn)


# ------------------------------------------------------------------------------------------- keychain


def test_only_real_keychains_are_taken(backend: InMemory) -> None:
    """Whatever is configured, installed or preferred: plain text, nothing at all, or a chain of these is none."""
    for module in (keyring.backends.null, keyring.backends.fail):
        name = f"{module.__name__}.Keyring"
        assert name not in keychain.REAL and find_keychain("gridbot", wanted=name) is None
    for name in ("keyrings.alt.file.PlaintextKeyring", "keyring.backends.chainer.ChainerBackend", "nonsense", ""):
        assert find_keychain("gridbot", wanted=name) is None
    keyring.set_keyring(backend)
    try:
        found = find_keychain("gridbot", wanted=None)
        assert found is None or found.kept_in in keychain.REAL.values()
    finally:
        keyring.core._keyring_backend = None


def test_each_allowed_backend_exists_in_the_installed_keyring() -> None:
    for name in keychain.REAL:
        module, _, attribute = name.rpartition(".")
        assert issubclass(getattr(__import__(module, fromlist=[attribute]), attribute), KeyringBackend)
    assert set(keychain.LONGEST) <= set(keychain.REAL)


def test_a_keychain_keeps_replaces_and_forgets(backend: InMemory) -> None:
    store: SecretStore = Keychain(backend, "gridbot in somewhere", "a keychain")
    assert store.read("a") is None
    store.remove("a")
    store.write("a", "1")
    store.write("a", "2")
    assert store.read("a") == "2" and backend.kept == {("gridbot in somewhere", "a"): "2"}
    store.remove("a")
    assert store.read("a") is None


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (KeyringLocked(CANARY), "Your keychain is locked: a keychain."),
        (PasswordSetError(CANARY), "Your keychain refused: a keychain (PasswordSetError)."),
        (OSError(CANARY), "Your keychain refused: a keychain (OSError)."),
    ],
)
def test_what_a_keychain_refuses_is_a_sentence_without_the_secret(
    backend: InMemory, error: Exception, sentence: str
) -> None:
    store, backend.fails = Keychain(backend, "gridbot", "a keychain"), error
    attempts: list[Callable[[], object]] = [
        lambda: store.read("a"),
        lambda: store.write("a", CANARY),
        lambda: store.remove("a"),
    ]
    for attempt in attempts:
        with pytest.raises(EnvironmentProblem) as refused:
            attempt()
        assert refused.value.message == sentence and refused.value.hint


def test_the_error_of_the_library_below_is_a_sentence_too(backend: InMemory) -> None:
    exceptions = pytest.importorskip("secretstorage.exceptions", reason="The Secret Service is on Linux only.")
    backend.fails = exceptions.PromptDismissedException("dismissed")
    with pytest.raises(EnvironmentProblem, match="PromptDismissedException"):
        Keychain(backend, "gridbot", "a keychain").read("a")


def test_a_keychain_that_says_nothing_and_keeps_nothing_is_noticed(backend: InMemory) -> None:
    backend.forgets = True
    with pytest.raises(EnvironmentProblem, match="is not in a keychain after it was saved"):
        Keychain(backend, "gridbot", "a keychain").write("a", CANARY)


def test_a_secret_that_is_too_long_for_windows_is_refused_before_it_is_cut(backend: InMemory) -> None:
    store = Keychain(backend, "gridbot", "the Windows Credential Manager", longest=1_200)
    with pytest.raises(EnvironmentProblem, match="Manager takes at most 1,200 characters, and this secret has 1,201"):
        store.write("a", "x" * 1_201)
    store.write("a", "x" * 1_200)
    assert store.read("a") == "x" * 1_200


# --------------------------------------------------------------------------------------------- choice


def test_without_a_keychain_a_passphrase_opens_a_file(tmp_path: Path) -> None:
    store = chosen(tmp_path, NO_KEYCHAIN | PASSPHRASE)
    assert store.note.startswith("No system keychain was found.") and store.kept
    store.write("a", CANARY)
    assert (tmp_path / FILE).exists() and str(tmp_path / FILE) in store.found_in("a")
    assert chosen(tmp_path, NO_KEYCHAIN | PASSPHRASE).read("a") == CANARY
    store.remove("a")
    assert store.read("a") is None and store.found_in("a") == ""


def test_a_new_passphrase_is_asked_for_twice(tmp_path: Path) -> None:
    answers = iter(["first passphrase", "second passphrase", "first passphrase", "first passphrase"])
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        return next(answers)

    store = chosen(tmp_path, NO_KEYCHAIN, ask=ask)
    with pytest.raises(EnvironmentProblem, match="not the same"):
        store.write("a", CANARY)
    assert not (tmp_path / FILE).exists()
    store.write("a", CANARY)
    assert len(asked) == 4 and store.read("a") == CANARY
    with pytest.raises(EnvironmentProblem, match="none was given"):
        chosen(tmp_path, NO_KEYCHAIN, ask=lambda _: None).read("a")


def test_where_nobody_can_be_asked_keys_are_for_this_run_only(tmp_path: Path) -> None:
    store = chosen(tmp_path, NO_KEYCHAIN | {"GRIDBOT_SECRET_NOTIFY_URLS": CANARY})
    assert store.note == "No system keychain was found. Keys are possible for this run only." and not store.kept
    assert store.read("notify-urls") == CANARY == store.read("notify.urls")
    assert store.found_in("notify-urls") == "the environment of this run"
    with pytest.raises(EnvironmentProblem, match="No system keychain was found"):
        store.write("a", "1")
    with pytest.raises(EnvironmentProblem) as refused:
        store.remove("notify-urls")
    assert "GRIDBOT_SECRET_NOTIFY_URLS" in refused.value.hint
    store.remove("nothing-there")
    assert list(tmp_path.iterdir()) == []


def test_a_locked_file_that_nobody_can_open_says_so_unless_keys_were_given(tmp_path: Path) -> None:
    chosen(tmp_path, NO_KEYCHAIN | PASSPHRASE).write("a", CANARY)
    with pytest.raises(EnvironmentProblem, match="locked with a passphrase"):
        chosen(tmp_path, NO_KEYCHAIN).read("a")
    given = chosen(tmp_path, NO_KEYCHAIN | {"GRIDBOT_API_KEY": "k" * 20})
    assert given.read("a") is None and not given.kept


def test_the_best_place_that_has_a_secret_gives_it(tmp_path: Path, backend: InMemory) -> None:
    first, second = Keychain(backend, "one", "the first"), Keychain(backend, "two", "the second")
    store = ChosenStore((first, second), Mask().learn)
    second.write("a", "old")
    assert store.read("a") == "old" and store.found_in("a") == "the second" and store.kept_in == "the first"
    store.write("a", "new")
    assert store.read("a") == "new"
    store.remove("a")
    assert store.read("a") is None and backend.kept == {}


# ----------------------------------------------------------------------------------------------- mask


def test_all_that_the_environment_gives_is_hidden_at_once(tmp_path: Path) -> None:
    given = {
        "GRIDBOT_API_KEY": "canary-of-the-key",
        "GRIDBOT_API_SECRET": "canary-of-the-secret",
        "GRIDBOT_API_PASSPHRASE": "canary-of-the-part",
        "GRIDBOT_PASSPHRASE": "canary-of-the-file",
        variable("notify-urls"): "canary://of-the-address",
    }
    mask = Mask()
    chosen(tmp_path, NO_KEYCHAIN | given, mask=mask)
    told = mask.text(" / ".join(given.values()))
    assert told == " / ".join([MASKED] * len(given))


def test_what_is_typed_written_or_read_is_hidden_whole_and_in_its_parts(tmp_path: Path) -> None:
    mask = Mask()
    store = chosen(tmp_path, NO_KEYCHAIN, ask=lambda _: "canary of a passphrase", mask=mask)
    store.write("exchange.okx.default", '{"schema": 1, "key": "canary-part-1", "secret": "canary-part-2"}')
    assert mask.text("canary-part-1, canary-part-2, canary of a passphrase") == ", ".join([MASKED] * 3)
    reader = Mask()
    again = chosen(tmp_path, NO_KEYCHAIN, ask=lambda _: "canary of a passphrase", mask=reader)
    assert reader.text("canary-part-2") == "canary-part-2"
    assert again.read("exchange.okx.default")
    assert reader.text("canary-part-1, canary-part-2") == ", ".join([MASKED] * 2)
