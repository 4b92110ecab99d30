"""What the application is made of, as CycloneDX: the packages of Python that are in it, and all else that it brings."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from gridbot.adapters.licences import Shipped
from scripts.bundle.contents import ROOT, shipped_distributions
from scripts.bundle.licences import DEBIAN


def write_sbom(target: Path, *, parts: Iterable[Shipped], work: Path) -> Path:
    """Write the SBOM of an application that has these parts, and return its path."""
    whole = work / "environment.cdx.json"
    options = ["--pyproject", str(ROOT / "pyproject.toml"), "--output-reproducible", "--of", "JSON", "-o", str(whole)]
    subprocess.run([sys.executable, "-m", "cyclonedx_py", "environment", *options, sys.executable], check=True)
    plain = with_others(only_shipped(json.loads(whole.read_text("utf-8")), shipped_distributions()), parts)
    target.write_text(json.dumps(plain, indent=2, sort_keys=True) + "\n", "utf-8")
    return target


def only_shipped(whole: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return the SBOM with the components of these names alone, and what is said of how they hang together."""
    wanted = {spelled(name) for name in names}
    kept = [each for each in whole.get("components", ()) if spelled(each["name"]) in wanted - {"gridbot"}]
    root = whole["metadata"]["component"]
    references = {each["bom-ref"] for each in kept} | {root["bom-ref"]}
    bonds = [
        {**bond, "dependsOn": [each for each in bond.get("dependsOn", ()) if each in references]}
        for bond in whole.get("dependencies", ())
        if bond["ref"] in references
    ]
    return {**whole, "components": kept, "dependencies": bonds}


def with_others(plain: dict[str, Any], parts: Iterable[Shipped]) -> dict[str, Any]:
    """Return the SBOM with the parts that are no package of Python as well: Qt, Python, libraries of the system."""
    known = {spelled(each["name"]) for each in plain["components"]} | {"gridbot"}
    return {
        **plain,
        "components": plain["components"] + [_other(each) for each in parts if spelled(each.name) not in known],
    }


def _other(part: Shipped) -> dict[str, Any]:
    name = part.name.removeprefix(DEBIAN)
    kind = "generic" if name == part.name else f"deb/{platform.freedesktop_os_release()['ID']}"
    reference = f"pkg:{kind}/{quote(name.lower())}@{quote(part.version, safe='')}"
    licences = [{"license": {"name": part.licence}}]
    told = {"bom-ref": reference, "name": name, "version": part.version, "purl": reference, "licenses": licences}
    return {"type": "library", **told}


def spelled(name: str) -> str:
    """Return a distribution's name as indexes compare it."""
    return name.lower().replace("_", "-").replace(".", "-")
