"""What `gridbot kill` and `gridbot rearm` do with one account: ask its holder by letter, or open it without one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

from gridbot.adapters.files.account_folder import LOCK
from gridbot.adapters.files.disk import SystemDisk
from gridbot.adapters.files.home import Home
from gridbot.adapters.files.kept_files import AccountName
from gridbot.adapters.files.mailbox import MailboxFiles, Reply
from gridbot.adapters.system_clock import SystemClock
from gridbot.bootstrap import is_held, read_account, take_account
from gridbot.config import AppConfig
from gridbot.core.snapshot import snapshot
from gridbot.core.state import Level, State
from gridbot.core.units import Mode, OrderId
from gridbot.core.values import value
from gridbot.errors import AlreadyRunning, EnvironmentProblem
from gridbot.ports import Ask, Letter
from gridbot.shell.at_rest import refusal_to_release, release_at_rest, stop_at_rest
from gridbot.shell.known_orders import standing_orders
from gridbot.shell.state_keeper import StateKeeper
from gridbot.sim.venue import KillDoor, SimVenue

STOP_PATIENCE_S, REARM_PATIENCE_S = 3.0, 10.0
"""How long a running gridbot may take to confirm its cancels, and to release."""
LOOK_S = 0.05


@value
class Ending:
    """How it ended for one account, in a sentence; `ok` False means that a person must act."""

    ok: bool
    sentence: str


class Accounts:
    """The accounts of one folder. Each method tells its end as a sentence; GridbotError for a damaged account."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._disk, self._clock = SystemDisk(), SystemClock()

    def stop(self, account: AccountName, reason: str, *, liquidate: bool, everything: bool) -> Ending:
        """Cancel what rests: by the process that holds the account, or here if none does. The latch is set already."""
        try:
            return self._stop_at_rest(account, reason, liquidate=liquidate, everything=everything)
        except AlreadyRunning:
            said = self._ask(account, Ask.STOP, reason, STOP_PATIENCE_S, liquidate=liquidate, everything=everything)
        if said is not None:
            return Ending(said.ok, said.message)
        try:
            # It may have ended meanwhile, and it is a dead process that this is for.
            return self._stop_at_rest(account, reason, liquidate=liquidate, everything=everything)
        except AlreadyRunning:
            return Ending(
                False,
                f"the gridbot that holds it has not confirmed its cancels within {STOP_PATIENCE_S:g} s. The orders of "
                "a simulated market live inside that process: end it, then run `gridbot kill` again.",
            )

    def _stop_at_rest(self, account: AccountName, reason: str, *, liquidate: bool, everything: bool) -> Ending:
        with self._opened(account) as (keeper, install):
            venue = _venue(keeper.state)
            count = len(snapshot(keeper.state).orders)
            ours = f"gb{install}"

            def is_ours(id_: OrderId) -> bool:
                return id_.startswith(ours)

            left = stop_at_rest(keeper, KillDoor(venue), reason, ours=is_ours, everything=everything).unconfirmed
        if keeper.broken:
            return Ending(False, f"its orders are cancelled, but the record could not be written: {keeper.broken}")
        if left:
            return Ending(False, f"{left} orders are not confirmed.")
        done = f"nobody runs it; {_counted(count)} cancelled in its record, and none rests."
        if liquidate and any(cell.lot for grid in keeper.state.grids.values() for cell in grid.cells):
            return Ending(False, f"{done} To sell what it holds gridbot must run: start it, and choose it there.")
        return Ending(True, done)

    def refusal(self, account: AccountName, *, accept_integrity: bool) -> str:
        """Return why an account may not be released, "" if it may; one that is held is judged by its holder too."""
        try:
            with self._opened(account) as (keeper, _):
                return refusal_to_release(keeper, accept_integrity=accept_integrity)
        except AlreadyRunning:
            state, _ = read_account(self._disk, self._home.root, account)
            if state.risk.level is Level.BLACK and not accept_integrity:
                return "its books do not add up. Compare them with the exchange, then say --accept-integrity."
            return ""

    def release(self, account: AccountName, by: str) -> Ending:
        """Let an account trade again: by the process that holds it, or in its record for the next start."""
        try:
            with self._opened(account) as (keeper, _):
                if keeper.state.kill is None:
                    return Ending(True, "it was not stopped in its own record.")
                release_at_rest(keeper, by)
            if keeper.broken:
                return Ending(False, f"the release could not be recorded: {keeper.broken}")
            return Ending(True, "released; it trades again from its next start on.")
        except AlreadyRunning:
            said = self._ask(account, Ask.REARM, by, REARM_PATIENCE_S)
        if said is None:
            MailboxFiles(self._disk, self._home.root / account.folder).withdraw()
            return Ending(False, "the gridbot that holds it does not answer. End it, then run `gridbot rearm` again.")
        return Ending(said.ok, said.message)

    def accept(self, account: AccountName, seen: str) -> Ending:
        """Let the process that holds an account take the exchange's balances where they differ as `seen` says."""
        if not is_held(self._disk, self._home.root / account.folder / LOCK):
            return Ending(False, "nobody runs it, so its books were not compared with the exchange. Start it first.")
        said = self._ask(account, Ask.ACCEPT, seen, REARM_PATIENCE_S)
        if said is None:
            MailboxFiles(self._disk, self._home.root / account.folder).withdraw()
            return Ending(False, "the gridbot that holds it does not answer.")
        return Ending(said.ok, said.message)

    def _ask(
        self,
        account: AccountName,
        ask: Ask,
        text: str,
        patience_s: float,
        *,
        liquidate: bool = False,
        everything: bool = False,
    ) -> Reply | None:
        mailbox = MailboxFiles(self._disk, self._home.root / account.folder)
        letter: Letter = mailbox.post(ask, text, liquidate=liquidate, everything=everything)
        pause, deadline = Event(), self._clock.monotonic() + patience_s
        while self._clock.monotonic() < deadline:
            said = mailbox.reply(letter)
            if said is not None:
                return said
            pause.wait(LOOK_S)
        return None

    @contextmanager
    def _opened(self, account: AccountName) -> Iterator[tuple[StateKeeper, str]]:
        """Hold an account that nobody holds, with its record open; yield its keeper and the installation's id."""
        if account.mode is not Mode.DEMO:
            raise EnvironmentProblem(
                f"This version cannot reach an exchange, so it cannot cancel orders of {account.folder}.",
                hint="Cancel them on the exchange's own page.",
            )
        # Not the configuration file: it may be what is broken, and nothing of it matters here.
        which = AppConfig(mode=account.mode, account=account.name)
        taken = take_account(self._home, which, disk=self._disk, clock=self._clock)
        try:
            keeper = StateKeeper(
                taken.recovered, journal=taken.journal, notes=taken.notes, tell=lambda event, answer: None
            )
            yield keeper, self._home.install_id(self._disk)
            keeper.close()
        finally:
            taken.account.release()


def _venue(state: State) -> SimVenue:
    """Return the simulated venue as it was left."""
    venue = SimVenue(lambda symbol: state.instruments[symbol], {}, delay=_at_once)
    venue.adopt(tuple(standing_orders(state)), {asset: account.total for asset, account in state.accounts.items()})
    return venue


async def _at_once(duration_ms: int) -> None:
    """Wait for nothing: no market moves here."""
    _ = duration_ms


def _counted(count: int) -> str:
    return "1 order" if count == 1 else f"{count} orders"
