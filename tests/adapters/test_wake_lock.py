"""The wake lock on this machine: over a real session bus, and with a sentence where there is none."""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gridbot.adapters.wake_lock import WakeLock
from gridbot.bootstrap import awake_for
from gridbot.core.units import Mode
from gridbot.errors import EnvironmentProblem

only_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux is asked over D-Bus")

POWER_SERVICE = """
import sys
from jeepney import DBusAddress, HeaderFields, MessageType, new_method_call, new_method_return
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import open_dbus_connection

with open_dbus_connection() as bus:
    bus.send_and_get_reply(message_bus.RequestName("org.freedesktop.PowerManagement"))
    print("ready", flush=True)
    while True:
        message = bus.receive()
        if message.header.message_type is not MessageType.method_call:
            continue
        name = message.header.fields[HeaderFields.member]
        print(name, *message.body, flush=True)
        if name == "Inhibit":
            bus.send(new_method_return(message, "u", (77,)))
        elif name == "UnInhibit":
            bus.send(new_method_return(message))
"""


@pytest.fixture
def session_bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A session bus of the test's own."""
    if shutil.which("dbus-daemon") is None:
        pytest.skip("There is no dbus-daemon on this machine, so no session bus of the test's own.")
    command = ["dbus-daemon", "--session", "--nofork", "--print-address", f"--address=unix:path={tmp_path / 'bus'}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as daemon:
        assert daemon.stdout is not None
        address = daemon.stdout.readline().strip()
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        yield address
        daemon.terminate()


@only_linux
def test_a_desktops_power_service_is_asked_and_told_when_it_is_over(session_bus: str) -> None:
    env = {**os.environ, "DBUS_SESSION_BUS_ADDRESS": session_bus}
    command = [sys.executable, "-c", POWER_SERVICE]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as service:
        assert service.stdout is not None
        assert service.stdout.readline() == "ready\n"
        lock = WakeLock()

        async def main() -> None:
            await lock.hold()
            await lock.hold()
            await lock.release()
            await lock.release()
            await lock.hold()
            await lock.release()

        asyncio.run(main())
        heard = [service.stdout.readline().split()[0] for _ in range(4)]
        service.terminate()
    assert heard == ["Inhibit", "UnInhibit", "Inhibit", "UnInhibit"]


@only_linux
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_a_session_without_a_power_service_is_a_sentence(session_bus: str) -> None:
    assert session_bus
    with pytest.raises(EnvironmentProblem, match="does not let gridbot keep the machine awake"):
        asyncio.run(WakeLock().hold())
    # wakepy leaves the connection over which it was refused to the collector.
    gc.collect()


@only_linux
def test_a_machine_without_a_session_bus_is_a_sentence_that_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    lock = WakeLock()

    async def main() -> None:
        for _ in range(2):
            with pytest.raises(EnvironmentProblem) as caught:
                await lock.hold()
            assert "never to sleep" in caught.value.hint
        await lock.release()

    asyncio.run(main())
    assert lock._mode is None


def test_a_demo_lets_the_machine_sleep_and_what_an_exchange_goes_on_with_does_not() -> None:
    assert awake_for(Mode.DEMO) is None
    assert isinstance(awake_for(Mode.DRY), WakeLock) and isinstance(awake_for(Mode.LIVE), WakeLock)
