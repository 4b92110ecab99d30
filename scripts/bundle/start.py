"""The first lines of the packaged application: they see to what a start without a terminal lacks, and start gridbot."""

from __future__ import annotations

import multiprocessing
import os
import sys
from pathlib import Path


def main() -> None:
    """Run the command line; where there is no terminal (Windows' windowed form) what it says goes nowhere."""
    nowhere = Path(os.devnull)
    if sys.stdout is None:
        sys.stdout = nowhere.open("w", encoding="utf-8")
    if sys.stderr is None:
        sys.stderr = nowhere.open("w", encoding="utf-8")
    # The processes of a search are this program once more, which then does their work and never comes back from here.
    multiprocessing.freeze_support()
    from gridbot.cli import main as command_line

    command_line()


if __name__ == "__main__":
    main()
