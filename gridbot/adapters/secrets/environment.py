"""Secrets that come with the environment of one run: read from it, and never kept."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from gridbot.errors import EnvironmentProblem

PREFIX = "GRIDBOT_SECRET_"
PASSPHRASE = "GRIDBOT_PASSPHRASE"
KEY_PARTS = ("GRIDBOT_API_KEY", "GRIDBOT_API_SECRET", "GRIDBOT_API_PASSPHRASE")
HOW = "Set GRIDBOT_API_KEY and GRIDBOT_API_SECRET for this run, or start gridbot where it can ask for a passphrase."


class EnvironmentSecrets:
    """The variables GRIDBOT_SECRET_<NAME>; satisfies the SecretStore port. It can keep nothing, and says so."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    @property
    def kept_in(self) -> str:
        """What they are."""
        return "the environment of this run"

    def read(self, name: str) -> str | None:
        """Return a secret, None if there is no variable for that name, or an empty one."""
        return self._environment.get(variable(name)) or None

    def write(self, name: str, secret: str) -> None:
        """Refuse: what is written into a process's environment is gone with it."""
        raise EnvironmentProblem("No system keychain was found, and nothing is kept without one.", hint=HOW)

    def remove(self, name: str) -> None:
        """Refuse if the environment has it; whoever set the variable takes it away."""
        if self.read(name) is not None:
            raise EnvironmentProblem(
                f"The secret {name} comes from the environment.", hint=f"Take the variable {variable(name)} away."
            )


def variable(name: str) -> str:
    """Return the variable of a named secret: NOTIFY_URLS at the end for notify-urls."""
    return PREFIX + re.sub(r"[^A-Za-z0-9]", "_", name).upper()


def secrets_of(environment: Mapping[str, str]) -> Iterator[str]:
    """Yield every secret that gridbot's variables hold."""
    for name, text in environment.items():
        if text and (name in {PASSPHRASE, *KEY_PARTS} or name.startswith(PREFIX)):
            yield text
