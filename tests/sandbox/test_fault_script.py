"""A fault script that is wrong is refused in a sentence that names the fault, the field and what is wrong with it."""

from __future__ import annotations

import re
from pathlib import Path

import orjson
import pytest

from gridbot.errors import ConfigError
from gridbot.sandbox.fault_script import Do, read_script

WRONG: list[tuple[object, str, str]] = [
    ({"match": "POST /x"}, "0.do", "required"),
    ({"do": "drop"}, "0.match", "required"),
    ({"match": "POST /x", "do": "explode"}, "0.do", "drop"),
    ({"match": "PATCH /x", "do": "drop"}, "0.match", "pattern"),
    ({"match": "POST", "do": "drop"}, "0.match", "pattern"),
    ({"match": "POST /x", "do": "drop", "colour": "red"}, "0.colour", "Extra"),
    ({"match": "POST /x", "do": "delay"}, "0", "delay needs delay_ms"),
    ({"match": "POST /x", "do": "drop", "delay_ms": 5}, "0", "delay_ms has no meaning for drop"),
    ({"match": "POST /x", "do": "drop", "from": 0}, "0.from", "1"),
    ({"match": "POST /x", "do": "drop", "from": 5, "until": 4}, "0", "until is smaller than from"),
    ({"match": "POST /x", "do": "drop", "when": "during"}, "0.when", "before"),
    ({"match": "POST /x", "do": "gap_ws"}, "0", "is for streams"),
    ({"match": "WS x", "do": "drop"}, "0", "is for requests"),
    ({"match": "POST /x", "do": "status", "status": 200}, "0.status", "400"),
    ({"match": "POST /x", "do": "deposit", "asset": "BTC", "amount": 0.1}, "0.amount", "as a text"),
    ({"match": "POST /x", "do": "filter", "symbol": "A", "filters": {"tick": "1"}}, "0", "there is no filter tick"),
    ({"match": "POST /x", "do": "trading", "symbol": "A", "trading": "closed"}, "0.trading", "halted"),
    ("drop", "0", "object"),
]


@pytest.mark.parametrize(("fault", "path", "words"), WRONG)
def test_a_mistake_is_told_with_its_place(fault: object, path: str, words: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read_script(orjson.dumps([fault]), source="faults.json")
    (mistake,) = refused.value.mistakes
    assert mistake.path == path and words in mistake.reason
    assert "faults.json" in refused.value.message and mistake.reason in refused.value.message


def test_every_mistake_is_told_at_once() -> None:
    with pytest.raises(ConfigError) as refused:
        read_script('[{"match": "POST /x"}, {"do": "drop"}]', source="faults.json")
    assert [each.path for each in refused.value.mistakes] == ["0.do", "1.match"]


@pytest.mark.parametrize("text", ["", "{}", "[", "null", '{"match": "POST /x", "do": "drop"}'])
def test_what_is_no_list_of_faults_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="no fault script"):
        read_script(text, source="faults.json")


def test_a_script_is_read_with_all_its_parts() -> None:
    (fault,) = read_script(
        '[{"match": "POST /api/v3/order", "do": "execute_late", "delay_ms": 120000, "from": 3, "until": 9, "count": 2,'
        ' "contains": "side=BUY", "after_ms": 10, "before_ms": 60000, "when": "before", "status": 504}]',
        source="faults.json",
    )
    assert (fault.do, fault.first, fault.until, fault.count, fault.delay_ms) == (Do.EXECUTE_LATE, 3, 9, 2, 120_000)


README = (Path(__file__).resolve().parents[2] / "README_PROD.md").read_text("utf-8")


def test_the_script_in_the_readme_is_one_and_every_kind_of_fault_is_told_there() -> None:
    (shown,) = re.findall(r"```json\n(\[.*?\])\n```", README, re.DOTALL)
    assert len(read_script(shown, source="README_PROD.md")) == 4
    assert [each.value for each in Do if f"`{each.value}`" not in README] == []
