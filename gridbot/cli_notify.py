"""`gridbot notify test`: whether notifications arrive, address by address."""

from __future__ import annotations

import typer

from gridbot.cli_app import EXIT_USER_MUST_ACT, GROUPS, gridbot_home


@GROUPS["notify"].command("test")
def notify_test() -> None:
    """Send a test message to every configured address and say which took it."""
    import asyncio

    from gridbot.adapters import config_files
    from gridbot.adapters.notify import AppriseNotifier, stored_addresses
    from gridbot.cli_app import known_secrets
    from gridbot.cli_hidden import open_store
    from gridbot.config import AppConfig

    path, mask = gridbot_home().config, known_secrets()
    settings = config_files.load(path) if path.exists() else AppConfig()
    addresses = stored_addresses(settings, open_store(), learn=mask.learn)
    text = f"This is a test of gridbot's notifications for {settings.mode.value}/{settings.account}."
    deliveries = asyncio.run(AppriseNotifier(addresses).deliver("gridbot: a test", text))
    for each in deliveries:
        print(f"{each.place}: sent." if each.sent else f"{each.place}: NOT sent. {mask.text(each.why)}")
    name, failed = settings.notifications.urls_secret, sum(not each.sent for each in deliveries)
    if failed:
        print(f"{failed} of {len(deliveries)} failed. `gridbot secret set {name}` keeps other addresses.")
        raise typer.Exit(EXIT_USER_MUST_ACT)
    print("Look whether it arrived.")
