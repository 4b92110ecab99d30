"""The life of one simulated process: whatever it still does after its death reaches nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextvars import Context, ContextVar, copy_context
from typing import Any, TypeVar

from tests.fakes.virtual_time import DeafSelector, VirtualLoop

_T = TypeVar("_T")


class Gone(BaseException):
    """The process that called is dead. No handler of an Exception may catch it, as none survives SIGKILL."""


class Life:
    """A token that disk, clock and venue ask at every call; `tasks` are the asyncio tasks that belong to the process.

    A dictionary without values, because the order in which tasks die must not depend on addresses in memory.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.alive = True
        self.tasks: dict[asyncio.Task[Any], None] = {}

    def check(self) -> None:
        """Raise Gone in a dead process."""
        if not self.alive:
            raise Gone

    def end(self) -> None:
        """Die now: each task gets its cancellation, and each door is shut before any `finally` can use it."""
        self.alive = False
        for task in tuple(self.tasks):
            task.cancel()


LIFE: ContextVar[Life | None] = ContextVar("LIFE", default=None)
"""Whose code runs now; None is the world's."""


def _make_task(
    loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, _T], context: Context | None = None
) -> asyncio.Task[_T]:
    task = asyncio.Task(coroutine, loop=loop, context=context)
    life = LIFE.get() if context is None else context.get(LIFE)
    if life is not None:
        tasks = life.tasks
        tasks[task] = None
        task.add_done_callback(lambda done: tasks.pop(done, None))
    return task


def _only_the_living(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Report what nobody took, unless it is a dead process's."""
    if not isinstance(context.get("exception"), Gone):
        loop.default_exception_handler(context)


def begin(life: Life, coroutine: Coroutine[Any, Any, _T]) -> asyncio.Task[_T]:
    """Run a coroutine, and all that it starts, as part of this process."""
    context = copy_context()
    context.run(LIFE.set, life)
    return asyncio.get_running_loop().create_task(coroutine, context=context)


def outside(coroutine: Coroutine[Any, Any, _T]) -> asyncio.Task[_T]:
    """Run a coroutine as the world's, though a process asked for it: it goes on when that process is dead."""
    context = copy_context()
    context.run(LIFE.set, None)
    return asyncio.get_running_loop().create_task(coroutine, context=context)


def run_world(main: Coroutine[Any, Any, _T]) -> _T:
    """Run `main` in virtual time, with its tasks told apart by the process that they belong to."""

    def make() -> asyncio.AbstractEventLoop:
        loop = VirtualLoop(DeafSelector())
        loop.set_task_factory(_make_task)  # type: ignore[arg-type]  # typeshed knows no `context` of a factory
        loop.set_exception_handler(_only_the_living)
        return loop

    with asyncio.Runner(loop_factory=make) as runner:
        return runner.run(main)
