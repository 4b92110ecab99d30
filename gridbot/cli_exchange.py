"""`gridbot exchange`: which exchanges are known, the keys to accounts there, and whether a key works."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from gridbot.cli_app import EXIT_USER_MUST_ACT, GROUPS, gridbot_home
from gridbot.errors import ConfigError, EnvironmentProblem

if TYPE_CHECKING:
    from gridbot.adapters.exchange.exchange_key import ExchangeKey
    from gridbot.adapters.secrets.chosen_store import ChosenStore
    from gridbot.config import AppConfig

REMOVE, ACCEPT = "REMOVE", "this key can withdraw"

ExchangeOption = Annotated[str | None, typer.Option(metavar="ID", help="Else what the configuration says.")]
AccountOption = Annotated[str | None, typer.Option(metavar="NAME", help="Else what the configuration says.")]


@GROUPS["exchange"].command("list")
def exchange_list() -> None:
    """Name every exchange; those that were looked into first."""
    import textwrap

    from gridbot.adapters.exchange.capability_table import capability_of
    from gridbot.adapters.exchange.opening import exchange_ids

    rows = [capability_of(each) for each in exchange_ids()]
    print("Looked into, and held by tests to what each request must be:")
    for row in rows:
        if row.proven:
            print(f"  {row.id:<12}{row.name}")
    others = ", ".join(row.id for row in rows if not row.proven)
    if not others:
        print("\nThis package has these alone; gridbot from its source has every exchange that ccxt knows.")
        return
    print("\nKnown to ccxt, and to gridbot only in general:")
    print(textwrap.fill(others, 100, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False))
    general = next(row for row in rows if not row.proven)
    print(textwrap.fill(" ".join(general.notes), 100))


@GROUPS["exchange"].command("test")
def exchange_test(
    exchange: ExchangeOption = None,
    account: AccountOption = None,
    accept_withdrawal_key: Annotated[
        bool,
        typer.Option("--accept-withdrawal-key", help="Use a key that can withdraw; asks to type a sentence."),
    ] = False,
) -> None:
    """Ask the exchange whether the key works, and what it may do."""
    import asyncio

    from gridbot.adapters.exchange.key_check import failed_sentence
    from gridbot.adapters.exchange.stored_keys import exchange_key
    from gridbot.adapters.exchange.unified import CallFailed
    from gridbot.bootstrap_keys import accepted_key, asked, judged
    from gridbot.bootstrap_worlds import exchange_words
    from gridbot.cli_hidden import open_store
    from gridbot.shell.key_desk import KeyPlace, KeyVerdict

    settings = _settings(exchange, account)
    place = KeyPlace(settings.exchange.id, settings.account, settings.exchange.base_url)
    key = exchange_key(open_store(), place.exchange, place.account, os.environ)
    if key is None:
        raise EnvironmentProblem(
            f"There is no key of {_named(settings)}.", hint="Keep one with `gridbot exchange key set`."
        )
    try:
        found = asyncio.run(asked(place, key, lambda text: print(text, file=sys.stderr, flush=True)))
    except CallFailed as failed:
        raise EnvironmentProblem(failed_sentence(place.exchange, failed)) from None
    accepted = accepted_key(gridbot_home(), place.account, key.key)
    if found.rights.withdraw and accept_withdrawal_key and not accepted.given():
        if not _typed(ACCEPT, "Whoever copies this key can take your money out."):
            raise EnvironmentProblem("The key stays refused.", hint=f"Type the sentence as it stands there: {ACCEPT}.")
        accepted.store()
    words = exchange_words(place.exchange)
    print("\n".join((*found.sentences(accepted=accepted.given()), *filter(None, (words.caution, *words.notes)))))
    verdict = judged(found, accepted)
    if verdict is KeyVerdict.WITHDRAWS:
        print(
            "Make a key without that right at the exchange. If it must be this one: `gridbot exchange test "
            "--accept-withdrawal-key`.",
            file=sys.stderr,
        )
    if verdict is not KeyVerdict.GOOD:
        raise typer.Exit(EXIT_USER_MUST_ACT)


@GROUPS["key"].command("set")
def key_set(exchange: ExchangeOption = None, account: AccountOption = None) -> None:
    """Keep the key of an account: asked for without an echo, or its parts on the lines of a pipe."""
    from gridbot.adapters.exchange.opening import open_client
    from gridbot.adapters.exchange.stored_keys import exchange_key, store_key
    from gridbot.cli_app import known_secrets
    from gridbot.cli_hidden import asks, open_store

    settings = _settings(exchange, account)
    # It reaches nobody; only a name that no exchange has is refused.
    open_client(settings.exchange.id, base_url=None, key=None)
    store = open_store()
    key = _asked_key(settings) if asks() else _piped_key(settings)
    known_secrets().learn(key.key, key.secret, key.passphrase)
    store_key(store, settings.exchange.id, settings.account, key)
    # What can be read again is kept; anything else would be found out when the orders rest already.
    if exchange_key(store, settings.exchange.id, settings.account, {}) != key:
        raise EnvironmentProblem("The key cannot be read again after it was saved.", hint="Try again.")
    if store.note:
        print(store.note, file=sys.stderr)
    print(f"The key of {_named(settings)} is kept: {_ending_of(key)}in {_kept_in(store, settings)}.")
    print("`gridbot exchange test` tells whether it works, and what it may do.", file=sys.stderr)


@GROUPS["key"].command("remove")
def key_remove(
    exchange: ExchangeOption = None,
    account: AccountOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Forget the key of an account; without it gridbot can neither trade there nor cancel."""
    from gridbot.adapters.exchange.stored_keys import secret_name
    from gridbot.cli_hidden import open_store

    settings = _settings(exchange, account)
    store = open_store()
    where = _kept_in(store, settings)
    if not where:
        print(f"No key of {_named(settings)} is kept.")
        return
    if not yes and not _typed(REMOVE, "Without it gridbot can neither trade there nor cancel what rests."):
        raise EnvironmentProblem("The key is still kept.", hint=f"Type {REMOVE}, or use --yes in a script.")
    store.remove(secret_name(settings.exchange.id, settings.account))
    print(f"The key of {_named(settings)} is no longer in {where}. At the exchange it is still valid: delete it there.")


@GROUPS["key"].command("show")
def key_show(exchange: ExchangeOption = None, account: AccountOption = None) -> None:
    """Tell whether a key is kept, and where; never the key itself."""
    from gridbot.adapters.exchange.stored_keys import exchange_key
    from gridbot.cli_hidden import open_store

    settings = _settings(exchange, account)
    store = open_store()
    key = exchange_key(store, settings.exchange.id, settings.account, os.environ)
    if key is None:
        print(f"No key of {_named(settings)} is kept. `gridbot exchange key set` keeps one.")
        return
    where = _kept_in(store, settings) or "the environment of this run"
    parts = "with a passphrase" if key.passphrase else "without a passphrase"
    print(f"A key of {_named(settings)} is there, {parts}: {_ending_of(key)}in {where}.")


# --------------------------------------------------------------------------------------------- inside


def _settings(exchange: str | None, account: str | None) -> AppConfig:
    """Return the configuration with what the command line says in its place; ConfigError for a name that is none."""
    from gridbot.adapters import config_files
    from gridbot.config import AppConfig, parse_config
    from gridbot.config.secret_values import looks_secret

    if looks_secret(exchange or "") or looks_secret(account or ""):
        raise ConfigError(
            "That looks like a key, and a key is never an argument: your shell may have written it down.",
            hint="Make another key at the exchange. gridbot asks for it, or reads it from a pipe.",
        )
    path = gridbot_home().config
    settings = config_files.load(path) if path.exists() else AppConfig()
    changes: dict[str, object] = {}
    if account is not None:
        changes["account"] = account
    if exchange is not None and exchange != settings.exchange.id:
        changes["exchange"] = {"id": exchange, "base_url": None}
    if not changes:
        return settings
    import json

    return parse_config(json.dumps({**json.loads(settings.to_json()), **changes}), source="The command line")


def _named(settings: AppConfig) -> str:
    return f"{settings.exchange.id} (account {settings.account})"


def _kept_in(store: ChosenStore, settings: AppConfig) -> str:
    from gridbot.adapters.exchange.stored_keys import secret_name

    return store.found_in(secret_name(settings.exchange.id, settings.account))


def _ending_of(key: ExchangeKey) -> str:
    from gridbot.bootstrap_keys import ending_of

    ending = ending_of(key)
    return f"it ends in {ending}, " if ending else ""


def _asked_key(settings: AppConfig) -> ExchangeKey:
    from gridbot.adapters.exchange.stored_keys import needs_secret
    from gridbot.cli_hidden import hidden, hidden_key_part

    print(f"The key of {_named(settings)}. What you type or paste is not shown.", file=sys.stderr)
    key = hidden_key_part("API key")
    secret = hidden_key_part("API secret") if needs_secret(settings.exchange.id) else ""
    passphrase = hidden("Passphrase of the key, if the exchange gave you one (else Enter)") or ""
    return _checked(settings, key, secret, passphrase)


def _piped_key(settings: AppConfig) -> ExchangeKey:
    from gridbot.cli_hidden import piped

    parts: list[str] = []
    for line in piped().splitlines():
        # A secret in PEM form is one part of several lines.
        if parts and parts[-1].startswith("-----BEGIN") and "-----END" not in parts[-1]:
            parts[-1] += f"\n{line.strip()}"
        else:
            parts.append(line.strip())
    if len(parts) > 3:
        raise EnvironmentProblem(
            f"The pipe gives {len(parts)} lines.",
            hint="Give the key, the secret and, where there is one, its passphrase.",
        )
    key, secret, passphrase = (*parts, "", "", "")[:3]
    return _checked(settings, key, secret, passphrase)


def _checked(settings: AppConfig, key: str, secret: str, passphrase: str) -> ExchangeKey:
    """Return the key; EnvironmentProblem where a part is missing or was copied together with something else."""
    from gridbot.adapters.exchange.stored_keys import made_key

    return made_key(settings.exchange.id, key, secret, passphrase)


def _typed(word: str, sentence: str) -> bool:
    try:
        return input(f"{sentence} Type {word} to go on: ").strip() == word
    except EOFError:
        print()
        return False
