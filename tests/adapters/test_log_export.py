"""Log lines are exported whole or not at all: narrowed by level, component, words and time, JSON or a table."""

from __future__ import annotations

import csv
import io
import json
import os
from contextlib import closing
from datetime import datetime
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridbot.adapters.logbook.log_export import (
    LogFileExporter,
    Wanted,
    _csv_line,
    _csv_rows,
    _row,
    log_paths,
    log_slices,
)
from gridbot.adapters.logbook.log_files import ended_ms
from gridbot.errors import EnvironmentProblem
from tests.adapters.log_writing import HandClock, lines, log_files

ALL = Wanted()


def _export(
    exporter: LogFileExporter,
    target: Path,
    wanted: Wanted = ALL,
    *,
    format: str = "jsonl",
    stop_after: int | None = None,
) -> list[tuple[int, int]]:
    progress = []
    with closing(exporter.export(target, wanted, format=format)) as slices:  # type: ignore[type-var]
        for done in slices:
            progress.append(done)
            if len(progress) == stop_after:
                break
    return progress


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of logs over three files: 4,000 lines, every tenth a warning, every hundredth about Ærø."""
    clock = HandClock()
    log = log_files(tmp_path / "logs", clock=clock)
    for number in range(4_000):
        clock.now += 1
        place = "Ærø" if number % 100 == 0 else "here"
        log.log("warning" if number % 10 == 0 else "info", "trading", "a", f"{number} {place} {'x' * 400}", n=number)
    log.close()
    assert len(log_paths(tmp_path / "logs")) >= 3
    return tmp_path / "logs"


def test_an_export_without_filter_is_every_line_in_order(folder: Path, tmp_path: Path) -> None:
    exporter = LogFileExporter(folder)
    progress = _export(exporter, tmp_path / "all.jsonl")
    written = [json.loads(line) for line in (tmp_path / "all.jsonl").read_bytes().splitlines()]
    assert written == lines(folder) and exporter.lines == 4_000
    assert len(progress) > 4 and progress == sorted(progress) and progress[-1][0] == progress[-1][1]


def test_filters_by_level_and_text_work_together(folder: Path, tmp_path: Path) -> None:
    exporter = LogFileExporter(folder)
    for levels, text, count in (
        (frozenset({"WARNING"}), "", 400),
        (frozenset({"info", "warning"}), "", 4_000),
        (frozenset({"info"}), "ærø", 0),
        (frozenset({"warning"}), "ÆRØ", 40),
        (frozenset({"warning"}), "xxx ærø", 40),
        (frozenset({"error"}), "", 0),
    ):
        _export(exporter, tmp_path / "some.jsonl", Wanted(levels=levels, text=text))
        assert exporter.lines == count
        assert (tmp_path / "some.jsonl").read_bytes().count(b"\n") == count


def test_lines_are_chosen_by_component_and_by_time(folder: Path, tmp_path: Path) -> None:
    exporter, target = LogFileExporter(folder), tmp_path / "some.jsonl"
    times = [line["@timestamp"] for line in lines(folder)]
    first, last = (_ms(times[place]) for place in (1_000, 3_000))
    for wanted, count in (
        (Wanted(datasets=frozenset({"trading"})), 4_000),
        (Wanted(datasets=frozenset({"risk"})), 0),
        (Wanted(since_ms=first), 3_000),
        (Wanted(until_ms=last), 3_000),
        (Wanted(since_ms=first, until_ms=last, levels=frozenset({"warning"})), 200),
        (Wanted(since_ms=last + 10**9), 0),
    ):
        _export(exporter, target, wanted)
        assert exporter.lines == count == target.read_bytes().count(b"\n"), wanted


def test_files_that_ended_before_the_time_wanted_are_not_read(folder: Path, tmp_path: Path) -> None:
    oldest = log_paths(folder)[0]
    ended = ended_ms(oldest)
    assert ended is not None
    oldest.write_bytes(b"no gzip at all")
    late = list(log_slices(folder, since_ms=ended + 1))
    assert late[-1][1] == sum(path.stat().st_size for path in log_paths(folder)[1:])
    _export(LogFileExporter(folder), tmp_path / "late.jsonl", Wanted(since_ms=ended + 1))
    assert (tmp_path / "late.jsonl").stat().st_size > 100_000


def _ms(text: object) -> int:
    return round(datetime.fromisoformat(str(text)).timestamp() * 1000)


def test_a_csv_has_a_heading_and_no_formula(folder: Path, tmp_path: Path) -> None:
    with (folder / "gridbot.jsonl").open("ab") as file:
        file.write(b'{"message":"=HYPERLINK(1)","log.level":"info"}\nnot json "x",\n{"torn')
    _export(LogFileExporter(folder), tmp_path / "all.csv", format="csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "all.csv").read_text(encoding="utf-8"), newline="")))
    assert len(rows) == 4_002
    assert rows[3]["log.level"] == "info" and json.loads(rows[3]["fields"]) == {"gridbot.n": 3}
    assert rows[-2]["message"] == "'=HYPERLINK(1)" and rows[-1]["message"] == 'not json "x",'


@pytest.mark.parametrize("stop_after", [1, 3])
def test_a_stopped_export_leaves_what_was_there(folder: Path, tmp_path: Path, stop_after: int) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "log.jsonl").write_bytes(b"mine")
    _export(LogFileExporter(folder), out / "log.jsonl", stop_after=stop_after)
    assert [(path.name, path.read_bytes()) for path in out.iterdir()] == [("log.jsonl", b"mine")]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_a_full_disk_is_told_in_a_sentence(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "log.jsonl"
    (tmp_path / f".log.jsonl.{os.getpid()}.tmp").symlink_to("/dev/full")
    with pytest.raises(EnvironmentProblem, match="no room left"):
        _export(LogFileExporter(folder), target)
    assert [path.name for path in tmp_path.iterdir()] == ["logs"]


def test_a_target_that_cannot_be_written_and_an_unknown_format_are_told(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem, match="cannot be written"):
        _export(LogFileExporter(folder), tmp_path / "none" / "log.jsonl")
    with pytest.raises(EnvironmentProblem, match="no export format xml"):
        _export(LogFileExporter(folder), tmp_path / "log.xml", format="xml")


def test_no_logs_at_all_give_an_empty_file(tmp_path: Path) -> None:
    _export(LogFileExporter(tmp_path / "none"), tmp_path / "log.jsonl")
    assert (tmp_path / "log.jsonl").read_bytes() == b""


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ["=1+1", "-3", "@x", '"', "a,b", 'say "x"', "\\", "x\ny", "é", "", "{}"]
)


@given(cells=st.lists(TEXTS, min_size=6, max_size=6), fields=st.dictionaries(TEXTS.map("gridbot.{}".format), TEXTS))
def test_a_line_is_the_same_row_whether_it_is_parsed_or_not(cells: list[str], fields: dict[str, str]) -> None:
    names = ("@timestamp", "log.level", "event.dataset", "event.action", "message", "trace.id")
    line = {**dict(zip(names, cells, strict=True)), "service.name": "gridbot", "ecs.version": "8.11", **fields}
    [fast] = csv.reader(io.StringIO(_csv_line(orjson.dumps(line)).decode(), newline=""))
    [slow] = csv.reader(io.StringIO(_csv_rows([_row(orjson.dumps(line))]).decode(), newline=""))
    assert fast[:6] == slow[:6]
    assert fast[6] == slow[6] or json.loads(fast[6]) == json.loads(slow[6])
    assert not any(cell[:1] in set("=+-@") for cell in fast)
