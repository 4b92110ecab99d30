"""What a window asks about logs, backups, messages, autostart and newer versions is done in a thread of its own."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import assert_never

from gridbot import __version__
from gridbot.adapters import config_files
from gridbot.adapters.autostart import autostart_for
from gridbot.adapters.files.disk import SystemDisk
from gridbot.adapters.files.home import Home
from gridbot.adapters.files.kept_files import AccountName
from gridbot.adapters.files.restore_page import counted, stamp
from gridbot.adapters.files.whole import save_whole
from gridbot.adapters.logbook.log_export import LogFileExporter, Wanted
from gridbot.adapters.logbook.masking import Mask
from gridbot.adapters.logbook.support_bundle import write_bundle
from gridbot.adapters.system_clock import SystemClock
from gridbot.assets_folder import licences_folder
from gridbot.bootstrap_bundle import Part, bundle_parts, sources_of
from gridbot.bootstrap_keys import secret_store
from gridbot.bootstrap_restore import Restoring
from gridbot.errors import EnvironmentProblem
from gridbot.ports import Autostart
from gridbot.shell.errand_thread import Errand, ErrandThread
from gridbot.shell.upkeep_desk import (
    BackUp,
    BundleGroup,
    BundleListed,
    KeepAddresses,
    Licence,
    Licences,
    LookAround,
    LookAtBackup,
    LookAtBundle,
    LookForUpdate,
    ReadLicences,
    RestoreBackup,
    SendTestMessage,
    SetAutostart,
    Surroundings,
    Told,
    UpdateSeen,
    UpkeepReply,
    UpkeepWish,
    WriteBundle,
    WriteLogs,
    Written,
)

NO_ADDRESS = "No address for newer versions is set, so nobody is asked."


class UpkeepRoom:
    """Does the errands of one folder. `autostart` is None where no way is known."""

    def __init__(
        self,
        home: Home,
        environment: Mapping[str, str],
        mask: Mask,
        *,
        restoring: Restoring,
        autostart: Autostart | None,
    ) -> None:
        self._home = home
        self._environment = environment
        self._mask = mask
        self._restoring = restoring
        self._autostart = autostart
        self._disk, self._clock = SystemDisk(), SystemClock()

    def work(self, wish: UpkeepWish, errand: Errand) -> UpkeepReply:
        """Do one errand; a GridbotError is its refusal."""
        match wish:
            case WriteLogs():
                return self._write_logs(wish, errand)
            case LookAtBundle():
                errand.tell("Looking at what there is…")
                parts = bundle_parts(self._home)
                return BundleListed(tuple(_group(part) for part in parts))
            case WriteBundle():
                return self._write_bundle(wish, errand)
            case BackUp():
                return self._back_up(wish, errand)
            case LookAtBackup():
                return self._restoring.look(wish.path, errand)
            case RestoreBackup():
                return self._restoring.restore(wish.path, errand)
            case KeepAddresses():
                return self._keep_addresses(wish)
            case SendTestMessage():
                return self._test_notifications(wish, errand)
            case LookAround():
                return self._surroundings()
            case SetAutostart():
                if self._autostart is not None:
                    self._autostart.switch(on=wish.on)
                return self._surroundings()
            case LookForUpdate():
                return self._look_for_update(errand)
            case ReadLicences():
                return _licences(errand)
            case _:
                assert_never(wish)

    # ------------------------------------------------------------------------------- logs, bundle, backup

    def _write_logs(self, wish: WriteLogs, errand: Errand) -> Written:
        lines, exporter = wish.lines, LogFileExporter(self._home.logs)
        wanted = Wanted(lines.levels, lines.components, lines.text, lines.since_ms, lines.until_ms)
        _follow(exporter.export(wish.target, wanted, format=wish.format), errand)
        return Written(wish.target, f"Saved to {wish.target}: {counted(exporter.lines, 'line')}.")

    def _write_bundle(self, wish: WriteBundle, errand: Errand) -> Written:
        errand.tell("Looking at what there is…")
        sources = sources_of(bundle_parts(self._home), wish.groups)
        _follow(write_bundle(wish.target, sources, self._mask), errand)
        return Written(wish.target, f"Saved to {wish.target}: {counted(len(sources), 'file')}, without keys.")

    def _back_up(self, wish: BackUp, errand: Errand) -> Written:
        from gridbot.adapters.files.backup_file import write_backup
        from gridbot.bootstrap import read_account

        errand.tell("Saving everything, and reading it again…")
        self._home.refuse_half_restored(self._disk)
        now = self._clock.now_ms()
        target = (wish.folder or Path.home()) / f"gridbot-backup-{stamp(now)}.zip"
        manifest = write_backup(self._disk, self._home.root, target, now=now, load=read_account, with_logs=False)
        return Written(target, f"Saved to {target}: {counted(len(manifest.files), 'file')}, read again and sound.")

    # ------------------------------------------------------------------------------- people and versions

    def _keep_addresses(self, wish: KeepAddresses) -> Told:
        from gridbot.adapters.notify import addresses_in, secret_parts

        addresses = addresses_in(wish.addresses)
        if not addresses:
            raise EnvironmentProblem("There is no address in what you typed.", hint="Write one a line.")
        self._mask.learn(wish.unlock, *(part for address in addresses for part in secret_parts(address)))
        store = secret_store(self._home, self._environment, self._mask, ask=lambda _question: wish.unlock or None)
        store.write(wish.name, "\n".join(addresses))
        many = "One address is" if len(addresses) == 1 else f"{len(addresses)} addresses are"
        return Told((f"{many} kept in {store.kept_in}.",), True)

    def _test_notifications(self, wish: SendTestMessage, errand: Errand) -> Told:
        from gridbot.adapters.notify import AppriseNotifier, stored_addresses

        errand.tell("Sending a message to every address…")
        settings = config_files.load(self._home.config)
        store = secret_store(self._home, self._environment, self._mask, ask=lambda _question: wish.unlock or None)
        addresses = stored_addresses(settings, store, learn=self._mask.learn)
        text = f"This is a test of gridbot's notifications for {settings.mode.value}/{settings.account}."
        deliveries = asyncio.run(AppriseNotifier(addresses).deliver("gridbot: a test", text))
        said = [
            f"{each.place}: sent." if each.sent else f"{each.place}: not sent. {self._mask.text(each.why)}"
            for each in deliveries
        ]
        return Told(tuple(said), all(each.sent for each in deliveries))

    def _surroundings(self) -> Surroundings:
        if self._autostart is None:
            return Surroundings(self._home.root, Path.home(), None, "gridbot knows no way to start at login here.")
        on = self._autostart.is_on()
        note = f"The entry is {self._autostart.place}." if on else "Nothing is entered anywhere."
        return Surroundings(self._home.root, Path.home(), on, note)

    def _look_for_update(self, errand: Errand) -> UpdateSeen:
        from gridbot.adapters.update_notice import is_newer, newest_version

        address = config_files.load(self._home.config).update_address
        if address is None:
            raise EnvironmentProblem(NO_ADDRESS, hint="Set it under Settings > Data and backup.")
        errand.tell("Asking for the newest version…")
        newest = newest_version(address)
        if not is_newer(newest.version, __version__):
            return UpdateSeen(newest.version, (), "", f"You have the newest version, {__version__}.")
        sentence = f"gridbot {newest.version} is there; you have {__version__}."
        return UpdateSeen(newest.version, newest.changes, newest.page, sentence)


def _group(part: Part) -> BundleGroup:
    size = sum(source.size() for source in part.sources)
    return BundleGroup(part.title, part.about, tuple(source.name for source in part.sources), size)


def _follow(slices: Iterator[tuple[int, int]], errand: Errand) -> None:
    """Walk through slices of work and tell how far it is; a person who ends it is heard at the next one."""
    for done, total in slices:
        share = done / total if total else 1.0
        errand.tell(f"{share:.0%} written", share)


def _licences(errand: Errand) -> Licences:
    from gridbot.adapters.licences import read_folder, shipped

    errand.tell("Reading the licences…")
    folder = licences_folder()
    parts = shipped() if folder is None else read_folder(folder)
    return Licences(tuple(Licence(each.name, each.version, each.licence, each.text) for each in parts))


def upkeep_desk(
    home: Home, environment: Mapping[str, str], mask: Mask, *, own: AccountName, stop_engine: Callable[[], bool] | None
) -> ErrandThread[UpkeepWish, UpkeepReply]:
    """Return the desk of this folder; `own` is the account that this process trades, `stop_engine` ends it cleanly."""
    config = environment.get("XDG_CONFIG_HOME")
    autostart = autostart_for(
        sys.platform,
        disk=SystemDisk(),
        save=save_whole,
        user=Path.home(),
        config=Path(config) if config else None,
        command=[sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "gridbot"],
        variables={name: environment[name] for name in ("GRIDBOT_HOME",) if environment.get(name)},
    )
    restoring = Restoring(home, own=own, stop_engine=stop_engine)
    return ErrandThread("upkeep", UpkeepRoom(home, environment, mask, restoring=restoring, autostart=autostart).work)
