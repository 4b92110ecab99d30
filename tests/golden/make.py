"""Writes the golden files of the form that this code writes: `python -m tests.golden.make tests/golden/schema-4`.

Run it once, when a form is about to be released; the files of a released form are never made again.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from gridbot.adapters.files.account_folder import LOCK, AccountFolder
from gridbot.adapters.files.disk import SystemDisk
from gridbot.config import default_config
from gridbot.core.units import Asset, Mode, Symbol, TimeMs
from gridbot.shell.doors import DEMO_RHYTHM, Record, World
from gridbot.shell.facade import ReleaseKill, StopTrading
from gridbot.shell.messages import Asked
from gridbot.shell.state_keeper import recover
from gridbot.shell.status import NoHistory
from gridbot.shell.trader import Trader
from gridbot.sim.demo_world import Left, generated_demo
from tests.fakes.record import LogBook, MemoryLatch, MemoryNotes, Notebook
from tests.fakes.virtual_time import VirtualClock, run_virtual
from tests.golden.account import found_in

STARTED = TimeMs(1_763_700_000_000)


class InTurn:
    """Satisfies `Aside` in the very same turn, so that a run in virtual time is the same every time."""

    def __call__(self, work: Callable[[], None]) -> Awaitable[None]:
        work()
        return asyncio.sleep(0)

    promptly = __call__

    def close(self) -> None:
        return None


def golden_account(home: Path) -> AccountFolder:
    """Return the account of the golden files in `home`."""
    return AccountFolder(SystemDisk(), home, mode=Mode.DEMO, account="default", aside=InTurn)


async def _live(home: Path, target: Path) -> None:
    """Trade, rotate, trade, stop, release, trade: that is `crashed`; then stop and close: that is `closed`."""
    config, folder = default_config(), golden_account(home)
    folder.acquire()
    recovered = recover(folder, mode=Mode.DEMO, notes=MemoryNotes())
    parts = generated_demo(
        config.demo.seed,
        speed=config.demo.speed,
        markets=[Symbol(grid.symbol) for grid in config.grids],
        left=Left(recovered.state.now, (), {Asset("USDT"): config.demo.equity}),
        machine=VirtualClock(TimeMs(0)),
    )
    crashes: list[BaseException] = []
    record = Record(
        folder.journal(recovered.sequence),
        MemoryNotes(),
        MemoryLatch(),
        LogBook(),
        partial(_crashed, crashes),
        lambda _: None,
        Notebook(),
    )
    world = World(parts.feed, parts.venue, parts.clock, "demo", parts.base_ms)
    prefix = folder.next_prefix("g0d1x", STARTED)
    trader = Trader(config, recovered, world, record, prefix=prefix, rhythm=DEMO_RHYTHM)
    task = asyncio.get_running_loop().create_task(trader.run())
    await asyncio.sleep(12)
    trader._keeper.rotate()
    await asyncio.sleep(14)
    trader.ask(Asked(1, StopTrading("The golden run was stopped by hand.")))
    await asyncio.sleep(2)
    trader.ask(Asked(2, ReleaseKill("a person")))
    await asyncio.sleep(6)
    await trader._keeper.durable()
    _keep(folder, target / "crashed")
    trader.ask(Asked(3, StopTrading("Stopped before the end of the golden run.")))
    await asyncio.sleep(2)
    trader.stop()
    await task
    folder.release()
    if crashes:
        raise crashes[0]
    for oldest in ("journal-1.jsonl", "journal-1.jsonl.gz"):
        (folder.archive / oldest).unlink(missing_ok=True)
    _keep(folder, target / "closed")


def _crashed(crashes: list[BaseException], error: BaseException) -> str:
    crashes.append(error)
    return ""


def _keep(folder: AccountFolder, target: Path) -> None:
    copy = golden_account(target)
    copy.archive.mkdir(parents=True)
    for source in (folder.folder, folder.archive):
        for path in sorted(source.iterdir()):
            if path.is_file() and path.name != LOCK:
                shutil.copyfile(path, copy.folder / path.relative_to(folder.folder))
    found = found_in(recover(copy, mode=Mode.DEMO, notes=NoHistory()))
    (target / "expected.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def main(target: Path) -> None:
    """Write both accounts below `target`, which must not be there yet."""
    if target.exists():
        raise SystemExit(f"{target} is there already; a released form's files are never made again.")
    with tempfile.TemporaryDirectory() as home:
        run_virtual(_live(Path(home), target))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
