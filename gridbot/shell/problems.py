"""What is wrong with the program itself, in sentences that stay on the screen until they are no longer true."""

from __future__ import annotations

from collections.abc import Callable, Container


class Problems:
    """Sentences by key. `told` is called once when a problem begins, `over` when it is gone."""

    def __init__(self, told: Callable[[str, str], None], over: Callable[[str], None] = lambda _: None) -> None:
        self._sentences: dict[str, str] = {}
        self._told = told
        self._over = over

    def begin(self, key: str, sentence: str) -> None:
        """Show a sentence until `end`; a new sentence under the same key replaces the old one."""
        if self._sentences.get(key) != sentence:
            self._sentences[key] = sentence
            self._told(key, sentence)

    def end(self, key: str) -> None:
        """The problem is over."""
        if self._sentences.pop(key, None) is not None:
            self._over(key)

    def stand(self, key: str, sentence: str | None) -> None:
        """Show what is so now: a sentence, or that there is no such problem."""
        if sentence is None:
            self.end(key)
        else:
            self.begin(key, sentence)

    def holds(self, key: str) -> bool:
        """Tell whether this problem is there now."""
        return key in self._sentences

    def sentences(self) -> tuple[str, ...]:
        """Return all, the oldest first."""
        return tuple(self._sentences.values())

    def besides(self, keys: Container[str]) -> tuple[str, ...]:
        """Return all but those under `keys`, the oldest first."""
        return tuple(sentence for key, sentence in tuple(self._sentences.items()) if key not in keys)
