"""The folder LICENCES of the application: one file for each part that is shipped, and a list of them all."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from gridbot.adapters import licences
from gridbot.adapters.licences import Shipped, read_folder, shipped, write_folder
from scripts.bundle.contents import LEFT_OUT

TEXTS = Path(__file__).parent / "texts"
QT, QT_FROM = "Qt", "PySide6_Essentials"
"""Qt itself has no distribution of its own: its libraries lie in that of PySide6, and have its version."""
UNDER_THE_LGPL = (QT, QT_FROM, "shiboken6")
"""What ships no text of its licence, so that it is added here; the LGPL is itself an addition to the GPL."""
NOTE = (
    "gridbot uses Qt, PySide6 and shiboken6 under the GNU Lesser General Public License, version 3. They are libraries "
    "of their own\nin the folders PySide6 and shiboken6 beside this one, unchanged, and you may put your own builds of "
    "the same version in\ntheir place. The text of that licence follows, and after it that of the GNU General Public "
    "License, which it adds to."
)
DEBIAN, DEBIAN_TEXTS = "debian-", Path("/usr/share/doc")
"""What the names of the system's own packages begin with in the list, and where their texts lie."""
_HEAD = (
    "gridbot is under the MIT licence: gridbot.txt. It brings along what is listed here; each has a file of its own\n"
    "in this folder. Qt and PySide6 are used under the LGPL, as libraries of their own in the folder PySide6, where you"
    "\nmay put your own builds of the same version in their place.\n\n"
)


def shipped_parts() -> tuple[Shipped, ...]:
    """Return what is in the application, as the About page has it from the source, and Qt, without what is left out."""
    found = [each for each in shipped() if each.name not in LEFT_OUT]
    place = next(number for number, each in enumerate(found) if each.name == QT_FROM)
    found.insert(place + 1, Shipped(QT, found[place].version, found[place].licence, ""))
    return tuple(each if each.name not in UNDER_THE_LGPL else _with_text(each) for each in found)


def _with_text(part: Shipped) -> Shipped:
    text = "\n\n".join((NOTE, *((TEXTS / f"{name}.txt").read_text("utf-8") for name in ("LGPL-3.0", "GPL-3.0"))))
    return Shipped(part.name, part.version, part.licence, text)


def write_licences(folder: Path) -> None:
    """Write the licence of each Python package, of Qt, of Python, and of gridbot."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    parts = shipped_parts()
    refuse_without_text(parts)
    write_list(folder, parts)


def write_list(folder: Path, parts: Sequence[Shipped]) -> None:
    """Write these parts into the folder, for the About page and for whoever looks into it."""
    write_folder(folder, parts)
    lines = [f"{part.name} {part.version}: {part.licence}" for part in parts]
    (folder / "README.txt").write_text(_HEAD + "\n".join(lines) + "\n", "utf-8")


def refuse_without_text(parts: Iterable[Shipped]) -> None:
    """Raise SystemExit where a part would be shipped without the text of its licence."""
    bare = [part.name for part in parts if not part.text or part.text == licences.NO_TEXT]
    if bare:
        raise SystemExit(f"{', '.join(bare)} would be shipped without the text of a licence; see {__name__}.")


def add_system_licences(folder: Path, packages: Iterable[str]) -> None:
    """Add the copyright files of the Debian packages whose libraries were copied into the application."""
    found = []
    for package in packages:
        place = DEBIAN_TEXTS / package / "copyright"
        if not place.is_file():
            raise SystemExit(f"{place} is missing, so the licence of {package} cannot be shipped.")
        asked = ["dpkg-query", "-W", "-f", "${Version}\n", package]
        version = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()[0]
        text = place.read_text("utf-8", errors="replace").strip()
        found.append(Shipped(f"{DEBIAN}{package}", version, "as its text says", text))
    write_list(folder, (*read_folder(folder), *found))
