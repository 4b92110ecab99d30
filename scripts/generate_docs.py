"""Writes what models and tables say about themselves: config.example.json and what is listed in DOCUMENTS.

`--check` writes nothing and fails if a file is not what would be written.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    # Started as a file, Python looks beside it for gridbot and not above it.
    sys.path.insert(0, str(ROOT))

from gridbot.adapters.exchange.exchanges_page import exchanges_page  # noqa: E402
from gridbot.config import Setting, default_config, schema_reference  # noqa: E402

_INTRODUCTION = """# Configuration

<!-- Written by scripts/generate_docs.py from the models in gridbot/config. Change them, not this page. -->

`config.json` in gridbot's folder (`GRIDBOT_HOME` moves it) says what gridbot is to do. `config.example.json` is the
file of a first start. `gridbot config check` lists every mistake of a file, `gridbot config show` shows it with all
defaults, and `gridbot config init --preset balanced|classic|wide` writes one to begin with.

- Every key but a grid's `symbol` and `investment` may be left out. A key that is not known is a mistake.
- An **amount** is an exact decimal and best stands in quotes: `"0.1"`. A whole number of it needs none. A point
  separates the decimals; thousands are not separated.
- Fractions, not percentages: `"0.01"` is 1 %.
- A **timeframe** is a number and `m`, `h`, `d` or `w`: `15m`, `4h`, `1d`.
- A **breaker** is an object of `limit`, `warn` and `action`; what is left out has its default, and a plain number is
  the limit. Beyond `warn` (`null` for none) nothing new is bought. `action` says what happens beyond the limit:
  `deny` the order, `no_new_buys`, or `kill`. Fractions are above 0 and up to 1, times up to 3600000 ms.
- Secrets are never written into this file. Keys that end in `_secret` hold the name of a stored secret.
- `id`, `account` and exchanges are names of up to 40 letters, digits, `-` and `_`.
"""

_SECTIONS = (
    ("The application", ""),
    ("The exchange", "exchange."),
    ("A grid", "grids[]"),
    ("Limits and breakers", "risk."),
    ("Orders", "orders."),
    ("The demo market", "demo."),
    ("Logs", "logging."),
    ("Notifications", "notifications."),
)


def example() -> str:
    """Return the text of config.example.json: the configuration of a first start."""
    return default_config().to_json()


def configuration_page() -> str:
    """Return the text of docs/configuration.md."""
    settings = schema_reference()
    named = tuple(prefix for _, prefix in _SECTIONS if prefix)
    parts = [_INTRODUCTION]
    for title, prefix in _SECTIONS:
        rows = [s for s in settings if (s.path.startswith(prefix) if prefix else not s.path.startswith(named))]
        table = "".join(map(_row, rows))
        parts.append(f"\n## {title}\n\n| key | type | default | meaning |\n|---|---|---|---|\n{table}")
    return "".join(parts)


def _row(setting: Setting) -> str:
    default = setting.default
    if default[0] in '"[{' or default in ("null", "true", "false") or default[0].isdigit():
        default = f"`{default}`"
    return f"| `{setting.path}` | {setting.type} | {default} | {setting.description} |\n"


DOCUMENTS: dict[str, Callable[[], str]] = {
    "config.example.json": example,
    "docs/configuration.md": configuration_page,
    "docs/exchanges.md": exchanges_page,
}


def main(argv: Sequence[str]) -> int:
    """Write the files, or with --check compare them; return 1 if one was not up to date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file would change")
    checking = parser.parse_args(argv).check
    stale = []
    for name, document in DOCUMENTS.items():
        path, text = ROOT / name, document()
        if path.is_file() and path.read_text("utf-8") == text:
            continue
        stale.append(name)
        if not checking:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8", newline="\n")
    for name in stale:
        print(f"{name} is not up to date: run scripts/generate_docs.py" if checking else f"{name} written")
    return 1 if checking and stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
