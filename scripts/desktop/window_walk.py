"""`make test-desktop`: the real window on a virtual screen, used from another process by its accessible names.

Arguments, if there are any, are the program to drive instead of this tree's:
make test-desktop ARGS=dist/gridbot/gridbot
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from scripts.desktop.screen import NEEDED, ROOT, require, say, virtual_screen, with_bus


def main(arguments: list[str]) -> int:
    """Set the screen up, walk through the steps, and return 0 if all of them went well."""
    require(NEEDED)
    program = arguments or [str(ROOT / ".venv" / "bin" / "python"), "-m", "gridbot"]
    if Path(program[0]).exists():
        program[0] = str(Path(program[0]).absolute())
    with tempfile.TemporaryDirectory(prefix="gridbot-desktop-") as made:
        work = Path(made)
        (work / "run").mkdir(mode=0o700)
        with virtual_screen(work) as screen:
            settings = {"DISPLAY": screen.name, "XDG_RUNTIME_DIR": str(work / "run")}
            told = [str(work), str(ROOT / "build" / "desktop"), json.dumps(program)]
            code = with_bus("scripts.desktop.window_steps", told, settings=settings)
    say("The window passed." if code == 0 else "The window did not pass; see above.")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
