"""Rolling back, deploying, aborting and resuming by the API: the same actions as the pages'."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User, UserGroup
from accounts.vocabulary import AccountPermission, Action
from dashboard.models import Deployment, DeploymentFreeze, Status
from rollbacks import lifecycle
from tests.api.callers import act, data, program, signed_in, verbs
from tests.graphql.conftest import Caller
from tests.lab import Fleet
from tests.scene import Scene, group, person, revise, run

CONFIRM = """query($id: String!, $configuration: RollbackConfiguration! = CURRENT) {
  rollbackConfirmation(executionId: $id, configuration: $configuration) {
    isEligible mayOverrideFreeze refusals { code sentence remedy }
    fromArtifact { buildNo } toArtifact { buildNo }
    execution { id ... on WorkflowExecution { environment { name } } }
    plan {
      fingerprint configuration revision hasChoice reverts leaves newInstances
      cautions { title sentence diff }
      phases { name undoes instances gone
        steps { name kind problem changes { instance what before after } } }
    }
  }
}"""
EXECUTION = "clientMutationId execution { id status ... on WorkflowExecution { rollsBack notes } }"


@pytest.fixture
def engineer(shop: Scene) -> Caller:
    return signed_in(shop.engineer)


@pytest.fixture
def bad(shop: Scene) -> Deployment:
    """What runs, and should not."""
    shop.deploy("1.4.1")
    return shop.deploy("1.4.2")


def confirmation(caller: Caller, deployment: Deployment, **more: Any) -> Any:
    answer = caller.ask(CONFIRM, {"id": str(deployment.pk), **more})
    return data(answer, "rollbackConfirmation")


def roll_back(caller: Caller, deployment: Deployment, fingerprint: str, **more: Any) -> Any:
    sent = {"executionId": str(deployment.pk), "fingerprint": fingerprint, **more}
    return act(caller, "rollbackDeployment", EXECUTION, **sent)


def conflict(answer: Any) -> Any:
    """The extensions of the only error; nothing was answered."""
    assert list(answer["data"].values()) == [None]
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "CONFLICT", error
    return error["extensions"]


def test_a_rollback_takes_two_calls(engineer: Caller, shop: Scene, bad: Deployment) -> None:
    shown = confirmation(engineer, bad)
    assert shown["isEligible"]
    assert shown["refusals"] == []
    assert (shown["fromArtifact"], shown["toArtifact"]) == (
        {"buildNo": "1.4.2"},
        {"buildNo": "1.4.1"},
    )
    assert shown["plan"]["phases"][0]["instances"] == ["web-1", "web-2", "web-3"]
    assert shown["plan"]["phases"][0]["steps"][0]["problem"] == ""
    answer = roll_back(engineer, bad, shown["plan"]["fingerprint"], notes="Checkout fails")
    started = data(answer, "rollbackDeployment")
    assert started["clientMutationId"] == "7"
    assert started["execution"] == {
        "id": started["execution"]["id"],
        "status": "QUEUED",
        "rollsBack": str(bad.pk),
        "notes": "Checkout fails",
    }
    rollback = run(Deployment.objects.get(pk=started["execution"]["id"]))
    assert rollback.status == Status.SUCCEEDED
    assert shop.target.current_deployment == rollback


def test_a_program_with_a_key_rolls_back_too(shop: Scene, bad: Deployment) -> None:
    deployer = program("deployer", UserGroup.objects.get(name="Engineers"))
    fingerprint = confirmation(deployer, bad)["plan"]["fingerprint"]
    started = data(roll_back(deployer, bad, fingerprint), "rollbackDeployment")
    rollback = Deployment.objects.get(pk=started["execution"]["id"])
    assert rollback.started_by.username.startswith("key:")
    assert run(rollback).status == Status.SUCCEEDED


def test_sent_twice_it_is_the_same_rollback(engineer: Caller, shop: Scene, bad: Deployment) -> None:
    fingerprint = confirmation(engineer, bad)["plan"]["fingerprint"]
    first, second = (roll_back(engineer, bad, fingerprint) for _ in range(2))
    assert first == second
    assert bad.rollbacks.count() == 1
    run(bad.rollbacks.get())


def test_a_plan_that_changed_is_answered_with_its_new_fingerprint(
    engineer: Caller, shop: Scene, bad: Deployment
) -> None:
    seen = confirmation(engineer, bad)["plan"]["fingerprint"]
    definition = dict(shop.workflow.revisions.latest("number").definition)
    revise(shop.workflow, {**definition, "variables": [{"name": "color", "default": "blue"}]})
    refused = conflict(roll_back(engineer, bad, seen))
    assert not bad.rollbacks.exists()
    shown = confirmation(engineer, bad)["plan"]
    assert refused["fingerprint"] == shown["fingerprint"] != seen
    assert shown["hasChoice"]
    assert shown["cautions"][0]["title"] == "The workflow was edited since this deployment"
    deployed = confirmation(engineer, bad, configuration="DEPLOYED")["plan"]
    assert deployed["revision"] == 1
    answer = roll_back(engineer, bad, deployed["fingerprint"], configuration="DEPLOYED")
    run(Deployment.objects.get(pk=data(answer, "rollbackDeployment")["execution"]["id"]))


def test_what_may_not_be_rolled_back_says_why(engineer: Caller, shop: Scene) -> None:
    only = shop.deploy("1.4.1")
    shown = confirmation(engineer, only)
    assert not shown["isEligible"]
    assert shown["plan"] is None
    (refusal,) = (each for each in shown["refusals"] if each["code"] == "NO_PREVIOUS")
    assert refusal["sentence"]
    assert refusal["remedy"]
    refused = conflict(roll_back(engineer, only, "0" * 32))
    assert refusal in refused["refusals"]
    assert not only.rollbacks.exists()


def test_who_sees_it_and_may_not_roll_back_is_forbidden_both_calls(
    shop: Scene, bad: Deployment
) -> None:
    viewer = signed_in(shop.viewer)
    for answer in (viewer.ask(CONFIRM, {"id": str(bad.pk)}), roll_back(viewer, bad, "0" * 32)):
        (error,) = answer["errors"]
        assert error["extensions"]["code"] == "FORBIDDEN"
        assert "Rollback Workflow on Shop / production" in error["message"]
    assert not bad.rollbacks.exists()
    assert verbs()[-2:] == ["REFUSED", "REFUSED"]


def test_who_does_not_see_it_is_not_told_that_it_is_there(shop: Scene, bad: Deployment) -> None:
    stranger = signed_in(shop.stranger)
    absent = Deployment(pk=987654321)
    for name in ("rollbackDeployment", "abortExecution", "resumeExecution"):
        more = {"fingerprint": "0" * 32} if name == "rollbackDeployment" else {}
        answers = [act(stranger, name, executionId=str(each.pk), **more) for each in (bad, absent)]
        assert answers[0] == answers[1]
        assert answers[0]["errors"][0]["extensions"] == {"code": "NOT_FOUND"}


def test_a_freeze_is_overridden_by_who_may_with_a_reason(
    engineer: Caller, shop: Scene, bad: Deployment
) -> None:
    fingerprint = confirmation(engineer, bad)["plan"]["fingerprint"]
    DeploymentFreeze.objects.create(
        name="Black Friday", starts_at=timezone.now() - timedelta(hours=1)
    )
    shown = confirmation(engineer, bad)
    assert [each["code"] for each in shown["refusals"]] == ["FROZEN"]
    assert not shown["mayOverrideFreeze"]
    refused = conflict(roll_back(engineer, bad, fingerprint))
    assert [each["code"] for each in refused["refusals"]] == ["FROZEN"]
    override = {"freezeOverride": True, "notes": "Nobody can pay"}
    answer = roll_back(engineer, bad, fingerprint, **override)
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    allowed = AccountPermission.ALLOW_DEPLOYMENTS_DURING_FREEZE
    shop.engineer.groups.add(group("Overriders", account=[allowed]))
    assert confirmation(engineer, bad)["mayOverrideFreeze"]
    answer = roll_back(engineer, bad, fingerprint, freezeOverride=True)
    assert answer["errors"][0]["extensions"]["problems"] == [
        {
            "path": ["input", "notes"],
            "message": "A rollback during a deployment freeze needs a reason.",
        }
    ]
    data(roll_back(engineer, bad, fingerprint, **override), "rollbackDeployment")
    assert run(bad.rollbacks.get()).freeze_override


def test_a_reason_is_as_long_as_in_the_dialog(engineer: Caller, bad: Deployment) -> None:
    fingerprint = confirmation(engineer, bad)["plan"]["fingerprint"]
    answer = roll_back(engineer, bad, fingerprint, notes="x" * 501)
    assert answer["errors"][0]["extensions"]["problems"][0]["path"] == ["input", "notes"]
    assert not bad.rollbacks.exists()


def start_input(shop: Scene, version: str, **more: Any) -> dict[str, Any]:
    """As the documentation of startExecution writes it."""
    build = {"buildNumber": version, "artifactSourceName": "releases"}
    value = {"valueType": "BUILD_NUMBER", "buildNumber": build}
    return {
        "applicationId": str(shop.service.application_id),
        "entityId": str(shop.workflow.pk),
        "executionType": "WORKFLOW",
        "serviceInputs": [{"name": shop.service.name, "artifactValueInput": value}],
        **more,
    }


def test_a_workflow_is_executed_with_a_version_and_variables(engineer: Caller, shop: Scene) -> None:
    shop.artifact("1.4.1")
    definition = dict(shop.workflow.revisions.latest("number").definition)
    revise(shop.workflow, {**definition, "variables": [{"name": "color"}]})
    color = {"name": "color", "variableValue": {"type": "NAME", "value": "blue"}}
    sent = start_input(shop, "1.4.1", variableInputs=[color], notes="Pay by invoice")
    started = data(act(engineer, "startExecution", EXECUTION, **sent), "startExecution")
    deployment = Deployment.objects.get(pk=started["execution"]["id"])
    assert (deployment.note, deployment.variables) == ("Pay by invoice", {"color": "blue"})
    assert run(deployment).status == Status.SUCCEEDED


def test_what_is_wrong_with_an_execution_is_told_and_nothing_starts(
    engineer: Caller, shop: Scene
) -> None:
    shop.artifact("1.4.1")
    color = {"name": "color", "variableValue": {"type": "NAME", "value": "blue"}}
    other = start_input(shop, "1.4.1")["serviceInputs"][0] | {"name": "checkout"}
    for sent, path in (
        (start_input(shop, "9.9.9"), "serviceInputs"),
        (start_input(shop, "1.4.1", serviceInputs=[]), "serviceInputs"),
        (start_input(shop, "1.4.1", serviceInputs=[other]), "serviceInputs"),
        (start_input(shop, "1.4.1", variableInputs=[color]), "variableInputs"),
        (start_input(shop, "1.4.1", executionType="PIPELINE"), "executionType"),
        (start_input(shop, "1.4.1", notes="x" * 501), "notes"),
    ):
        (error,) = act(engineer, "startExecution", **sent)["errors"]
        assert error["extensions"]["code"] == "BAD_USER_INPUT"
        assert error["extensions"]["problems"][0]["path"] == ["input", path]
    for strange in ({"entityId": "987654321"}, {"applicationId": "987654321"},
                    {"infrastructureDefinitionId": "987654321"}):  # fmt: skip
        (error,) = act(engineer, "startExecution", **start_input(shop, "1.4.1", **strange))[
            "errors"
        ]
        assert error["extensions"]["code"] == "NOT_FOUND"
    assert not Deployment.objects.exists()


def test_a_template_is_executed_where_it_is_told_to(engineer: Caller, shop: Scene) -> None:
    shop.artifact("1.4.1")
    there = shop.another_infrastructure("other hosts", ["db-1"])
    (error,) = act(engineer, "startExecution", **start_input(shop, "1.4.1"))["errors"]
    assert error["extensions"]["problems"][0]["path"] == ["input", "infrastructureDefinitionId"]
    sent = start_input(shop, "1.4.1", infrastructureDefinitionId=str(there.pk))
    started = data(act(engineer, "startExecution", EXECUTION, **sent), "startExecution")
    deployment = run(Deployment.objects.get(pk=started["execution"]["id"]))
    assert deployment.target.infrastructure == there


def test_another_infrastructure_than_the_workflows_is_refused(
    engineer: Caller, shop: Scene
) -> None:
    shop.artifact("1.4.1")
    there = shop.another_infrastructure("other hosts", ["db-1"])
    shop.workflow.infrastructure = shop.infrastructure
    shop.workflow.save()
    sent = start_input(shop, "1.4.1", infrastructureDefinitionId=str(there.pk))
    refused = conflict(act(engineer, "startExecution", **sent))
    assert refused["refusals"][0]["code"] == "CANNOT_PLAN"


def test_who_may_not_execute_is_forbidden_and_who_does_not_see_finds_nothing(
    shop: Scene,
) -> None:
    shop.artifact("1.4.1")
    service_reader = group("S", Action.READ, production=False)
    callers: list[tuple[User, str]] = [
        (shop.viewer, "FORBIDDEN"),
        (shop.stranger, "NOT_FOUND"),
        (person("reader", service_reader), "NOT_FOUND"),
    ]
    for user, code in callers:
        (error,) = act(signed_in(user), "startExecution", **start_input(shop, "1.4.1"))["errors"]
        assert error["extensions"]["code"] == code
        if code == "NOT_FOUND":
            assert "production" not in error["message"]
    assert not Deployment.objects.exists()


def test_an_execution_is_aborted_once(engineer: Caller, shop: Scene) -> None:
    queued = shop.start("1.4.1")
    answer = act(engineer, "abortExecution", EXECUTION, executionId=str(queued.pk))
    assert data(answer, "abortExecution")["execution"]["status"] == "ABORTED"
    refused = conflict(act(engineer, "abortExecution", executionId=str(queued.pk)))
    assert refused["refusals"][0]["code"] == "NOT_FINISHED"


def test_a_paused_execution_is_resumed(engineer: Caller, shop: Scene, fleet: Fleet) -> None:
    queued = shop.start("1.4.1")
    refused = conflict(act(engineer, "resumeExecution", executionId=str(queued.pk)))
    assert refused["refusals"][0]["remedy"]
    lifecycle.claim(queued.pk, "worker", timezone.now())
    lifecycle.advance(queued.pk, Status.PAUSED, now=timezone.now(), code="X", message="Why.")
    answer = act(engineer, "resumeExecution", EXECUTION, executionId=str(queued.pk))
    assert data(answer, "resumeExecution")["execution"]["status"] == "RUNNING"
    run(queued)
