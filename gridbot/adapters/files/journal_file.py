"""The one writer of a journal: appends gather while the disk is busy and become durable together (group commit)."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from gridbot.adapters.files.journal_lines import event_line
from gridbot.core.events import Event
from gridbot.core.facts import JournalFact
from gridbot.core.state import State
from gridbot.errors import EnvironmentProblem
from gridbot.ports import OpenFile

PROMPT_S = 0.001
"""A disk that wrote within this time is written to by the loop itself the next time (decision 0014)."""


class Aside(Protocol):
    """Runs blocking work so that the loop goes on: a thread in production, the very same turn in a simulation."""

    def __call__(self, work: Callable[[], None]) -> Awaitable[None]:
        """Begin work that may take long."""
        ...

    def promptly(self, work: Callable[[], None]) -> Awaitable[None]:
        """Begin work of which the caller waits for each part of a millisecond; the answer may be there at once."""
        ...

    def close(self) -> None:
        """Let go of what runs the work; what was begun is finished first."""
        ...


class DiskThread:
    """Satisfies `Aside` with one thread, so that a slow disk never holds up the loop for longer than one write.

    The way to a thread and back takes as long as a quick disk takes to write. So prompt work is done where it is asked
    for, as long as the disk is quick; after a slow write it goes to the thread, until the disk is quick again there.
    """

    def __init__(self, monotonic: Callable[[], float] = time.perf_counter) -> None:
        self._monotonic = monotonic
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal")
        self._quick = False

    def __call__(self, work: Callable[[], None]) -> Awaitable[None]:
        return asyncio.get_running_loop().run_in_executor(self._pool, work)

    def promptly(self, work: Callable[[], None]) -> Awaitable[None]:
        if not self._quick:
            return self(lambda: self._timed(work))
        done = asyncio.get_running_loop().create_future()
        try:
            self._timed(work)
        except EnvironmentProblem as problem:
            done.set_exception(problem)
        else:
            done.set_result(None)
        return done

    def _timed(self, work: Callable[[], None]) -> None:
        self._quick = False
        began = self._monotonic()
        work()
        self._quick = self._monotonic() - began < PROMPT_S

    def close(self) -> None:
        """Finish and end the thread."""
        self._pool.shutdown(wait=True)


class Rotate(Protocol):
    """Saves the snapshot that includes `sequence` and begins the next journal behind the sum `chain`.

    Returns the new file, with its header written, and the header's sum.
    """

    def __call__(self, state: State, sequence: int, chain: str) -> tuple[OpenFile, str]: ...


class JournalFile:
    """Satisfies the Journal port.

    One that is `outdated` (of an older form, or of another core) takes no event before it was rotated. `pack` tidies
    the archive; it runs aside after a rotation and may be left out.

    Two locks: `_gate` guards the lines that wait and is held for an instant, `_turn` is held by whoever writes. What
    waits is taken inside `_turn`, so lines reach the file in their order whoever writes them.
    """

    def __init__(
        self,
        file: OpenFile,
        *,
        first: int,
        sequence: int,
        chain: str,
        aside: Aside,
        rotate: Rotate,
        pack: Callable[[], None],
        outdated: bool = False,
    ) -> None:
        self._file: OpenFile | None = file
        self._outdated = outdated
        self._pack = pack
        self._packing: asyncio.Future[None] | None = None
        self._first = first
        self._aside = aside
        self._rotate = rotate
        self._sequence = sequence
        self._durable = sequence
        self._chain = chain
        self._waiting: list[bytes] = []
        self._gate = threading.Lock()
        self._turn = threading.Lock()
        self._flight: asyncio.Future[None] | None = None
        self._failure: EnvironmentProblem | None = None
        self._closed = False

    def append(self, event: Event, facts: tuple[JournalFact, ...] = ()) -> int:
        """Add an event and what was done about it; return its number.

        EnvironmentProblem once the disk has failed: what it holds is not sure.
        """
        self._refuse_if_failed()
        if self._outdated:
            raise ValueError("the journal is of another core or form; rotate it first")
        with self._gate:
            line, chain = event_line(event, facts, sequence=self._sequence + 1, prev=self._chain)
            self._waiting.append(line)
            self._sequence += 1
            self._chain = chain
            return self._sequence

    async def durable(self, sequence: int) -> None:
        """Return when everything up to `sequence` is on the disk; EnvironmentProblem when it cannot be."""
        if sequence > self._sequence:
            raise ValueError(f"event {sequence} was never appended; the newest is {self._sequence}")
        while self._durable < sequence:
            self._refuse_if_failed()
            if self._flight is None:
                flight = asyncio.ensure_future(self._aside.promptly(self._write_out))
                if flight.done():
                    # Its failure is kept in `_failure`.
                    flight.exception()
                    continue
                self._flight = flight
                flight.add_done_callback(self._landed)
            try:
                # A waiter that is cancelled must not take the others' write with it.
                await asyncio.shield(self._flight)
            except EnvironmentProblem:
                # Kept in `_failure`, where each waiter finds it.
                continue

    def _landed(self, flight: asyncio.Future[None]) -> None:
        self._flight = None
        if not flight.cancelled():
            # Asked for here, so that a failure which nobody waited for is not told again when it is thrown away.
            flight.exception()

    def _write_out(self) -> None:
        """Write and fsync all that waits; runs in any thread."""
        with self._turn:
            with self._gate:
                lines, upto = self._waiting, self._sequence
                self._waiting = []
            if self._failure is not None or not lines:
                return
            if self._file is None:
                raise ValueError("the journal is closed")
            try:
                self._file.write(b"".join(lines))
                self._file.fsync()
            except EnvironmentProblem as error:
                self._failure = error
                raise
            self._durable = upto

    def rotate(self, state: State, sequence: int) -> None:
        """Save `state` as the snapshot that includes `sequence`, the newest event, and begin a new journal after it.

        Nothing happens if no event came since the last time. After an EnvironmentProblem nothing more is appended: a
        restart finds the old pair or the new one whole.
        """
        if sequence != self._sequence:
            raise ValueError(f"the snapshot includes event {sequence}, the journal is at {self._sequence}")
        self._refuse_if_failed()
        if sequence < self._first and not self._outdated:
            return
        self._write_out()
        with self._turn:
            try:
                # Closed before it moves: Windows renames no open file.
                self._close_file()
                self._file, self._chain = self._rotate(state, sequence, self._chain)
            except EnvironmentProblem as error:
                self._failure = error
                raise
            self._first, self._outdated = sequence + 1, False
        self._pack_aside()

    def _pack_aside(self) -> None:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return  # Before the loop begins there is no hurry; the next rotation packs this one's files as well.
        if self._packing is None or self._packing.done():
            self._packing = asyncio.ensure_future(self._aside(self._pack))

    def _close_file(self) -> None:
        if self._file is not None:
            file, self._file = self._file, None
            file.close()

    def close(self) -> None:
        """Write, fsync and close; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        try:
            self._write_out()
        finally:
            self._aside.close()
            self._close_file()
            self._failure = self._failure or EnvironmentProblem("The journal is closed.")

    def _refuse_if_failed(self) -> None:
        if self._failure is not None:
            raise EnvironmentProblem(self._failure.message, hint=self._failure.hint) from self._failure
