"""What build.spec puts into the application and what it leaves out; data, and small questions about a file's place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import metadata
from pathlib import Path, PurePosixPath

from gridbot.adapters.licences import shipped
from scripts.bundle.exchanges import ccxt_folder, folder_of, unwanted_modules, wanted_modules

ROOT = Path(__file__).resolve().parent.parent.parent
Entry = tuple[str, str, str]
"""A file as PyInstaller has it: its place in the application, where it is from, and its kind."""
PLAIN_SOURCE = {"apprise": "py"}
"""apprise finds its services by listing the folder that they lie in, so they lie there as files."""

LEFT_OUT = ("uvloop", "winloop")
"""What ccxt brings along and nobody starts: a faster loop for asyncio, on Windows under another name."""

_NEVER_IMPORTED = (
    # Other window systems, which keyring would take as well.
    *("PyQt5", "PyQt6", "PySide2", "tkinter", "OpenGL"),
    # What numpy, duckdb and pydantic use where it happens to be there.
    *("IPython", "PIL", "colorcet", "cupy", "h5py", "jupyter_rfb", "matplotlib", "mypy", "numba", "pandas", "polars"),
    *("pyarrow", "scipy", "sympy", "torch"),
    # What builds and tests, and is no part of the program.
    *("PyInstaller", "pip", "pkg_resources", "setuptools", "_pytest", "pytest", "hypothesis", "cyclonedx", "lxml"),
    *("pyqtgraph", "numpy.f2py", "numpy.distutils", "chardet"),
    *("PySide6.QtOpenGL", "PySide6.QtOpenGLWidgets", "PySide6.QtTest"),
    *("lib2to3", "pydoc_data", "idlelib", "ensurepip", "turtledemo"),
    *LEFT_OUT,
)
_QT_PLUGINS = {
    "iconengines": ("qsvgicon",),
    "imageformats": ("qgif", "qico", "qicns", "qjpeg", "qsvg"),
    "platforminputcontexts": ("composeplatforminputcontext", "ibusplatforminputcontext"),
    "platforms": ("qcocoa", "qminimal", "qoffscreen", "qwindows", "qxcb"),
    "platformthemes": ("qxdgdesktopportal",),
    "styles": ("qmacstyle", "qmodernwindowsstyle"),
}
"""All that is kept of Qt's plugins. Wayland desktops show the window by way of XWayland; nothing is drawn by OpenGL."""


def hidden_imports() -> list[str]:
    """Return what is imported by a name that is only known while the program runs."""
    return [
        *modules_below(ROOT / "gridbot", "gridbot"),
        *modules_below(folder_of("apprise") / "plugins", "apprise.plugins"),
        *wanted_modules(ccxt_folder()),
    ]


def modules_below(folder: Path, package: str) -> list[str]:
    """Return the full names of a package and all that it holds, without importing any of it."""
    files = [path.relative_to(folder).with_suffix("") for path in sorted(folder.rglob("*.py"))]
    return [".".join((package, *(part for part in file.parts if part != "__init__"))) for file in files]


def excludes() -> list[str]:
    """Return the modules that are left out, whoever imports them."""
    return [*_NEVER_IMPORTED, *unwanted_modules(ccxt_folder())]


def data_files() -> list[tuple[str, str]]:
    """Return the files that are no code, each with its folder: pictures, and what lies in the package."""
    places = [path for folder in ("assets", "gridbot") for path in sorted((ROOT / folder).rglob("*"))]
    files = [path for path in places if path.is_file() and path.suffix not in {".py", ".pyc"}]
    return [(str(path), path.parent.relative_to(ROOT).as_posix()) for path in files]


def shipped_distributions() -> tuple[str, ...]:
    """Return the distributions that are in the application: gridbot, and what it needs in turn; Python apart."""
    return tuple(each.name for each in shipped() if each.name not in {"Python", *LEFT_OUT})


def metadata_files() -> Iterator[tuple[str, str]]:
    """Yield what is known of each distribution that is shipped: version, needs, licences; read by the About page."""
    for name in shipped_distributions():
        for file in metadata.distribution(name).files or ():
            place = Path(str(file.locate()))
            parts = [part for part in PurePosixPath(file.as_posix()).parts if part != ".."]
            # The last is where this tree lies on the machine that builds.
            if ".dist-info" in parts[0] and place.is_file() and place.name != "direct_url.json":
                yield str(place), "/".join(parts[:-1])


def is_wanted(destination: str) -> bool:
    """Tell whether a collected file stays, by its place in the application."""
    parts = PurePosixPath(destination.replace("\\", "/")).parts
    if parts[0] != "PySide6":
        return True
    if "translations" in parts or "qml" in parts:
        return False
    if "plugins" in parts:
        kind, name = parts[parts.index("plugins") + 1], _stem(parts[-1])
        return name in _QT_PLUGINS.get(kind, ())
    return True


def without_orphans(entries: Sequence[Entry], *, needs: Callable[[str], Iterable[str]]) -> list[Entry]:
    """Leave out the shared libraries that nothing which stays needs: they came along with what was left out.

    `needs` names the libraries that a file loads. Only what lies where libraries are kept for others can be an orphan.
    """
    waiting = [entry for entry in entries if not _serves_others(entry[0])]
    libraries: dict[str, list[Entry]] = {}
    for entry in entries:
        if _serves_others(entry[0]):
            libraries.setdefault(PurePosixPath(entry[0]).name, []).append(entry)
    kept = list(waiting)
    while waiting:
        _, source, kind = waiting.pop()
        # A link's own target is among the entries, under the same name.
        for name in needs(source) if kind != "SYMLINK" else ():
            found = libraries.pop(PurePosixPath(name).name, [])
            kept += found
            waiting += found
    return kept


def without_dead_links(entries: Sequence[Entry], *, kept: Iterable[Entry]) -> list[Entry]:
    """Leave out the links to what was left out; a link's source is a place in the application, not on this machine."""
    places = {place for place, _, _ in kept}
    return [entry for entry in entries if entry[2] != "SYMLINK" or entry[1] in places]


def _serves_others(destination: str) -> bool:
    place = PurePosixPath(destination.replace("\\", "/"))
    if place.name.startswith("libpython"):
        # The program itself loads it, and is no part of this list.
        return False
    return place.name.startswith("lib") and ".so" in place.name and place.parent.as_posix() in {".", "PySide6/Qt/lib"}


def _stem(name: str) -> str:
    """Return a library's bare name: QtCore of QtCore.abi3.so, Qt6Gui of libQt6Gui.so.6, qxcb of libqxcb.so."""
    return name.partition(".")[0].removeprefix("lib")
