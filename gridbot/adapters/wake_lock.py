"""Keeps the machine from falling asleep by itself, through wakepy; the only module that imports it."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from gridbot.errors import EnvironmentProblem

if TYPE_CHECKING:
    from wakepy import Mode


class WakeLock:
    """Satisfies the Awake port: caffeinate on macOS, SetThreadExecutionState on Windows, D-Bus on a Linux desktop.

    It ends with the process, however that ends. A person who closes the lid or chooses to sleep is not kept from it.
    """

    def __init__(self) -> None:
        # wakepy wants to be left by the thread that entered it, and D-Bus may let a caller wait for seconds.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="awake")
        self._mode: Mode | None = None

    async def hold(self) -> None:
        """Keep the machine awake; EnvironmentProblem where the system does not let a program do that."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._enter)

    async def release(self) -> None:
        """Let it sleep again."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._leave)

    def _enter(self) -> None:
        # The mode is not this frame's: an error that is kept would keep it, and its connection to the bus with it.
        if self._mode is None:
            self._mode = _running_mode()
        if self._mode is None:
            raise EnvironmentProblem(
                "This system does not let gridbot keep the machine awake.",
                hint="Set it never to sleep: what happens at the exchange meanwhile is learned only after it wakes.",
            )

    def _leave(self) -> None:
        mode, self._mode = self._mode, None
        if mode is not None:
            mode.__exit__(None, None, None)


def _running_mode() -> Mode | None:
    """Return what keeps the machine awake from now on, or None where the system does not allow it."""
    from wakepy import keep

    mode = keep.running(on_fail="pass")
    mode.__enter__()
    if mode.active:
        return mode
    mode.__exit__(None, None, None)
    return None
