"""What the application is made of, as CycloneDX: the environment that it was built in, but for what only builds."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from scripts.bundle.contents import ROOT, shipped_distributions


def write_sbom(target: Path, *, work: Path) -> Path:
    """Write the SBOM and return its path."""
    whole = work / "environment.cdx.json"
    options = ["--pyproject", str(ROOT / "pyproject.toml"), "--output-reproducible", "--of", "JSON", "-o", str(whole)]
    subprocess.run([sys.executable, "-m", "cyclonedx_py", "environment", *options, sys.executable], check=True)
    plain = only_shipped(json.loads(whole.read_text("utf-8")), shipped_distributions())
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


def spelled(name: str) -> str:
    """Return a distribution's name as indexes compare it."""
    return name.lower().replace("_", "-").replace(".", "-")
