"""Spoilt inputs are refused in words: what once was met wrongly, good ones, those of a seed, and hypothesis' own."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.edits import EDITS, Edit, edited
from tests.fuzz.meeting import KEPT, TARGETS, bounded, met, run, slug
from tests.fuzz.target import Target

EXAMPLES = 40
OF_A_SEED = 120
ALL = pytest.mark.parametrize("target", TARGETS, ids=slug)


@ALL
def test_good_inputs_are_met(target: Target, tmp_path: Path) -> None:
    with target.opened(tmp_path) as meet:
        answers = [met(target, meet, content) for content in target.corpus()]
    assert not [reason for answer in answers for reason in answer.wrong]
    assert sum(answer.accepted for answer in answers) > len(answers) // 3, answers


@ALL
def test_what_once_was_met_wrongly_is_met(target: Target, tmp_path: Path) -> None:
    kept = sorted((KEPT / slug(target)).glob("*"))
    with target.opened(tmp_path) as meet:
        wrong = [reason for path in kept for reason in met(target, meet, path.read_bytes()).wrong]
    assert not wrong, "\n".join(wrong)


@ALL
def test_spoilt_inputs_of_a_seed_are_met(target: Target, tmp_path: Path) -> None:
    count = run(target, tmp_path, inputs=OF_A_SEED if target.share > 20 else OF_A_SEED // 4, seed=1)
    assert not count.wrong, "\n".join(count.wrong)
    assert count.refused, "nothing was refused, so nothing was tried"


@ALL
def test_whatever_hypothesis_makes_of_a_good_input_is_met(
    target: Target, tmp_path_factory: pytest.TempPathFactory
) -> None:
    examples = EXAMPLES if target.share > 20 else EXAMPLES // 4
    with target.opened(tmp_path_factory.mktemp(slug(target))) as meet:

        @settings(max_examples=examples, suppress_health_check=list(HealthCheck))
        @given(content=st.sampled_from(target.corpus()), edits=EDITS)
        def is_met(content: bytes, edits: list[Edit]) -> None:
            with bounded():
                assert meet(edited(content, edits)) in {True, False}

        is_met()
