"""The answer of the address for newer versions is read without trust; only a later version counts as newer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from gridbot.adapters.update_notice import LONGEST, MOST_CHANGES, fetch_https, is_newer, newest_version
from gridbot.errors import EnvironmentProblem

GOOD = {"version": "0.2.0", "changes": ["Faster."], "page": "https://example.org/gridbot"}
ADDRESS = "https://example.org/newest.json"


def told(plain: object) -> bytes:
    return json.dumps(plain).encode()


def test_a_sound_answer_is_taken() -> None:
    newest = newest_version(ADDRESS, fetch=lambda _address: told(GOOD))
    assert (newest.version, newest.changes, newest.page) == ("0.2.0", ("Faster.",), "https://example.org/gridbot")
    many = newest_version(ADDRESS, fetch=lambda _address: told({**GOOD, "changes": ["x" * 999] * 99}))
    assert len(many.changes) == MOST_CHANGES and max(map(len, many.changes)) == 300


@pytest.mark.parametrize(
    "answer",
    [
        b"<html>",
        b"[]",
        told({"version": "0.2.0"}),
        told({**GOOD, "version": "0.2"}),
        told({**GOOD, "version": 2}),
        told({**GOOD, "page": "http://example.org"}),
        told({**GOOD, "page": "javascript:alert(1)"}),
        told({**GOOD, "changes": "none"}),
        told({**GOOD, "changes": [1]}),
    ],
)
def test_any_other_answer_is_refused_in_a_sentence(answer: bytes) -> None:
    with pytest.raises(EnvironmentProblem, match="another form"):
        newest_version(ADDRESS, fetch=lambda _address: answer)


@pytest.mark.parametrize(
    ("version", "than", "newer"),
    [
        ("0.2.0", "0.1.9", True),
        ("0.10.0", "0.9.0", True),
        ("1.0.0", "1.0.0", False),
        ("0.1.0", "0.2.0", False),
        ("1.0.0rc1", "0.1.0", False),
        ("9.9.9", "dev", False),
    ],
)
def test_only_a_later_version_is_newer(version: str, than: str, newer: bool) -> None:
    assert is_newer(version, than) is newer


@contextmanager
def answering(status: int, content: bytes) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Location", "http://127.0.0.1:9/elsewhere")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


def test_an_address_is_asked_over_the_wire() -> None:
    with answering(200, told(GOOD)) as address:
        assert newest_version(address).version == "0.2.0"
    with answering(302, b"") as address, pytest.raises(EnvironmentProblem, match="code 302"):
        fetch_https(address)
    with answering(200, b"x" * (LONGEST + 1)) as address, pytest.raises(EnvironmentProblem, match="too long"):
        fetch_https(address)
    with pytest.raises(EnvironmentProblem, match="does not answer"):
        fetch_https(address)
