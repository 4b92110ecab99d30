"""The command that looks at the machine and at gridbot's folder and says what is wrong and how to mend it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gridbot.cli_app import EXIT_USER_MUST_ACT, app, gridbot_home

if TYPE_CHECKING:
    from gridbot.cli_checkup import Checkup

DOCTOR_SCHEMA = 1


@app.command()
def doctor(json: Annotated[bool, typer.Option("--json", help="As JSON, for a program.")] = False) -> None:
    """Look at the machine, the folder and every account; say what is wrong and how to mend it."""
    from gridbot.cli_checkup import ACT, Checkup

    checkup = Checkup(gridbot_home())
    checkup.run()
    must_act = any(finding.level == ACT for finding in checkup.findings)
    if json:
        import json as text

        findings = [
            {"area": each.area, "level": each.level, "what": each.what, "mend": each.mend} for each in checkup.findings
        ]
        print(
            text.dumps({"schema": DOCTOR_SCHEMA, "ok": not must_act, **checkup.facts, "findings": findings}, indent=2)
        )
    else:
        print("\n".join(_page(checkup, must_act=must_act)))
    if must_act:
        raise typer.Exit(EXIT_USER_MUST_ACT)


def _page(checkup: Checkup, *, must_act: bool) -> Iterator[str]:
    facts = checkup.facts
    known = facts.get("versions", {})
    yield "versions       " + ", ".join(f"{name} {text}" for name, text in known.items() if text is not None)
    yield f"folder         {facts.get('folder', {}).get('path', 'unknown')}"
    if "disk" in facts:
        yield f"free           {_bytes(facts['disk']['free_bytes'])}"
    if "clock" in facts:
        yield f"clock          {_utc(facts['clock']['now_ms'])} UTC; its skew is not known without an exchange to ask"
    yield f"display        {facts.get('display') or 'none'}"
    yield f"configuration  {facts.get('configuration') or 'none that can be used'}"
    yield f"kill switch    {'not set' if facts.get('kill') is None else 'SET'}"
    for account in facts.get("accounts", []):
        yield f"account        {_account(account)}"
    yield ""
    for finding in checkup.findings:
        yield f"{'TO DO' if finding.level == 'act' else 'note '}  {finding.what}"
        if finding.mend:
            yield f"       {finding.mend}"
    if must_act:
        yield "Something needs you: see each TO DO."
    else:
        yield "All is well." if not checkup.findings else "All is well; the notes need nothing at once."


def _account(seen: dict[str, Any]) -> str:
    state = f"event {seen['sequence']:,}, digest {seen['digest'][:12]}" if seen["sound"] else "DAMAGED"
    written = "never" if not seen["last_write_ms"] else f"{_utc(seen['last_write_ms'])} UTC"
    return (
        f"{seen['mode']}/{seen['account']}: {'running' if seen['running'] else 'not running'}, {state}, last written "
        f"{written}, journal {_bytes(seen['journal_bytes'])}, archive {_bytes(seen['archive_bytes'])}"
    )


def _utc(time: int) -> str:
    return datetime.fromtimestamp(time / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _bytes(count: int) -> str:
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:,.1f} {unit}"
    return f"{count} bytes"
