"""The kill switch on the command line: `gridbot kill` stops every account, `gridbot rearm` is a person's word."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from gridbot.cli_app import EXIT_USER_MUST_ACT, AccountOption, ModeOption, app, chosen_account, gridbot_home
from gridbot.errors import EnvironmentProblem, GridbotError

if TYPE_CHECKING:
    from gridbot.adapters.exchange.exchange_key import ExchangeKey
    from gridbot.adapters.files.kept_files import AccountName
    from gridbot.cli_kill_accounts import Ending

SELL, REARM, ACCEPT = "SELL", "REARM", "ACCEPT"


@app.command()
def kill(
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why, for the record.")] = "You ran `gridbot kill`.",
    everything: Annotated[
        bool, typer.Option("--everything", help="Cancel orders that are not gridbot's as well.")
    ] = False,
    liquidate: Annotated[
        bool, typer.Option("--liquidate", help="Then sell what the grids hold; asks to type SELL.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Stop all trading, cancel every order of ours, and stay stopped until a person re-arms."""
    from gridbot.adapters.files.disk import SystemDisk
    from gridbot.adapters.files.kill_latch import KillLatchFile
    from gridbot.adapters.system_clock import SystemClock

    home, disk = gridbot_home(), SystemDisk()
    latch, well = KillLatchFile(disk, home.root, SystemClock()), True
    try:
        disk.make_folder(home.root)
        latch.set(reason)
        print(f"Trading is stopped: {home.root / 'KILL'} is there, and no order leaves while it is.", flush=True)
    except EnvironmentProblem as problem:
        # Never a reason to keep the cancels waiting.
        well = False
        print(f"The KILL file could not be written: {problem.message} {problem.hint}", file=sys.stderr, flush=True)
    if liquidate and not yes:
        # After the latch: whoever hesitates here is stopped already.
        liquidate = _typed(SELL, "What the grids hold will be sold at the price there is, which may be a loss.")
        if not liquidate:
            print("Nothing will be sold.", flush=True)
    from gridbot.cli_kill_accounts import Accounts

    accounts = Accounts(home, _find_key)
    for account in _all_accounts():
        well &= _tell(account, lambda each: accounts.stop(each, reason, liquidate=liquidate, everything=everything))
    if well and latch.latched() is None:
        latch.set(reason)
        raise EnvironmentProblem(
            "Somebody re-armed trading meanwhile. It is stopped again.", hint="Run `gridbot kill` once more."
        )
    if not well:
        raise typer.Exit(EXIT_USER_MUST_ACT)
    print("Every cancel is confirmed. `gridbot rearm` lets trading begin again.")


@app.command()
def rearm(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    accept_integrity: Annotated[
        bool, typer.Option("--accept-integrity", help="Also where the books did not add up, after you compared them.")
    ] = False,
) -> None:
    """Let trading begin again after a stop, in every account, when no order of ours rests any more."""
    from gridbot.adapters.files.disk import SystemDisk
    from gridbot.adapters.files.kill_latch import KillLatchFile
    from gridbot.adapters.system_clock import SystemClock
    from gridbot.bootstrap import account_status
    from gridbot.cli_kill_accounts import Accounts, Ending

    home = gridbot_home()
    latch = KillLatchFile(SystemDisk(), home.root, SystemClock())
    latched = latch.latched()
    plain = {account: account_status(home, mode=account.mode, account=account.name) for account in _all_accounts()}
    if latched is None and not any(each["killed"] for each in plain.values()):
        print("Trading is not stopped.")
        return
    for account, each in plain.items():
        why = (each["kill"] or {}).get("reason") or "the KILL file does not say why"
        print(f"{account.folder} was stopped: {why}")
    if not yes and not _typed(REARM, "After this the grids place orders again."):
        raise EnvironmentProblem("Trading stays stopped.", hint=f"Type {REARM}, or use --yes in a script.")
    accounts, well = Accounts(home, _find_key), True
    for account in plain:
        refused = accounts.refusal(account, accept_integrity=accept_integrity)
        if refused:
            well = _tell(account, lambda _, why=refused: Ending(False, why))  # type: ignore[misc]
    if well:
        by = f"{getpass.getuser()} with gridbot rearm"
        well = all([_tell(account, lambda each: accounts.release(each, by)) for account in plain])
    if not well:
        raise typer.Exit(EXIT_USER_MUST_ACT)
    latch.clear()
    print("Trading is released.")


@app.command("accept-balances")
def accept_balances(
    mode: ModeOption = None,
    account: AccountOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Take the exchange's word where its balances differ from an account's books, which keeps its grids waiting."""
    from gridbot.adapters.files.kept_files import AccountName
    from gridbot.cli_kill_accounts import Accounts

    chosen = AccountName(*chosen_account(mode, account))
    accounts = Accounts(gridbot_home(), _find_key)
    found = accounts.accept(chosen, "")
    print(f"{chosen.folder}: {found.sentence}", flush=True)
    if not found.sentence.startswith("The exchange holds"):
        raise typer.Exit(EXIT_USER_MUST_ACT)
    consequence = (
        "Look at the exchange's own list of trades and transfers first. This books the difference as a transfer."
    )
    if not yes and not _typed(ACCEPT, consequence):
        raise EnvironmentProblem("Nothing was booked, and the grids wait.", hint=f"Type {ACCEPT}, or use --yes.")
    if not _tell(chosen, lambda each: accounts.accept(each, found.sentence)):
        raise typer.Exit(EXIT_USER_MUST_ACT)


def _find_key(exchange: str, account: str) -> ExchangeKey | None:
    from gridbot.adapters.exchange.stored_keys import exchange_key
    from gridbot.cli_hidden import open_store

    return exchange_key(open_store(), exchange, account, os.environ)


def _all_accounts() -> tuple[AccountName, ...]:
    from gridbot.adapters.files.disk import SystemDisk
    from gridbot.adapters.files.kept_files import accounts

    return accounts(SystemDisk(), gridbot_home().root)


def _tell(account: AccountName, act: Callable[[AccountName], Ending]) -> bool:
    """Do something with one account and tell its end; an account that cannot be read must not spare the others."""
    try:
        ending = act(account)
    except GridbotError as error:
        print(f"{account.folder}: {error.message} {error.hint}".strip(), file=sys.stderr, flush=True)
        return False
    print(f"{account.folder}: {ending.sentence}", file=None if ending.ok else sys.stderr, flush=True)
    return ending.ok


def _typed(word: str, consequence: str) -> bool:
    print(f"{consequence} Type {word} to allow it: ", end="", flush=True)
    return sys.stdin.readline().strip() == word
