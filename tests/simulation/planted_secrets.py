"""Mistakes with what is secret, and a dry run that could write: what the simulation never sees, directed tests must."""

from __future__ import annotations

from gridbot import bootstrap
from gridbot.adapters.exchange import ccxt_failures
from gridbot.adapters.files.disk import _SystemFile
from gridbot.adapters.logbook.masking import Mask
from tests.simulation.planting import Planted, edit, together

_CANARY = "tests/test_canary_secrets.py"

SECRETS = (
    Planted(
        name="a dry run is given the live account's key",
        patch=together(
            edit(bootstrap._secrets, ("if config.mode is not Mode.LIVE and not any(named):", "if False:")),
            edit(bootstrap._key, ("config.mode is not Mode.LIVE or ", "")),
        ),
        names=("I22",),
        test=f"{_CANARY}::test_the_dry_run_of_the_same_account_knows_no_key",
    ),
    Planted(
        name="a failure quotes what ccxt said, signed address and all",
        patch=edit(
            ccxt_failures.failure,
            ("_sentence(exchange, conversation, proof, cause, code),", "f'{error} {conversation}',"),
        ),
        names=("I28",),
        test=f"{_CANARY}::test_a_failed_call_carries_no_secret_and_nothing_behind_it_does",
    ),
    Planted(
        name="the log's mask knows secrets by their names only",
        patch=edit(Mask.text, ("if self._known is not None:", "if False:")),
        names=("I28",),
        test="tests/adapters/test_logbook.py::test_a_known_secret_leaves_no_trace_in_files_memory_exports_and_crash_reports",
    ),
    Planted(
        name="a file of secrets is everybody's until it is written",
        patch=edit(_SystemFile.__init__, ("OWNER_FILE", "0o644")),
        names=("I29",),
        test="tests/adapters/secrets/test_secret_file.py::test_only_its_owner_may_read_it_before_anything_is_in_it",
    ),
)
