"""Notifier and heartbeat that remember, and a local server that hears what is sent over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

from gridbot.errors import VenueUnavailable


class RememberedNotifier:
    """A Notifier that keeps (title, text); `broken` is the sentence of its refusal."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []
        self.broken = ""

    async def send(self, title: str, text: str) -> None:
        if self.broken:
            raise VenueUnavailable(self.broken)
        self.sent.append((title, text))

    @property
    def texts(self) -> str:
        """All that was sent."""
        return "\n".join(text for _, text in self.sent)


class RememberedHeartbeat:
    """A Heartbeat that keeps when it was called, by the clock that it is given."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.beats: list[float] = []
        self.broken = ""

    async def beat(self) -> None:
        self.beats.append(self._now())
        if self.broken:
            raise VenueUnavailable(self.broken)


@dataclass
class Listener:
    """What a local server heard: (method, path, body or None). `status` is what it answers, once `gate` is open."""

    port: int = 0
    status: int = 200
    heard: list[tuple[str, str, Any]] = field(default_factory=list)
    gate: Event | None = None


@contextmanager
def listening() -> Iterator[Listener]:
    """Serve HTTP on this machine for the body."""
    listener = Listener()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self._answer()

        def do_GET(self) -> None:
            self._answer()

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            listener.heard.append((self.command, self.path, json.loads(body) if body else None))
            if listener.gate is not None:
                listener.gate.wait(3)
            self.send_response(listener.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        listener.port = server.server_address[1]
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield listener
        finally:
            server.shutdown()
            thread.join()
