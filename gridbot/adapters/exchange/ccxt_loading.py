"""One exchange of ccxt is imported, never all of them: the package's own start takes four times as long and 100 MB.

`import ccxt` imports more than a hundred exchanges. Where nobody has done that yet, a package is put in its place that
imports a name when it is asked for it, so that `ccxt.binance` and `from ccxt import NetworkError` still work.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

from gridbot.errors import ConfigError

_PACKAGES = {"ccxt": "ccxt.base.exchange", "ccxt.async_support": "ccxt.async_support.base.exchange"}
"""Each package, and where its own Exchange is."""
_PRO = "ccxt.pro"
_LOCK = threading.Lock()
_MOST_PLACES = 4_096
"""No figure of an exchange has so many digits; ccxt would write out each zero of "1E+999999999", for minutes."""


class _Package(ModuleType):
    """A package of ccxt without its first file: what is asked of it is imported there and then."""

    def __getattr__(self, name: str) -> Any:
        found = None if name.startswith("__") else _look_up(self.__name__, name)
        if found is None:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        setattr(self, name, found)
        return found


def _look_up(package: str, name: str) -> Any:
    if name == "Exchange":
        return importlib.import_module(_PACKAGES.get(package, _PACKAGES["ccxt.async_support"])).Exchange
    if name == "Precise":
        return importlib.import_module("ccxt.base.precise").Precise
    error = getattr(importlib.import_module("ccxt.base.errors"), name, None)
    if error is not None:
        return error
    if importlib.util.find_spec(f"{package}.{name}") is None:
        return None
    module = importlib.import_module(f"{package}.{name}")
    return getattr(module, name, module)


def _prepare() -> None:
    """Put the bare packages where nothing of ccxt was imported yet; a whole ccxt is left as it is."""
    if "ccxt" in sys.modules:
        return
    real = importlib.util.find_spec("ccxt")
    if real is None or not real.submodule_search_locations:
        raise ModuleNotFoundError("ccxt is not installed")
    root = Path(real.submodule_search_locations[0])
    for name in (*_PACKAGES, _PRO):
        package = _Package(name)
        folder = root.joinpath(*name.split(".")[1:])
        package.__path__ = [str(folder)]
        package.__spec__ = ModuleSpec(name, None, is_package=True)
        package.__spec__.submodule_search_locations = [str(folder)]
        sys.modules[name] = package
    for name in ("async_support", "pro"):
        setattr(sys.modules["ccxt"], name, sys.modules[f"ccxt.{name}"])


def _settle() -> None:
    """Let each package have the class under an exchange's name, as the real one has: importing leaves the module."""
    for name in (*_PACKAGES, _PRO):
        package = sys.modules.get(name)
        if not isinstance(package, _Package):
            continue
        for key, held in list(vars(package).items()):
            if isinstance(held, ModuleType) and isinstance(getattr(held, key, None), type):
                setattr(package, key, getattr(held, key))


def _bound_figures() -> None:
    """Have ccxt refuse a figure beyond all measure as it refuses one that is none, instead of reckoning with it."""
    precise = importlib.import_module("ccxt.base.precise").Precise
    begin = precise.__init__
    if begin.__module__ == __name__:
        return

    def bounded(self: Any, number: Any, decimals: Any = None) -> None:
        begin(self, number, decimals)
        if not -_MOST_PLACES <= self.decimals <= _MOST_PLACES:
            raise ValueError("a figure beyond all measure")

    precise.__init__ = bounded


def streaming_class(exchange_id: str) -> Any:
    """Return ccxt's class with websockets, or the one without where the exchange has none; ConfigError if unknown."""
    with _LOCK:
        _prepare()
        plain = _class("ccxt.async_support", exchange_id)
        if importlib.util.find_spec(f"{_PRO}.{exchange_id}") is None:
            return plain
        return _class(_PRO, exchange_id)


def synchronous_class(exchange_id: str) -> Any:
    """Return ccxt's class that waits in the calling thread; ConfigError for an exchange that ccxt does not know."""
    with _LOCK:
        _prepare()
        return _class("ccxt", exchange_id)


def _class(package: str, exchange_id: str) -> Any:
    found = importlib.util.find_spec(f"{package}.{exchange_id}") if exchange_id.isidentifier() else None
    made = None if found is None else getattr(importlib.import_module(f"{package}.{exchange_id}"), exchange_id, None)
    _settle()
    _bound_figures()
    if not isinstance(made, type):
        raise ConfigError(
            f"There is no exchange {exchange_id!r}.",
            hint='Write its id as ccxt does, such as "binance" or "kraken", under exchange.id.',
        )
    return made
