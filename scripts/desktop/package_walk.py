"""`make test-package`: what `make build` made, installed on an empty Debian, started and used from outside.

As root on Debian the .deb is installed by apt in a fresh debootstrap, with nothing else in it; where that is not
possible the folder of the .tar.gz is used instead, and it is said. The screen, the message bus and the program that
presses the buttons stay outside: the application finds what its package brought and nothing more.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from scripts.desktop.screen import (
    NEEDED,
    NEEDED_FOR_DEBIAN,
    NEEDED_FOR_PACKAGES,
    ROOT,
    require,
    say,
    virtual_screen,
    with_bus,
)

DIST = ROOT / "dist"
EXCHANGES = (
    "binance",
    "bitfinex",
    "bitget",
    "bitstamp",
    "bybit",
    "coinbase",
    "gate",
    "kraken",
    "kucoin",
    "okx",
    "firi",
)
"""What the package must be able to trade at; tests/test_packaging.py holds it to the capability table."""


def main() -> int:
    """Install, walk through the steps, and return 0 if all of them went well."""
    require(NEEDED | NEEDED_FOR_PACKAGES | (NEEDED_FOR_DEBIAN if os.geteuid() == 0 else {}))
    found = sorted(DIST.glob("gridbot_*.deb"))
    if not found:
        say("There is no package in dist/: `make build` makes one.")
        return 2
    with tempfile.TemporaryDirectory(prefix="gridbot-package-") as made:
        work = Path(made)
        work.chmod(0o755)
        outside = work / "unpacked"
        subprocess.run(["dpkg-deb", "-x", found[0], outside], check=True)
        target = debian_with(found[0], work / "debian") if os.geteuid() == 0 else unpacked(work)
        with virtual_screen(work) as screen:
            # What is mounted for the walk is mounted for its processes alone, and gone with them.
            prefix = ["unshare", "--mount", "--propagation", "private"] if os.geteuid() == 0 else []
            settings = {"DISPLAY": screen.name, "TMPDIR": str(work), "XDG_RUNTIME_DIR": str(private(work / "run"))}
            arguments = [str(work), str(target), str(outside), str(ROOT / "build" / "desktop")]
            code = with_bus("scripts.desktop.package_steps", arguments, prefix=prefix, settings=settings)
    say("The package passed." if code == 0 else "The package did not pass; see above.")
    return code


def debian_with(package: Path, root: Path) -> Path:
    """Return a folder with a new Debian in which the package is installed with what it depends on."""
    mirror, suite = mirror_and_suite()
    say(f"Making an empty Debian ({suite}) and installing {package.name} there.")
    quiet = {"stdout": subprocess.DEVNULL}
    subprocess.run(["debootstrap", "--variant=minbase", suite, root, mirror], check=True, **quiet)  # type: ignore[call-overload]
    shutil.copyfile(package, root / "tmp" / package.name)
    inside = ["chroot", root, "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive"]
    install = ["apt-get", "-q", "install", "-y", "--no-install-recommends", f"/tmp/{package.name}"]
    subprocess.run([*inside, *install], check=True, **quiet)  # type: ignore[call-overload]
    (root / "tmp" / package.name).unlink()
    return root


def mirror_and_suite() -> tuple[str, str]:
    """Return where this machine's own apt takes Debian from, and which Debian it is."""
    told = Path("/etc/os-release").read_text("utf-8")
    (suite,) = re.findall(r"^VERSION_CODENAME=(\S+)", told, re.MULTILINE)
    form = "$(SITE) $(RELEASE) $(COMPONENT)"
    listed = subprocess.run(["apt-get", "indextargets", "--format", form], capture_output=True, text=True, check=True)
    return mirror_of(listed.stdout, suite), suite


def mirror_of(listed: str, suite: str) -> str:
    """Return the site of a suite's main part in a list of what apt reads."""
    for line in listed.splitlines():
        site, *rest = line.split()
        if rest == [suite, "main"]:
            # A machine may keep its mirrors in a file, best first, which apt reads and debootstrap does not.
            kept = site.removeprefix("mirror+file:")
            return site if kept == site else Path(kept).read_text("utf-8").split()[0]
    raise SystemExit(f"The machine's apt names no mirror of {suite}, so no empty Debian can be made.")


def unpacked(work: Path) -> Path:
    """Return the folder of the .tar.gz, where nobody may make a Debian."""
    say("Only root can make an empty Debian, so the folder is unpacked here and shares this system's libraries.")
    (archive,) = DIST.glob("gridbot-*-linux-*.tar.gz")
    folder = private(work / "folder")
    subprocess.run(["tar", "-xzf", archive, "-C", folder], check=True)
    return folder


def private(folder: Path) -> Path:
    """Make a folder that is its owner's alone."""
    folder.mkdir(mode=0o700)
    return folder


if __name__ == "__main__":
    sys.exit(main())
