"""What the platform says before anything is begun, and that nothing is while there is a problem."""

import pytest

from accounts import administration
from accounts.models import UserGroup
from accounts.rows import NOTHING
from dashboard.models import Deployment, LogLine, Status, Step, StepStatus
from rollbacks import execution, platforms
from rollbacks.platforms.base import Inspection, PlatformError
from rollbacks.runtime import Runtime
from tests.engine import faults
from tests.engine.test_configuration import hosts, install, note
from tests.lab import Fleet
from tests.scene import Scene, revise, run

FINE = Inspection()
PASSING = PlatformError("The platform did not answer")
LASTING = PlatformError("Nobody may look at that", permanent=True)


def problem(*sentences: str) -> Inspection:
    return Inspection(problems=sentences)


def statuses(deployment: Deployment) -> set[str]:
    return set(Step.objects.filter(phase__deployment=deployment).values_list("status", flat=True))


def warned() -> list[str]:
    lines = LogLine.objects.filter(text__startswith="Warning: ")
    return list(lines.values_list("text", flat=True))


def test_a_deployment_with_problems_names_them_all_and_touches_nothing(
    shop: Scene, fleet: Fleet
) -> None:
    revise(shop.workflow, hosts(install(), install("Again"), note("Tell")))
    fleet.inspections["Install"] = [problem("No right to patch it", "The quota is used up.")]
    fleet.inspections["Again"] = [problem("The image is not there.")]
    failed = shop.deploy("1.4.1")
    assert (failed.status, failed.code) == (Status.FAILED, "NOT_READY")
    assert failed.message == (
        "Install: No right to patch it. Install: The quota is used up. "
        "Again: The image is not there. Nothing was touched."
    )
    assert fleet.calls == []
    assert statuses(failed) == {StepStatus.SKIPPED}
    assert [(spec.name, captured) for spec, captured in fleet.inspected] == [
        ("Install", None),
        ("Again", None),
    ]


def test_a_rollback_with_problems_touches_nothing_and_may_be_started_again(
    shop: Scene, fleet: Fleet
) -> None:
    shop.deploy("1.4.1")
    first = dict(fleet.runs)
    bad = shop.deploy("1.4.2")
    left = dict(fleet.runs)
    fleet.inspected.clear()
    fleet.inspections["Undo Install"] = [problem("No right to patch it")]
    failed = shop.roll_back(bad)
    assert (failed.status, failed.code) == (Status.FAILED, "NOT_READY")
    assert fleet.runs == left
    ((spec, captured),) = fleet.inspected
    assert (spec.release, captured) == (f"{bad.pk}-1.4.2", first)
    fleet.inspections.clear()
    assert shop.roll_back(bad).status == Status.SUCCEEDED
    assert fleet.runs == first


def test_the_same_problem_of_every_phase_is_said_once(canary: Scene, fleet: Fleet) -> None:
    fleet.inspections["Install"] = [problem("No right to patch it")]
    failed = canary.deploy("1.4.1")
    assert failed.message == "Install: No right to patch it. Nothing was touched."
    assert len(fleet.inspected) == 3


def test_a_fault_that_passes_is_no_problem(shop: Scene, fleet: Fleet) -> None:
    fleet.inspections["Install"] = [PASSING, PASSING, PASSING, FINE]
    assert shop.deploy("1.4.1").status == Status.SUCCEEDED
    assert len(fleet.inspected) == 4


@pytest.mark.parametrize(("fault", "asked"), [(PASSING, 4), (LASTING, 1)])
def test_a_fault_that_lasts_is_a_problem(
    shop: Scene, fleet: Fleet, fault: PlatformError, asked: int
) -> None:
    fleet.inspections["Install"] = [fault]
    failed = shop.deploy("1.4.1")
    assert (failed.status, failed.code) == (Status.FAILED, "NOT_READY")
    assert failed.message == f"Install: {fault}. Nothing was touched."
    assert (len(fleet.inspected), fleet.calls) == (asked, [])


def test_only_what_could_not_be_asked_is_asked_again(shop: Scene, fleet: Fleet) -> None:
    revise(shop.workflow, hosts(install(), install("Again")))
    fleet.inspections["Again"] = [PASSING, FINE]
    assert shop.deploy("1.4.1").status == Status.SUCCEEDED
    assert [spec.name for spec, _ in fleet.inspected] == ["Install", "Again", "Again"]


def test_what_has_begun_is_not_asked_about_again(
    shop: Scene, fleet: Fleet, points: faults.Points
) -> None:
    deployment = shop.start("1.4.1")
    points.dies = lambda number: points.passed[-1] == "after a change of a host"
    assert not faults.work(deployment)
    points.live()
    fleet.inspections["Install"] = [problem("Too late")]
    done = faults.finish(deployment)
    assert (done.status, len(fleet.inspected)) == (Status.SUCCEEDED, 1)


def test_going_back_after_a_failure_is_not_held_up(shop: Scene, fleet: Fleet) -> None:
    shop.deploy("1.4.1")
    fleet.broken["web-2"] = "apply"
    fleet.inspections["Undo Install"] = [problem("No right to patch it")]
    assert shop.deploy("1.4.2").code == "ROLLED_BACK"


def test_a_worker_that_is_to_end_leaves_the_asking_to_another_one(
    shop: Scene, fleet: Fleet
) -> None:
    revise(shop.workflow, hosts(install(), install("Again")))
    deployment, machine = shop.start("1.4.1"), Runtime()
    fleet.point = lambda label: machine.leave() if label == "inspect" else None
    execution.execute(deployment.pk, "worker", machine)
    assert ([spec.name for spec, _ in fleet.inspected], fleet.calls) == (["Install"], [])
    fleet.inspected.clear()
    assert faults.finish(deployment).status == Status.SUCCEEDED
    assert [spec.name for spec, _ in fleet.inspected] == ["Install", "Again"]


def test_warnings_stand_in_the_log_of_their_step_once(
    shop: Scene, fleet: Fleet, points: faults.Points
) -> None:
    fleet.inspections["Install"] = [Inspection(warnings=("Somebody scales it too.", "It is big."))]
    deployment = shop.start("1.4.1")
    points.dies = lambda number: (
        "inspect" in points.passed and points.passed[-1] == "after a journal write"
    )
    assert not faults.work(deployment)
    assert len(warned()) == 2
    points.live()
    assert faults.finish(deployment).status == Status.SUCCEEDED
    assert warned() == ["Warning: Somebody scales it too.", "Warning: It is big."]


def test_who_lost_the_right_before_anything_was_begun_is_asked_about_again(
    shop: Scene, fleet: Fleet
) -> None:
    engineers = UserGroup.objects.get(name="Engineers")
    fleet.point = lambda label: (
        administration.set_permissions(engineers, NOTHING, by=None) if label == "inspect" else None
    )
    paused = shop.deploy("1.4.1")
    assert (paused.status, paused.code) == (Status.PAUSED, "RIGHT_LOST")
    fleet.point = lambda label: None
    fleet.inspections["Install"] = [problem("No right to patch it")]
    Deployment.objects.filter(pk=paused.pk).update(status=Status.RUNNING, lease_until=None)
    assert run(paused).code == "NOT_READY"


def test_a_platform_that_this_release_does_not_have_is_not_asked(
    shop: Scene, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.deploy("1.4.1")
    rollback = shop.confirm(shop.deploy("1.4.2"))
    fleet.inspected.clear()
    monkeypatch.delitem(platforms.PLATFORMS, "SSH")
    assert run(rollback).code == "STEP_FAILED"
    assert fleet.inspected == []


def test_what_cannot_be_asked_just_now_holds_up_no_rollback(shop: Scene, fleet: Fleet) -> None:
    shop.deploy("1.4.1")
    bad = shop.deploy("1.4.2")
    fleet.inspections["Undo Install"] = [PASSING]
    done = shop.roll_back(bad)
    assert (done.status, done.code) == (Status.SUCCEEDED, "VERIFIED"), done.message
    assert any("could not be asked about before" in line for line in warned())
