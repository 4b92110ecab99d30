"""The only module that reads and writes the configuration file: a save is whole or has not happened."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from gridbot.config import AppConfig, parse_config
from gridbot.errors import ConfigError, EnvironmentProblem

PRIVATE = 0o600
"""For its owner's eyes: a configuration tells how much money somebody has."""


def read_text(path: Path) -> str:
    """Return the text of a configuration file; ConfigError if there is none or it is no text."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        hint = "`gridbot config init` writes one to begin with."
        raise ConfigError(f"There is no configuration file {path}.", hint=hint) from error
    except (IsADirectoryError, NotADirectoryError) as error:
        raise ConfigError(f"{path} is not a file.", hint="Name the configuration file itself.") from error
    except UnicodeDecodeError as error:
        hint = "Save it as UTF-8 text."
        raise ConfigError(f"{path} is not UTF-8 text (byte {error.start}).", hint=hint) from error
    except OSError as error:
        hint = "See to it that you may read it."
        raise ConfigError(f"{path} cannot be read: {_plain(error)}.", hint=hint) from error


def load(path: Path) -> AppConfig:
    """Return the application's configuration from `path`; ConfigError with every mistake."""
    return parse_config(read_text(path), source=str(path))


def save(path: Path, config: AppConfig) -> None:
    """Write `config` to `path` so that a crash leaves the old file or the new one; EnvironmentProblem if it cannot.

    A link keeps being a link: what it points to is replaced. The folder is made if it is not there.
    """
    target = path.resolve()
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _replace(target, config.to_json().encode("utf-8"))
    except OSError as error:
        hint = "Make room or choose another folder with GRIDBOT_HOME; the old file is as it was."
        raise EnvironmentProblem(f"{path} cannot be saved: {_plain(error)}.", hint=hint) from error


def _replace(target: Path, content: bytes) -> None:
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}.tmp")
    # Created with these rights, not given them later: nobody can open it in between.
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    finally:
        # Once it has the file's name, there is nothing left to take away.
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Make the renaming itself durable, where the system can open a folder (Windows cannot)."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _plain(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
