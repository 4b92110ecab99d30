"""Data only: what may not be named where, and its replacement."""

from __future__ import annotations

from dataclasses import dataclass

EVERYWHERE = frozenset[str]()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ban:
    """Dotted names that stand for something ambient or dangerous.

    Attributes:
        names: what is banned; one that ends in ``.*`` bans all below it, one that begins with ``.`` an attribute of
            anything, and a bare one a call of the builtin.
        allowed: rooms (``adapters``), modules (``gui/theme``) and top folders (``tests``) that may use it.
        instead: what to write, as the end of the sentence "use ...".
    """

    names: tuple[str, ...]
    allowed: frozenset[str]
    instead: str


_TOOLS = frozenset({"tests", "scripts", "benchmarks"})
_OUTSIDE = _TOOLS | {"adapters"}

BANS = (
    Ban(
        names=("time.time", "time.time_ns", "time.localtime", "time.gmtime", "time.strftime", "time.ctime"),
        allowed=_OUTSIDE,
        instead="the Clock port (gridbot/ports/), or the time inside the event",
    ),
    Ban(
        names=("time.monotonic", "time.monotonic_ns", "time.perf_counter", "time.perf_counter_ns", "time.process_time"),
        allowed=_OUTSIDE | {"gui", "cli", "__main__"},
        instead="the Clock port (gridbot/ports/)",
    ),
    Ban(
        names=("time.sleep",),
        allowed=frozenset({"scripts", "benchmarks", "adapters"}),
        instead="the Clock port's sleep, a QTimer in the gui, and in a test an event that is waited for",
    ),
    Ban(
        names=("asyncio.sleep",),
        allowed=_OUTSIDE,
        instead="the Clock port's sleep; asyncio.sleep(0), which only yields, is allowed",
    ),
    Ban(
        names=(
            "datetime.datetime.now",
            "datetime.datetime.utcnow",
            "datetime.datetime.today",
            "datetime.date.today",
        ),
        allowed=_OUTSIDE,
        instead="the Clock port, and datetime.fromtimestamp(ms / 1000, UTC) to show it",
    ),
    Ban(
        names=("random.*",),
        allowed=frozenset({"adapters"}),
        instead="random.Random(seed) with a seed that is handed in, or numpy's default_rng(seed)",
    ),
    Ban(
        names=("numpy.random.*",),
        allowed=EVERYWHERE,
        instead="numpy.random.default_rng(seed) with a seed that is handed in",
    ),
    Ban(
        names=("uuid.uuid1", "uuid.uuid4", "secrets.*", "os.urandom"),
        allowed=_OUTSIDE,
        instead="an id that is derived from the state, or randomness handed in through a port",
    ),
    Ban(
        names=("open", "io.open", "os.open", ".read_text", ".read_bytes", ".write_text", ".write_bytes"),
        allowed=_OUTSIDE | {"cli", "bootstrap", "gui/theme", "gui/guide_pages"},
        instead="the Disk port (gridbot/ports/), or an adapter",
    ),
    Ban(
        names=("os.environ", "os.environb", "os.getenv", "os.putenv"),
        allowed=_OUTSIDE | {"cli", "bootstrap", "__main__", "core/values"},
        instead="an argument: the environment is read once, in gridbot/bootstrap.py or gridbot/cli.py",
    ),
    Ban(
        names=("print", "pprint.pprint", "sys.stdout.write", "sys.stderr.write"),
        allowed=_TOOLS | {"cli", "__main__"},
        instead="a note, a log event, or output from gridbot/cli.py",
    ),
    Ban(
        names=("eval", "exec", "pickle.*", "marshal.*", "shelve.*", "os.system"),
        allowed=EVERYWHERE,
        instead="plain data (orjson) and named functions; subprocess.run with a list where a program must run",
    ),
    Ban(
        names=("unittest.mock", "unittest.mock.*"),
        allowed=EVERYWHERE,
        instead="a hand-written fake that satisfies the port",
    ),
    Ban(
        names=(
            "PySide6.QtWidgets.QMessageBox.question",
            "PySide6.QtWidgets.QMessageBox.information",
            "PySide6.QtWidgets.QMessageBox.warning",
            "PySide6.QtWidgets.QMessageBox.critical",
        ),
        allowed=EVERYWHERE,
        instead="dialog.open() and its finished signal: a static box stops the window, and a test run for ever",
    ),
    Ban(
        names=(".showGrid",),
        allowed=EVERYWHERE,
        instead="the one item that draws all lines (showGrid costs 26 to 44 ms a frame)",
    ),
    Ban(
        names=("PySide6.QtCore.QSortFilterProxyModel",),
        allowed=EVERYWHERE,
        instead="sorting and filtering inside the model (2 s against 10 ms at 10,000 rows)",
    ),
    Ban(
        names=(".ResizeToContents",),
        allowed=EVERYWHERE,
        instead="fixed column widths that are remembered: measuring every row stalls a full table",
    ),
)

# With an argument these are seeded, and so deterministic.
SEEDED = frozenset(
    {
        "random.Random",
        "numpy.random.default_rng",
        "numpy.random.SeedSequence",
        "numpy.random.PCG64",
        "numpy.random.Philox",
        "numpy.random.Generator",
    }
)

# Here every amount is Decimal; not even the word float has business in them.
MONEY_MODULES = frozenset(
    {
        "gridbot/core/units.py",
        "gridbot/core/orders.py",
        "gridbot/core/ledger.py",
        "gridbot/core/cells.py",
        "gridbot/core/commands.py",
    }
)

# The two outermost frames: what escapes here would leave a user with a traceback, or orders without a keeper.
BROAD_HANDLERS = frozenset({"gridbot/cli.py", "gridbot/shell/trader.py"})

EMPTY_NAMES = frozenset({"util", "utils", "helper", "helpers", "misc", "manager", "managers", "common", "stuff"})

# What core may take from the standard library: nothing that has a clock, a thread, a file or a socket.
CORE_STDLIB = frozenset(
    {
        "__future__",
        "abc",
        "array",
        "bisect",
        "collections",
        "contextlib",
        "copy",
        "dataclasses",
        "decimal",
        "enum",
        "fractions",
        "functools",
        "hashlib",
        "heapq",
        "itertools",
        "json",
        "math",
        "operator",
        "re",
        "string",
        "types",
        "typing",
        "zlib",
    }
)
# os only for the environment variable CHECKED; numpy only for the array forms of the indicators.
CORE_EXTRA = {"gridbot/core/values.py": frozenset({"os"}), "gridbot/core/indicator_arrays.py": frozenset({"numpy"})}

# All of gridbot that the gui (and a later service) may know; below a name everything that it contains.
GUI_MAY_KNOW = (
    "gridbot.gui",
    "gridbot.service",
    "gridbot.shell.facade",
    "gridbot.shell.errands",
    "gridbot.shell.key_desk",
    "gridbot.shell.research_desk",
    "gridbot.shell.search_desk",
    # Pure sums over what the desk tells, which the command line tells as well.
    "gridbot.shell.search_sums",
    "gridbot.shell.search_values",
    "gridbot.shell.history_desk",
    "gridbot.core.chronicle",
    "gridbot.core.portfolio",
    "gridbot.shell.upkeep_desk",
    "gridbot.shell.record_desk",
    "gridbot.core.snapshot",
    "gridbot.core.worst_case",
    "gridbot.core.day_parts",
    "gridbot.core.units",
    "gridbot.core.rules",
    "gridbot.core.reach",
    # Plain data that the facade's messages and the snapshot are made of, named one by one.
    "gridbot.core.candles.timeframe_ms",
    "gridbot.core.commands.FillBooked",
    "gridbot.core.commands.OrderEnded",
    "gridbot.core.commands.RoundTripClosed",
    "gridbot.core.events.Removal",
    "gridbot.core.explain.SlotReason",
    "gridbot.core.explain.SlotView",
    "gridbot.core.limit_views.LimitView",
    "gridbot.core.launch",
    "gridbot.core.launch_troubles.Trouble",
    "gridbot.core.orders.OrderState",
    "gridbot.core.rates",
    "gridbot.core.rehearsal.OrderChange",
    "gridbot.core.rehearsal.PlannedOrder",
    "gridbot.core.state.Level",
    "gridbot.core.state.Phase",
    "gridbot.core.state.RangeState",
    "gridbot.core.values",
    "gridbot.config",
    "gridbot.assets_folder",
    "gridbot.errors",
    "gridbot.__version__",
)
QT_LIBRARIES = frozenset({"PySide6", "shiboken6"})

MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 60
