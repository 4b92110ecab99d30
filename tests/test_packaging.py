"""What the packages are made of: the pure parts, without building one."""

from __future__ import annotations

import configparser
import hashlib
import re
import shutil
import tomllib
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

import gridbot
from gridbot.adapters.exchange.capability_table import TABLE
from gridbot.adapters.licences import Shipped, read_folder
from scripts import release
from scripts.bundle import contents, exchanges, licences, linux_texts, sbom
from scripts.desktop.package_walk import EXCHANGES, mirror_of

ROOT = Path(__file__).resolve().parent.parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


# ------------------------------------------------------------------------------------------- exchanges


def test_the_packaged_exchanges_are_those_of_the_capability_table() -> None:
    assert set(exchanges.packaged_exchanges()) == set(TABLE) == set(EXCHANGES)


def test_each_packaged_exchange_has_its_client_its_streams_and_its_kill() -> None:
    wanted = exchanges.wanted_modules(exchanges.ccxt_folder())
    for name in set(TABLE) - {exchanges.FIRI}:
        assert {f"{package}.{name}" for package in exchanges.PACKAGES} <= set(wanted)


def test_every_other_exchange_is_left_out_and_none_of_the_packaged_ones() -> None:
    root = exchanges.ccxt_folder()
    wanted, unwanted = set(exchanges.wanted_modules(root)), set(exchanges.unwanted_modules(root))
    assert not wanted & unwanted and len(unwanted) > 200
    assert wanted | unwanted == set(exchanges.exchange_modules(root))
    assert unwanted <= set(contents.excludes()) and wanted <= set(contents.hidden_imports())


def test_an_exchange_brings_along_the_one_that_it_stands_on(tmp_path: Path) -> None:
    files = {
        "async_support/binance.py": "from ccxt.async_support.parent import parent\nclass binance(parent): ...",
        "async_support/parent.py": "from ccxt.async_support.base.exchange import Exchange",
        "async_support/stranger.py": "",
        "pro/binance.py": "import ccxt.async_support\nclass binance(ccxt.async_support.uncle): ...",
        "async_support/uncle.py": "",
    }
    for place, text in files.items():
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).write_text(text, "utf-8")
    wanted = exchanges.wanted_modules(tmp_path)
    assert set(wanted) == {f"ccxt.{place.replace('/', '.')[:-3]}" for place in files} - {"ccxt.async_support.stranger"}


# -------------------------------------------------------------------------------------------- contents


def test_the_spec_takes_its_lists_from_one_place_and_keeps_the_assertions() -> None:
    spec = (ROOT / "build.spec").read_text("utf-8")
    compile(spec, "build.spec", "exec")
    assert re.search(r"^\s+optimize=0,$", spec, re.MULTILINE)
    # PyInstaller makes a service without a window of a macOS program that has a terminal.
    assert "console=not WINDOWS and not MAC" in spec and '"LSBackgroundOnly": False' in spec
    for name in ("data_files()", "hidden_imports()", "excludes()", "metadata_files()", "is_wanted(", "PLAIN_SOURCE"):
        assert f"contents.{name}" in spec


def test_every_module_and_every_file_of_the_package_is_in_the_application() -> None:
    imports, files = set(contents.hidden_imports()), contents.data_files()
    assert {"gridbot.cli", "gridbot.bootstrap", "gridbot.gui.window", "apprise.plugins.email"} <= imports
    assert (str(ROOT / "assets" / "gridbot.svg"), "assets") in files
    assert all(Path(source).is_file() and not Path(place).is_absolute() for source, place in files)
    guides = {Path(source).name for source, place in files if place == "gridbot/gui/guide"}
    assert guides == {path.name for path in (ROOT / "gridbot/gui/guide").glob("*.md")}


def test_no_library_for_numbers_or_tables_that_is_not_ours_is_shipped() -> None:
    assert {"numba", "pandas", "polars", "pyarrow", "scipy", "matplotlib", "tkinter"} <= set(contents.excludes())


@pytest.mark.parametrize(
    ("place", "stays"),
    [
        ("PySide6/Qt/plugins/platforms/libqxcb.so", True),
        ("PySide6\\plugins\\platforms\\qwindows.dll", True),
        ("PySide6/Qt/plugins/platforms/libqvnc.so", False),
        ("PySide6/Qt/plugins/platformthemes/libqgtk3.so", False),
        ("PySide6/Qt/plugins/sqldrivers/libqsqlite.so", False),
        ("PySide6/Qt/translations/qtbase_de.qm", False),
        ("PySide6/Qt/lib/libQt6Core.so.6", True),
        ("PySide6/QtGui.abi3.so", True),
        ("numpy/_core/_multiarray_umath.so", True),
    ],
)
def test_what_stays_of_qt(place: str, stays: bool) -> None:
    assert contents.is_wanted(place) is stays


def test_a_library_that_nothing_needs_any_more_is_left_out_and_what_it_needs_with_it() -> None:
    needs: Mapping[str, list[str]] = {
        "/q/libqxcb.so": ["libxcb-cursor.so.0", "libQt6Gui.so.6"],
        "/s/libxcb-cursor.so.0": ["libxcb-util.so.1"],
        "/s/libgtk-3.so.0": ["libcairo.so.2"],
    }
    entries = [
        ("PySide6/Qt/plugins/platforms/libqxcb.so", "/q/libqxcb.so", "BINARY"),
        ("libxcb-cursor.so.0", "/s/libxcb-cursor.so.0", "BINARY"),
        ("libxcb-util.so.1", "/s/libxcb-util.so.1", "BINARY"),
        ("libgtk-3.so.0", "/s/libgtk-3.so.0", "BINARY"),
        ("libcairo.so.2", "/s/libcairo.so.2", "BINARY"),
        ("PySide6/Qt/lib/libQt6Gui.so.6", "/q/libQt6Gui.so.6", "BINARY"),
        ("libQt6Gui.so.6", "PySide6/Qt/lib/libQt6Gui.so.6", "SYMLINK"),
        ("libpython3.11.so.1.0", "/p/libpython3.11.so.1.0", "BINARY"),
    ]
    kept = contents.without_orphans(entries, needs=lambda file: needs.get(file, []))
    assert {place for place, _, _ in entries} - {place for place, _, _ in kept} == {"libgtk-3.so.0", "libcairo.so.2"}
    assert len(kept) == len(set(kept))


def test_a_link_to_what_was_left_out_is_left_out_as_well() -> None:
    gui = ("PySide6/Qt/lib/libQt6Gui.so.6", "/q/libQt6Gui.so.6", "BINARY")
    links = [(f"lib{name}.so.6", f"PySide6/Qt/lib/lib{name}.so.6", "SYMLINK") for name in ("Qt6Gui", "Qt6OpenGL")]
    text = ("assets/gridbot.svg", "/a/gridbot.svg", "DATA")
    assert contents.without_dead_links([*links, text], kept=[gui, text]) == [links[0], text]


# ----------------------------------------------------------------------------------------------- texts


def test_the_menu_entry_has_what_a_desktop_asks_for() -> None:
    parsed = configparser.ConfigParser(interpolation=None)
    parsed.optionxform = str  # type: ignore[assignment, method-assign]
    parsed.read_string(linux_texts.desktop_entry())
    entry = parsed["Desktop Entry"]
    assert entry["Type"] == "Application" and entry["Exec"] == entry["Icon"] == entry["Name"] == "gridbot"
    assert entry["Terminal"] == "false" and entry["Categories"].endswith(";") and entry["Keywords"].endswith(";")


def test_the_description_for_software_shops_is_well_formed_and_launches_the_entry() -> None:
    root = ET.fromstring(linux_texts.metainfo("1.2.3", released=date(2026, 11, 21)))
    assert root.findtext("id") == linux_texts.APP_ID
    assert root.findtext("launchable") == "gridbot.desktop"
    (told,) = root.iter("release")
    assert told.attrib == {"version": "1.2.3", "date": "2026-11-21"}


def test_the_control_file_has_the_fields_of_a_package_in_lines_that_dpkg_takes() -> None:
    text = linux_texts.control(
        "1.2.3", architecture="amd64", installed_kib=300_000, depends=("libc6 (>= 2.36)", "a | b")
    )
    head, _, rest = text.partition("Description: ")
    fields = dict(line.split(": ", 1) for line in head.splitlines())
    assert fields["Package"] == "gridbot" and fields["Version"] == "1.2.3"
    assert fields["Depends"] == "libc6 (>= 2.36), a | b" and fields["Installed-Size"] == "300000"
    body = rest.splitlines()[1:]
    assert body and all(line.startswith(" ") and len(line) <= 80 for line in body)


# ------------------------------------------------------------------------------------ SBOM and release


def test_each_shipped_part_has_the_text_of_its_licence(tmp_path: Path) -> None:
    licences.write_licences(tmp_path / "made")
    parts = {part.name: part for part in read_folder(tmp_path / "made")}
    assert next(iter(parts)) == "gridbot" and "MIT License" in parts["gridbot"].text
    assert {"Python", "numpy", *licences.UNDER_THE_LGPL} <= parts.keys() and "uvloop" not in parts
    assert {f"{name}.txt" for name in parts} | {"README.txt", "index.json"} == {
        path.name for path in (tmp_path / "made").iterdir()
    }
    for name in licences.UNDER_THE_LGPL:
        text = parts[name].text
        assert "you may put your own builds" in text and "GNU LESSER GENERAL PUBLIC LICENSE" in text
        assert "TERMS AND CONDITIONS" in text and licences.NOTE.isascii()
    assert parts[licences.QT].version == parts[licences.QT_FROM].version
    stranger = Shipped("stranger", "1", "MIT", "")
    with pytest.raises(SystemExit, match="stranger would be shipped without"):
        licences.refuse_without_text([stranger])


@pytest.mark.skipif(shutil.which("dpkg-query") is None, reason="Debian's list of packages is what is read.")
def test_libraries_that_were_copied_from_debian_are_listed_with_the_rest(tmp_path: Path) -> None:
    licences.write_list(tmp_path, [Shipped("gridbot", "1", "MIT", "Free.")])
    licences.add_system_licences(tmp_path, ["dpkg"])
    ours, theirs = read_folder(tmp_path)
    assert ours == Shipped("gridbot", "1", "MIT", "Free.") and theirs.name == "debian-dpkg" and theirs.version
    assert theirs.text and "debian-dpkg" in (tmp_path / "README.txt").read_text("utf-8")
    with pytest.raises(SystemExit, match="nosuch"):
        licences.add_system_licences(tmp_path, ["nosuch"])


def test_the_sbom_names_what_is_shipped_and_not_what_builds() -> None:
    whole = {
        "metadata": {"component": {"bom-ref": "root", "name": "gridbot"}},
        "components": [
            {"bom-ref": "a", "name": "numpy"},
            {"bom-ref": "b", "name": "pyinstaller"},
            {"bom-ref": "c", "name": "pydantic_core"},
            {"bom-ref": "d", "name": "gridbot"},
        ],
        "dependencies": [{"ref": "root", "dependsOn": ["a", "b"]}, {"ref": "b", "dependsOn": ["c"]}],
    }
    plain = sbom.only_shipped(whole, ["gridbot", "numpy", "pydantic-core", "uvloop"])
    assert [each["bom-ref"] for each in plain["components"]] == ["a", "c"]
    assert plain["dependencies"] == [{"ref": "root", "dependsOn": ["a"]}]


def test_the_sbom_names_what_is_no_package_of_python_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.freedesktop_os_release", lambda: {"ID": "debian"})
    plain = {"components": [{"name": "pydantic_core", "bom-ref": "a"}]}
    parts = [("gridbot", "1"), ("pydantic-core", "2"), ("Qt", "6.11.3"), ("debian-zlib1g", "1:1.2+b")]
    whole = sbom.with_others(plain, [Shipped(name, version, "Zlib", "Text.") for name, version in parts])
    _, qt, zlib = whole["components"]
    assert qt["purl"] == "pkg:generic/qt@6.11.3" and qt["licenses"] == [{"license": {"name": "Zlib"}}]
    assert (zlib["name"], zlib["version"], zlib["purl"]) == ("zlib1g", "1:1.2+b", "pkg:deb/debian/zlib1g@1%3A1.2%2Bb")


def test_what_is_shipped_is_what_running_needs_and_no_tool() -> None:
    names = {sbom.spelled(name) for name in contents.shipped_distributions()}
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    direct = {sbom.spelled(re.split(r"[<>=]", each)[0]) for each in settings["project"]["dependencies"]}
    assert direct <= names and not names & {"pyinstaller", "cyclonedx-bom", "pytest", "hypothesis", "uvloop"}


def built(root: Path) -> None:
    """Lay out what the builds of two systems leave, and what a release reads beside it."""
    for system, name in (("linux", "a.deb"), ("windows", "b.zip")):
        folder = root / "dist" / system
        folder.mkdir(parents=True)
        names = (name, f"{system}{release.SBOM}")
        for each in names:
            (folder / each).write_bytes(each.encode())
        sums = "".join(f"{hashlib.sha256(each.encode()).hexdigest()}  {each}\n" for each in names)
        (folder / release.CHECKSUMS).write_text(sums, "utf-8")
    (root / "pyproject.toml").write_text('[project]\nversion = "1.2.0"\n', "utf-8")
    (root / "CHANGELOG.md").write_text("## [1.2.0] - 2026-11-21\n\n- now\n", "utf-8")


def test_a_release_takes_the_files_of_all_builds_and_can_be_made_a_second_time(tmp_path: Path) -> None:
    built(tmp_path)
    command = release.prepared("v1.2.0", tmp_path)
    assert command == release.prepared("v1.2.0", tmp_path)
    assert command[:4] == ["gh", "release", "create", "v1.2.0"] and "--verify-tag" in command
    *_, notes, one, two, three, four, sums = (Path(each) for each in command)
    listed = [line.split("  ")[1] for line in sums.read_text("utf-8").splitlines()]
    assert listed == ["a.deb", "b.zip", "linux.cdx.json", "windows.cdx.json"] and sums.name == release.CHECKSUMS
    assert sorted(path.name for path in (one, two, three, four)) == listed and notes.read_text("utf-8") == "- now\n"


def test_a_release_refuses_another_tag_a_changed_file_and_a_build_that_does_not_say_what_it_is_made_of(
    tmp_path: Path,
) -> None:
    built(tmp_path)
    with pytest.raises(SystemExit, match=r"v1\.3\.0 is not that of version 1\.2\.0"):
        release.prepared("v1.3.0", tmp_path)
    listing = tmp_path / "dist" / "linux" / release.CHECKSUMS
    whole = listing.read_text("utf-8")
    listing.write_text(whole.splitlines(keepends=True)[0], "utf-8")
    with pytest.raises(SystemExit, match="there is no SBOM"):
        release.prepared("v1.2.0", tmp_path)
    listing.write_text(whole, "utf-8")
    (tmp_path / "dist" / "windows" / "b.zip").write_bytes(b"other")
    with pytest.raises(SystemExit, match=r"b\.zip is not what its build made"):
        release.prepared("v1.2.0", tmp_path)


def test_the_notes_of_a_release_are_its_part_of_the_changelog() -> None:
    changes = "# Changelog\n\n## [Unreleased]\n\n- later\n\n## [1.2.0] - 2026-11-21\n\n- now\n\n## [1.1.0]\n\n- then\n"
    assert release.notes_of("1.2.0", changes) == "- now\n"
    with pytest.raises(SystemExit, match="says nothing"):
        release.notes_of("2.0.0", changes)


def test_the_release_knows_the_version() -> None:
    assert release.version_of(ROOT / "pyproject.toml") == gridbot.__version__


def test_the_workflows_call_our_own_commands_and_name_no_address() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    (targets,) = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert {path.name for path in WORKFLOWS} == {"build.yml", "check.yml", "release.yml"}
    for path in WORKFLOWS:
        text = path.read_text("utf-8")
        assert "http" not in text and "${{ github.ref_name" not in text
        for command in re.findall(r"run: (.*)$", text, re.MULTILINE):
            words = command.removeprefix("sudo ").removeprefix('PYTHON="$(command -v python3)" ').split()
            ours = words[0] == ".ci/run" or words[:2] == ["python", "scripts/dev.py"]
            assert ours or (words[0] == "make" and words[1] in targets.split()), f"{path.name}: {command}"


def test_the_mirror_of_an_empty_debian_is_the_one_that_the_machine_itself_uses(tmp_path: Path) -> None:
    listed = "one bookworm contrib\ntwo bookworm main\nthree bookworm-updates main\n"
    assert mirror_of(listed, "bookworm") == "two"
    kept = tmp_path / "mirrors.txt"
    kept.write_text("best\tpriority:1\nother\tpriority:2\n", "utf-8")
    assert mirror_of(f"mirror+file:{kept} jammy main\n", "jammy") == "best"
    with pytest.raises(SystemExit, match="no mirror of trixie"):
        mirror_of(listed, "trixie")
