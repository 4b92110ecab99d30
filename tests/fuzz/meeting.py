"""Meets targets with spoilt inputs and keeps count; an input that was met wrongly is kept as a file."""

from __future__ import annotations

import faulthandler
import signal
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from random import Random
from types import FrameType, TracebackType

from gridbot.core.values import value
from tests.fuzz.backup_target import BACKUP_TARGETS
from tests.fuzz.cli_targets import CLI_TARGETS
from tests.fuzz.edits import edited, random_edits
from tests.fuzz.exchange_targets import EXCHANGE_TARGETS
from tests.fuzz.file_targets import FILE_TARGETS
from tests.fuzz.state_targets import STATE_TARGETS
from tests.fuzz.stream_targets import STREAM_TARGETS
from tests.fuzz.target import Meet, Target

TARGETS = (*STATE_TARGETS, *FILE_TARGETS, *EXCHANGE_TARGETS, *STREAM_TARGETS, *CLI_TARGETS, *BACKUP_TARGETS)
KEPT = Path(__file__).parent / "kept"
"""Inputs that once were met wrongly, a folder for each target; every test run meets them again."""
FOUND = Path(__file__).resolve().parents[2] / "build" / "fuzz"
LONGEST_S = 30.0
_LOOK = 20


class Hang(BaseException):
    """An input took longer than anything may."""


@value
class Count:
    """How a target met its inputs; `wrong` are the reasons, each with the file of its input."""

    accepted: int = 0
    refused: int = 0
    wrong: tuple[str, ...] = ()

    @property
    def inputs(self) -> int:
        """How many there were."""
        return self.accepted + self.refused + len(self.wrong)

    def __add__(self, other: Count) -> Count:
        return Count(self.accepted + other.accepted, self.refused + other.refused, self.wrong + other.wrong)


def target_named(name: str) -> Target:
    """Return a target by its name; SystemExit, with all names, for another."""
    found = next((target for target in TARGETS if target.name == name), None)
    if found is None:
        raise SystemExit(f"No target is called {name!r}; there are: {', '.join(each.name for each in TARGETS)}.")
    return found


def slug(target: Target) -> str:
    """Return the name of a target's folder."""
    return target.name.lower().replace(",", "").replace(" ", "-")


@contextmanager
def bounded(seconds: float = LONGEST_S) -> Iterator[None]:
    """Raise Hang where it takes longer; only where the system has an alarm, and in the main thread."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(_number: int, _frame: FrameType | None) -> None:
        raise Hang(f"after {seconds:g} s it had not ended")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


class _Watch:
    """Keeps whatever escapes a target: that is what is looked for. Only Ctrl-C goes on."""

    def __init__(self) -> None:
        self.error: BaseException | None = None

    def __enter__(self) -> _Watch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self.error = error
        return not isinstance(error, KeyboardInterrupt)


def met(target: Target, meet: Meet, content: bytes) -> Count:
    """Meet one input."""
    accepted = False
    with _Watch() as watch, bounded():
        accepted = meet(content)
    if watch.error is None:
        return Count(accepted=int(accepted), refused=int(not accepted))
    last = "".join(traceback.format_exception(watch.error)[-3:]).strip()
    return Count(wrong=(f"{target.name}, {keep(target, content)}: {last[-1_500:]}",))


def keep(target: Target, content: bytes) -> Path:
    """Write an input down and return where."""
    folder = FOUND / slug(target)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / blake2b(content, digest_size=6).hexdigest()
    path.write_bytes(content)
    return path


def spoilt(target: Target, random: Random) -> bytes:
    """Return one of the target's good inputs after a few edits; now and then of two of them."""
    corpus: Sequence[bytes] = target.corpus()
    content = random.choice(corpus)
    if random.random() < 0.05:
        other = random.choice(corpus)
        content = content[: random.randrange(len(content) + 1)] + other[random.randrange(len(other) + 1) :]
    return edited(content, random_edits(random))


def run(target: Target, folder: Path, *, inputs: int, seed: int) -> Count:
    """Meet so many spoilt inputs; the same seed makes the same ones."""
    total = Count()
    with target.opened(folder) as meet:
        for number in range(inputs):
            if number % _LOOK == 0:
                # An alarm is heard between two steps of Python only; what never comes back from C ends the process.
                faulthandler.dump_traceback_later(_LOOK * LONGEST_S, exit=True)
            total += met(target, meet, spoilt(target, Random(f"{target.name} {seed} {number}")))
    faulthandler.cancel_dump_traceback_later()
    return total
