"""The only module that imports keyring: the system's own keychain, and never a backend that keeps secrets in the open.

keyring takes whatever backend is configured or installed, also one that writes plain text or keeps nothing. So its
choice is not asked for: the backends below are tried one by one, and nothing else.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from gridbot.errors import EnvironmentProblem

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

REAL: Mapping[str, str] = {
    "keyring.backends.Windows.WinVaultKeyring": "the Windows Credential Manager",
    "keyring.backends.macOS.Keyring": "the macOS keychain",
    "keyring.backends.SecretService.Keyring": "the desktop's keychain (Secret Service)",
    "keyring.backends.kwallet.DBusKeyring": "KWallet",
}
"""The backends that really are keychains, and what a person calls them."""
LONGEST: Mapping[str, int] = {"keyring.backends.Windows.WinVaultKeyring": 1_200}
"""How many characters a keychain takes; Windows has 2,560 bytes for a secret, two a character."""

# Where a keychain's own library has an error of its own beside keyring's: the module and the name.
_ERRORS = (
    ("secretstorage.exceptions", "SecretStorageException"),
    ("jeepney", "DBusErrorResponse"),
    ("dbus", "DBusException"),
    ("win32ctypes.pywin32.pywintypes", "error"),
)


class Keychain:
    """One real keychain; satisfies the SecretStore port. `service` is the heading under which its entries stand."""

    def __init__(self, backend: KeyringBackend, service: str, kept_in: str, *, longest: int | None = None) -> None:
        self._backend = backend
        self._service = service
        self._kept_in = kept_in
        self._longest = longest

    @property
    def kept_in(self) -> str:
        """Which keychain it is."""
        return self._kept_in

    def read(self, name: str) -> str | None:
        """Return a secret, None if there is none of that name."""
        return self._asked(lambda: self._backend.get_password(self._service, name))

    def write(self, name: str, secret: str) -> None:
        """Keep a secret; it is read again, for some keychains say nothing when they refuse."""
        if self._longest is not None and len(secret) > self._longest:
            raise EnvironmentProblem(
                f"{self._kept_in[:1].upper()}{self._kept_in[1:]} takes at most {self._longest:,} characters, and this "
                f"secret has {len(secret):,}.",
                hint="Make a shorter key at the exchange: Ed25519 or HMAC instead of RSA.",
            )
        self._asked(lambda: self._backend.set_password(self._service, name, secret))
        if self.read(name) != secret:
            raise EnvironmentProblem(f"The secret is not in {self._kept_in} after it was saved.", hint=_TRY)

    def remove(self, name: str) -> None:
        """Forget a secret; nothing happens if there is none."""
        if self.read(name) is not None:
            self._asked(lambda: self._backend.delete_password(self._service, name))

    def _asked(self, call: Callable[[], str | None]) -> str | None:
        from keyring.errors import KeyringLocked

        try:
            return call()
        except KeyringLocked as error:
            raise EnvironmentProblem(
                f"Your keychain is locked: {self._kept_in}.", hint="Unlock it and try again."
            ) from error
        except _failures() as error:
            # What the library says may quote what it was given.
            raise EnvironmentProblem(
                f"Your keychain refused: {self._kept_in} ({type(error).__name__}).", hint=_TRY
            ) from None


_TRY = "Open the system's own tool for passwords, see whether it works, and try again."


def find_keychain(service: str, *, wanted: str | None) -> Keychain | None:
    """Return the system's keychain, None where there is none that works.

    `wanted` is what PYTHON_KEYRING_BACKEND says: one of the real backends alone, or, with anything else, none of them.
    """
    viable: list[tuple[float, str, type[KeyringBackend]]] = []
    for name in REAL if wanted is None else [wanted] if wanted in REAL else []:
        module, _, attribute = name.rpartition(".")
        backend = getattr(importlib.import_module(module), attribute)
        try:
            viable.append((float(backend.priority), name, backend))
        except RuntimeError:
            # What a backend says where its keychain is not there.
            continue
        except _failures():
            continue
    if not viable:
        return None
    _, name, best = max(viable, key=lambda each: each[0])
    return Keychain(best(), service, REAL[name], longest=LONGEST.get(name))


def _failures() -> tuple[type[Exception], ...]:
    """Return the errors of keyring, and of those libraries below it that are installed on this system."""
    from keyring.errors import KeyringError

    known: list[type[Exception]] = [KeyringError, OSError, EOFError]
    for module, name in _ERRORS:
        try:
            known.append(getattr(importlib.import_module(module), name))
        except ImportError:
            continue
    return tuple(known)
