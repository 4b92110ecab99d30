"""The rooms beside the engine, as one window gets them; each is built when it is asked for the first time."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gridbot.adapters.files.home import Home
from gridbot.adapters.files.kept_files import AccountName
from gridbot.adapters.logbook.masking import Mask
from gridbot.bootstrap_history import history_desk
from gridbot.bootstrap_key_desk import key_desk
from gridbot.bootstrap_record import record_desk
from gridbot.bootstrap_research import research_desk
from gridbot.bootstrap_search import search_desk
from gridbot.bootstrap_upkeep import upkeep_desk
from gridbot.config import AppConfig
from gridbot.shell.errands import Desks


def window_desks(
    home: Home,
    environment: Mapping[str, str],
    mask: Mask,
    config: AppConfig,
    *,
    stop_engine: Callable[[], bool] | None = None,
) -> Desks:
    """Return what a window of this folder may ask; nothing is read, and nothing heavy imported, before it does.

    `config` is what the engine was started with: its account is the one that the rooms know, whatever is saved later.
    `stop_engine` ends it cleanly, which a restore needs.
    """
    return Desks(
        keys=key_desk(home, environment, mask),
        upkeep=upkeep_desk(
            home, environment, mask, own=AccountName(config.mode, config.account), stop_engine=stop_engine
        ),
        records=record_desk(home.root, mode=config.mode, account=config.account),
        research=research_desk(home, environment),
        search=search_desk(home, environment),
        history=history_desk(home, mode=config.mode, account=config.account),
    )
