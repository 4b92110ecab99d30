"""Calls the heartbeat address over HTTP; what goes wrong is told without the address, which is a secret."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from urllib.parse import urlsplit

from gridbot.config import AppConfig
from gridbot.errors import EnvironmentProblem, VenueUnavailable
from gridbot.ports import LogSink, SecretStore

TIMEOUT_S = 10.0


def heartbeat_for(
    config: AppConfig, store: SecretStore, *, learn: Callable[..., None], log: LogSink
) -> HttpHeartbeat | None:
    """Return what calls the address, None where there is none; what is missing or wrong is told in the log."""
    name = config.heartbeat_url_secret
    if name is None:
        return None
    try:
        address = (store.read(name) or "").strip()
    except EnvironmentProblem as problem:
        log.log("WARNING", "system", "heartbeat_failed", f"No heartbeat: {problem.message} {problem.hint}".strip())
        return None
    parts = urlsplit(address) if address else None
    if parts is None or parts.scheme not in {"http", "https"} or not parts.netloc:
        what = "holds no http or https address" if address else "is not stored"
        sentence = f"No heartbeat: the secret {name} {what}. Keep it with `gridbot secret set {name}`."
        log.log("WARNING", "system", "heartbeat_failed", sentence)
        return None
    # The path alone is as good as the whole: it is what tells the service whose heart beats.
    learn(address, *(piece for piece in (*parts.path.split("/"), parts.query) if len(piece) >= 8))
    return HttpHeartbeat(address)


class HttpHeartbeat:
    """Satisfies the Heartbeat port."""

    def __init__(self, address: str, *, timeout_s: float = TIMEOUT_S) -> None:
        self._address = address
        self._timeout_s = timeout_s

    async def beat(self) -> None:
        """Call the address once; VenueUnavailable unless it answers that it was understood."""
        # The first import takes a fifth of a second, which the loop does not have.
        await asyncio.to_thread(importlib.import_module, "aiohttp")
        import aiohttp

        timeout = aiohttp.ClientTimeout(total=self._timeout_s)
        try:
            async with aiohttp.ClientSession(timeout=timeout) as session, session.get(self._address) as response:
                status = response.status
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            # Its words may hold the address; and no cause is kept, for a traceback would show it.
            raise VenueUnavailable(_sentence(type(error).__name__)) from None
        if status >= 400:
            raise VenueUnavailable(_sentence(f"HTTP {status}"))


def _sentence(why: str) -> str:
    return f"The heartbeat address cannot be reached ({why}). Whoever watches it will take gridbot for dead."
