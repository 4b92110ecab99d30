"""The heartbeat really calls its address over HTTP, waits for no one for long, and never shows the address."""

from __future__ import annotations

import asyncio
import socket

import pytest

from gridbot.adapters.heartbeat import HttpHeartbeat, heartbeat_for
from gridbot.adapters.logbook.masking import MASKED, Mask
from gridbot.config import AppConfig, parse_config
from gridbot.errors import VenueUnavailable
from tests.fakes.kept_secrets import SecretsInMemory
from tests.fakes.notifying import listening
from tests.fakes.record import LogBook

CANARY = "c4nary-0b5e-4f6d-9f3kd83k2"
NAMED = parse_config('{"heartbeat_url_secret": "heartbeat"}', source="test")


def beat(address: str, *, timeout_s: float = 5.0) -> None:
    asyncio.run(HttpHeartbeat(address, timeout_s=timeout_s).beat())


def refusal(address: str, *, timeout_s: float = 5.0) -> str:
    with pytest.raises(VenueUnavailable) as refused:
        beat(address, timeout_s=timeout_s)
    assert refused.value.__context__ is None or refused.value.__suppress_context__
    assert CANARY not in refused.value.message and "127.0.0.1" not in refused.value.message
    return refused.value.message


def test_the_address_is_called_once_a_beat() -> None:
    with listening() as listener:
        for _ in range(2):
            beat(f"http://127.0.0.1:{listener.port}/ping/{CANARY}?x=1")
    assert listener.heard == [("GET", f"/ping/{CANARY}?x=1", None)] * 2


def test_an_error_a_closed_door_and_silence_are_told_without_the_address() -> None:
    with listening() as listener:
        listener.status = 404
        gone = f"http://127.0.0.1:{listener.port}/{CANARY}"
        assert "HTTP 404" in refusal(gone)
    assert "Connect" in refusal(gone)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        assert "Timeout" in refusal(f"http://127.0.0.1:{mute.getsockname()[1]}/{CANARY}", timeout_s=0.2)
    assert "Invalid" in refusal(f"http://[::{CANARY}/")


def test_a_stored_address_is_used_and_hidden_from_the_log() -> None:
    mask, log = Mask(), LogBook()
    with listening() as listener:
        address = f"http://127.0.0.1:{listener.port}/ping/{CANARY}"
        heartbeat = heartbeat_for(NAMED, SecretsInMemory({"heartbeat": f"{address}\n"}), learn=mask.learn, log=log)
        assert heartbeat is not None
        asyncio.run(heartbeat.beat())
    assert len(listener.heard) == 1 and not log.lines
    for text in (address, f"/ping/{CANARY} failed"):
        assert CANARY not in mask.text(text) and MASKED in mask.text(text)


@pytest.mark.parametrize("stored", [{}, {"heartbeat": f"ftp://x/{CANARY}"}, {"heartbeat": CANARY}])
def test_a_missing_or_wrong_address_is_a_line_in_the_log_and_no_heartbeat(stored: dict[str, str]) -> None:
    log = LogBook()
    assert heartbeat_for(NAMED, SecretsInMemory(stored), learn=Mask().learn, log=log) is None
    [(level, _, action, message)] = log.lines
    assert (level, action) == ("WARNING", "heartbeat_failed")
    assert "`gridbot secret set heartbeat`" in message and CANARY not in message


def test_who_wants_none_has_none() -> None:
    log = LogBook()
    assert heartbeat_for(AppConfig(), SecretsInMemory(), learn=Mask().learn, log=log) is None
    assert not log.lines
