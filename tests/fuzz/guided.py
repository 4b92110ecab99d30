"""One target under atheris, led by which branches of gridbot an input reaches; its process ends with it.

`python -m tests.fuzz.guided "journal" 1000 7 out.json` meets a thousand inputs with seed 7 and writes the count down.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from random import Random

import atheris

# What is to be led by must be instrumented while it is imported.
with atheris.instrument_imports(include=["gridbot"]):
    from tests.fuzz.edits import edited, random_edits
    from tests.fuzz.meeting import Count, met, target_named


def fuzz(name: str, *, inputs: int, seed: int, out: Path) -> None:
    """Meet so many inputs; ends the process."""
    target, total = target_named(name), Count()
    corpus = target.corpus()
    folder = Path(tempfile.mkdtemp(prefix="gridbot-fuzz-"))
    seeds = folder / "seeds"
    seeds.mkdir()
    for number, content in enumerate(corpus):
        (seeds / f"{number}").write_bytes(content)
    work = folder / "work"
    work.mkdir()

    def mutate(data: bytes, most: int, number: int) -> bytes:
        random = Random(number)
        # Half of them as elsewhere, by what the input means; half by libFuzzer's own knowledge of bytes.
        if random.random() < 0.5:
            return edited(data, random_edits(random))[:most]
        return bytes(atheris.Mutate(data, most))

    with target.opened(work) as meet:

        def one(data: bytes) -> None:
            nonlocal total
            if total.inputs >= inputs:
                return
            total += met(target, meet, data)
            if total.inputs == inputs:
                plain = {"accepted": total.accepted, "refused": total.refused, "wrong": total.wrong}
                out.write_text(json.dumps(plain), "utf-8")

        longest = max(max(map(len, corpus)) * 2, 4_096)
        # More runs than inputs: libFuzzer counts its own first looks too.
        options = [f"-runs={inputs + 1_000}", f"-seed={seed}", f"-max_len={longest}", "-verbosity=0", "-timeout=60"]
        options += ["-rss_limit_mb=0", f"-artifact_prefix={folder}/"]
        atheris.Setup([sys.argv[0], *options, str(seeds)], one, custom_mutator=mutate)
        atheris.Fuzz()


if __name__ == "__main__":
    os.environ.setdefault("CHECKED", "1")
    fuzz(sys.argv[1], inputs=int(sys.argv[2]), seed=int(sys.argv[3]), out=Path(sys.argv[4]))
