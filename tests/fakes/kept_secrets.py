"""A store of secrets in memory; satisfies the SecretStore port."""

from __future__ import annotations

from collections.abc import Mapping


class SecretsInMemory:
    """Keeps what it is given in `kept`."""

    kept_in = "a dict of the test"

    def __init__(self, kept: Mapping[str, str] | None = None) -> None:
        self.kept = dict(kept or {})

    def read(self, name: str) -> str | None:
        return self.kept.get(name)

    def write(self, name: str, secret: str) -> None:
        self.kept[name] = secret

    def remove(self, name: str) -> None:
        self.kept.pop(name, None)
