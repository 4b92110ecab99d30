"""Makes a release out of what the builds of all systems left below dist/: one list of checksums, and the notes.

Standard library only, and GitHub's own command line program, which the machine that calls this has.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CHECKSUMS = "SHA256SUMS"
SBOM = ".cdx.json"


def main(arguments: list[str]) -> int:
    """Check that tag, version and files agree, and publish them."""
    if len(arguments) != 1:
        raise SystemExit('Name the tag of the release: make release ARGS="v0.1.0".')
    command = prepared(arguments[0], ROOT)
    if shutil.which(command[0]) is None:
        raise SystemExit(
            "Tag, version and files agree, and notes and checksums are in build/release. Nothing was published: "
            "GitHub's command line program, gh, does that, and it is not installed here."
        )
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def prepared(tag: str, root: Path) -> list[str]:
    """Write the checksums and notes of a release, and return the command that publishes it; SystemExit if unsound.

    What is written lies outside dist/, so that a second call finds there what the builds made and nothing else.
    """
    version = version_of(root / "pyproject.toml")
    if tag != f"v{version}":
        raise SystemExit(f"The tag {tag} is not that of version {version} in pyproject.toml.")
    files = verified(root / "dist")
    told = notes_of(version, (root / "CHANGELOG.md").read_text("utf-8"))
    made = root / "build" / "release"
    made.mkdir(parents=True, exist_ok=True)
    sums, notes = made / CHECKSUMS, made / "notes.md"
    sums.write_text(checksums(files), "utf-8")
    notes.write_text(told, "utf-8")
    command = ["gh", "release", "create", tag, "--verify-tag", "--title", f"gridbot {version}"]
    return [*command, "--notes-file", str(notes), *map(str, files), str(sums)]


def version_of(settings: Path) -> str:
    """Return the project's version."""
    return str(tomllib.loads(settings.read_text("utf-8"))["project"]["version"])


def verified(folder: Path) -> list[Path]:
    """Return the files that the lists of checksums below a folder name; SystemExit if one is missing or another."""
    found = []
    for listing in sorted(folder.rglob(CHECKSUMS)):
        lines = listing.read_text("utf-8").splitlines()
        if not any(line.endswith(SBOM) for line in lines):
            raise SystemExit(f"The build in {listing.parent} does not say what it is made of: there is no SBOM.")
        for line in lines:
            digest, _, name = line.partition("  ")
            path = listing.parent / name
            if not path.is_file() or digest_of(path) != digest:
                raise SystemExit(f"{name} is not what its build made.")
            found.append(path)
    names = [path.name for path in found]
    if not found or len(set(names)) != len(names):
        raise SystemExit(f"Nothing can be released: {folder} has no builds, or two of the same name.")
    return found


def checksums(files: Iterable[Path]) -> str:
    """Return one list of checksums, by name."""
    return "".join(f"{digest_of(path)}  {path.name}\n" for path in sorted(files, key=lambda each: each.name))


def digest_of(path: Path) -> str:
    """Return a file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def notes_of(version: str, changes: str) -> str:
    """Return what CHANGELOG.md says of a version; SystemExit if that is nothing."""
    found = re.search(rf"^## \[?{re.escape(version)}\b[^\n]*\n(.*?)(?=^## |\Z)", changes, re.MULTILINE | re.DOTALL)
    if found is None or not found[1].strip():
        raise SystemExit(f"CHANGELOG.md says nothing of version {version}.")
    return found[1].strip() + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
