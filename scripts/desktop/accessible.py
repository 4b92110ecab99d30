"""Finds and uses what is in a window as a screen reader does: by role and name over AT-SPI, from another process.

Runs with Debian's Python, which has gi; nothing of gridbot is imported.
"""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, GLib  # noqa: E402  the version must be chosen first

from scripts.desktop.screen import Screen  # noqa: E402

T = TypeVar("T")
PATIENCE_S = 20.0
SETTLE_S = 0.4
"""How long a list is given to open and to close."""
MANY = 60
"""More children than this are the cells of a table, which are looked at only when they are asked for."""
CELLS = ("table", "tree table", "list", "tree")


class NotThere(AssertionError):
    """What was looked for is not in the window; the message has the tree of what is."""


@dataclass(frozen=True)
class Node:
    """One thing of a window: a button, a text, a page."""

    raw: Any

    @property
    def name(self) -> str:
        """What a screen reader says."""
        return str(self.raw.get_name() or "")

    @property
    def role(self) -> str:
        """What kind of thing it is: "push button", "check box", "page tab"."""
        return str(self.raw.get_role_name() or "")

    @property
    def label(self) -> str:
        """The name of the label that it belongs to, "" for none: on Linux Qt tells the name of a list so."""
        for relation in self.raw.get_relation_set():
            if relation.get_relation_type() == Atspi.RelationType.LABELLED_BY and relation.get_n_targets():
                return str(relation.get_target(0).get_name() or "")
        return ""

    @property
    def text(self) -> str:
        """What stands in it: the content of a field, what a named label shows, else its name."""
        content = self.raw.get_text_iface()
        if content is not None:
            return str(Atspi.Text.get_text(content, 0, -1))
        return str(self.raw.get_description() or self.name)

    def is_in(self, state: str) -> bool:
        """Tell whether it is "showing", "sensitive", "checked", and so on."""
        return bool(self.raw.get_state_set().contains(getattr(Atspi.StateType, state.upper())))

    def children(self, *, cells: bool = False) -> Iterator[Node]:
        """Yield what is in it; of a table only a part, unless its cells are asked for."""
        count = self.raw.get_child_count()
        if count > MANY and self.role in CELLS and not cells:
            count = 0
        for number in range(count):
            child = self.raw.get_child_at_index(number)
            if child is not None:
                yield Node(child)

    def walk(self, *, cells: bool = False) -> Iterator[Node]:
        """Yield it and all that is in it."""
        yield self
        for child in self.children(cells=cells):
            yield from child.walk(cells=cells)

    def press(self) -> None:
        """Do what a click does."""
        actions = self.raw.get_action_iface()
        count = 0 if actions is None else Atspi.Action.get_n_actions(actions)
        names = [Atspi.Action.get_action_name(actions, number).lower() for number in range(count)]
        # Toggling alone is not a click: Qt changes the mark then and tells nobody that it was clicked.
        wanted = next((each for each in ("press", "click", "activate", "toggle") if each in names), None)
        if wanted is None:
            self.click()
        else:
            Atspi.Action.do_action(actions, names.index(wanted))

    def click(self) -> None:
        """Click with the mouse in its middle."""
        place = self.raw.get_extents(Atspi.CoordType.SCREEN)
        Atspi.generate_mouse_event(place.x + place.width // 2, place.y + place.height // 2, "b1c")

    def value(self) -> float | None:
        """Return its number, where it has one."""
        content = self.raw.get_value_iface()
        return None if content is None else float(Atspi.Value.get_current_value(content))


class Application:
    """A running program, and what a person may do with its windows."""

    def __init__(self, process: subprocess.Popen[bytes] | None, screen: Screen, pictures: Path, *, title: str) -> None:
        self._process = process
        self._screen = screen
        self._pictures = pictures
        self._title = title
        self.root = self._wait(self._root, what=f"the application {title}")

    def _root(self) -> Node | None:
        desktop = Atspi.get_desktop(0)
        desktop.set_cache_mask(Atspi.Cache.NONE)
        desktop.clear_cache()
        for number in range(desktop.get_child_count()):
            child = desktop.get_child_at_index(number)
            # A program that ended stays on the list for a moment.
            if child is not None and child.get_name() == self._title and child.get_child_count():
                child.set_cache_mask(Atspi.Cache.NONE)
                return Node(child)
        return None

    @property
    def process_id(self) -> int:
        """The number of the process that the windows belong to."""
        return int(self.root.raw.get_process_id())

    # ------------------------------------------------------------------------------------------ finding

    def all(self, role: str, name: str = "", *, window: str = "", cells: bool = False) -> list[Node]:
        """Return everything that is seen of a role whose name matches `name`, in the windows that match; "" is any."""
        pattern, where = re.compile(name), re.compile(window)
        return [
            node
            for top in self.root.children()
            if not window or where.fullmatch(top.name)
            for node in top.walk(cells=cells)
            if node.role == role and (not name or pattern.fullmatch(node.name)) and node.is_in("showing")
        ]

    def find(self, role: str, name: str, *, window: str = "", patience_s: float = PATIENCE_S) -> Node:
        """Wait for one thing of a role and name (a pattern); NotThere with the tree after `patience_s`."""
        what = f"a {role} named {name!r}" + (f" in the window {window!r}" if window else "")
        return self._wait(
            lambda: next(iter(self.all(role, name, window=window)), None), what=what, patience_s=patience_s
        )

    def gone(self, role: str, name: str) -> None:
        """Wait until nothing of a role and name is seen any more."""
        self._wait(lambda: not self.all(role, name) or None, what=f"the end of the {role} {name!r}")

    def says(self, pattern: str, *, patience_s: float = PATIENCE_S) -> str:
        """Wait until some label matches `pattern` in part; return its whole text."""
        wanted = re.compile(pattern)

        def look() -> str | None:
            shown = (node.text for node in self.root.walk() if node.role == "label" and node.is_in("showing"))
            return next((text for text in shown if wanted.search(text)), None)

        return self._wait(look, what=f"a text like {pattern!r}", patience_s=patience_s)

    def until(self, look: Callable[[], T | None], what: str, *, patience_s: float = PATIENCE_S) -> T:
        """Wait until `look` returns something; NotThere with the tree otherwise."""
        return self._wait(look, what=what, patience_s=patience_s)

    def _wait(self, look: Callable[[], T | None], *, what: str, patience_s: float = PATIENCE_S) -> T:
        end = time.monotonic() + patience_s
        while True:
            try:
                found = look()
            except GLib.Error:
                # It went away while it was looked at.
                found = None
            if found is not None and found is not False:
                return found
            if self._process is not None and self._process.poll() is not None:
                raise NotThere(f"The application ended with {self._process.returncode} before there was {what}.")
            if time.monotonic() > end:
                raise NotThere(f"Within {patience_s:.0f} s there was not {what}.\n{self.dump()}")
            time.sleep(0.05)

    # ------------------------------------------------------------------------------------------- using

    def press(self, role: str, name: str, *, window: str = "") -> None:
        """Press one thing once it may be pressed."""
        node = self.find(role, name, window=window)
        self._wait(lambda: node.is_in("sensitive") or None, what=f"a {role} {name!r} that may be pressed")
        node.press()

    def tab(self, name: str) -> None:
        """Show a page."""
        node = self.find("page tab", name)
        node.press()
        self._wait(lambda: node.is_in("selected") or None, what=f"the page {name!r} in front")

    def write(self, role: str, name: str, text: str, *, window: str = "") -> None:
        """Write into a field as a person does: a click, everything marked, and the keys."""
        node = self.find(role, name, window=window)
        node.raw.get_component_iface().grab_focus()
        node.click()
        self._wait(lambda: node.is_in("focused") or None, what=f"the field {name!r} with the keys")
        self.keys("<Control>a")
        self.keys("Delete")
        Atspi.generate_keyboard_event(0, text, Atspi.KeySynthType.STRING)
        self._wait(lambda: text in node.text or None, what=f"{text!r} in the field {name!r}, where {node.text!r} is")

    def pick(self, role: str, name: str, wanted: str) -> None:
        """Go to the entry of a long list that matches `wanted`, with the arrow keys, wherever it is scrolled to."""
        node, pattern = self.find(role, name), re.compile(wanted, re.DOTALL)
        entries = (number for number, each in enumerate(node.children(cells=True)) if pattern.fullmatch(each.name))
        number = next(entries, None)
        if number is None:
            raise NotThere(f"The {role} {name!r} has no entry {wanted!r}.\n{self.dump()}")
        node.click()
        for key in ("Home", *["Down"] * number):
            self.keys(key)

    def list_of(self, label: str) -> Node:
        """Wait for the list that belongs to a label, as a screen reader finds it."""
        return self._wait(
            lambda: next((node for node in self.all("combo box") if node.label == label), None),
            what=f"a list labelled {label!r}",
        )

    def choose(self, now: str, wanted: str) -> None:
        """Choose an entry of the list that shows one like `now`, with the arrow keys; Qt names a list by its entry."""
        node = self.find("combo box", f"{now}|{wanted}")
        for number in range(MANY):
            if re.fullmatch(wanted, node.name):
                return
            node.click()
            time.sleep(SETTLE_S)
            for key in ("Home", *["Down"] * number, "Return"):
                self.keys(key)
            time.sleep(SETTLE_S)
        raise NotThere(f"The list has no entry {wanted!r}.\n{self.dump()}")

    def keys(self, combination: str) -> None:
        """Press a key, with <Control> or <Shift> before it if these are held."""
        held = re.findall(r"<(\w+)>", combination)
        key = re.sub(r"<\w+>", "", combination)
        codes = [{"Control": 37, "Shift": 50, "Alt": 64}[each] for each in held]
        for code in codes:
            Atspi.generate_keyboard_event(code, None, Atspi.KeySynthType.PRESS)
        Atspi.generate_keyboard_event(_symbol(key), None, Atspi.KeySynthType.SYM)
        for code in reversed(codes):
            Atspi.generate_keyboard_event(code, None, Atspi.KeySynthType.RELEASE)

    # ------------------------------------------------------------------------------------------ telling

    def picture(self, name: str) -> Path:
        """Keep what is on the screen, and return where."""
        path = self._pictures / f"{name}.png"
        self._screen.save(path)
        return path

    def dump(self) -> str:
        """Return the tree of what is seen, and where a picture of it is."""
        lines = [f"The screen is in {self.picture('failed')}; what is seen there:"]
        if getattr(self, "root", None) is not None:
            lines += _lines(self.root, 1)
        return "\n".join(lines)


def _lines(node: Node, depth: int) -> list[str]:
    try:
        if depth > 1 and not node.is_in("showing"):
            return []
        content = f" = {node.text!r}" if node.text != node.name else ""
        lines = [f"{'  ' * depth}{node.role} {node.name!r}{content}"]
        for child in node.children():
            lines += _lines(child, depth + 1)
    except GLib.Error:
        return [f"{'  ' * depth}(gone)"]
    return lines


_SYMBOLS = {"Return": 0xFF0D, "Escape": 0xFF1B, "Tab": 0xFF09, "Delete": 0xFFFF, "Down": 0xFF54, "Home": 0xFF50}
_SYMBOLS |= {"Up": 0xFF52, "End": 0xFF57, "F1": 0xFFBE, "F5": 0xFFC2, "space": 0x20}


def _symbol(key: str) -> int:
    return _SYMBOLS[key] if key in _SYMBOLS else ord(key)


def started(command: Sequence[str], *, settings: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    """Start the application with these settings and no others; what it says goes into `log`."""
    with log.open("ab") as output:
        return subprocess.Popen(command, env=settings, stdout=output, stderr=output)
