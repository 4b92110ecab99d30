"""Notifications really arrive over HTTP; an address that fails is told about, and never shown."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from pathlib import Path
from threading import Event

import pytest

from gridbot.adapters.logbook.log_files import LogFiles
from gridbot.adapters.logbook.masking import Mask
from gridbot.adapters.notify import AppriseNotifier, addresses_in, notifier_for, secret_parts, stored_addresses
from gridbot.adapters.system_clock import SystemClock
from gridbot.config import AppConfig, parse_config
from gridbot.errors import ConfigError, EnvironmentProblem, VenueUnavailable
from tests.fakes.kept_secrets import SecretsInMemory
from tests.fakes.notifying import Listener, listening
from tests.fakes.record import LogBook

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # apprise's compat layer
CANARY = "c4naryTOKEN9f3kd83k2"
PASSWORD = "hunter22secret"
NAMED = parse_config('{"notifications": {"urls_secret": "notify-urls"}}', source="test")


def address(listener: Listener) -> str:
    return f"json://me:{PASSWORD}@127.0.0.1:{listener.port}/{CANARY}?method=post"


def nobody() -> str:
    """Return an address at which nobody listens."""
    with listening() as listener:
        return address(listener)


def send(notifier: AppriseNotifier, title: str = "a title", text: str = "A sentence.\nAnother one, 5 < 6 & 7.") -> None:
    asyncio.run(notifier.send(title, text))


def test_a_message_arrives_over_http_word_by_word() -> None:
    with listening() as listener:
        send(AppriseNotifier([address(listener)]))
    [(method, path, body)] = listener.heard
    assert (method, path) == ("POST", f"/{CANARY}")
    assert body["title"] == "a title" and body["message"] == "A sentence.\nAnother one, 5 < 6 & 7."


def test_who_fails_keeps_nobody_else_from_being_told_and_is_logged_once() -> None:
    log = LogBook()
    with listening() as works, listening() as fails:
        fails.status = 500
        notifier = AppriseNotifier([address(fails), address(works)], log=log)
        for number in range(3):
            send(notifier, text=f"Message {number}.")
        fails.status = 200
        send(notifier, text="Message 3.")
    assert [body["message"] for _, _, body in works.heard] == [f"Message {number}." for number in range(4)]
    assert [action for _, _, action, _ in log.lines] == ["notification_failed", "notification_works"]
    assert log.lines[0][3].startswith("Address 1 (JSON) did not take a notification: ")


def test_if_nobody_takes_it_the_sender_is_told() -> None:
    notifier = AppriseNotifier([nobody(), "nonsense://x"])
    with pytest.raises(VenueUnavailable, match="could not be sent") as refused:
        send(notifier)
    assert "Address 2: It is no address that apprise understands" in refused.value.message


def test_a_service_that_answers_only_when_the_loop_went_on_does_not_hold_it_up() -> None:
    async def main(gate: Event) -> bool:
        sending = asyncio.ensure_future(AppriseNotifier([address(listener)]).send("t", "x"))
        while not listener.heard:
            await asyncio.sleep(0.001)
        waited = not sending.done()
        gate.set()
        await sending
        return waited

    with listening() as listener:
        listener.gate = Event()
        assert asyncio.run(main(listener.gate))
    assert len(listener.heard) == 1


def test_addresses_never_stand_in_a_log_an_error_or_on_stderr(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with listening() as refusing:
        refusing.status = 401
        secret = f"{address(refusing)}\n{nobody()}\ntgram://123456789:{CANARY}-AbCdEf/\nnonsense://{CANARY}"
        mask = Mask()
        log = LogFiles(tmp_path, SystemClock(), mask, level="DEBUG", rotate_mb=1, keep_days=1, service="gridbot")
        caplog.set_level(logging.DEBUG)
        notifier = notifier_for(NAMED, SecretsInMemory({"notify-urls": secret}), learn=mask.learn, log=log)
        assert notifier is not None
        with pytest.raises(VenueUnavailable) as refused:
            send(notifier)
    log.log("ERROR", "system", "x", f"What a careless line holds: {secret}")
    log.log("ERROR", "system", "x", f"https://api.telegram.org/bot123456789:{CANARY}-AbCdEf/sendMessage {PASSWORD}")
    log.close()
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()).decode()
    assert "careless line" in written and "Address" in refused.value.message
    told = capfd.readouterr()
    for text in (written, refused.value.message, repr(refused.value.__cause__), told.out, told.err):
        assert CANARY not in text and PASSWORD not in text, text


def test_what_apprise_says_is_told_without_the_address_by_the_adapter_alone() -> None:
    async def main() -> str:
        [delivery] = await AppriseNotifier([nobody()]).deliver("t", "x")
        assert not delivery.sent
        return f"{delivery.place} {delivery.why}"

    text = asyncio.run(main())
    assert text.startswith("Address 1 (JSON) ") and "127.0.0.1" not in text and CANARY not in text


def test_a_secret_holds_one_address_a_line_and_remarks() -> None:
    text = "# my phone\n tgram://a/b \n\njson://x json://y\n"
    assert addresses_in(text) == ("tgram://a/b", "json://x", "json://y")
    assert addresses_in("") == ()


def test_the_parts_of_an_address_that_are_secret_are_known_and_its_host_is_not() -> None:
    parts = set(secret_parts(f"mailto://me:{PASSWORD}@mail.example.com/?to={CANARY}"))
    assert {PASSWORD, CANARY} <= parts and "mail.example.com" not in parts
    assert "localhost" not in set(secret_parts("json://localhost:8080/x"))


def test_without_a_name_nobody_is_told_and_a_missing_secret_is_a_line_in_the_log_with_the_way_out() -> None:
    log = LogBook()
    assert notifier_for(AppConfig(), SecretsInMemory(), learn=Mask().learn, log=log) is None
    assert log.lines == []
    assert notifier_for(NAMED, SecretsInMemory(), learn=Mask().learn, log=log) is None
    assert "`gridbot secret set notify-urls`" in log.lines[0][3]
    with pytest.raises(ConfigError):
        stored_addresses(AppConfig(), SecretsInMemory(), learn=Mask().learn)
    with pytest.raises(EnvironmentProblem):
        stored_addresses(NAMED, SecretsInMemory({"notify-urls": "# none\n"}), learn=Mask().learn)


def test_a_store_that_refuses_stops_no_start() -> None:
    class Locked(SecretsInMemory):
        def read(self, name: str) -> str | None:
            raise EnvironmentProblem("The file of secrets is locked.", hint="Give the passphrase.")

    log = LogBook()
    assert notifier_for(NAMED, Locked(), learn=Mask().learn, log=log) is None
    assert "locked" in log.lines[0][3]


def test_apprise_is_not_imported_before_something_is_sent() -> None:
    script = (
        "import sys; from gridbot.adapters.notify import AppriseNotifier; from gridbot.adapters import heartbeat;"
        "AppriseNotifier(['json://x']); heartbeat.HttpHeartbeat('http://x');"
        "print(sorted({'apprise', 'aiohttp', 'requests'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
