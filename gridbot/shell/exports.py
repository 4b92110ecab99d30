"""Long requests: log exports that show their progress and can be stopped, beside the engine's loop."""

from __future__ import annotations

import asyncio

from gridbot.errors import EnvironmentProblem
from gridbot.ports import LogExporter
from gridbot.shell.facade import Answered, ExportLogs, Progressed
from gridbot.shell.outlet import Outlet


class Exports:
    """Runs exports by request number. `exporter` None: there are no log files to export."""

    def __init__(self, exporter: LogExporter | None, outlet: Outlet) -> None:
        self._exporter = exporter
        self._outlet = outlet
        self._stopped: dict[int, asyncio.Event] = {}

    async def run(self, number: int, request: ExportLogs) -> None:
        """Export, tell how far it is, and answer."""
        if self._exporter is None:
            self._outlet.tell((Answered(number, False, "There are no log files here to export."),))
            return
        stopped = self._stopped[number] = asyncio.Event()
        slices = self._exporter.export(request.target, levels=request.levels, text=request.text, format=request.format)
        answer = Answered(number, True, f"The log is in {request.target}.")
        try:
            async for done, total in slices:
                if stopped.is_set():
                    answer = Answered(number, False, "The export was stopped.")
                    break
                share = done / total if total else 1.0
                self._outlet.tell((Progressed(number, share, f"{share:.0%} written"),))
        except EnvironmentProblem as problem:
            answer = Answered(number, False, f"{problem.message} {problem.hint}".strip())
        finally:
            del self._stopped[number]
        self._outlet.tell((answer,))

    def stop(self, number: int) -> bool:
        """Stop one at its next slice; False if no such export runs."""
        stopped = self._stopped.get(number)
        if stopped is None:
            return False
        stopped.set()
        return True
