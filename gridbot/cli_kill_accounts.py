"""What `gridbot kill` and `gridbot rearm` do with one account: ask its holder by letter, or open it without one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from threading import Event

from gridbot.adapters.exchange.exchange_key import ExchangeKey
from gridbot.adapters.files.account_folder import LOCK
from gridbot.adapters.files.disk import SystemDisk
from gridbot.adapters.files.exchange_file import ExchangeFile
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
from gridbot.errors import AlreadyRunning
from gridbot.ports import Ask, Letter
from gridbot.shell.at_rest import refusal_to_release, release_at_rest, stop_at_exchange, stop_at_rest
from gridbot.shell.facade import unconfirmed
from gridbot.shell.kill_procedure import Stage
from gridbot.shell.known_orders import KnownOrders, live_orders, standing_orders
from gridbot.shell.state_keeper import StateKeeper
from gridbot.sim.venue import KillDoor, SimVenue

STOP_PATIENCE_S, REARM_PATIENCE_S = 3.0, 10.0
"""How long a running gridbot may take to confirm its cancels, and to release."""
EXCHANGE_PATIENCE_S = 60.0
"""How long cancels are repeated here, at the exchange itself, before a person is told that some are not confirmed."""
LOOK_S = 0.05

FindKey = Callable[[str, str], ExchangeKey | None]
"""Returns the key of an account at an exchange, by their names."""


@value
class Ending:
    """How it ended for one account, in a sentence; `ok` False means that a person must act."""

    ok: bool
    sentence: str


class Accounts:
    """The accounts of one folder. Each method tells its end as a sentence; GridbotError for a damaged account."""

    def __init__(self, home: Home, find_key: FindKey) -> None:
        self._home = home
        self._find_key = find_key
        self._disk, self._clock = SystemDisk(), SystemClock()

    def stop(self, account: AccountName, reason: str, *, liquidate: bool, everything: bool) -> Ending:
        """Cancel what rests: by the process that holds the account, or here if none does. The latch is set already."""
        at_rest = partial(self._stop_at_rest, reason=reason, liquidate=liquidate, everything=everything)
        if account.mode is Mode.LIVE:
            if is_held(self._disk, self._home.root / account.folder / LOCK):
                said = self._ask(account, Ask.STOP, reason, STOP_PATIENCE_S, liquidate=liquidate, everything=everything)
                if said is not None:
                    return Ending(said.ok, said.message)
            # Cancels need no lock: a gridbot that hangs is not waited for, and one that died cannot be.
            return self._stop_at_exchange(account, liquidate=liquidate, everything=everything)
        try:
            return at_rest(account)
        except AlreadyRunning:
            said = self._ask(account, Ask.STOP, reason, STOP_PATIENCE_S, liquidate=liquidate, everything=everything)
        if said is not None:
            return Ending(said.ok, said.message)
        try:
            # It may have ended meanwhile, and it is a dead process that this is for.
            return at_rest(account)
        except AlreadyRunning:
            return Ending(
                False,
                f"the gridbot that holds it has not confirmed its cancels within {STOP_PATIENCE_S:g} s. The orders of "
                "a simulated market live inside that process: end it, then run `gridbot kill` again.",
            )

    def _stop_at_exchange(self, account: AccountName, *, liquidate: bool, everything: bool) -> Ending:
        folder = self._home.root / account.folder
        place = ExchangeFile(self._disk, folder).read()
        state, _ = read_account(self._disk, self._home.root, account)
        if place is None and any(live_orders(state)):
            return Ending(
                False,
                f"nothing says at which exchange its {_counted(sum(1 for _ in live_orders(state)))} may rest. Cancel "
                "them on the exchange's own page.",
            )
        if place is None:
            return Ending(True, "it has never traded, so none of its orders rests anywhere.")
        key = self._find_key(place.id, account.name)
        if key is None:
            return Ending(
                False,
                f"there is no key for {place.id}, so its orders cannot be cancelled from here. Store one with "
                "`gridbot exchange key set`, or cancel them on the exchange's own page.",
            )
        from gridbot.adapters.exchange.opening import open_kill

        ours = f"gb{self._home.install_id(self._disk)}"
        venue = open_kill(place.id, base_url=place.base_url, key=key, known=partial(KnownOrders().of, state))
        progress = stop_at_exchange(
            state,
            venue,
            ours=lambda id_: id_.startswith(ours),
            everything=everything,
            clock=self._clock,
            patience_s=EXCHANGE_PATIENCE_S,
            wait=_pause,
        )
        if progress.stage is not Stage.FLAT:
            left = unconfirmed(progress.unconfirmed) if progress.unconfirmed else "What rests is not known"
            return Ending(False, f"{left}. {progress.trouble} Run `gridbot kill` again.".replace("  ", " "))
        done = f"{_counted(progress.met)} cancelled at {place.id}, which said twice that none of ours rests."
        if liquidate and any(cell.lot for grid in state.grids.values() for cell in grid.cells):
            return Ending(False, f"{done} To sell what it holds gridbot must run: start it, and choose it there.")
        return Ending(True, done)

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
                left = sum(1 for _ in live_orders(keeper.state))
                if account.mode is Mode.LIVE and left:
                    return (
                        f"nobody has asked the exchange what became of {_counted(left)}. Start gridbot: it stays "
                        "stopped and asks. Then run `gridbot rearm` again."
                    )
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


def _pause(seconds: float) -> None:
    Event().wait(seconds)


def _counted(count: int) -> str:
    return "1 order" if count == 1 else f"{count} orders"
