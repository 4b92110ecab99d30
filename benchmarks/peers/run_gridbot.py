"""The ladder, or the default strategy, in gridbot: the very command that a user gives, `gridbot backtest --json`."""

import json
import sys
import tempfile
from pathlib import Path

from work import tell


def main() -> None:
    """Run FOLDER NAME CONFIGURATION (`grid` or `default`) once and tell the result as the command wrote it."""
    folder, name, configuration = sys.argv[1:]
    candles = Path(folder) / f"{name}.parquet"
    config = Path(folder) / f"{name}.{configuration}.json"
    with tempfile.TemporaryDirectory() as place:
        out = Path(place) / "result.json"
        sys.argv = ["gridbot", "backtest", "--candles", str(candles), "--config", str(config), "--json", str(out)]
        from gridbot import __version__
        from gridbot.cli import main as gridbot

        try:
            gridbot()
        except SystemExit as left:
            if left.code:
                raise
        result = json.loads(out.read_bytes())
    tell(
        "first",
        version=__version__,
        engine_seconds=result["engine_seconds"],
        fills=len(result["fills"]),
        total_profit=float(result["total_profit"]),
    )


if __name__ == "__main__":
    main()
