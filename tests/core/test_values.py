"""Values are equal by their fields, have a hash, tell what they are, and are really frozen in the tests."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridbot.core.values import evolve, value


@value
class Nothing:
    """No field at all."""


@value
class Pair:
    """Two fields, one with a default."""

    left: object
    right: int = 3


@value
class Twin:
    """The same fields under another name."""

    left: object
    right: int = 3


@value
class Secret:
    """Says nothing of what it holds."""

    key: str

    def __repr__(self) -> str:
        return "Secret"


@value
class ByName:
    """Equal by its name alone."""

    name: str
    weight: int

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ByName) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)


fields = st.tuples(st.one_of(st.integers(), st.text(max_size=3), st.decimals(allow_nan=False)), st.integers())


@given(fields, fields)
def test_values_are_equal_when_their_fields_are_and_then_have_one_hash(
    one: tuple[object, int], other: tuple[object, int]
) -> None:
    first, second = Pair(*one), Pair(*other)
    assert (first == second) is (one == other) and (first != second) is (one != other)
    assert first == Pair(*one) and hash(first) == hash(Pair(*one)) == hash(one)


def test_equality_and_hash_are_right_from_their_first_use_on() -> None:
    for use in (lambda made: made(1) == made(1), lambda made: hash(made(1)) == hash((1, 3)), lambda made: {made(1)}):

        @value
        class Fresh:
            left: int
            right: int = 3

        assert use(Fresh) and use(Fresh)
        assert Fresh(1) != Fresh(2) and Fresh(1) in {Fresh(1)}


def test_values_of_two_kinds_are_never_equal() -> None:
    others: tuple[object, ...] = (Twin(1), (1, 3), None)
    assert all(Pair(1) != other and other != Pair(1) for other in others)
    assert Nothing() == Nothing() and {Nothing(): 1}[Nothing()] == 1


def test_what_a_class_says_of_itself_is_kept() -> None:
    assert repr(Secret("abc")) == "Secret" and Secret("abc") == Secret("abc")
    assert ByName("a", 1) == ByName("a", 2) and hash(ByName("a", 1)) == hash(ByName("a", 2))


def test_a_value_tells_its_fields() -> None:
    loop: list[object] = []
    loop.append(Pair(loop))
    assert repr(Pair(Decimal(1))) == "Pair(left=Decimal('1'), right=3)" and repr(Nothing()) == "Nothing()"
    assert repr(loop[0]) == "Pair(left=[...], right=3)"


def test_a_value_cannot_be_changed_and_a_copy_can_differ() -> None:
    pair = Pair(1)
    with pytest.raises(FrozenInstanceError):
        pair.right = 4  # type: ignore[misc]
    assert evolve(pair, right=4) == Pair(1, 4) and pair == Pair(1, 3)
    with pytest.raises(TypeError):
        evolve(pair, middle=1)
