"""The texts that Linux wants beside a program: menu entry, description for software shops, package control."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from xml.sax.saxutils import escape

NAME = "gridbot"
APP_ID = "io.github.gridbot.gridbot"
SUMMARY = "A grid trader for crypto markets, on your own computer"
PARAGRAPHS = (
    "gridbot places a grid of buy and sell orders on a crypto exchange and earns from the price going up and down "
    "between them. It runs on your own computer, with your own keys, and shows why each order is there, or is not.",
    "It starts in a demo with play money, has a dry run on real prices, and trades with real money only after you "
    "have typed that it shall. A red STOP button cancels every order, also across a restart.",
)
KEYWORDS = ("crypto", "trading", "grid", "bitcoin", "exchange", "bot")


def desktop_entry() -> str:
    """Return the entry of the applications menu."""
    lines = (
        "[Desktop Entry]",
        "Type=Application",
        "Version=1.0",
        f"Name={NAME}",
        "GenericName=Grid trader",
        f"Comment={SUMMARY}",
        f"Exec={NAME}",
        f"TryExec={NAME}",
        f"Icon={NAME}",
        "Terminal=false",
        "StartupNotify=true",
        f"StartupWMClass={NAME}",
        "Categories=Office;Finance;",
        f"Keywords={';'.join(KEYWORDS)};",
    )
    return "\n".join(lines) + "\n"


def metainfo(version: str, *, released: date) -> str:
    """Return the AppStream description, which software shops show."""
    paragraphs = "".join(f"    <p>{escape(each)}</p>\n" for each in PARAGRAPHS)
    keywords = "".join(f"    <keyword>{escape(each)}</keyword>\n" for each in KEYWORDS)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<component type="desktop-application">\n'
        f"  <id>{APP_ID}</id>\n"
        f"  <name>{NAME}</name>\n"
        f"  <summary>{escape(SUMMARY)}</summary>\n"
        "  <metadata_license>MIT</metadata_license>\n"
        "  <project_license>MIT</project_license>\n"
        '  <developer id="io.github.gridbot"><name>gridbot contributors</name></developer>\n'
        f"  <description>\n{paragraphs}  </description>\n"
        f'  <launchable type="desktop-id">{NAME}.desktop</launchable>\n'
        f'  <icon type="stock">{NAME}</icon>\n'
        f"  <provides><binary>{NAME}</binary></provides>\n"
        f"  <keywords>\n{keywords}  </keywords>\n"
        "  <categories><category>Office</category><category>Finance</category></categories>\n"
        '  <content_rating type="oars-1.1"/>\n'
        "  <releases>\n"
        f'    <release version="{version}" date="{released.isoformat()}"/>\n'
        "  </releases>\n"
        "</component>\n"
    )


def control(version: str, *, architecture: str, installed_kib: int, depends: Iterable[str]) -> str:
    """Return Debian's control file."""
    paragraphs = "\n .\n".join(_wrapped(each) for each in PARAGRAPHS)
    return (
        f"Package: {NAME}\n"
        f"Version: {version}\n"
        f"Architecture: {architecture}\n"
        "Maintainer: gridbot contributors <gridbot@localhost>\n"
        f"Installed-Size: {installed_kib}\n"
        f"Depends: {', '.join(depends)}\n"
        "Recommends: gnome-keyring | kwalletmanager | keepassxc\n"
        "Section: misc\n"
        "Priority: optional\n"
        f"Description: {SUMMARY}\n{paragraphs}\n"
    )


def _wrapped(text: str, width: int = 78) -> str:
    """Return a paragraph as the control file has it: each line begins with a space."""
    lines, line = [], ""
    for word in text.split():
        if len(line) + len(word) + 1 > width:
            lines.append(line)
            line = ""
        line = f"{line} {word}"
    return "\n".join([*lines, line])
