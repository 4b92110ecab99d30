"""What a grid had after each candle that changed it, as columns: exact where one is read, float64 where all are."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import accumulate, compress, islice
from operator import ne

from gridbot.core.ledger import EXACT, subtract
from gridbot.core.turns import Course
from gridbot.core.units import ZERO


class Amounts:
    """Decimals in order; those of a course as whole numbers, each with an exponent of ten that is never above 0.

    Whole numbers add up and become float64 several times as fast as Decimals, and just as exactly: a quotient of two
    of them is rounded once.
    """

    __slots__ = ("_exponents", "_numbers")

    def __init__(self) -> None:
        self._numbers: list[Decimal | int] = []
        self._exponents: list[int] = []

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, place: int) -> Decimal:
        number = self._numbers[place]
        return number if isinstance(number, Decimal) else EXACT.scaleb(Decimal(number), self._exponents[place])

    def append(self, amount: Decimal) -> None:
        """Add one amount at the end."""
        self._numbers.append(amount)
        self._exponents.append(0)

    def extend(self, start: Decimal, moves: Mapping[int, Decimal], codes: Sequence[int], keep: Sequence[bool]) -> None:
        """Let `start` move by `moves[code]` for each of `codes`, and add the sum after each move that is to `keep`.

        `start` has no fewer decimals than any of the moves, all of which it has made before.
        """
        exponent = _exponent_of(start)
        steps = {code: _whole(move, exponent) for code, move in moves.items()}
        sums = accumulate(map(steps.__getitem__, codes), initial=_whole(start, exponent))
        kept = list(compress(islice(sums, 1, None), keep))
        self._numbers += kept
        self._exponents += [exponent] * len(kept)

    def pop(self) -> None:
        """Take the last amount away."""
        self._numbers.pop()
        self._exponents.pop()

    def floats(self) -> list[float]:
        """Return of each the float64 that is nearest to it."""
        wholes = {exponent: 10**-exponent for exponent in set(self._exponents)}
        return [
            float(number) if isinstance(number, Decimal) else number / wholes[exponent]
            for number, exponent in zip(self._numbers, self._exponents, strict=True)
        ]


def _exponent_of(amount: Decimal) -> int:
    exponent = amount.as_tuple().exponent
    return min(exponent, 0) if isinstance(exponent, int) else 0


def _whole(amount: Decimal, exponent: int) -> int:
    """Return how often ten to the power of `exponent` goes into `amount`; raises Inexact where it does not."""
    return int(EXACT.to_integral_exact(EXACT.scaleb(amount, -exponent)))


class Balances:
    """Cash (quote, less what the user contributed), inventory (base) and holding cells after candles `at`, in order."""

    __slots__ = ("_last", "at", "cash", "held", "inventory")

    def __init__(self) -> None:
        self.at = array("q", [0])
        self.held = array("q", [0])
        self.cash, self.inventory = Amounts(), Amounts()
        self.cash.append(ZERO)
        self.inventory.append(ZERO)
        self._last = ZERO, ZERO

    def add(self, at: int, *, cash: Decimal, inventory: Decimal, held: int) -> None:
        """Keep the balance after one candle; nothing where it is the one before it."""
        if held == self.held[-1] and self._last == (cash, inventory):
            return
        self._begin(at)
        self.at.append(at)
        self.held.append(held)
        self.cash.append(cash)
        self.inventory.append(inventory)
        self._last = cash, inventory

    def run(self, course: Course, at: Sequence[int], held: Sequence[int]) -> None:
        """Keep the balances after the candles of a course; `at` is the candle of each fill, `held` how many cells
        held coins before the first fill, and after each."""
        keep = [*map(ne, at, islice(at, 1, None)), True]
        self._begin(at[0])
        self.at.extend(compress(at, keep))
        self.held.extend(compress(islice(held, 1, None), keep))
        turns, codes = [course.turns[code] for code in course.counts], course.codes
        self.cash.extend(course.cash, {turn.code: subtract(turn.quote, turn.fill.fee) for turn in turns}, codes, keep)
        self.inventory.extend(course.inventory, {turn.code: turn.base for turn in turns}, codes, keep)
        self._last = self.cash[-1], self.inventory[-1]

    def _begin(self, at: int) -> None:
        """Forget what was kept for candle `at` before it came to its end."""
        if self.at[-1] == at:
            self.at.pop()
            self.held.pop()
            self.cash.pop()
            self.inventory.pop()
