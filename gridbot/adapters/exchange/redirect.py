"""Every address of a ccxt class is replaced when the configuration names one: nothing real is reached by accident.

Binance has several roots below one address, and chooses its tables by them, so its paths are written out; any other
exchange keeps its paths and loses only the scheme and the host.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

NOWHERE = "http://127.0.0.1:9"
"""Nobody listens there."""
_FUTURES = ("dapi", "eapi", "fapi", "papi")


def redirected(described: Mapping[str, Any], base_url: str) -> dict[str, Any]:
    """Return the settings that send every request of a class to `base_url`; `described` is what its describe() says."""
    own = base_url.rstrip("/")
    if described["id"] == "binance":
        return _binance(described, own)
    return {"urls": {"api": _moved(described["urls"]["api"], own)}, "hostname": urlsplit(own).netloc}


def streamed(base_url: str) -> str:
    """Return the same address for websockets."""
    return "ws" + base_url.rstrip("/").removeprefix("http")


def _moved(urls: Any, own: str) -> Any:
    if isinstance(urls, Mapping):
        return {name: _moved(each, own) for name, each in urls.items()}
    if not isinstance(urls, str):
        return urls
    parts = urlsplit(urls)
    target = streamed(own) if parts.scheme.startswith("ws") else own
    return target + parts.path + (f"?{parts.query}" if parts.query else "")


def _binance(described: Mapping[str, Any], own: str) -> dict[str, Any]:
    """Binance chooses its codes for spot by the address, so they are handed in as those for everything."""
    api = described["urls"]["api"]
    ws = streamed(own)
    nowhere = streamed(NOWHERE)
    urls: dict[str, Any] = {name: NOWHERE for name, each in api.items() if isinstance(each, str)}
    urls |= {name: f"{own}/api/v3" for name in ("public", "private")}
    urls |= {"v1": f"{own}/api/v1"}
    urls |= {name: f"{own}/sapi/v1" for name in api if name.startswith("sapi")}
    assert all(urls[name] == NOWHERE for name in urls if name.startswith(_FUTURES))
    urls["ws"] = {
        **{name: nowhere for name, each in api.get("ws", {}).items() if isinstance(each, str)},
        **{name: f"{ws}/stream/ws" for name in ("spot", "margin")},
        "ws-api": {name: f"{ws}/ws-api/v3" for name in ("spot", "linear", "inverse")},
    }
    return {"urls": {"api": urls}, "exceptions": {"exact": described["exceptions"]["spot"]["exact"]}}
