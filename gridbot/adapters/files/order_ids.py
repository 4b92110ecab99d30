"""What makes an order id ours and never used before: the installation's random id and the epoch of this start.

``gb`` + 5 characters of the installation + 6 of the epoch, then 5 of the sequence, which the core adds: 18 letters and
digits in Crockford's base32, as every exchange takes them (execution, "Client ids").
"""

from __future__ import annotations

from pathlib import Path

from gridbot.core.units import TimeMs
from gridbot.errors import EnvironmentProblem, StateFileError

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
INSTALL_LENGTH, EPOCH_LENGTH = 5, 6
ZERO_SECOND = 1_577_836_800
"""2020-01-01 UTC. Six characters hold 34 years of seconds, not the 56 since 1970, so they are counted from here."""

_EPOCHS = 32**EPOCH_LENGTH
_MOST_DIGITS = len(str(_EPOCHS))


def is_install_id(text: str) -> bool:
    """Tell whether `text` may be the id of an installation."""
    return len(text) == INSTALL_LENGTH and set(text) <= set(ALPHABET)


def order_prefix(install: str, epoch: int) -> str:
    """Return the first 13 characters of every order id of one start; `epoch` in seconds since 2020."""
    if not is_install_id(install):
        raise ValueError(f"{install!r} is no id of an installation")
    if not 0 <= epoch < _EPOCHS:
        raise EnvironmentProblem("The clock is wrong by decades.", hint="Set this machine's clock and start again.")
    digits = []
    for _ in range(EPOCH_LENGTH):
        epoch, digit = divmod(epoch, 32)
        digits.append(ALPHABET[digit])
    return f"gb{install}{''.join(reversed(digits))}"


def epoch_in(prefix: str, install: str) -> int:
    """Return the epoch of a start of this installation from its order ids' beginning, -1 for another's."""
    ours, digits = f"gb{install}", prefix[2 + INSTALL_LENGTH :]
    if not prefix.startswith(ours) or len(digits) != EPOCH_LENGTH or not set(digits) <= set(ALPHABET):
        return -1
    epoch = 0
    for digit in digits:
        epoch = epoch * 32 + ALPHABET.index(digit)
    return epoch


def next_epoch(path: Path, stored: bytes | None, now: TimeMs) -> int:
    """Return the epoch of a start at `now` (ms UTC): later than the one stored in `path`, whatever the clock says."""
    seconds = max(now // 1000 - ZERO_SECOND, 0)
    if stored is None:
        return seconds
    text = stored.strip()
    if not text.isdigit() or len(text) > _MOST_DIGITS or int(text) >= _EPOCHS or not stored.endswith(b"\n"):
        raise StateFileError(
            f"{path} is damaged: it must hold the number of the last start.",
            hint="If this machine's clock is right, delete the file: order ids then go on from the time.",
        )
    return max(seconds, int(text) + 1)
