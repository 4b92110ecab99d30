"""The only module that writes result files, of a backtest or of an account's history: each whole or not at all."""

from __future__ import annotations

import csv
import io
import os
import secrets
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gridbot.core.commands import FillBooked
from gridbot.errors import EnvironmentProblem

FILL_COLUMNS = ("time", "time_utc", "cell", "side", "price", "quantity", "fee", "fee_currency")
HISTORY_COLUMNS = (*FILL_COLUMNS[:2], "grid", *FILL_COLUMNS[2:], "liquidity", "order", "trade")


def write_json(path: Path, result: Mapping[str, Any]) -> None:
    """Write a result as indented JSON, replacing what is there; EnvironmentProblem if it cannot be written."""
    # 16 ms to import, which every other command can save.
    import orjson

    _replace(path, orjson.dumps(result, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def write_fills_csv(path: Path, fills: Sequence[Mapping[str, Any]]) -> None:
    """Write fills, as the JSON result has them, as CSV with a header; EnvironmentProblem if it cannot be written.

    `time` is the open time of the fill's candle in ms UTC, `time_utc` the same for a reader (ISO 8601).
    """
    _write_csv(path, FILL_COLUMNS, ({**fill, "time_utc": _utc(fill["time"])} for fill in fills))


def write_history_csv(path: Path, fills: Iterable[FillBooked]) -> int:
    """Write an account's fills as CSV with a header; return how many. EnvironmentProblem if it cannot be written.

    `time` is when the fill happened, in ms UTC.
    """
    return _write_csv(path, HISTORY_COLUMNS, map(_history_row, fills))


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that was made in memory, replacing what is there; EnvironmentProblem if it cannot be written."""
    _replace(path, content)


def _history_row(fill: FillBooked) -> dict[str, Any]:
    return {
        "time": fill.time,
        "time_utc": _utc(fill.time),
        "grid": fill.grid,
        "cell": fill.cell,
        "side": fill.side.value,
        "price": f"{fill.price:f}",
        "quantity": f"{fill.quantity:f}",
        "fee": f"{fill.fee:f}",
        "fee_currency": fill.fee_asset,
        "liquidity": "taker" if fill.taker else "maker",
        "order": fill.order,
        "trade": fill.trade,
    }


def _write_csv(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> int:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    count = 0
    for count, row in enumerate(rows, start=1):  # noqa: B007 - the last one is the answer
        writer.writerow(row)
    _replace(path, text.getvalue().encode("utf-8"))
    return count


def _utc(time: int) -> str:
    return datetime.fromtimestamp(time / 1000, UTC).isoformat().replace("+00:00", "Z")


def _replace(path: Path, content: bytes) -> None:
    target = path.resolve()
    try:
        if target.is_dir():
            raise IsADirectoryError(None, "it is a folder")
        temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}.tmp")
        try:
            with temporary.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(target)
        except OSError:
            with suppress(OSError):
                temporary.unlink()
            raise
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        hint = "Choose a file in a folder that exists, may be written and has room."
        raise EnvironmentProblem(f"{path} cannot be written: {reason}.", hint=hint) from error
