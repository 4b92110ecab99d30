"""Secrets in one encrypted file: Argon2id makes its key from a passphrase, AES-256-GCM seals each secret with its name.

The first line says what the file is, its form, and the SHA-256 of the rest, so that damage and a newer form are told
from a wrong passphrase. The second is JSON: how the key is made, a seal that only the right passphrase opens, and the
secrets. Names can be read without the passphrase, secrets cannot.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import unicodedata
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import orjson

from gridbot.core.values import value
from gridbot.errors import AlreadyRunning, EnvironmentProblem
from gridbot.ports import Disk

FILE, LOCK = "secrets.sealed", "secrets.lock"
FORM = 1
SHORTEST = 10
"""A passphrase of fewer characters is guessed, however slow each guess is."""

_HEAD = re.compile(rb"gridbot secrets (\d{1,4}) ([0-9a-f]{64})")
_NONCE = 12
_RESTORE = "Put back a copy of it if you have one; else move it away and enter the keys again."


class Passphrase(Protocol):
    """Whoever knows the passphrase: a person or the environment. EnvironmentProblem where nobody can be asked."""

    def __call__(self, *, new: bool) -> str: ...


@value
class Cost:
    """What making the key costs; the defaults are RFC 9106's second choice."""

    rounds: int = 3
    memory_kib: int = 65_536
    lanes: int = 4


@value
class _Sealed:
    """What the file holds; `check` and the secrets are nonce and ciphertext together."""

    cost: Cost
    salt: bytes
    check: bytes
    secrets: Mapping[str, bytes]


class SecretFile:
    """The encrypted file in `root`; satisfies the SecretStore port. `save` replaces a file whole, or not at all."""

    def __init__(
        self,
        disk: Disk,
        root: Path,
        passphrase: Passphrase,
        save: Callable[[Disk, Path, bytes], None],
        *,
        cost: Cost | None = None,
    ) -> None:
        self._disk = disk
        self._path = root / FILE
        self._passphrase = passphrase
        self._save = save
        self._cost = cost or Cost()
        self._keys: dict[tuple[bytes, Cost], bytes] = {}

    @property
    def kept_in(self) -> str:
        """Which file it is."""
        return f"the encrypted file {self._path}"

    def there(self) -> bool:
        """Tell whether there is such a file yet."""
        return self._path.name in self._disk.names(self._path.parent)

    @property
    def wants(self) -> bool | None:
        """Whether it wants a passphrase: True a new one, False the known one, None none, for it has been opened."""
        if not self.there():
            return True
        return None if self._keys else False

    def holds(self, name: str) -> bool:
        """Tell whether there is a secret of that name, without the passphrase."""
        sealed = self._load()
        return sealed is not None and name in sealed.secrets

    def read(self, name: str) -> str | None:
        """Return a secret; the passphrase is asked for only if there is one of that name."""
        sealed = self._load()
        if sealed is None or name not in sealed.secrets:
            return None
        return self._opened(self._key(sealed), sealed, name)

    def write(self, name: str, secret: str) -> None:
        """Keep a secret. Only who knows the passphrase of the others can."""
        with _Held(self._disk, self._path.parent):
            sealed = self._load()
            if sealed is None:
                key, sealed = self._begin()
            else:
                key = self._key(sealed)
            self._store(sealed, {**sealed.secrets, name: _seal(key, secret.encode(), _about(sealed, name))})

    def remove(self, name: str) -> None:
        """Forget a secret; nothing happens if there is none."""
        if not self.there():
            return
        with _Held(self._disk, self._path.parent):
            sealed = self._load()
            if sealed is not None and name in sealed.secrets:
                self._store(sealed, {each: text for each, text in sealed.secrets.items() if each != name})

    def _begin(self) -> tuple[bytes, _Sealed]:
        salt = secrets.token_bytes(16)
        key = self._made(self._passphrase(new=True), salt, self._cost, new=True)
        bare = _Sealed(self._cost, salt, b"", {})
        return key, _Sealed(self._cost, salt, _seal(key, b"", _about(bare, "")), {})

    def _key(self, sealed: _Sealed) -> bytes:
        """Return the key that opens the file; EnvironmentProblem for a wrong passphrase, which is not remembered."""
        known = self._keys.get((sealed.salt, sealed.cost))
        key = known or self._made(self._passphrase(new=False), sealed.salt, sealed.cost, new=False)
        if _open(key, sealed.check, _about(sealed, "")) is None:
            self._keys.pop((sealed.salt, sealed.cost), None)
            raise EnvironmentProblem(
                f"The passphrase does not open {self._path}.", hint="Try again; nothing was changed."
            )
        self._keys[sealed.salt, sealed.cost] = key
        return key

    def _made(self, passphrase: str, salt: bytes, cost: Cost, *, new: bool) -> bytes:
        from argon2.exceptions import HashingError
        from argon2.low_level import Type, hash_secret_raw

        # The same characters may be typed in several forms: a Mac's keyboard and a PC's differ in accents.
        typed = unicodedata.normalize("NFC", passphrase)
        if new and len(typed) < SHORTEST:
            raise EnvironmentProblem(
                f"A passphrase needs at least {SHORTEST} characters; this one has {len(typed)}.",
                hint="Four words that do not belong together are easy to keep in mind.",
            )
        try:
            key = hash_secret_raw(
                typed.encode(),
                salt,
                time_cost=cost.rounds,
                memory_cost=cost.memory_kib,
                parallelism=cost.lanes,
                hash_len=32,
                type=Type.ID,
            )
        except HashingError as error:
            raise EnvironmentProblem(
                f"This machine has no {cost.memory_kib // 1024:,} MB of memory to spare, which the passphrase needs.",
                hint="Close other programs and try again.",
            ) from error
        if new:
            self._keys[salt, cost] = key
        return key

    def _opened(self, key: bytes, sealed: _Sealed, name: str) -> str:
        plain = _open(key, sealed.secrets[name], _about(sealed, name))
        if plain is None:
            raise EnvironmentProblem(
                f"{self._path} was changed by something else: the secret {name} in it is not the one that was saved.",
                hint=_RESTORE,
            )
        return plain.decode()

    def _load(self) -> _Sealed | None:
        content = self._disk.read(self._path)
        if content is None:
            return None
        head, _, body = content.partition(b"\n")
        known = _HEAD.fullmatch(head)
        if known is not None and int(known[1]) > FORM:
            raise EnvironmentProblem(
                f"{self._path} was written by a newer gridbot.", hint="Update gridbot; the file stays as it is."
            )
        if known is None or int(known[1]) != FORM or known[2].decode() != hashlib.sha256(body).hexdigest():
            raise self._damaged()
        try:
            return _read_body(body)
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
            raise self._damaged() from error

    def _store(self, sealed: _Sealed, kept: Mapping[str, bytes]) -> None:
        plain = {
            "key": _cost_plain(sealed),
            "check": b64encode(sealed.check).decode(),
            "secrets": {name: b64encode(kept[name]).decode() for name in sorted(kept)},
        }
        body = orjson.dumps(plain) + b"\n"
        # A temporary file that a crash left keeps the rights that it has; a new one has the owner's from the start.
        self._disk.remove(self._path.with_name(self._path.name + ".tmp"))
        head = f"gridbot secrets {FORM} {hashlib.sha256(body).hexdigest()}\n"
        self._save(self._disk, self._path, head.encode() + body)

    def _damaged(self) -> EnvironmentProblem:
        return EnvironmentProblem(f"{self._path} is damaged or cut short; its secrets cannot be read.", hint=_RESTORE)


class _Held:
    """The file while one process changes it, so that two do not lose each other's secrets."""

    def __init__(self, disk: Disk, root: Path) -> None:
        self._disk = disk
        self._root = root

    def __enter__(self) -> None:
        self._disk.make_folder(self._root)
        try:
            self._held = self._disk.lock(self._root / LOCK)
        except AlreadyRunning:
            raise EnvironmentProblem(
                "Another gridbot is changing the stored secrets at this moment.", hint="Try again."
            ) from None

    def __exit__(self, *_: object) -> None:
        self._held.release()


def _read_body(body: bytes) -> _Sealed:
    plain = orjson.loads(body)
    key = plain["key"]
    cost = Cost(int(key["rounds"]), int(key["memory_kib"]), int(key["lanes"]))
    salt = b64decode(key["salt"], validate=True)
    within = 1 <= cost.rounds <= 64 and 8 * cost.lanes <= cost.memory_kib <= 2**20 and 1 <= cost.lanes <= 64
    if key["name"] != "argon2id" or not within or not 16 <= len(salt) <= 64:
        raise ValueError("no key is made like that")
    sealed = {str(name): b64decode(text, validate=True) for name, text in plain["secrets"].items()}
    return _Sealed(cost, salt, b64decode(plain["check"], validate=True), sealed)


def _cost_plain(sealed: _Sealed) -> dict[str, object]:
    cost = sealed.cost
    return {
        "name": "argon2id",
        "rounds": cost.rounds,
        "memory_kib": cost.memory_kib,
        "lanes": cost.lanes,
        "salt": b64encode(sealed.salt).decode(),
    }


def _about(sealed: _Sealed, name: str) -> bytes:
    """Return what a seal is bound to: the form, how the key is made, and the name; the check's name is empty."""
    return orjson.dumps([FORM, _cost_plain(sealed), name])


def _seal(key: bytes, plain: bytes, about: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = secrets.token_bytes(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, plain, about)


def _open(key: bytes, sealed: bytes, about: bytes) -> bytes | None:
    """Return what was sealed; None if it was not sealed with this key, about this."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], about)
    except (InvalidTag, ValueError):
        return None
