"""The .deb, laid out by hand and packed by dpkg-deb, with what the application takes from the system as its needs."""

from __future__ import annotations

import gzip
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from scripts.bundle import linux_texts

ALWAYS_NEEDED = ("fontconfig", "fonts-dejavu-core | fonts-freefont-ttf | fonts-liberation", "xdg-utils")
"""What nothing links to: without a font every label is a row of boxes; xdg-open opens folders and pages."""
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
SYSTEM_PLACES = ("/lib", "/usr/lib", "/lib64")


def architecture() -> str:
    """Return Debian's word for this machine's processor."""
    return ARCHITECTURES[platform.machine()]


def system_libraries(folder: Path) -> tuple[Path, ...]:
    """Return the system's libraries that the programs and libraries of a folder load; SystemExit if one is missing."""
    binaries = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink() and is_elf(path)]
    # The program itself looks into its own folder first, which a library that is asked alone does not know.
    settings = {**os.environ, "LD_LIBRARY_PATH": str(folder / "_internal")}
    listed = subprocess.run(["ldd", *binaries], capture_output=True, text=True, check=False, env=settings).stdout
    missing = sorted({line.split()[0] for line in listed.splitlines() if line.rstrip().endswith("not found")})
    if missing:
        raise SystemExit(f"The application would not find {', '.join(missing)}; is a system library missing here?")
    found = {Path(place) for place in re.findall(r"=> (/\S+)", listed)}
    return tuple(sorted(path for path in found if not path.is_relative_to(folder.resolve())))


def is_elf(path: Path) -> bool:
    """Tell whether a file is a program or a library."""
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def packages_of(libraries: Iterable[Path]) -> tuple[str, ...]:
    """Return the Debian packages that these files are from, by name."""
    owners = set()
    for library in libraries:
        # dpkg knows a file by the place that it was unpacked to, which a merged /usr shows under another name.
        for place in (library, library.resolve(), Path(str(library.resolve()).removeprefix("/usr"))):
            asked = subprocess.run(["dpkg-query", "-S", place], capture_output=True, text=True, check=False)
            if asked.returncode == 0:
                owners.add(asked.stdout.partition(":")[0])
                break
        else:
            raise SystemExit(f"No Debian package brings {library}; the .deb cannot name it.")
    return tuple(sorted(owners))


def dependencies(folder: Path) -> tuple[str, ...]:
    """Return the Depends of the package: who brings what the application loads, and what nothing links to."""
    packages = packages_of(system_libraries(folder))
    libc = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "libc6"], capture_output=True, text=True, check=True)
    least = f"libc6 (>= {libc.stdout.partition('-')[0]})"
    return (least, *(each for each in packages if each != "libc6"), *ALWAYS_NEEDED)


def lay_out(folder: Path, root: Path, *, icons: Path, texts: Path) -> None:
    """Put the application where Debian wants it below `root`."""
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(folder, root / "usr/lib/gridbot", symlinks=True)
    (root / "usr/bin").mkdir(parents=True)
    (root / "usr/bin/gridbot").symlink_to("../lib/gridbot/gridbot")
    lay_out_desktop(root / "usr/share", icons=icons, texts=texts)
    documents = root / "usr/share/doc/gridbot"
    documents.mkdir(parents=True)
    (documents / "copyright").symlink_to("../../../lib/gridbot/_internal/LICENCES/README.txt")
    changes = texts / "CHANGELOG.md"
    (documents / "changelog.gz").write_bytes(gzip.compress(changes.read_bytes(), mtime=0))


def lay_out_desktop(share: Path, *, icons: Path, texts: Path) -> None:
    """Put menu entry, description and icons below a `share` folder."""
    for source, place in (
        (texts / "gridbot.desktop", "applications/gridbot.desktop"),
        (texts / f"{linux_texts.APP_ID}.metainfo.xml", f"metainfo/{linux_texts.APP_ID}.metainfo.xml"),
    ):
        (share / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, share / place)
    shutil.copytree(icons / "hicolor", share / "icons/hicolor", dirs_exist_ok=True)


def pack(root: Path, control: str, target: Path) -> None:
    """Write the .deb of what lies below `root`; everything in it belongs to root, whoever builds."""
    (root / "DEBIAN").mkdir()
    (root / "DEBIAN/control").write_text(control, "utf-8")
    set_rights(root)
    command: list[str | Path] = ["dpkg-deb", "--root-owner-group", "-Zxz", "-z6", "--build", root, target]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def set_rights(root: Path) -> None:
    """Give each file the rights that Debian expects, whatever this machine's mask is."""
    for path in (root, *root.rglob("*")):
        if not path.is_symlink():
            runs = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if runs else 0o644)


def validated(command: Sequence[str | Path], *, what: str) -> None:
    """Let a checker of the system look at a file, where it is installed; SystemExit with what it finds."""
    if shutil.which(str(command[0])) is None:
        print(f"{command[0]} is not installed, so {what} was not looked at.")
        return
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{command[0]} refuses {what}:\n{done.stdout}{done.stderr}")
