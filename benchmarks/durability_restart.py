"""A fresh process that opens an account as a start does, and tells how long that took as one line of JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from time import perf_counter, process_time

import orjson

from gridbot.adapters.files.account_folder import AccountFolder
from gridbot.adapters.files.disk import SystemDisk
from gridbot.core.codec import digest
from gridbot.core.units import Mode
from gridbot.shell.state_keeper import replay
from gridbot.shell.status import NoHistory


def main(home: Path) -> None:
    """Lock, load, replay, open the journal; then read the same lines as bare JSON, which is the floor."""
    folder = AccountFolder(SystemDisk(), home, mode=Mode.DEMO, account="default")
    began, worked = perf_counter(), process_time()
    folder.acquire()
    restored = folder.load()
    recovered = replay(restored, mode=Mode.DEMO, notes=NoHistory())
    folder.journal(recovered.sequence).close()
    ready, worked = perf_counter(), process_time() - worked
    folder.release()
    content = Path(restored.journal).read_bytes()
    floor = perf_counter()
    lines = [orjson.loads(line) for line in content.splitlines()]
    told = {
        "events": len(restored.events),
        "ready_s": ready - began,
        "cpu_s": worked,
        "json_s": perf_counter() - floor,
        "lines": len(lines),
        "megabytes": len(content) / 1e6,
        "digest": digest(recovered.state),
        "warnings": list(recovered.warnings),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
