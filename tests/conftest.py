"""What every test runs with, also under a bare `pytest`: values really frozen, no window on a desktop, no keychain."""

from __future__ import annotations

import os
from collections.abc import Iterator
from decimal import Context, getcontext, setcontext

import pytest
from hypothesis import HealthCheck, settings

# Both are read when a module is imported, so they are set before any of gridbot or Qt is.
os.environ.setdefault("CHECKED", "1")
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
# Nobody's own keychain is opened by a test, and what a shell has set for gridbot is not for the tests.
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"
for name in [name for name in os.environ if name.startswith(("GRIDBOT_API_", "GRIDBOT_SECRET_", "GRIDBOT_PASSPHRASE"))]:
    del os.environ[name]

# The machine's load says nothing about the code; a found example is printed so that it can be pinned as a test. At home
# each run tries other examples; in CI they are the same ones always, so that red means that the change broke something.
settings.register_profile(
    "gridbot",
    deadline=None,
    print_blob=True,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("gridbot")


@pytest.fixture(autouse=True)
def plain_decimals() -> Iterator[None]:
    """Begin each test with Decimals as Python has them: the real ccxt changes how they round for all."""
    before = getcontext()
    setcontext(Context())
    yield
    setcontext(before)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say at the end what tests have told of themselves: how much was done, and by which means."""
    for report in terminalreporter.getreports("passed"):
        for name, sentence in report.user_properties:
            if name == "told":
                terminalreporter.write_line(str(sentence))
