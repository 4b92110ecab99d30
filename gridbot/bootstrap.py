"""With the other `bootstrap_*` the only module that knows every concrete class; the environment is handed in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from gridbot import __version__
from gridbot.adapters.config_files import save
from gridbot.adapters.exchange.exchange_key import ExchangeKey
from gridbot.adapters.exchange.stored_keys import exchange_key
from gridbot.adapters.files.account_folder import LOCK, AccountFolder
from gridbot.adapters.files.consent_file import ConsentFile
from gridbot.adapters.files.disk import SystemDisk
from gridbot.adapters.files.exchange_file import ExchangeFile, ExchangePlace
from gridbot.adapters.files.home import Home
from gridbot.adapters.files.journal_file import Aside, DiskThread
from gridbot.adapters.files.kept_files import AccountName
from gridbot.adapters.files.kill_latch import KillLatchFile
from gridbot.adapters.files.mailbox import MailboxFiles
from gridbot.adapters.files.notes_archive import NotesArchive
from gridbot.adapters.files.preference_file import PreferenceFile
from gridbot.adapters.files.problem_file import ProblemFile
from gridbot.adapters.heartbeat import heartbeat_for
from gridbot.adapters.logbook.crash_reports import write_crash_report
from gridbot.adapters.logbook.log_files import LogFiles, line_ms
from gridbot.adapters.logbook.masking import Mask
from gridbot.adapters.notify import notifier_for
from gridbot.adapters.secrets.chosen_store import Ask, ChosenStore
from gridbot.adapters.system_clock import SystemClock
from gridbot.adapters.wake_lock import WakeLock
from gridbot.bootstrap_keys import accepted_key, secret_store
from gridbot.bootstrap_worlds import Books, Parts, demo_parts, dry_parts, live_parts, unpriced
from gridbot.config import AppConfig
from gridbot.core.snapshot import snapshot
from gridbot.core.state import State
from gridbot.core.units import Mode, TimeMs
from gridbot.core.values import evolve, value
from gridbot.errors import AlreadyRunning, ConfigError, EnvironmentProblem
from gridbot.ports import Awake, Clock, Disk, Journal
from gridbot.shell.doors import DEMO_RHYTHM, Consent, Record, Rhythm, World
from gridbot.shell.engine_facade import EngineFacade
from gridbot.shell.engine_thread import EngineThread
from gridbot.shell.facade import LogLine, View
from gridbot.shell.kill_thread import KillThread
from gridbot.shell.noting import NotingOutlet
from gridbot.shell.overlooked import Overlooked
from gridbot.shell.preparation import HISTORY_BARS
from gridbot.shell.state_keeper import Recovered, recover, replay
from gridbot.shell.status import Latch, NoHistory, status
from gridbot.shell.trader import Trader
from gridbot.sim.recording import Recording, make_recording

PAST_NOTES = 2_000
"""Fills, round trips and ended orders from before that a window can show."""
SERVICE = "gridbot"
SPOKEN = frozenset(
    {"config_differs", "grid_taken_away", "exchange_unproven", "recovered", "resume_wanted"}
    | {"clock", "crash", "disk", "latch", "sleep"}
)
"""Log lines that a person without a window is told as well: about the start, and what is wrong with the machine."""


@value
class Taken:
    """An account that this process holds: what was recovered, and what it is recorded in from now on.

    `prefix` begins the order ids of this start.
    """

    account: AccountFolder
    recovered: Recovered
    journal: Journal
    notes: NotesArchive
    latch: KillLatchFile
    prefix: str


def take_account(
    home: Home, config: AppConfig, *, disk: Disk, clock: Clock, aside: Callable[[], Aside] = DiskThread
) -> Taken:
    """Take the account's lock and recover what it holds; the simulation calls it with a disk and a clock of its own.

    Raises AlreadyRunning, EnvironmentProblem for a folder that cannot be written, StateFileError for damage.
    """
    home.refuse_half_restored(disk)
    home.prepare(disk)
    with ExitStack() as opened:
        account = AccountFolder(disk, home.root, mode=config.mode, account=config.account, aside=aside)
        account.acquire()
        opened.callback(account.release)
        home.refuse_half_restored(disk)  # Again: one may have begun until the lock was held.
        restored = account.load()
        notes = NotesArchive(disk, account.archive)
        notes.open(restored.sequence + len(restored.events))
        recovered = replay(restored, mode=config.mode, notes=notes)
        prefix = account.next_prefix(home.install_id(disk), clock.now_ms())
        journal = account.journal(recovered.sequence)
        opened.pop_all()
    return Taken(account, recovered, journal, notes, KillLatchFile(disk, home.root, clock), prefix)


def open_engine(
    home: Home,
    config: AppConfig,
    *,
    environment: Mapping[str, str] = MappingProxyType({}),
    ask: Ask | None = None,
    mask: Mask | None = None,
    resume: bool | None = None,
    hear: Callable[[str], None] | None = None,
) -> EngineThread:
    """Take the account and build its engine; `start` it, or `run_here`.

    `environment` may hold keys and secrets, `ask` asks a person for a passphrase, and `mask` learns what is secret, for
    the log and for whoever else tells of this process. `resume` stores (True) or takes back (False) the consent that a
    live account may trade on by itself; `hear` is told in sentences what a person should know of this start.

    Raises ConfigError for a recording that is too short for the grids and for an exchange that does not exist,
    AlreadyRunning, EnvironmentProblem for a folder that cannot be written and for a live account without a key,
    CandleFileError for a replay's file, StateFileError for a damaged account.
    """
    clock, mask = SystemClock(), mask or Mask()
    # Read before the account is taken: what is wrong must leave nothing behind.
    recording = _recording(config)
    secrets = _secrets(home, config, environment, mask, ask)
    key = _key(config, secrets, environment)
    with ExitStack() as opened:
        taken = take_account(home, config, disk=SystemDisk(), clock=clock)
        opened.callback(taken.account.release)
        log = _log_files(home, config, clock, mask)
        opened.callback(log.close)
        facade, record = _record(home, config, taken, log, clock, mask)
        if hear is not None:
            log.subscribe(partial(_speak, hear))
        books, state = Books(), taken.recovered.state
        if config.mode is Mode.DEMO:
            parts = demo_parts(config, state, clock, recording)
        elif key is None:
            parts = dry_parts(config, state, clock, log)
        else:
            parts = _live(home, config, taken, key, books, clock, log)
        world = _world(config, taken, parts, secrets, mask, log, resume=resume)
        trader = Trader(config, taken.recovered, world, record, prefix=taken.prefix, rhythm=_rhythm(config))
        books.trader = trader
        if parts.words.caution:
            log.log("WARNING", "system", "exchange_unproven", parts.words.caution)
        kill = KillThread(
            venue=parts.kill,
            brake=trader.brake,
            clock=clock,
            state=lambda: trader.state,
            ours=trader.is_ours,
            mailbox=MailboxFiles(SystemDisk(), taken.account.folder),
        )
        words = f"gridbot {__version__} trades {config.mode.value}/{config.account}."
        started = partial(log.log, "INFO", "system", "started", words)
        return EngineThread(facade, trader, kill, Overlooked(log), opened.pop_all().close, started)


def _record(
    home: Home, config: AppConfig, taken: Taken, log: LogFiles, clock: SystemClock, mask: Mask
) -> tuple[EngineFacade, Record]:
    """Return what windows talk to, and what the trader writes."""
    facade = EngineFacade(_first_view(taken.recovered.state, config), taken.notes.tail(PAST_NOTES))
    log.subscribe(partial(_show_line, facade))
    record = Record(
        taken.journal,
        taken.notes,
        taken.latch,
        log,
        partial(_report_crash, home, clock, mask, log),
        partial(save, home.config),
        NotingOutlet(facade, ProblemFile(SystemDisk(), taken.account.folder).store),
    )
    return facade, record


def _live(
    home: Home,
    config: AppConfig,
    taken: Taken,
    key: ExchangeKey,
    books: Books,
    clock: SystemClock,
    log: LogFiles,
) -> Parts:
    """Return the real exchange; where it is stays written down, for a stop that finds no configuration."""
    place = ExchangePlace(config.exchange.id, config.exchange.base_url)
    ExchangeFile(SystemDisk(), taken.account.folder).store(place)
    accepted = accepted_key(home, config.account, key.key)
    return live_parts(config, key, books, clock, log, accepted=accepted.given)


def _world(
    config: AppConfig,
    taken: Taken,
    parts: Parts,
    secrets: ChosenStore | None,
    mask: Mask,
    log: LogFiles,
    *,
    resume: bool | None,
) -> World:
    """Return the parts as the trader gets them, with whoever is to be told, and a person's consent."""
    latched = taken.latch.read() is not None or taken.recovered.state.kill is not None
    stored = ConsentFile(SystemDisk(), taken.account.folder)
    return World(
        parts.feed,
        parts.venue,
        parts.clock,
        parts.exchange,
        parts.base_ms,
        awake_for(config.mode),
        given_consent(config.mode, stored, resume=resume, latched=latched),
        None if secrets is None else notifier_for(config, secrets, learn=mask.learn, log=log),
        None if secrets is None else heartbeat_for(config, secrets, learn=mask.learn, log=log),
        close=parts.close,
        admit=parts.admit,
        words=parts.words,
        tickers=parts.tickers,
        dead_man=parts.dead_man,
        dead_man_s=config.orders.dead_man_s or 0,
    )


def run_headless(
    home: Home,
    config: AppConfig,
    *,
    environment: Mapping[str, str] = MappingProxyType({}),
    ask: Ask | None = None,
    mask: Mask | None = None,
    resume: bool | None = None,
    hear: Callable[[str], None] | None = None,
) -> int:
    """Trade without a window until Ctrl-C; return the exit code. Arguments and errors are those of `open_engine`.

    EnvironmentProblem at the end, too: when the disk refused to keep what happened.
    """
    engine = open_engine(home, config, environment=environment, ask=ask, mask=mask, resume=resume, hear=hear)
    engine.run_here()
    return 0 if engine.ended_well() else 1


def _secrets(
    home: Home, config: AppConfig, environment: Mapping[str, str], mask: Mask, ask: Ask | None
) -> ChosenStore | None:
    """Return where secrets are kept, None where the configuration needs none: looking for a keychain takes a while."""
    named = config.notifications.urls_secret, config.heartbeat_url_secret
    if config.mode is not Mode.LIVE and not any(named):
        return None
    return secret_store(home, environment, mask, ask=ask)


def _key(config: AppConfig, secrets: ChosenStore | None, environment: Mapping[str, str]) -> ExchangeKey | None:
    """Return a live account's key; nothing else is ever given one."""
    if config.mode is not Mode.LIVE or secrets is None:
        return None
    key = exchange_key(secrets, config.exchange.id, config.account, environment)
    if key is None:
        raise EnvironmentProblem(
            f"There is no key for {config.exchange.id}, so the account {config.account} cannot be traded.",
            hint="Store one with `gridbot exchange key set`, or in Settings.",
        )
    return key


def given_consent(mode: Mode, stored: ConsentFile, *, resume: bool | None, latched: bool) -> Consent:
    """Return whether an account may trade on by itself: all but a live one, which needs a person's stored word.

    While trading is stopped (`latched`) a new word is not kept: what comes after the release is decided after it.
    """
    if resume is not None and not (resume and latched):
        stored.store(given=resume)
    return Consent.GIVEN if mode is not Mode.LIVE or stored.given() else Consent.WANTED


def latched_sentence(home: Home) -> str:
    """Return what the KILL file means for a start, "" without one."""
    latched = KillLatchFile(SystemDisk(), home.root, SystemClock()).latched()
    if latched is None:
        return ""
    why = f": {latched.reason.rstrip('.')}" if latched.reason else ""
    return f"Trading is stopped by the KILL file{why}. Orders are cancelled and none is placed until a person re-arms."


def window_preferences(home: Home) -> PreferenceFile:
    """Return where the window keeps what it remembers."""
    return PreferenceFile(SystemDisk(), home.window)


def account_status(home: Home, *, mode: Mode, account: str) -> dict[str, Any]:
    """Return an account's status from its files alone, as plain data; StateFileError if they are damaged."""
    disk = SystemDisk()
    folder = AccountFolder(disk, home.root, mode=mode, account=account)
    recovered = recover(folder, mode=mode, notes=NoHistory())
    latched = KillLatchFile(disk, home.root, SystemClock()).latched()
    kind = None if latched is None or latched.kind is None else latched.kind.value
    latch = None if latched is None else Latch(kind, latched.reason, latched.time)
    running = is_held(disk, folder.folder / LOCK)
    return status(recovered.state, sequence=recovered.sequence, account=account, running=running, latch=latch)


def read_account(disk: Disk, home: Path, account: AccountName) -> tuple[State, int]:
    """Return an account's state and its newest event's number from its files alone; StateFileError for damage."""
    folder = AccountFolder(disk, home, mode=account.mode, account=account.name)
    recovered = recover(folder, mode=account.mode, notes=NoHistory())
    return recovered.state, recovered.sequence


def is_held(disk: Disk, lock: Path) -> bool:
    """Tell whether a process holds the account; a lock that was never made is not made for the question."""
    if lock.name not in disk.names(lock.parent):
        return False
    try:
        disk.lock(lock).release()
    except AlreadyRunning:
        return True
    except EnvironmentProblem:
        # Whoever may not write the lock cannot tell; nobody trades in a folder that is read-only.
        return False
    return False


def _recording(config: AppConfig) -> Recording | None:
    if config.demo.candles is None or config.mode is not Mode.DEMO:
        return None
    from gridbot.adapters.market_files.recordings import load_recording

    if not config.grids:
        raise ConfigError("A replay needs a grid, whose market the recording is.", hint="Add a grid.")
    rules = [grid.to_rules() for grid in config.grids]
    path, symbol = Path(config.demo.candles), rules[0].symbol
    return make_recording(
        load_recording(path, symbol), symbol, rules, name=f"The recording {path.name}", history_bars=HISTORY_BARS
    )


def _rhythm(config: AppConfig) -> Rhythm:
    """Mark once a second; in a demo once a simulated minute, one to four times a second (the journal keeps each)."""
    if config.mode is not Mode.DEMO:
        return Rhythm()
    minute_s = 60 / config.demo.speed
    return evolve(DEMO_RHYTHM, mark_s=min(1.0, max(0.25, minute_s)), ask_s=min(0.5, max(0.1, minute_s)))


def awake_for(mode: Mode) -> Awake | None:
    """Return what keeps the machine awake; None for a demo, whose market stands still while the machine sleeps."""
    return None if mode is Mode.DEMO else WakeLock()


def _log_files(home: Home, config: AppConfig, clock: SystemClock, mask: Mask) -> LogFiles:
    logging = config.logging
    return LogFiles(
        home.logs,
        clock,
        mask,
        level=logging.level,
        rotate_mb=logging.rotate_mb,
        keep_days=logging.keep_days,
        service=SERVICE,
    )


def _first_view(state: State, config: AppConfig) -> View:
    return View(0, state.now, snapshot(state), unpriced(config), True, True, (), config.to_json())


def _show_line(facade: EngineFacade, fields: Mapping[str, object], text: str) -> None:
    facade.tell(
        (
            LogLine(
                TimeMs(line_ms(str(fields["@timestamp"]))),
                str(fields["log.level"]).upper(),
                str(fields["event.dataset"]).removeprefix("gridbot."),
                str(fields["event.action"]),
                str(fields["message"]),
                str(fields["trace.id"]),
                text,
            ),
        )
    )


def _speak(hear: Callable[[str], None], fields: Mapping[str, object], text: str) -> None:
    if fields["event.action"] in SPOKEN:
        hear(str(fields["message"]))


def _report_crash(home: Home, clock: SystemClock, mask: Mask, log: LogFiles, error: BaseException) -> str:
    try:
        path = write_crash_report(home.crashes, error, clock=clock, mask=mask, lines=[text for _, text in log.recent()])
    except EnvironmentProblem as problem:
        return problem.message
    return f"The report is in {path}."
