"""What a workflow says once for all of its steps."""

from typing import Any

import pytest

from dashboard.models import Direction, Status, Step
from rollbacks.definition import DefinitionError, parse
from rollbacks.plan import Configuration
from tests.engine.test_configuration import dialog, hosts, install
from tests.lab import Fleet
from tests.scene import Scene, revise, run


def pause(name: str, **settings: float) -> dict[str, Any]:
    return {"name": name, "kind": "wait", "settings": settings}


def kept(direction: Direction) -> dict[str, Any]:
    """The settings of each step in the journals, by the step's name."""
    steps = Step.objects.filter(phase__direction=direction).order_by("pk")
    return dict(steps.values_list("name", "settings"))


def test_they_are_journaled_with_every_step_that_knows_them_and_has_none_itself(
    shop: Scene, fleet: Fleet
) -> None:
    document = {
        "settings": {"seconds": 0.01},
        "pre_deployment_steps": [pause("Before")],
        "post_deployment_steps": [pause("After", seconds=0.02)],
        **hosts(
            install(), pause("Drain"), rollback_steps=[{"undo": "Drain"}, {"undo": "Install"},
                                                       pause("Refill")]
        ),
    }  # fmt: skip
    revise(shop.workflow, document)
    shop.deploy("1.4.1")
    bad = shop.deploy("1.4.2")
    assert bad.status == Status.SUCCEEDED, bad.message
    assert kept(Direction.FORWARD) == {
        "Before": {"seconds": 0.01}, "Install": {}, "Drain": {"seconds": 0.01},
        "After": {"seconds": 0.02},
    }  # fmt: skip
    assert shop.roll_back(bad).status == Status.SUCCEEDED
    assert kept(Direction.BACK) == {
        "Undo Drain": {"seconds": 0.01}, "Undo Install": {}, "Refill": {"seconds": 0.01},
    }  # fmt: skip


def test_a_failed_deployment_undoes_with_them(shop: Scene, fleet: Fleet) -> None:
    revise(shop.workflow, {"settings": {"seconds": 0.01}, **hosts(pause("Drain"), install())})
    shop.deploy("1.4.1")
    fleet.broken["web-1"] = "apply"
    assert shop.deploy("1.4.2").code == "ROLLED_BACK"
    assert kept(Direction.BACK)["Undo Drain"] == {"seconds": 0.01}


def test_a_rollback_has_those_of_today_or_as_they_were_deployed(shop: Scene) -> None:
    steps = hosts(pause("Drain"), install())
    revise(shop.workflow, {"settings": {"seconds": 0.01}, **steps})
    shop.deploy("1.4.1")
    bad = shop.deploy("1.4.2")
    shown = dialog(shop, bad)
    revise(shop.workflow, {"settings": {"seconds": 0.02}, **steps})
    today = dialog(shop, bad)
    assert today.fingerprint != shown.fingerprint
    assert today.phases[0].steps[1].settings == {"seconds": 0.02}
    as_deployed = dialog(shop, bad, Configuration.DEPLOYED)
    assert as_deployed.fingerprint == shown.fingerprint
    assert run(shop.confirm(bad)).status == Status.SUCCEEDED


@pytest.mark.parametrize(
    ("document", "problems"),
    [
        (
            {"settings": {"second": 5}, **hosts(pause("Drain", seconds=1))},
            [("settings.second", "no step of this workflow has such a setting")],
        ),
        (
            {"settings": {"seconds": -5}, **hosts(pause("One"), pause("Two"))},
            [("settings.seconds", "Input should be greater than 0")],
        ),
        (
            {"settings": {"seconds": 5}, **hosts(pause("One", seconds=-5))},
            [("phases.0.steps.0.settings.seconds", "Input should be greater than 0")],
        ),
        (
            {"settings": {"phases": 5}, **hosts({"name": "One", "kind": "lab.none"})},
            [
                ("phases.0.steps.0.kind", "'lab.none' is not one of lab.install, lab.note, wait"),
                ("settings.phases", "no step of this workflow has such a setting"),
            ],
        ),
    ],
)
def test_what_is_wrong_with_them_is_said_where_they_stand(
    fleet: Fleet, document: dict[str, Any], problems: list[tuple[str, str]]
) -> None:
    with pytest.raises(DefinitionError) as error:
        parse(document, "SSH", "BASIC")
    assert error.value.problems == problems


def test_a_definition_without_them_is_stored_as_it_was(fleet: Fleet) -> None:
    assert "settings" not in parse({}, "SSH", "BASIC").model_dump(mode="json")


def test_a_definition_with_them_is_stored_as_it_was_written(fleet: Fleet) -> None:
    document = {"settings": {"seconds": 5.0}, **hosts(pause("Drain"))}
    stored = parse(document, "SSH", "BASIC").model_dump(mode="json")
    assert stored["settings"] == {"seconds": 5.0}
    assert stored["phases"][0]["steps"][0]["settings"] == {}
    assert parse(stored, "SSH", "BASIC").model_dump(mode="json") == stored
