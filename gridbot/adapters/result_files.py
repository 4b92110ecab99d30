"""The only module that writes the files of a backtest: JSON and CSV, each whole or not at all."""

from __future__ import annotations

import csv
import io
import os
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gridbot.errors import EnvironmentProblem

FILL_COLUMNS = ("time", "time_utc", "cell", "side", "price", "quantity", "fee", "fee_currency")


def write_json(path: Path, result: Mapping[str, Any]) -> None:
    """Write a result as indented JSON, replacing what is there; EnvironmentProblem if it cannot be written."""
    # 16 ms to import, which every other command can save.
    import orjson

    _replace(path, orjson.dumps(result, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def write_fills_csv(path: Path, fills: Sequence[Mapping[str, Any]]) -> None:
    """Write fills, as the JSON result has them, as CSV with a header; EnvironmentProblem if it cannot be written.

    `time` is the open time of the fill's candle in ms UTC, `time_utc` the same for a reader (ISO 8601).
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, FILL_COLUMNS, lineterminator="\n")
    writer.writeheader()
    for fill in fills:
        when = datetime.fromtimestamp(fill["time"] / 1000, UTC)
        writer.writerow({**fill, "time_utc": when.isoformat().replace("+00:00", "Z")})
    _replace(path, text.getvalue().encode("utf-8"))


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
