"""Where pictures and licences lie: the one place that knows a source tree, a wheel and a frozen application apart."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path


def assets_folder() -> Path:
    """Return the folder of `gridbot.svg` and `icons/`.

    In a frozen application it lies beside the code (`sys._MEIPASS`), in a source tree beside the package, and where a
    wheel was installed under the environment's own `share`.
    """
    unpacked = getattr(sys, "_MEIPASS", None)
    if unpacked is not None:
        return Path(unpacked) / "assets"
    source = Path(__file__).resolve().parent.parent / "assets"
    if source.is_dir():
        return source
    return Path(sysconfig.get_path("data")) / "share" / "gridbot" / "assets"


def licences_folder() -> Path | None:
    """Return the folder with the licences of all that a frozen application brings; None where nothing is brought."""
    unpacked = getattr(sys, "_MEIPASS", None)
    return None if unpacked is None else Path(unpacked) / "LICENCES"
