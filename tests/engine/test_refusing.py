"""Every refusal: how it comes about, what it says, and that nothing is changed by it."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from accounts.policy import Denied
from dashboard.models import (
    ArtifactType,
    Deployment,
    DeploymentFreeze,
    DeploymentType,
    Event,
    Phase,
    Service,
    Status,
    Workflow,
    WorkflowType,
)
from rollbacks import actions, eligibility, menus
from rollbacks.eligibility import SUPPORTED, Code, Refusal, Refused
from rollbacks.plan import Configuration
from tests.engine.conftest import three_phases
from tests.lab import Fleet
from tests.scene import Scene, person, revise, run


def two(shop: Scene) -> Deployment:
    shop.deploy("1.4.1")
    return shop.deploy("1.4.2")


def failed(shop: Scene) -> Deployment:
    two(shop)
    shop.infrastructure.settings = {"hosts": ["web-1", "silent"]}
    shop.infrastructure.save()
    lab = shop.extra["fleet"]
    lab.silent.add("silent")
    return shop.deploy("1.4.3")


def running(shop: Scene) -> Deployment:
    two(shop)
    return shop.start("1.4.3")


def a_rollback(shop: Scene) -> Deployment:
    return shop.roll_back(two(shop))


def rolled_back(shop: Scene) -> Deployment:
    bad = two(shop)
    shop.roll_back(bad)
    return bad


def older(shop: Scene) -> Deployment:
    bad = two(shop)
    shop.deploy("1.4.3")
    return bad


def only_one(shop: Scene) -> Deployment:
    return shop.deploy("1.4.1")


def only_one_of_its_workflow(shop: Scene) -> Deployment:
    shop.deploy("1.4.1")
    other = Workflow.objects.create(
        application=shop.service.application,
        name="Other way",
        workflow_type=WorkflowType.BASIC,
        service=shop.service,
        infrastructure=shop.infrastructure,
    )
    revise(other, {})
    return shop.deploy("1.4.2", workflow=other)


def none_before(shop: Scene) -> Deployment:
    first = shop.deploy("1.4.1")
    Deployment.objects.filter(pk=first.pk).update(artifact=None)
    return shop.deploy("1.4.2")


def none_known_before(shop: Scene) -> Deployment:
    bad = two(shop)
    Deployment.objects.filter(pk=bad.pk).update(replaces=None)
    return bad


def hard_coded(shop: Scene) -> Deployment:
    Service.objects.update(artifact_type=ArtifactType.NONE)
    bad = two(shop)
    Deployment.objects.update(artifact=None)
    return bad


def of_type(workflow_type: WorkflowType) -> Callable[[Scene], Deployment]:
    def deployed(shop: Scene) -> Deployment:
        bad = two(shop)
        Workflow.objects.update(workflow_type=workflow_type)
        return bad

    return deployed


def workflow_deleted(shop: Scene) -> Deployment:
    bad = two(shop)
    Workflow.objects.update(archived_at=timezone.now())
    return bad


def nothing_recorded(shop: Scene) -> Deployment:
    bad = two(shop)
    Phase.objects.filter(deployment=bad).update(instances=None)
    return bad


def pruned(shop: Scene) -> Deployment:
    step = {"name": "Install", "kind": "lab.install", "settings": {"prune": True}}
    revise(shop.workflow, {"phases": [{"name": "Hosts", "steps": [step]}]})
    return two(shop)


def busy(shop: Scene) -> Deployment:
    bad = two(shop)
    shop.start("1.4.3")
    return bad


def frozen(shop: Scene) -> Deployment:
    bad = two(shop)
    freeze()
    return bad


def freeze() -> DeploymentFreeze:
    return DeploymentFreeze.objects.create(
        name="Black Friday", starts_at=timezone.now() - timedelta(hours=1)
    )


def step_renamed(shop: Scene) -> Deployment:
    bad = two(shop)
    renamed = {"name": "Hosts", "steps": [{"name": "Put", "kind": "lab.install"}]}
    revise(shop.workflow, {"phases": [renamed]})
    return bad


def of_another_platform(shop: Scene) -> Deployment:
    bad = two(shop)
    Service.objects.update(deployment_type=DeploymentType.PCF)
    return bad


IN_THE_WAY = {Code.ALREADY_ROLLED_BACK, Code.NOT_CURRENT, Code.TARGET_BUSY}
CASES: list[tuple[Code, Callable[[Scene], Deployment]]] = [
    (Code.NOT_SUCCEEDED, failed),
    (Code.NOT_SUCCEEDED, running),
    (Code.IS_ROLLBACK, a_rollback),
    (Code.ALREADY_ROLLED_BACK, rolled_back),
    (Code.NOT_CURRENT, older),
    (Code.NO_PREVIOUS, only_one),
    (Code.NO_PREVIOUS, only_one_of_its_workflow),
    (Code.NO_PREVIOUS_ARTIFACT, none_before),
    (Code.NO_PREVIOUS_ARTIFACT, none_known_before),
    (Code.ARTIFACT_HARD_CODED, hard_coded),
    (Code.MULTI_SERVICE, of_type(WorkflowType.MULTI_SERVICE)),
    (Code.UNSUPPORTED, of_type(WorkflowType.ROLLING)),
    (Code.UNSUPPORTED, of_type(WorkflowType.BUILD)),
    (Code.WORKFLOW_DELETED, workflow_deleted),
    (Code.INSTANCES_NOT_RECORDED, nothing_recorded),
    (Code.IRREVERSIBLE, pruned),
    (Code.TARGET_BUSY, busy),
    (Code.FROZEN, frozen),
    (Code.STEP_NOT_CAPTURED, step_renamed),
    (Code.CANNOT_PLAN, of_another_platform),
]


@pytest.mark.parametrize(
    ("code", "arrange"), CASES, ids=[f"{code}-{number}" for number, (code, _) in enumerate(CASES)]
)
def test_a_refusal_says_why_and_what_to_do_and_changes_nothing(
    shop: Scene, fleet: Fleet, code: Code, arrange: Callable[[Scene], Deployment]
) -> None:
    shop.extra["fleet"] = fleet
    deployment = Deployment.objects.get(pk=arrange(shop).pk)
    now = timezone.now()
    _, found = actions.confirmation(deployment, shop.engineer, Configuration.CURRENT, now)
    assert code in {refusal.code for refusal in found}
    for refusal in found:
        require_a_sentence(refusal)
    if code in IN_THE_WAY:
        assert all(each.url for each in found if each.code == code)
    before = everything(shop, fleet)
    with pytest.raises(Refused) as refused:
        actions.roll_back(
            deployment.pk, shop.engineer, actions.RollbackRequest(seen="whatever"), now
        )
    assert [each.code for each in refused.value.refusals] == [each.code for each in found]
    assert everything(shop, fleet) == before


def everything(shop: Scene, fleet: Fleet) -> object:
    """What a refusal must not change."""
    return (
        list(Deployment.objects.order_by("pk").values_list("pk", "status", "version")),
        Event.objects.count(),
        Phase.objects.count(),
        shop.target.latest_deployment_id,
        dict(fleet.runs),
        len(fleet.calls),
    )


def require_a_sentence(refusal: Refusal) -> None:
    for text in (refusal.sentence, refusal.remedy):
        assert text[0].isupper(), text
        assert text.endswith("."), text
        assert ".." not in text, text
        assert len(text.split()) >= 2, text
    assert bool(refusal.url) == bool(refusal.link_text)


def test_every_code_that_refuses_a_rollback_is_tried() -> None:
    of_others = {Code.NOT_FINISHED, Code.WAS_ROLLED_BACK, Code.DECISION_NEEDED}
    assert {code for code, _ in CASES} == set(Code) - of_others


def test_the_documentation_explains_every_code() -> None:
    page = (Path(settings.BASE_DIR) / "docs" / "eligibility.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    explained = [line.split("`")[1] for line in rows]
    assert sorted(explained) == sorted(Code)
    for row in rows:
        _, _, meaning, remedy, _ = (cell.strip() for cell in row.split("|"))
        assert meaning
        assert remedy


MATRIX = {
    DeploymentType.KUBERNETES: "BASIC CANARY BLUE_GREEN ROLLING",
    DeploymentType.SSH: "BASIC CANARY BLUE_GREEN",
    DeploymentType.PCF: "BASIC CANARY BLUE_GREEN",
    DeploymentType.WINRM: "BASIC CANARY BLUE_GREEN",
    DeploymentType.ECS: "BASIC CANARY BLUE_GREEN ROLLING",
    DeploymentType.AMI: "BASIC CANARY BLUE_GREEN",
}


@pytest.mark.parametrize("workflow_type", list(WorkflowType))
@pytest.mark.parametrize("platform", list(DeploymentType))
def test_the_support_matrix_is_the_references(
    platform: DeploymentType, workflow_type: WorkflowType
) -> None:
    assert (workflow_type in SUPPORTED[platform]) == (
        workflow_type.value in MATRIX[platform].split()
    )


def test_the_menu_gives_the_refusal_as_its_reason(shop: Scene, fleet: Fleet) -> None:
    only = Deployment.objects.get(pk=only_one(shop).pk)
    item = menus.of_panel(only, shop.engineer, timezone.now())[0]
    assert item.label == "Rollback Deployment"
    assert not item.is_enabled
    assert item.reason == eligibility.refusals(only, timezone.now())[0].sentence


def test_what_was_deployed_decides_whether_there_is_a_way_back(canary: Scene) -> None:
    """Not what the workflow says today; and it is said once, however many phases there are."""
    phases = three_phases()
    for phase in phases:
        phase["steps"] = [{"name": "Install", "kind": "lab.install", "settings": {"prune": True}}]
    revise(canary.workflow, {"phases": phases})
    canary.deploy("1.4.1")
    bad = canary.deploy("1.4.2")
    revise(canary.workflow, {"phases": three_phases()})
    (found,) = eligibility.refusals(Deployment.objects.get(pk=bad.pk), timezone.now())
    assert (found.code, found.sentence) == (
        Code.IRREVERSIBLE,
        "With prune, nothing is left to return to.",
    )
    good = canary.deploy("1.4.3")
    assert eligibility.refusals(Deployment.objects.get(pk=good.pk), timezone.now()) == []


def test_a_busy_target_names_who_and_what_is_in_the_way(shop: Scene) -> None:
    bad = two(shop)
    rollback = shop.confirm(bad)
    bad = Deployment.objects.get(pk=bad.pk)
    found = eligibility.refusals(bad, timezone.now())
    assert [each.code for each in found] == [Code.TARGET_BUSY]
    assert found[0].sentence == (
        f"This deployment is being rolled back: rollback {rollback.pk} by engineer is queued."
    )
    assert found[0].url.endswith(f"/{rollback.pk}/")


@pytest.mark.parametrize(
    ("arrange", "codes"),
    [
        (a_rollback, [Code.IS_ROLLBACK]),
        (running, [Code.NOT_FINISHED]),
        (rolled_back, [Code.WAS_ROLLED_BACK]),
        (workflow_deleted, [Code.WORKFLOW_DELETED]),
        (frozen, [Code.FROZEN]),
        (older, []),
        (failed, []),
    ],
)
def test_a_rerun_is_refused_with_its_reasons(
    shop: Scene, fleet: Fleet, arrange: Callable[[Scene], Deployment], codes: list[Code]
) -> None:
    shop.extra["fleet"] = fleet
    deployment = Deployment.objects.get(pk=arrange(shop).pk)
    now = timezone.now()
    found = eligibility.rerun_refusals(deployment, now)
    assert [each.code for each in found] == codes
    for refusal in found:
        require_a_sentence(refusal)
    if codes:
        before = everything(shop, fleet)
        with pytest.raises(Refused):
            actions.rerun(deployment, shop.engineer, now)
        assert everything(shop, fleet) == before
    else:
        assert actions.rerun(deployment, shop.engineer, now).status == Status.QUEUED


def test_a_rerun_whose_variables_are_no_longer_the_workflows_is_refused(shop: Scene) -> None:
    revise(shop.workflow, {"variables": [{"name": "COLOR"}]})
    deployment = shop.deploy("1.4.1", variables={"COLOR": "green"})
    revise(shop.workflow, {"variables": [{"name": "SIZE"}]})
    with pytest.raises(Refused) as refused:
        actions.rerun(deployment, shop.engineer, timezone.now())
    (refusal,) = refused.value.refusals
    require_a_sentence(refusal)
    assert "COLOR" in refusal.sentence
    assert "SIZE" in refusal.sentence


def test_a_workflow_is_not_executed_where_it_does_not_belong(shop: Scene) -> None:
    """The right to execute is asked where it lands; so it must not come from elsewhere."""
    elsewhere = shop.another_infrastructure("other hosts", ["db-1"])
    shop.workflow.infrastructure = shop.infrastructure
    shop.workflow.save()
    with pytest.raises(Refused):
        shop.start("1.4.1", infrastructure=elsewhere)
    other = Service.objects.create(
        application=shop.service.application, name="other",
        deployment_type="SSH", artifact_type="ZIP",
    )  # fmt: skip
    foreign = shop.artifact("1.4.1")
    foreign.service = other
    foreign.save()
    with pytest.raises(Refused):
        shop.start("1.4.1", artifact=foreign)
    assert not Deployment.objects.exists()


def test_a_workflow_that_was_deleted_meanwhile_is_not_executed(shop: Scene) -> None:
    Workflow.objects.filter(pk=shop.workflow.pk).update(archived_at=timezone.now())
    with pytest.raises(Refused) as refused:
        shop.start("1.4.1")
    assert refused.value.refusals[0].code == Code.WORKFLOW_DELETED


def test_a_deployment_runs_the_revision_that_is_current_when_it_is_asked_for(shop: Scene) -> None:
    stale = Workflow.objects.select_related("current_revision").get(pk=shop.workflow.pk)
    assert stale.current_revision is not None
    newest = revise(shop.workflow, {})
    assert shop.start("1.4.1", workflow=stale).revision == newest


@pytest.mark.parametrize(
    ("workflow_type", "definition"), [("BASIC", {}), ("CANARY", {"phases": three_phases()})]
)
def test_what_may_be_rolled_back_is_not_refused(
    shop: Scene, workflow_type: str, definition: dict[str, object]
) -> None:
    shop.workflow.workflow_type = workflow_type
    revise(shop.workflow, definition)
    bad = two(shop)
    assert eligibility.refusals(Deployment.objects.get(pk=bad.pk), timezone.now()) == []


def test_the_people_of_the_scene_may_what_they_are_called(shop: Scene) -> None:
    bad = two(shop)
    for nobody in (shop.viewer, shop.stranger, shop.former, person("newcomer")):
        with pytest.raises(Denied):
            shop.confirm(bad, actor=nobody)
    assert run(shop.confirm(bad)).status == Status.SUCCEEDED
