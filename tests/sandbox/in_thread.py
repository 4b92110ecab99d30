"""A sandbox in a thread of its own, for tests whose client has a loop of its own as well."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from gridbot.sandbox.server import Protocol
from tests.sandbox.serving import Served, sandbox


@contextmanager
def sandbox_thread(
    folder: Path, *faults: Mapping[str, object], protocol: Protocol = Protocol.BINANCE, speed: str = "0"
) -> Iterator[Served]:
    """Serve while the block runs. Only its address and key may be used from outside of its thread."""
    ready, ended = threading.Event(), threading.Event()
    found: list[Served] = []

    async def serve() -> None:
        async with sandbox(folder, *faults, protocol=protocol, speed=speed) as served:
            found.append(served)
            ready.set()
            await asyncio.to_thread(ended.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="sandbox")
    thread.start()
    try:
        assert ready.wait(timeout=30), "the sandbox does not start"
        yield found[0]
    finally:
        ended.set()
        thread.join(timeout=30)
