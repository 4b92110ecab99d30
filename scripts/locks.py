"""Writes requirements*.txt anew from pyproject.toml: every version pinned, with its hashes, for every system.

`make lock` calls it; further arguments are uv's: `--upgrade` takes the newest versions that fit. Standard library only;
uv is fetched into an environment that is gone afterwards.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UV = "uv>=0.9,<1"
# What only Windows or macOS needs stands in a lock with its condition, wherever it was written: pip with hashes refuses
# what is not pinned, so a lock of this system alone could not be installed there at all.
OPTIONS = ("--quiet", "--no-config", "--no-header", "--universal", "--generate-hashes")
LOCKS = {
    "requirements.txt": (),
    "requirements-test.txt": ("--extra", "test", "-c", "requirements.txt"),
    "requirements-build.txt": ("--extra", "build", "-c", "requirements.txt"),
}


def main(arguments: list[str]) -> None:
    """Write all locks; SystemExit with a sentence where that fails."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    least = settings["project"]["requires-python"].removeprefix(">=")
    # setuptools is locked too, so that gridbot itself installs without a network.
    builders = "\n".join(settings["build-system"]["requires"])
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder) / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        run([python, "-m", "pip", "install", "-q", UV], why="uv cannot be had; is there a network?")
        compile_lock = [python, "-m", "uv", "pip", "compile", *OPTIONS, "--python-version", least, *arguments]
        for name, options in LOCKS.items():
            command = [*compile_lock, *options, "-o", name, "pyproject.toml", "-"]
            run(command, why=f"{name} could not be resolved; see above.", given=builders)


def run(command: list[str | Path], *, why: str, given: str = "") -> None:
    """Run a command with `given` as its input; SystemExit with `why` if it fails."""
    # Only the public index: what this machine's own pip settings add must not reach a lock.
    alone = {"PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": "", "PIP_EXTRA_INDEX_URL": ""}
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **alone}, input=given, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(why)


if __name__ == "__main__":
    main(sys.argv[1:])
