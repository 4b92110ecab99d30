"""The developer's commands, the same on every system: `python3 scripts/dev.py run` is what `make run` does.

Standard library only, because it is what builds the environment everything else lives in. A command first sees
to what it needs, and stamps it, so that the next call finds the stamp and starts at once.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

if sys.version_info < (3, 11):  # noqa: UP036 - a newcomer may start this with whatever `python3` is
    sys.exit("gridbot needs Python 3.11 or newer; start this script with it, or call make PYTHON=python3.11.")

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from scripts.qt_on_debian import DEBIAN_PACKAGE_OF  # noqa: E402  the root is known only from here on

VENV = ROOT / ".venv"
WINDOWS = os.name == "nt"
VENV_PYTHON = VENV / ("Scripts/python.exe" if WINDOWS else "bin/python")

EXIT_USER_MUST_ACT = 2

Parts = Sequence[str | Path]

# Nothing links to a font, but without one every label is a row of boxes.
FONT_PACKAGE, FONT_FOLDER = "fonts-dejavu-core", Path("/usr/share/fonts")


class SetupRefused(Exception):
    """Something the user must do first; the message is a whole sentence."""


def say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def command_line(parts: Parts, *, env: Mapping[str, str] | None = None, quiet: bool = False) -> int:
    """Run a program in the project's folder and return its exit code."""
    settings = {**os.environ, **(env or {})}
    output = subprocess.DEVNULL if quiet else None
    return subprocess.run([str(part) for part in parts], cwd=ROOT, env=settings, stdout=output, check=False).returncode


def must(parts: Parts, *, why: str, env: Mapping[str, str] | None = None, quiet: bool = False) -> None:
    """Run a program that set-up cannot do without; raise SetupRefused with `why` if it fails."""
    if command_line(parts, env=env, quiet=quiet) != 0:
        raise SetupRefused(why)


# ------------------------------------------------------------------------------------- the environment


def is_debian_root() -> bool:
    return not WINDOWS and os.geteuid() == 0 and shutil.which("apt-get") is not None


def apt_install(packages: Sequence[str]) -> None:
    say(f"Installing the system packages {' '.join(packages)}.")
    env = {"DEBIAN_FRONTEND": "noninteractive"}
    failed = f"apt-get could not install {' '.join(packages)}; install them by hand and call this again."
    must(["apt-get", "update", "-q"], why="apt-get update failed; is there a network?", env=env, quiet=True)
    must(["apt-get", "install", "-y", "-q", "--no-install-recommends", *packages], why=failed, env=env, quiet=True)


def digest_of(*files: Path) -> str:
    """Return one hash of these files' content and of the Python line in use (3.11, 3.12)."""
    sha = hashlib.sha256(repr(sys.version_info[:2]).encode())
    for file in files:
        sha.update(file.name.encode() + b"\0" + file.read_bytes())
    return sha.hexdigest()


def is_stamped(name: str, digest: str) -> bool:
    stamp = VENV / f"stamp-{name}"
    return VENV_PYTHON.exists() and stamp.is_file() and stamp.read_text("utf-8") == digest


def set_stamp(name: str, digest: str) -> None:
    (VENV / f"stamp-{name}").write_text(digest, "utf-8")


def create_venv() -> None:
    """Make an empty `.venv`, after taking away one that does not work."""
    if VENV_PYTHON.exists() and command_line([VENV_PYTHON, "-c", "import pip"], quiet=True) == 0:
        return
    if importlib.util.find_spec("ensurepip") is None:  # Debian keeps it in a package of its own
        package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
        if not is_debian_root():
            raise SetupRefused(f"This Python cannot make environments: install the system package {package}.")
        apt_install([package])
    must([sys.executable, "-m", "venv", "--clear", VENV], why="Python could not create the folder .venv.")


def install(python: Path, lock: Path) -> None:
    """Bring an environment to the locked versions, with gridbot itself."""
    pip: list[str | Path] = [python, "-m", "pip", "--disable-pip-version-check", "install", "-q"]
    must(
        [*pip, "--require-hashes", "-r", lock],
        why=f"pip could not install what {lock.name} names; the lines above say why (no network?).",
    )
    # The lock pins setuptools too, so that this one needs no network.
    must(
        [*pip, "--no-deps", "--no-build-isolation", "-e", ROOT], why="pip could not install gridbot itself; see above."
    )


def ensure_packages(level: str) -> None:
    """Bring `.venv` to the locked versions; `level` is "runtime" or "test", which holds the first."""
    lock = {"runtime": ROOT / "requirements.txt", "test": ROOT / "requirements-test.txt"}[level]
    digest = digest_of(lock, ROOT / "pyproject.toml")
    if is_stamped(level, digest):
        return
    say(f"Setting up .venv from {lock.name}; this happens once and takes a minute or so.")
    create_venv()
    install(VENV_PYTHON, lock)
    set_stamp(level, digest)


def ensure_build_packages() -> Path:
    """Return the Python of build/env: what packages are built with and of, and nothing that only tests need."""
    folder, lock = ROOT / "build" / "env", ROOT / "requirements-build.txt"
    python, stamp = folder / VENV_PYTHON.relative_to(VENV), folder / "stamp"
    digest = digest_of(lock, ROOT / "pyproject.toml")
    if not stamp.is_file() or stamp.read_text("utf-8") != digest:
        say(f"Setting up build/env from {lock.name}; this happens once and takes a minute or two.")
        must([sys.executable, "-m", "venv", "--clear", folder], why="Python could not create the folder build/env.")
        install(python, lock)
        stamp.write_text(digest, "utf-8")
    return python


def qt_folder() -> Path:
    code = "import importlib.util as u; print(u.find_spec('PySide6').submodule_search_locations[0])"
    found = subprocess.run([VENV_PYTHON, "-c", code], capture_output=True, text=True, check=True)
    return Path(found.stdout.strip())


def missing_libraries(plugins: Iterable[str]) -> list[str]:
    """Return the sonames that Qt and these of its platform plugins would not find on this Linux."""
    qt = qt_folder()
    files = [qt / "QtGui.abi3.so", qt / "QtWidgets.abi3.so"]
    files += [qt / "Qt" / "plugins" / "platforms" / f"libq{plugin}.so" for plugin in plugins]
    listed = subprocess.run(["ldd", *files], capture_output=True, text=True, check=False).stdout
    return sorted({line.split()[0] for line in listed.splitlines() if line.rstrip().endswith("not found")})


def packages_for(sonames: Iterable[str]) -> list[str]:
    packages = {DEBIAN_PACKAGE_OF[soname] for soname in sonames if soname in DEBIAN_PACKAGE_OF}
    if not any(FONT_FOLDER.rglob("*.[to]tf")):
        packages.add(FONT_PACKAGE)
    return sorted(packages)


def ensure_qt(*, window: bool) -> None:
    """See to the system libraries of Qt: on Debian as root install them, else refuse with their names.

    A `window` needs the X11 plugin; tests and pictures do with the offscreen one.
    """
    if not sys.platform.startswith("linux") or shutil.which("ldd") is None:
        return
    name = "qt-window" if window else "qt-offscreen"
    digest = digest_of(ROOT / "requirements.txt")
    if is_stamped(name, digest):
        return
    packages = packages_for(missing_libraries(("offscreen", "xcb")))
    if packages and is_debian_root():
        apt_install(packages)
    missing = missing_libraries(("offscreen", "xcb") if window else ("offscreen",))
    if missing:
        names = " ".join(packages_for(missing)) or "the packages that bring them"
        raise SetupRefused(f"Qt lacks {', '.join(missing)}; on Debian or Ubuntu: sudo apt-get install {names}")
    set_stamp(name, digest)


def ensure_strace() -> None:
    """See to strace, by which tests kill a process at an exact system call; without it they choose random moments."""
    if not sys.platform.startswith("linux") or shutil.which("strace") is not None or not is_debian_root():
        return
    try:
        apt_install(["strace"])
    except SetupRefused as refusal:
        say(f"{refusal} The tests that kill processes choose random moments until then.")


# ---------------------------------------------------------------------------------------- the commands


def for_tests() -> dict[str, str]:
    """Return the settings tests run with: no window unless asked for, and values that are really frozen."""
    return {"QT_QPA_PLATFORM": os.environ.get("QT_QPA_PLATFORM", "offscreen"), "CHECKED": "1"}


def for_pictures() -> dict[str, str]:
    has_display = not sys.platform.startswith("linux") or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))
    return {} if has_display else for_tests() | {"CHECKED": "0"}


def venv(_args: list[str]) -> int:
    """Create or refresh .venv, with what the tests need, and do nothing else."""
    ensure_packages("test")
    ensure_qt(window=False)
    return 0


def run(args: list[str]) -> int:
    """Start gridbot; further arguments are its own."""
    # What tests need holds what a run needs: whoever has the first is not asked to install again.
    if not is_stamped("test", digest_of(ROOT / "requirements-test.txt", ROOT / "pyproject.toml")):
        ensure_packages("runtime")
    ensure_qt(window=True)
    if WINDOWS:
        return command_line([VENV_PYTHON, "-m", "gridbot", *args])
    # The program takes this one's place, so that Ctrl-C and signals reach it and nothing else.
    sys.stderr.flush()
    os.chdir(ROOT)
    os.execv(VENV_PYTHON, [str(VENV_PYTHON), "-m", "gridbot", *args])


def test(args: list[str]) -> int:
    """Run the tests, all but those marked soak, a process for each core; further arguments are pytest's (-n0: one)."""
    venv([])
    ensure_strace()
    return command_line([VENV_PYTHON, "-m", "pytest", "-n", "logical", "--dist", "loadfile", *args], env=for_tests())


def soak(args: list[str]) -> int:
    """Run the long tests, whole; further arguments are pytest's."""
    venv([])
    ensure_strace()
    return command_line([VENV_PYTHON, "-m", "pytest", "-m", "soak", "-o", "timeout=0", *args], env=for_tests())


def simulate(args: list[str]) -> int:
    """Run seeds of the simulation: crashes, lost answers, sick disks; --seeds, --hours, --first-seed, or one --seed."""
    venv([])
    return command_line([VENV_PYTHON, "-m", "tests.simulation", *args])


def mutants(args: list[str]) -> int:
    """Plant mistakes in production's code, each by itself, and fail if one is not seen; --only, --seeds, --record."""
    venv([])
    return command_line([VENV_PYTHON, "-m", "tests.simulation.mutants", *args])


def fuzz(args: list[str]) -> int:
    """Meet every reader with malformed inputs and count them by target; --inputs (20,000), --seed, --target."""
    venv([])
    return command_line([VENV_PYTHON, "-m", "tests.fuzz", *args], env=for_tests())


def coverage(args: list[str]) -> int:
    """Print which branches of orders, ledger, risk, plan, journal and recovery no test takes; fail under 95 %."""
    venv([])
    return command_line([VENV_PYTHON, "scripts/branch_coverage.py", *args], env=for_tests())


def check(_args: list[str]) -> int:
    """Run every check that needs no test run: format, lint, types, import contracts, house rules."""
    venv([])
    python_module: list[str | Path] = [VENV_PYTHON, "-m"]
    steps: dict[str, Parts] = {
        "ruff format --check": [*python_module, "ruff", "format", "--check", "."],
        "ruff check": [*python_module, "ruff", "check", "."],
        "mypy --strict": [*python_module, "mypy"],
        "lint-imports": [VENV_PYTHON.with_name("lint-imports" + VENV_PYTHON.suffix), "--no-cache"],
        "tidy": [*python_module, "pytest", "-q", "tests/test_tidy.py"],
    }
    failed = []
    for title, parts in steps.items():
        say(f"== {title}")
        if command_line(parts, env=for_tests()) != 0:
            failed.append(title)
    say(f"Failed: {', '.join(failed)}." if failed else "All checks passed.")
    return 1 if failed else 0


def bench(args: list[str]) -> int:
    """Run every benchmark, one after the other, on a machine that should do nothing else meanwhile."""
    return run_scripts(sorted((ROOT / "benchmarks").glob("bench_*.py")), args, lacking="benchmarks/bench_*.py")


def bench_backtest(args: list[str]) -> int:
    """Measure the backtest beside its peers."""
    return run_scripts([ROOT / "benchmarks" / "bench_backtest.py"], args, lacking="benchmarks/bench_backtest.py")


def bench_durability(args: list[str]) -> int:
    """Measure how fast a decision is safe on the disk, and how fast a restart is."""
    return run_scripts([ROOT / "benchmarks" / "bench_durability.py"], args, lacking="benchmarks/bench_durability.py")


def bench_desktop(args: list[str]) -> int:
    """Measure the window: start, chart, loop, memory, STOP, exports, tables."""
    return run_scripts([ROOT / "benchmarks" / "bench_desktop.py"], args, lacking="benchmarks/bench_desktop.py")


def bench_execution(args: list[str]) -> int:
    """Measure how fast a fill is answered, a start knows what rests, and a stop is flat, on the sandbox exchange."""
    return run_scripts([ROOT / "benchmarks" / "bench_execution.py"], args, lacking="benchmarks/bench_execution.py")


def screenshots(args: list[str]) -> int:
    """Take the pictures that README.md shows."""
    return run_scripts([ROOT / "scripts" / "screenshots.py"], args, lacking="scripts/screenshots.py")


def build(args: list[str]) -> int:
    """Make what users install, in dist/: the application's folder, .deb, .tar.gz, SBOM and checksums."""
    if sys.platform.startswith("linux"):
        # For the system libraries of Qt, which are copied from here.
        venv([])
    return command_line([ensure_build_packages(), "-m", "scripts.package", *args])


def test_package(args: list[str]) -> int:
    """Install what `build` made on an empty Debian, start it and use it from outside, as root on Debian."""
    return command_line([sys.executable, "-m", "scripts.desktop.package_walk", *args])


def test_desktop(args: list[str]) -> int:
    """Drive the window from another process as a person would, on a virtual screen, by its accessible names."""
    venv([])
    return command_line([sys.executable, "-m", "scripts.desktop.window_walk", *args])


def release(args: list[str]) -> int:
    """Publish what the builds of all systems made; the argument is the tag, such as v0.1.0."""
    return command_line([sys.executable, ROOT / "scripts" / "release.py", *args])


def run_scripts(scripts: Sequence[Path], args: Sequence[str], *, lacking: str) -> int:
    """Run these scripts with the environment's Python; return the first exit code that is not 0."""
    if not scripts or not all(script.is_file() for script in scripts):
        raise SetupRefused(f"There is no {lacking} in this tree.")
    venv([])
    codes = [command_line([VENV_PYTHON, script, *args], env=for_pictures()) for script in scripts]
    return next((code for code in codes if code != 0), 0)


def lock(args: list[str]) -> int:
    """Write requirements*.txt anew from pyproject.toml; `--upgrade` takes the newest versions that fit."""
    return command_line([sys.executable, "-m", "scripts.locks", *args])


COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "venv": venv,
    "run": run,
    "test": test,
    "check": check,
    "soak": soak,
    "fuzz": fuzz,
    "coverage": coverage,
    "simulate": simulate,
    "mutants": mutants,
    "bench": bench,
    "bench-backtest": bench_backtest,
    "bench-durability": bench_durability,
    "bench-desktop": bench_desktop,
    "bench-execution": bench_execution,
    "screenshots": screenshots,
    "build": build,
    "test-package": test_package,
    "test-desktop": test_desktop,
    "release": release,
    "lock": lock,
}


def main(argv: Sequence[str]) -> int:
    """Run one command; return the exit code: 2 says that the user must do something first."""
    listing = "\n".join(f"  {name:15} {(command.__doc__ or '').splitlines()[0]}" for name, command in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="dev.py", epilog=f"commands:\n{listing}", formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=COMMANDS, metavar="command")
    parser.add_argument("args", nargs=argparse.REMAINDER, help="passed on to what the command starts")
    chosen = parser.parse_args(argv)
    try:
        return COMMANDS[chosen.command](chosen.args)
    except SetupRefused as refusal:
        say(str(refusal))
        return EXIT_USER_MUST_ACT
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
