"""`gridbot notify test`: a message really arrives, each address is told by number, and none is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from gridbot.adapters.config_files import save
from gridbot.cli import ending
from gridbot.cli_app import EXIT_DONE, EXIT_USER_MUST_ACT
from gridbot.config import default_config
from tests.fakes.notifying import listening

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # apprise's compat layer
CANARY = "c4naryTOKEN9f3kd83k2"
VARIABLE = "GRIDBOT_SECRET_NOTIFY_URLS"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose configuration names the secret."""
    monkeypatch.setenv("GRIDBOT_HOME", str(tmp_path))
    monkeypatch.delenv(VARIABLE, raising=False)
    notifications = default_config().notifications.model_copy(update={"urls_secret": "notify-urls"})
    save(tmp_path / "config.json", default_config().model_copy(update={"notifications": notifications}))
    return tmp_path


def test_every_address_that_works_is_named_and_gets_the_message(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with listening() as one, listening() as other:
        monkeypatch.setenv(VARIABLE, "\n".join(f"json://127.0.0.1:{each.port}/{CANARY}" for each in (one, other)))
        assert ending(["notify", "test"]) == EXIT_DONE
    for each in (one, other):
        [(_, path, body)] = each.heard
        assert path == f"/{CANARY}" and "demo/default" in body["message"]
    told = capfd.readouterr()
    assert told.out.splitlines() == ["Address 1 (JSON): sent.", "Address 2 (JSON): sent.", "Look whether it arrived."]
    assert CANARY not in told.err


def test_one_that_fails_is_told_with_the_reason_and_the_exit_code(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with listening() as works, listening() as fails:
        fails.status = 403
        addresses = [f"json://127.0.0.1:{each.port}/{CANARY}" for each in (fails, works)]
        monkeypatch.setenv(VARIABLE, "\n".join([*addresses, f"nonsense{CANARY}"]))
        assert ending(["notify", "test"]) == EXIT_USER_MUST_ACT
    assert len(works.heard) == 1
    told = capfd.readouterr()
    lines = told.out.splitlines()
    assert lines[0].startswith("Address 1 (JSON): NOT sent. ") and "403" in lines[0]
    assert lines[1] == "Address 2 (JSON): sent." and lines[2].startswith("Address 3: NOT sent. It is no address")
    assert lines[3] == "2 of 3 failed. `gridbot secret set notify-urls` keeps other addresses."
    assert CANARY not in told.out + told.err


def test_a_secret_that_is_not_stored_is_told_with_the_way_to_store_it(capfd: pytest.CaptureFixture[str]) -> None:
    assert ending(["notify", "test"]) == EXIT_USER_MUST_ACT
    assert "`gridbot secret set notify-urls`" in capfd.readouterr().err


def test_without_any_configured_notification_the_way_to_one_is_told(
    home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (home / "config.json").unlink()
    assert ending(["notify", "test"]) == EXIT_USER_MUST_ACT
    told = capfd.readouterr().err
    assert "No notifications are configured." in told and '"urls_secret"' in told
    assert not (home / "config.json").exists()
