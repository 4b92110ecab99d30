"""What a backtest keeps in columns is to the last digit what Decimals one by one would be."""

from __future__ import annotations

from decimal import Decimal, Inexact

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridbot.core.ledger import EXACT
from gridbot.research.balances import Amounts
from gridbot.research.records import Records

amounts = st.decimals(min_value=-(10**15), max_value=10**15, places=10) | st.decimals(
    min_value=-(10**8), max_value=10**8, allow_nan=False, allow_infinity=False
)


@given(kept=st.lists(amounts, max_size=20))
def test_an_amount_is_read_as_it_was_written_and_as_the_nearest_float(kept: list[Decimal]) -> None:
    column = Amounts()
    for amount in kept:
        column.append(amount)
    read = [column[place] for place in range(len(kept))]
    assert [str(amount) for amount in read] == [str(amount) for amount in kept]
    assert column.floats() == [float(amount) for amount in kept]


@given(
    start=st.decimals(min_value=-(10**12), max_value=10**12, places=10),
    moves=st.lists(st.decimals(min_value=-(10**6), max_value=10**6, places=7), min_size=1, max_size=4),
    codes=st.lists(st.integers(0, 3), max_size=30),
    keep=st.lists(st.booleans(), min_size=30, max_size=30),
)
def test_moves_in_a_column_are_the_sums_of_decimals(
    start: Decimal, moves: list[Decimal], codes: list[int], keep: list[bool]
) -> None:
    codes = [code % len(moves) for code in codes]
    column, wanted, at = Amounts(), list[Decimal](), start
    for code, kept in zip(codes, keep, strict=False):
        at = EXACT.add(at, moves[code])
        if kept:
            wanted.append(at)
    column.extend(start, dict(enumerate(moves)), codes, keep[: len(codes)])
    assert [str(column[place]) for place in range(len(wanted))] == [str(amount) for amount in wanted]
    assert column.floats() == [float(amount) for amount in wanted]


def test_a_move_of_more_decimals_than_the_start_is_refused_and_never_rounded() -> None:
    column = Amounts()
    with pytest.raises(Inexact):
        column.extend(Decimal("1.0"), {0: Decimal("0.01")}, [0], [True])


def test_records_are_made_once_and_only_when_one_is_looked_at() -> None:
    made = list[int]()

    def make() -> list[str]:
        made.append(1)
        return ["first", "second"]

    records = Records(2, make)
    assert len(records) == 2 and not made
    assert (records[0], records[-1], records[:1], list(records)) == ("first", "second", ["first"], ["first", "second"])
    assert made == [1]
