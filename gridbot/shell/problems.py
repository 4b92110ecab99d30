"""What is wrong with the program itself, in sentences that stay on the screen until they are no longer true."""

from __future__ import annotations

from collections.abc import Callable


class Problems:
    """Sentences by key. `told` is called once when a problem begins."""

    def __init__(self, told: Callable[[str, str], None]) -> None:
        self._sentences: dict[str, str] = {}
        self._told = told

    def begin(self, key: str, sentence: str) -> None:
        """Show a sentence until `end`; a new sentence under the same key replaces the old one."""
        if self._sentences.get(key) != sentence:
            self._sentences[key] = sentence
            self._told(key, sentence)

    def end(self, key: str) -> None:
        """The problem is over."""
        self._sentences.pop(key, None)

    def holds(self, key: str) -> bool:
        """Tell whether this problem is there now."""
        return key in self._sentences

    def sentences(self) -> tuple[str, ...]:
        """Return all, the oldest first."""
        return tuple(self._sentences.values())
