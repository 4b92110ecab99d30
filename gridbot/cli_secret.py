"""`gridbot secret`: the secrets that the configuration names, such as the addresses of notifications."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from gridbot.cli_app import GROUPS
from gridbot.errors import ConfigError, EnvironmentProblem

SecretName = Annotated[str, typer.Argument(metavar="NAME", help="As the configuration writes it, such as notify-urls.")]


@GROUPS["secret"].command("set")
def secret_set(name: SecretName) -> None:
    """Keep a secret; it is asked for without an echo, or read from a pipe."""
    from gridbot.cli_app import known_secrets
    from gridbot.cli_hidden import asks, hidden, open_store, piped

    _check(name)
    store = open_store()
    secret = (hidden(f"The secret {name}") or "").strip() if asks() else piped()
    if not secret:
        raise EnvironmentProblem("Nothing was given, so nothing was changed.", hint="An empty secret cannot be kept.")
    known_secrets().learn(secret)
    store.write(name, secret)
    if store.note:
        print(store.note, file=sys.stderr)
    print(f"The secret {name} is kept in {store.found_in(name)}.")


@GROUPS["secret"].command("remove")
def secret_remove(name: SecretName) -> None:
    """Forget a secret."""
    from gridbot.cli_hidden import open_store

    _check(name)
    store = open_store()
    where = store.found_in(name)
    if not where:
        print(f"There is no secret {name}.")
        return
    store.remove(name)
    print(f"The secret {name} is no longer in {where}.")


def _check(name: str) -> None:
    from pydantic import TypeAdapter, ValidationError

    from gridbot.config.fields import SecretName as Known

    try:
        TypeAdapter(Known).validate_python(name)
    except ValidationError:
        # What was typed here by mistake may be the secret itself.
        raise ConfigError(
            "That is not the name of a secret: it begins with a letter, and has letters, digits, - _ and . only.",
            hint="Write a name such as notify-urls; the secret itself is asked for.",
        ) from None
    if name.lower().startswith("exchange."):
        raise ConfigError("Names that begin with exchange. are those of keys.", hint="Use `gridbot exchange key set`.")
