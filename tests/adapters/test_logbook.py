"""The log: complete in its names, rotated, compressed, forgotten in time, and without secrets."""

from __future__ import annotations

import json
import stat
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from gridbot.adapters.logbook.crash_reports import write_crash_report
from gridbot.adapters.logbook.log_export import LogFileExporter, Wanted, log_paths
from gridbot.adapters.logbook.log_files import LogFiles
from gridbot.adapters.logbook.masking import MASKED, Mask
from gridbot.core.units import Side
from gridbot.errors import EnvironmentProblem
from tests.adapters.log_writing import HandClock, lines, log_files

DAY = 86_400_000


def test_a_line_has_the_names_of_ecs_and_our_fields_below_our_own(tmp_path: Path) -> None:
    log = log_files(tmp_path)
    fields = {"price": Decimal("1.50"), "side": Side.BUY, "path": Path("a"), "deep": {"x": (1, None)}, "big": 2**70}
    log.log("WARNING", "trading", "order.denied", "No room.", trace="gb1", **fields)
    log.close()
    assert lines(tmp_path) == [
        {
            "@timestamp": "2026-09-21T14:13:20.123Z",
            "log.level": "warning",
            "event.dataset": "gridbot.trading",
            "event.action": "order.denied",
            "message": "No room.",
            "trace.id": "gb1",
            "service.name": "gridbot",
            "ecs.version": "8.11",
            "gridbot.price": "1.50",
            "gridbot.side": "buy",
            "gridbot.path": "a",
            "gridbot.deep": {"x": [1, None]},
            "gridbot.big": str(2**70),
        }
    ]


def test_what_is_less_important_than_the_level_is_not_written(tmp_path: Path) -> None:
    log = log_files(tmp_path, level="WARNING")
    for level in ("debug", "info", "warning", "error", "critical"):
        log.log(level, "system", "a", level)
    log.close()
    assert [line["message"] for line in lines(tmp_path)] == ["warning", "error", "critical"]


def test_a_line_stays_one_line_and_is_written_whatever_is_in_it(tmp_path: Path) -> None:
    log = log_files(tmp_path)
    log.log("info", "system", "a", 'first\nsecond "\x00" \ud800 æ', weird="\udfff", event="mine", line="too")
    log.log("info", "system", "b", "x" * 50_000)
    log.close()
    first, second = lines(tmp_path)
    assert first["message"] == 'first\nsecond "\x00" \\ud800 æ'
    assert (first["gridbot.event"], first["gridbot.line"], first["gridbot.weird"]) == ("mine", "too", "\\udfff")
    assert str(second["message"]).endswith("(30000 more characters)")


def test_subscribers_and_memory_see_every_line_at_once(tmp_path: Path) -> None:
    log = log_files(tmp_path)
    seen: list[str] = []
    log.log("info", "ui", "a", "before")
    log.subscribe(lambda fields, text: seen.append(f"{fields['message']} {json.loads(text)['log.level']}"))
    log.log("error", "ui", "b", "after")
    assert seen == ["after error"]
    assert [fields["message"] for fields, _ in log.recent()] == ["before", "after"]
    log.close()


def _fill(log: LogFiles, clock: HandClock, count: int) -> None:
    for number in range(count):
        clock.now += 1_000
        log.log("info", "trading", "order.filled", f"line {number} {'x' * 400}")


def test_rotation_loses_no_line_and_keeps_their_order(tmp_path: Path) -> None:
    clock = HandClock()
    log = log_files(tmp_path, clock=clock)
    _fill(log, clock, 5_000)
    log.close()
    names = [path.name for path in log_paths(tmp_path)]
    assert len(names) > 2 and names[-1] == "gridbot.jsonl" and all(name.endswith(".gz") for name in names[:-1])
    assert (tmp_path / "gridbot.jsonl").stat().st_size <= 1_000_000
    assert [str(line["message"]).split()[1] for line in lines(tmp_path)] == [str(number) for number in range(5_000)]
    if sys.platform != "win32":
        assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_two_rotations_in_one_millisecond_keep_both_files(tmp_path: Path) -> None:
    log = log_files(tmp_path)
    for number in range(5_000):
        log.log("info", "trading", "a", f"line {number} {'x' * 400}")
    log.close()
    assert len(lines(tmp_path)) == 5_000


def test_old_files_go_after_their_days(tmp_path: Path) -> None:
    clock = HandClock()
    log = log_files(tmp_path, clock=clock)
    _fill(log, clock, 2_500)
    log.close()
    finished = len(log_paths(tmp_path)) - 1
    clock.now += 29 * DAY
    log_files(tmp_path, clock=clock).close()
    assert len(log_paths(tmp_path)) == finished + 1
    clock.now += 2 * DAY
    log_files(tmp_path, clock=clock).close()
    assert [path.name for path in log_paths(tmp_path)] == ["gridbot.jsonl"]


def test_what_a_crash_left_half_packed_is_packed_at_the_next_start(tmp_path: Path) -> None:
    clock = HandClock()
    name = "gridbot-20260921T141320123Z.jsonl"
    (tmp_path / name).write_bytes(b'{"message":"kept"}\n')
    (tmp_path / f"{name}.gz.tmp").write_bytes(b"half")
    log_files(tmp_path, clock=clock).close()
    assert [path.name for path in tmp_path.iterdir()] == [f"{name}.gz"]
    assert lines(tmp_path) == [{"message": "kept"}]


def test_a_file_that_somebody_takes_away_is_begun_anew(tmp_path: Path) -> None:
    log = log_files(tmp_path)
    log.log("info", "system", "a", "one")
    (tmp_path / "gridbot.jsonl").unlink()
    log.log("info", "system", "a", "two")
    log.close()
    assert [line["message"] for line in lines(tmp_path)] == ["two"]


def test_a_log_that_cannot_be_written_says_so_and_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file", encoding="utf-8")
    log = log_files(tmp_path / "logs")
    log.log("info", "system", "a", "still seen")
    assert "cannot be written" in str(log.problem)
    assert [fields["message"] for fields, _ in log.recent()] == ["still seen"]
    (tmp_path / "logs").unlink()
    log.log("info", "system", "a", "written")
    assert str(log.problem) == "None"
    log.close()
    assert [line["message"] for line in lines(tmp_path / "logs")] == ["written"]


# --------------------------------------------------------------------------------------------- secrets

SECRET = 'p4ss/w"ord+æ\\Zq9'
HEX = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b"


@pytest.mark.parametrize(
    "text",
    [
        f"apiKey={HEX}",
        f"api_key: {HEX}",
        f'{{"secret": "{HEX}", "ok": 1}}',
        f'{{\\"passphrase\\": \\"{HEX}\\"}}',
        f"https://api.example.com/order?symbol=BTC&signature={HEX}&timestamp=1",
        f"X-MBX-APIKEY: {HEX}",
        f"miraiex-access-key: {HEX}",
        f"KC-API-SIGN={HEX}",
        f"Authorization: Bearer {HEX}",
        f"authorization='Basic {HEX}'",
        f"sent with Bearer {HEX}",
        f"password={HEX}",
        f"the secret key is {HEX}",
        f"token {HEX}",
        f"BINANCE_API_SECRET={HEX}",
        f"postgres://user:{HEX}@host/db",
        f"-----BEGIN EC PRIVATE KEY-----\n{HEX}\n-----END EC PRIVATE KEY-----",
        f"{{'listen_token': '{HEX}'}}",
    ],
)
def test_what_follows_a_secrets_name_is_hidden(text: str) -> None:
    hidden = Mask().text(text)
    assert HEX not in hidden and MASKED in hidden
    assert Mask().text(hidden) == hidden


@pytest.mark.parametrize(
    "text",
    [
        "Order gb0ab3de0fghj00001 bought 0.5 BTC/USD at 42000.10 (key level).",
        "The token market is quiet, the secret of success is patience.",
        "design=flat, assigned=12, a signal closed at 100.5",
        f"digest {HEX}",
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    assert Mask().text(text) == text


@pytest.mark.parametrize("form", [str, json.dumps, lambda s: json.dumps(json.dumps(s)), lambda s: f"({s})", repr])
def test_a_known_secret_is_hidden_in_any_form(form: Callable[[str], str]) -> None:
    secret = "Zq9-kk_secretvalue/+="
    assert "secretvalue" not in Mask([secret]).text(f"it said {form(secret)} today")


def test_a_known_secret_leaves_no_trace_in_files_memory_exports_and_crash_reports(tmp_path: Path) -> None:
    mask = Mask()
    log = log_files(tmp_path, mask=mask)
    mask.learn(SECRET, HEX)
    log.log("info", "security", "a", f"it is {SECRET}", note=[SECRET, {"x": HEX}], **{HEX: 1}, trace=HEX)
    log.log(
        "info", "security", "a", "under its name", api_key="short1", deep={"password": 12345, "urls_secret": "telegram"}
    )
    log.close()
    target = tmp_path / "out.csv"
    for _ in LogFileExporter(tmp_path).export(target, Wanted(), format="csv"):
        pass
    try:
        raise ValueError(f"refused {SECRET} signature={HEX[::-1]}")
    except ValueError as error:
        recent = [text for _, text in log.recent()]
        report = write_crash_report(tmp_path / "crashes", error, clock=HandClock(), mask=mask, lines=recent)
    written = "".join(path.read_text(encoding="utf-8") for path in (report, target, *log_paths(tmp_path)))
    for part in (SECRET, json.dumps(SECRET)[1:-1], HEX, HEX[::-1], "short1", "12345"):
        assert part not in written
    assert '"urls_secret":"telegram"' in written
    assert "ValueError" in report.read_text(encoding="utf-8") and "test_logbook.py" in report.read_text(
        encoding="utf-8"
    )


def test_a_crash_report_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(EnvironmentProblem, match="cannot be written"):
        write_crash_report(tmp_path / "file", ValueError("x"), clock=HandClock(), mask=Mask(), lines=())
