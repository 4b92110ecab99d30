"""What a library leaves lying in the loop comes into the log by its kind, and nothing of its text comes anywhere."""

from __future__ import annotations

import asyncio
import gc

import pytest

from gridbot.shell.overlooked import MOST_KINDS, Overlooked
from tests.fakes.record import LogBook

SIGNED = "GET https://x/?timestamp=1&signature=canary51f0"


async def leave_lying(count: int) -> None:
    """Fail as ccxt's streams do: futures that hold an error, and that nobody awaits."""
    loop = asyncio.get_running_loop()
    for _ in range(count):
        loop.create_future().set_exception(ConnectionError(SIGNED))
    gc.collect()
    await asyncio.sleep(0)


def test_an_error_that_nobody_waits_for_is_told_once_and_never_printed(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    log = LogBook()

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(Overlooked(log))
        await leave_lying(5)

    asyncio.run(main())
    (line,) = log.lines
    assert "ConnectionError" in str(line) and "never retrieved" in str(line)
    printed = capsys.readouterr()
    assert "canary" not in f"{log.lines}{printed.out}{printed.err}{caplog.text}"


def test_kinds_without_end_are_not_all_told() -> None:
    log = LogBook()
    overlooked = Overlooked(log)
    loop = asyncio.new_event_loop()
    try:
        for number in range(MOST_KINDS * 2):
            overlooked(loop, {"message": f"number {number}"})
    finally:
        loop.close()
    assert len(log.lines) == MOST_KINDS and "no error" in str(log.lines[0])
