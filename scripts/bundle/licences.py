"""The folder LICENCES of the application: one file for each part that is shipped, and a list of them all."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from gridbot.adapters import licences
from gridbot.adapters.licences import Shipped, shipped
from scripts.bundle.contents import LEFT_OUT, ROOT

TEXTS = Path(__file__).parent / "texts"
BRING_NO_TEXT = {"PySide6_Essentials": "LGPL-3.0", "shiboken6": "LGPL-3.0"}
"""What ships no text of its licence, and the text that is shipped for it; the LGPL is an addition to the GPL."""
DEBIAN_TEXTS = Path("/usr/share/doc")


def shipped_parts() -> tuple[Shipped, ...]:
    """Return what is in the application, as the About page has it, but for what is left out of it."""
    return tuple(each for each in shipped() if each.name not in LEFT_OUT)


def write_licences(folder: Path) -> None:
    """Write the licence of each Python package, of Python, and of gridbot."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    parts = shipped_parts()
    refuse_without_text(parts)
    for name in sorted({"GPL-3.0", *BRING_NO_TEXT.values()}):
        shutil.copyfile(TEXTS / f"{name}.txt", folder / f"{name}.txt")
    for part in parts:
        text = f"{part.name} {part.version}\nLicence: {part.licence}\n\n{part.text}\n"
        (folder / f"{part.name}.txt").write_text(text, "utf-8")
    shutil.copyfile(ROOT / "LICENSE", folder / "gridbot.txt")
    lines = [f"{part.name} {part.version}: {part.licence}" for part in parts]
    (folder / "README.txt").write_text(
        "gridbot is under the MIT licence: gridbot.txt. It brings along what is listed here; each has a file of its "
        "own\nin this folder. Qt and PySide6 are used under the LGPL, as libraries of their own in the folder PySide6, "
        "where you\nmay put your own builds of the same version in their place.\n\n" + "\n".join(lines) + "\n",
        "utf-8",
    )


def refuse_without_text(parts: Iterable[Shipped]) -> None:
    """Raise SystemExit where a part would be shipped without the text of its licence."""
    bare = [part.name for part in parts if not part.text or part.text == licences.NO_TEXT]
    missing = [name for name in bare if name not in BRING_NO_TEXT]
    if missing:
        raise SystemExit(f"{', '.join(missing)} would be shipped without the text of a licence; see {__name__}.")


def add_system_licences(folder: Path, packages: Iterable[str]) -> None:
    """Add the copyright files of the Debian packages whose libraries were copied into the application."""
    names = []
    for package in packages:
        text = DEBIAN_TEXTS / package / "copyright"
        if not text.is_file():
            raise SystemExit(f"{text} is missing, so the licence of {package} cannot be shipped.")
        shutil.copyfile(text, folder / f"debian-{package}.txt")
        names.append(package)
    with (folder / "README.txt").open("a", encoding="utf-8") as listing:
        listing.write("\nLibraries of Debian:\n" + "\n".join(names) + "\n")
