"""A support bundle: one zip that a person may hand on; every line passes the mask; whole or not at all."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Generator, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import orjson

from gridbot.adapters.logbook.log_export import whole_file
from gridbot.adapters.logbook.masking import Mask
from gridbot.core.values import value

SLICE = 1 << 18
_ISIZE = 4
_NEVER_BEFORE = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip knows: entries tell no time of their own, the lines in them do."""


@value
class Source:
    """One file of a bundle, under its `name` there: the file at `path`, or, where that is None, `content`."""

    name: str
    path: Path | None = None
    content: bytes = b""

    def size(self) -> int:
        """Return how many bytes it is unpacked; 0 for a file that went away."""
        if self.path is None:
            return len(self.content)
        try:
            size = self.path.stat().st_size
            if self.path.suffix != ".gz" or size < _ISIZE:
                return size
            with self.path.open("rb") as packed:
                packed.seek(-_ISIZE, 2)
                return int.from_bytes(packed.read(_ISIZE), "little")
        except OSError:
            return 0


def write_bundle(target: Path, sources: tuple[Source, ...], mask: Mask) -> Iterator[tuple[int, int]]:
    """Write the sources to `target`; yield (bytes done, bytes in all) after each slice.

    Raises EnvironmentProblem with a sentence. Closing the iterator early leaves `target` as it was.
    """
    total, done = sum(source.size() for source in sources), 0
    home = str(Path.home())
    with whole_file(target) as out, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for source in sources:
            entry = zipfile.ZipInfo(source.name, _NEVER_BEFORE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o600 << 16
            with packed.open(entry, "w", force_zip64=True) as file, closing(_pieces(source)) as pieces:
                for lines in pieces:
                    file.write(b"".join(_clean(line, mask, home) for line in lines))
                    done += sum(map(len, lines))
                    yield min(done, total), total
    yield total, total


def _clean(line: bytes, mask: Mask, home: str) -> bytes:
    """Return a line, or a whole JSON file, without its secrets and without the user's name.

    Where there is neither it stays byte for byte: the checksums of a journal hold.
    """
    if line[:1] == b"{":
        with suppress(orjson.JSONDecodeError):
            plain = orjson.loads(line)
            masked = mask.plain(plain)
            if masked != plain:
                line = orjson.dumps(masked, option=orjson.OPT_APPEND_NEWLINE)
            return line.replace(home.encode(), b"~")
    text = line.decode("utf-8", "surrogateescape")
    return mask.text(text).replace(home, "~").encode("utf-8", "surrogateescape")


def _pieces(source: Source) -> Generator[list[bytes], None, None]:
    """Yield a file's lines in slices; of one that went away, or was cut off by a crash, what can be read."""
    if source.path is None:
        yield source.content.splitlines(keepends=True)
        return
    with suppress(FileNotFoundError, EOFError, gzip.BadGzipFile), source.path.open("rb") as raw:
        if source.path.suffix == ".json":
            yield [raw.read()]
            return
        opened: Any = gzip.GzipFile(fileobj=raw, mode="rb") if source.path.suffix == ".gz" else raw
        while lines := opened.readlines(SLICE):
            yield lines
