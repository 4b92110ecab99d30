"""What runs beside the loop: each task runs under one frame, and when the end has returned, none runs any more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

Job = Coroutine[None, None, None]
Spawn = Callable[[Job], None]
"""Runs a coroutine beside the loop, under the trader's outermost frame."""


class Tasks:
    """The tasks of one loop. `guard` awaits a coroutine and catches what nobody foresaw."""

    def __init__(self, guard: Callable[[Job], Job]) -> None:
        self._guard = guard
        self._running: dict[asyncio.Task[None], None] = {}

    def spawn(self, job: Job) -> None:
        """Run a coroutine beside the loop."""

        def ended(task: asyncio.Task[None]) -> None:
            self._running.pop(task, None)
            # A task that is cancelled before it began never came to its coroutine.
            job.close()

        task = asyncio.get_running_loop().create_task(self._guard(job))
        self._running[task] = None
        task.add_done_callback(ended)

    async def end(self) -> None:
        """Cancel all and wait for them, and for what one of them spawned with its last breath."""
        while tasks := tuple(self._running):
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
