"""The command that looks at the machine and at gridbot's folder and says what is wrong and how to mend it."""

from __future__ import annotations

from typing import Annotated

import typer

from gridbot.cli_app import EXIT_USER_MUST_ACT, app, gridbot_home

DOCTOR_SCHEMA = 1


@app.command()
def doctor(json: Annotated[bool, typer.Option("--json", help="As JSON, for a program.")] = False) -> None:
    """Look at the machine, the folder and every account; say what is wrong and how to mend it."""
    from gridbot.cli_checkup import ACT, Checkup, checkup_page

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
        print("\n".join(checkup_page(checkup)))
    if must_act:
        raise typer.Exit(EXIT_USER_MUST_ACT)
