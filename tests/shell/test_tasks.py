"""Tasks beside the loop: none outlives the end, whenever it was spawned, and each runs under its guard."""

from __future__ import annotations

import asyncio
import gc

from gridbot.shell.tasks import Job, Tasks


async def unguarded(job: Job) -> None:
    await job


def test_a_task_that_never_began_leaves_no_coroutine_behind() -> None:
    """Warnings are errors here: of a coroutine that nobody awaited, Python would tell."""
    began: list[str] = []

    async def job() -> None:
        began.append("a job")

    async def scene() -> None:
        tasks = Tasks(unguarded)
        tasks.spawn(job())
        await tasks.end()

    asyncio.run(scene())
    gc.collect()
    assert began == []


def test_what_a_cancelled_task_spawns_ends_too() -> None:
    ended: list[str] = []

    async def scene() -> int:
        tasks = Tasks(unguarded)

        async def late() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                ended.append("the late one")

        async def first() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                tasks.spawn(late())
                # The late one begins before this one has ended.
                await asyncio.sleep(0)
                ended.append("the first")

        tasks.spawn(first())
        await asyncio.sleep(0)
        await tasks.end()
        return len(asyncio.all_tasks())

    assert asyncio.run(scene()) == 1
    assert ended == ["the first", "the late one"]


def test_an_error_reaches_the_guard_and_no_other_task() -> None:
    caught: list[str] = []
    finished: list[str] = []

    async def guard(job: Job) -> None:
        try:
            await job
        except ValueError as error:
            caught.append(str(error))

    async def broken() -> None:
        raise ValueError("a bug")

    async def sound() -> None:
        await asyncio.sleep(0)
        finished.append("sound")

    async def scene() -> None:
        tasks = Tasks(guard)
        tasks.spawn(broken())
        tasks.spawn(sound())
        while not (caught and finished):
            await asyncio.sleep(0)
        await tasks.end()

    asyncio.run(scene())
    assert (caught, finished) == (["a bug"], ["sound"])
