"""Mistakes in the kill switch: looked at too early, lost, believed too soon, released too lightly."""

from __future__ import annotations

from gridbot.adapters.files.kill_latch import KillLatchFile
from gridbot.shell import kill_procedure
from gridbot.shell.brake import Brake
from gridbot.shell.desk import Desk
from gridbot.shell.engine_facade import EngineFacade
from gridbot.shell.executor import Executor
from gridbot.shell.kill_procedure import KillProcedure
from gridbot.shell.start_up import StartUp
from gridbot.shell.trader import Trader
from tests.simulation.planting import Planted, answers, becomes, edit
from tests.simulation.weathers import KILLING, PRESSED, SICK_STOPPED

KILL = (
    Planted(
        name="the latch is looked at too early",
        patch=edit(
            Executor._send,
            ("refusal = self._refusal(order)\n", "refusal = self._refusal(order)\n    await self._clock.sleep(30.0)\n"),
        ),
        names=("I18",),
        weather=KILLING,
        quick=True,
    ),
    Planted(
        name="the KILL file is not looked at",
        patch=answers(KillLatchFile, "latched", None),
        names=("I18",),
        weather=KILLING,
        quick=True,
    ),
    Planted(
        name="the brake holds nothing",
        patch=answers(Brake, "refusal", None),
        names=("I18",),
        weather=KILLING,
        quick=True,
    ),
    Planted(
        name="a stop is never written down",
        patch=edit(Brake.write, ("self._latch.set(hold.reason, hold.kind)", "pass")),
        names=("I18",),
        weather=KILLING,
    ),
    Planted(
        name="the latch's name is not made durable",
        patch=edit(
            KillLatchFile.set,
            (
                "save_whole(self._disk, self._path, orjson.dumps(said) + b",
                "self._disk.append(self._path).close() or (b",
            ),
        ),
        names=("I18",),
        weather=KILLING,
        quick=True,
    ),
    Planted(
        name="a restart forgets the latch",
        patch=edit(Trader.run, ("try:\n", "self._record.latch.clear()\n    try:\n")),
        names=("I19",),
        weather=KILLING,
    ),
    Planted(
        name="one look without an order counts as flat",
        patch=becomes(kill_procedure, "ZEROS", 1),
        names=("I20",),
        weather=KILLING,
        quick=True,
    ),
    Planted(
        name="a market that could not be listed counts as empty",
        patch=edit(KillProcedure._round, ("complete = False", "pass")),
        names=("I20",),
        weather=KILLING,
    ),
    Planted(
        name="what is found while killed is not cancelled",
        patch=edit(KillProcedure._round, ("for order in mine:", "for order in ():")),
        names=("I20", "I27"),
        weather=KILLING,
    ),
    Planted(
        name="a release counts though somebody pressed again",
        patch=edit(
            Brake.release, ("if self._presses != presses:", "if False:"), ("if self._presses == presses:", "if True:")
        ),
        names=("I19", "I18"),
        test="tests/shell/test_brake.py::test_a_release_is_meant_for_the_presses_that_its_judge_had_seen",
    ),
    Planted(
        name="a release lifts a stop that was pressed after it was asked for",
        patch=edit(EngineFacade.ask, ("presses=self._kill.presses", "presses=None")),
        names=("I19",),
        weather=PRESSED,
    ),
    Planted(
        name="a release that could not be recorded takes the latch away",
        patch=edit(Desk.release, ("if unrecorded:", "if False:")),
        names=("I19",),
        weather=SICK_STOPPED,
    ),
    Planted(
        name="a release asks nobody before it sends",
        patch=answers(StartUp, "released", None),
        names=("I26",),
        weather=PRESSED,
        quick=True,
    ),
)
