"""Which place keeps the secrets here: the system's keychain, else an encrypted file, else the environment of this run.

Whatever is read is taught to the log's mask before anybody sees it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import orjson

from gridbot.adapters.secrets.environment import KEY_PARTS, PASSPHRASE, EnvironmentSecrets, secrets_of
from gridbot.adapters.secrets.keychain import find_keychain
from gridbot.adapters.secrets.secret_file import SecretFile
from gridbot.errors import EnvironmentProblem
from gridbot.ports import Disk, SecretStore

Ask = Callable[[str], str | None]
"""Asks a person a question whose answer nobody else sees; None where nobody answers."""
Learn = Callable[..., None]
"""The mask's `learn`: it hides each of the texts that it is given from now on."""

NO_KEYCHAIN = "No system keychain was found."


class ChosenStore:
    """The places that there are, the best first; satisfies the SecretStore port.

    Attributes:
        note: what a person should know about the choice, "" if the system's keychain is there
        kept: whether anything can be kept at all, beyond this run
    """

    def __init__(self, places: tuple[SecretStore, ...], learn: Learn, *, note: str = "", kept: bool = True) -> None:
        self._places = places
        self._learn = learn
        self.note = note
        self.kept = kept

    @property
    def wants(self) -> bool | None:
        """Whether writing here wants a passphrase: True a new one, False the known one, None none at all."""
        first = self._places[0]
        return first.wants if isinstance(first, SecretFile) else None

    @property
    def kept_in(self) -> str:
        """Where a new secret is kept."""
        return self._places[0].kept_in

    def read(self, name: str) -> str | None:
        """Return a secret from the first place that has it."""
        for place in self._places:
            secret = place.read(name)
            if secret is not None:
                self._learn(*_parts(secret))
                return secret
        return None

    def found_in(self, name: str) -> str:
        """Return where a secret is, "" if it is nowhere; no passphrase is asked for."""
        for place in self._places:
            there = place.holds(name) if isinstance(place, SecretFile) else place.read(name) is not None
            if there:
                return place.kept_in
        return ""

    def write(self, name: str, secret: str) -> None:
        """Keep a secret in the best place; it is taught to the mask before it goes anywhere."""
        self._learn(*_parts(secret))
        self._places[0].write(name, secret)

    def remove(self, name: str) -> None:
        """Forget a secret wherever it is."""
        for place in self._places:
            place.remove(name)


def choose_store(
    root: Path,
    *,
    environment: Mapping[str, str],
    disk: Disk,
    save: Callable[[Disk, Path, bytes], None],
    ask: Ask | None,
    learn: Learn,
) -> ChosenStore:
    """Return where the secrets of the gridbot in the folder `root` are kept.

    `save` replaces a file whole or not at all; `ask` is None where no person can be asked. All that the environment
    holds is taught to `learn` at once.
    """
    learn(*secrets_of(environment))
    # Two folders are two gridbots: practice in one must not overwrite the keys of the other.
    keychain = find_keychain(f"gridbot in {root}", wanted=environment.get("PYTHON_KEYRING_BACKEND"))
    given = EnvironmentSecrets(environment)
    file = SecretFile(disk, root, _Asked(environment.get(PASSPHRASE), ask, learn, root), save)
    opens = bool(environment.get(PASSPHRASE)) or ask is not None
    # A locked file that nobody can open must not keep a run from keys that it was given.
    use_file = opens or (file.there() and not environment.get(KEY_PARTS[0]))
    if keychain is not None:
        return ChosenStore((keychain, *([file] if file.there() and use_file else ()), given), learn)
    if use_file:
        note = f"{NO_KEYCHAIN} Secrets are kept in {file.kept_in}, behind a passphrase."
        return ChosenStore((file, given), learn, note=note)
    return ChosenStore((given,), learn, note=f"{NO_KEYCHAIN} Keys are possible for this run only.", kept=False)


class _Asked:
    """The passphrase from the environment or from a person."""

    def __init__(self, given: str | None, ask: Ask | None, learn: Learn, root: Path) -> None:
        self._given = given
        self._ask = ask
        self._learn = learn
        self._root = root

    def __call__(self, *, new: bool) -> str:
        """Return it; a new one is asked for twice."""
        if self._given:
            return self._given
        first = "New passphrase for the file of secrets" if new else "Passphrase of the file of secrets"
        typed = None if self._ask is None else self._ask(first)
        if not typed or self._ask is None:
            raise EnvironmentProblem(
                f"The secrets in {self._root} are locked with a passphrase, and none was given.",
                hint=f"Set {PASSPHRASE}, or start gridbot where it can ask for it.",
            )
        self._learn(typed)
        if new and self._ask("The same passphrase again") != typed:
            raise EnvironmentProblem("The two passphrases are not the same.", hint="Try again; nothing was saved.")
        return typed


def _parts(secret: str) -> Iterator[str]:
    """Yield a secret and, where it is a JSON object, each text in it: an exchange's key has several."""
    yield secret
    try:
        plain = orjson.loads(secret)
    except orjson.JSONDecodeError:
        return
    if isinstance(plain, dict):
        yield from (item for item in plain.values() if isinstance(item, str))
