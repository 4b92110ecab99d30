"""Libraries that write whole addresses into Python's own log, signatures and tokens among them, are kept from it."""

from __future__ import annotations

import logging

_TALKATIVE = ("aiohttp", "apprise", "ccxt", "keyring", "requests", "urllib3")


def quiet_libraries() -> None:
    """Let these log warnings and errors only, whatever level the root logger has."""
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
