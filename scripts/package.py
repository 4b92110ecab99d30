"""Makes what users install, in dist/: the one-folder application, on Linux .deb and .tar.gz, an SBOM and checksums.

Called by `make build` with the Python of build/env, which has what requirements-build.txt pins and nothing else.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path

from gridbot import __version__
from gridbot.adapters.licences import read_folder
from scripts.bundle import debian, linux_texts
from scripts.bundle.contents import ROOT
from scripts.bundle.icons import draw_icons
from scripts.bundle.licences import add_system_licences, write_licences
from scripts.bundle.sbom import write_sbom

DIST, WORK = ROOT / "dist", ROOT / "build"
FOLDER = DIST / "gridbot"
MOST_DOWNLOAD, MOST_INSTALLED = 130_000_000, 340_000_000
"""Bytes: what the issue allows for a file to download, and for the folder that is installed."""
SYSTEMS = {"linux": "linux", "darwin": "macos", "win32": "windows"}


def main() -> None:
    """Build everything that this system can build, and say how large it is."""
    DIST.mkdir(exist_ok=True)
    for old in (path for path in DIST.iterdir() if path.is_file()):
        old.unlink()
    write_licences(WORK / "licences")
    draw_icons(ROOT / "assets" / "gridbot.svg", WORK / "icons")
    write_texts(WORK / "texts")
    freeze()
    answers()
    named = f"gridbot-{__version__}-{SYSTEMS[sys.platform]}-{platform.machine().lower()}"
    if sys.platform == "linux":
        finish_linux()
        made = [pack_tar(DIST / f"{named}.tar.gz"), pack_deb()]
    elif sys.platform == "darwin":
        made = [pack_tar(DIST / f"{named}.tar.gz", of=DIST / "gridbot.app")]
    else:
        made = [pack_zip(DIST / f"{named}.zip")]
    parts = read_folder(FOLDER / "_internal" / "LICENCES")
    made.append(write_sbom(DIST / f"{named}.cdx.json", parts=parts, work=WORK))
    write_checksums(made)
    report(made)


def write_texts(folder: Path) -> None:
    """Write the texts of the desktop, the version of Windows' file properties, and the changes."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "gridbot.desktop").write_text(linux_texts.desktop_entry(), "utf-8")
    description = linux_texts.metainfo(__version__, released=released_on())
    (folder / f"{linux_texts.APP_ID}.metainfo.xml").write_text(description, "utf-8")
    (WORK / "version-resource.txt").write_text(version_resource(__version__), "utf-8")
    shutil.copyfile(ROOT / "CHANGELOG.md", folder / "CHANGELOG.md")


def released_on() -> date:
    """Return the day that CHANGELOG.md gives this version, else that of SOURCE_DATE_EPOCH, else today."""
    told = re.search(rf"^## \[?{re.escape(__version__)}\]?.*?(\d{{4}}-\d\d-\d\d)", changes(), re.MULTILINE)
    if told:
        return date.fromisoformat(told[1])
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    return (datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC)).date()


def changes() -> str:
    """Return the text of CHANGELOG.md."""
    return (ROOT / "CHANGELOG.md").read_text("utf-8")


def version_resource(version: str) -> str:
    """Return what Windows shows in a program's properties, in PyInstaller's form."""
    numbers = (*(int(part) for part in version.split(".")), 0)
    texts = {"ProductName": "gridbot", "FileDescription": "gridbot", "FileVersion": version, "ProductVersion": version}
    table = ", ".join(f"StringStruct({key!r}, {text!r})" for key, text in texts.items())
    return (
        f"VSVersionInfo(ffi=FixedFileInfo(filevers={numbers}, prodvers={numbers}), kids=[\n"
        f"    StringFileInfo([StringTable('040904B0', [{table}])]),\n"
        "    VarFileInfo([VarStruct('Translation', [1033, 1200])]),\n])\n"
    )


def freeze() -> None:
    """Let PyInstaller make the folder."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN"]
    places = ["--distpath", str(DIST), "--workpath", str(WORK / "pyinstaller")]
    subprocess.run([*command, *places, str(ROOT / "build.spec")], cwd=ROOT, check=True)


def answers() -> None:
    """Ask the new program for its version, and let it open its window for a moment; SystemExit if it cannot."""
    program = FOLDER / ("gridbot-cli.exe" if sys.platform == "win32" else "gridbot")
    with tempfile.TemporaryDirectory() as home:
        settings = {**os.environ, "GRIDBOT_HOME": home, "QT_QPA_PLATFORM": "offscreen"}
        for arguments in (["--version"], ["--exit-after", "1"]):
            done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False, env=settings)
            if done.returncode != 0:
                raise SystemExit(f"The application that was built does not start:\n{done.stdout}{done.stderr}")


# ---------------------------------------------------------------------------------------------- Linux


def finish_linux() -> None:
    """Take debug symbols out of Python's own libraries, add the licences of copied libraries, check what is missing."""
    inside = FOLDER / "_internal"
    if shutil.which("strip"):
        libraries = [*inside.glob("libpython*.so*"), *inside.glob("python3*/lib-dynload/*.so")]
        subprocess.run(["strip", "--strip-unneeded", *libraries], check=True)
    debian.system_libraries(FOLDER)
    if shutil.which("dpkg-query"):
        add_system_licences(inside / "LICENCES", copied_packages(inside))
    debian.lay_out_desktop(FOLDER / "share", icons=WORK / "icons", texts=WORK / "texts")
    texts = WORK / "texts"
    metainfo = texts / f"{linux_texts.APP_ID}.metainfo.xml"
    debian.validated(["desktop-file-validate", texts / "gridbot.desktop"], what="the menu entry")
    debian.validated(["appstreamcli", "validate", "--no-net", "--pedantic", metainfo], what="the description")


def copied_packages(inside: Path) -> tuple[str, ...]:
    """Return the Debian packages whose libraries PyInstaller copied beside the program."""
    listed = (WORK / "pyinstaller" / "build" / "COLLECT-00.toc").read_text("utf-8")
    pairs = re.findall(r"\(\s*'([^']+)',\s*'([^']+)',\s*'BINARY'\)", listed)
    copied = [
        Path(source) for name, source in pairs if source.startswith(debian.SYSTEM_PLACES) and (inside / name).exists()
    ]
    return debian.packages_of(copied)


def pack_tar(target: Path, *, of: Path = FOLDER) -> Path:
    """Write the folder as .tar.gz, with nobody's name on the files."""

    def nobodys(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = "root"
        return entry

    with tarfile.open(target, "w:gz", compresslevel=6) as archive:
        archive.add(of, arcname=of.name, filter=nobodys)
    return target


def pack_zip(target: Path) -> Path:
    """Write the folder as .zip, which Windows opens by itself."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(FOLDER.rglob("*")):
            archive.write(path, path.relative_to(DIST))
    return target


def pack_deb() -> Path:
    """Write the Debian package."""
    architecture = debian.architecture()
    target = DIST / f"gridbot_{__version__}_{architecture}.deb"
    if shutil.which("dpkg-deb") is None:
        raise SystemExit("There is no dpkg-deb here; on Debian or Ubuntu it is always there, elsewhere install dpkg.")
    root = WORK / "debian"
    debian.lay_out(FOLDER, root, icons=WORK / "icons", texts=WORK / "texts")
    # The package has the desktop's files in their own places.
    shutil.rmtree(root / "usr/lib/gridbot/share")
    size = size_of(root) // 1024
    depends = debian.dependencies(FOLDER)
    text = linux_texts.control(__version__, architecture=architecture, installed_kib=size, depends=depends)
    debian.pack(root, text, target)
    return target


# ------------------------------------------------------------------------------------ for every system


def write_checksums(made: list[Path]) -> None:
    """Write SHA256SUMS, which `sha256sum -c` reads."""
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in made]
    (DIST / "SHA256SUMS").write_text("".join(lines), "utf-8")


def size_of(folder: Path) -> int:
    """Return the bytes of all files below a folder; links count nothing."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def report(made: list[Path]) -> None:
    """Say what was made and how large it is; SystemExit if that is more than is allowed."""
    sizes = {path.name: path.stat().st_size for path in made}
    for name, size in sizes.items():
        print(f"{name:44} {size / 1e6:7.1f} MB (at most {MOST_DOWNLOAD / 1e6:.0f})")
    installed = size_of(FOLDER)
    print(f"{'installed':44} {installed / 1e6:7.1f} MB (at most {MOST_INSTALLED / 1e6:.0f})")
    if installed > MOST_INSTALLED or max(sizes.values()) > MOST_DOWNLOAD:
        raise SystemExit("That is larger than is allowed; see docs/packaging.md.")


if __name__ == "__main__":
    main()
