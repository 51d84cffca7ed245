"""Rolling back all phases at once: where it may be written."""

from typing import Any

import pytest

from rollbacks.definition import DefinitionError, parse

STEP = {"name": "Setup", "kind": "ami.setup"}


def phase(**more: Any) -> dict[str, Any]:
    return {"name": "Canary", "steps": [STEP], **more}


def test_where_one_step_takes_back_everything_it_may_be_written() -> None:
    document = {"phases": [phase()], "rollback_all_phases_at_once": True}
    assert parse(document, "AMI", "CANARY").rollback_all_phases_at_once


def test_elsewhere_it_may_not() -> None:
    with pytest.raises(DefinitionError, match="SSH rolls back phase by phase; leave it out"):
        parse(
            {
                "phases": [{"name": "Hosts", "steps": [{"name": "Pause", "kind": "wait"}]}],
                "rollback_all_phases_at_once": True,
            },
            "SSH",
            "BASIC",
        )


def test_rollback_steps_that_would_not_run_are_refused() -> None:
    document = {
        "phases": [phase(rollback_steps=[{"undo": "Setup"}])],
        "rollback_all_phases_at_once": True,
    }
    with pytest.raises(DefinitionError, match="of the phase Canary would not run"):
        parse(document, "AMI", "CANARY")
