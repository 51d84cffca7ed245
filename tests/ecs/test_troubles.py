"""What goes wrong on AWS, and somebody else's hands: named, and taken back."""

from collections import Counter
from collections.abc import Iterator

import pytest
from django.utils import timezone

from dashboard.models import Deployment, Status
from rollbacks import actions, readiness
from rollbacks.pacing import SharedPace
from rollbacks.plan import Configuration
from rollbacks.platforms.base import Inspection
from tests.aws.cloud import FakeCloud
from tests.aws.waiting import gives_up, until
from tests.aws.wire import Wire
from tests.ecs.conftest import PACED, Open
from tests.ecs.shop import LEAST, Shop
from tests.ecs.test_every_type import CASES, DOWNSIZED, succeeded
from tests.nightly import IS_NIGHTLY

LAUNCH_TYPES = ["EC2", "FARGATE"]


def failed_and_back(deployment: Deployment) -> Deployment:
    assert (deployment.status, deployment.code) == (Status.FAILED, "ROLLED_BACK"), (
        deployment.message
    )
    return deployment


def inspected(shop: Shop, deployment: Deployment) -> Inspection:
    """What the dialog of its rollback says, of all steps together."""
    plan, refusals = actions.confirmation(
        deployment, shop.scene.engineer, Configuration.CURRENT, timezone.now()
    )
    assert plan is not None, refusals
    told = [each.inspection for each in readiness.of_plan(plan)]
    return Inspection(
        tuple(each for one in told for each in one.differences),
        tuple(each for one in told for each in one.warnings),
        tuple(each for one in told for each in one.problems),
    )


def said(deployment: Deployment) -> str:
    return " ".join(
        [
            deployment.message,
            *(each.message for phase in deployment.phases.all() for each in phase.steps.all()),
        ]
    )


def has_said(shop: Shop, words: str) -> bool:
    """Whether an event of a service has these."""
    events = (event for each in shop.services().values() for event in each["events"])
    return any(words in each["message"] for each in events)


@pytest.mark.parametrize("launch_type", LAUNCH_TYPES)
def test_a_circuit_breaker_that_goes_back_by_itself_is_a_failure_with_its_reason(
    open_shop: Open, launch_type: str
) -> None:
    shop = open_shop(breaker=True, launch_type=launch_type)
    succeeded(shop.deploy("1.4.1"))
    before = shop.everything()
    bad = failed_and_back(shop.deploy("crash-1.4.2"))
    assert "circuit breaker" in said(bad)
    assert shop.everything() == before


@pytest.mark.parametrize(
    ("case", "launch_type"),
    [
        (case, launch_type)
        for case in ("BASIC", "CANARY", "BLUE_GREEN")
        for launch_type in LAUNCH_TYPES
        if IS_NIGHTLY or (case, launch_type) not in (("CANARY", "EC2"), ("BLUE_GREEN", "FARGATE"))
    ],
)
def test_targets_that_are_never_healthy(
    open_shop: Open, monkeypatch: pytest.MonkeyPatch, case: str, launch_type: str
) -> None:
    shop = open_shop(**CASES[case], launch_type=launch_type)
    succeeded(shop.deploy("1.4.1"))
    before = shop.everything()
    gives_up(monkeypatch, lambda: has_said(shop, "unhealthy"))
    bad = failed_and_back(shop.deploy("unready-1.4.2"))
    assert "unhealthy" in said(bad)
    assert shop.everything() == before


def test_a_shortage_is_told_in_ecs_own_words(
    open_shop: Open, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = open_shop()
    before = shop.everything()
    shop.cloud.shortage("FARGATE")

    def ends(operation: str) -> None:
        if wire.sent.count("update_service") == 1:
            shop.cloud.shortage("FARGATE", is_on=False)

    wire.before = ends
    gives_up(monkeypatch, lambda: has_said(shop, "Capacity is unavailable"))
    try:
        bad = shop.deploy("1.4.2")
    finally:
        shop.cloud.shortage("FARGATE", is_on=False)
    failed_and_back(bad)
    assert "Capacity is unavailable at this time" in said(bad)
    assert shop.everything() == before


def test_no_room_on_instances_is_told_in_ecs_own_words(
    open_shop: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = open_shop(launch_type="EC2", instances=1, desired=14)
    gives_up(monkeypatch, lambda: has_said(shop, "unable to place a task"), times=2)
    bad = shop.deploy("1.4.2")
    assert "unable to place a task" in said(bad)


@pytest.mark.parametrize("case", ["BASIC", "CANARY"])
def test_somebody_elses_counts_in_between_are_shown_and_taken_back(
    open_shop: Open, case: str
) -> None:
    shop = open_shop(**CASES[case])
    succeeded(shop.deploy("1.4.1"))
    before = shop.everything()
    bad = succeeded(shop.deploy("1.4.2"))
    shop.update("" if case == "BASIC" else "1", desiredCount=1)
    shop.settle()
    lines = [line for each in inspected(shop, bad).differences for line in each.lines]
    assert [line.strip() for line in lines if "tasks: " in line or "count: 2" in line]
    succeeded(shop.scene.roll_back(bad))
    assert shop.everything() == before


@pytest.mark.parametrize("was_scaled", [True, False])
def test_somebody_elses_auto_scaling_in_place_is_shown_and_taken_back(
    open_shop: Open, was_scaled: bool
) -> None:
    shop = open_shop()
    if was_scaled:
        shop.scale("", 2, 8)
    succeeded(shop.deploy("1.4.1"))
    before = shop.everything()
    bad = succeeded(shop.deploy("1.4.2"))
    shop.scale("", 1, 1)
    shop.settle()
    lines = [line for each in inspected(shop, bad).differences for line in each.lines]
    assert any(line.startswith("-") and "maximum: 1" in line for line in lines)
    succeeded(shop.scene.roll_back(bad))
    assert shop.everything() == before
    assert (shop.scaling() is not None) is was_scaled


def test_a_right_to_auto_scaling_is_only_missed_where_services_scale(
    open_shop: Open, wire: Wire
) -> None:
    missing = "application-autoscaling:RegisterScalableTarget"
    shop = open_shop(actions=[each for each in LEAST if each != missing])
    succeeded(shop.deploy("1.4.1"))
    shop.scale("", 1, 4)
    wire.sent.clear()
    assert f"may not {missing}" in said(shop.deploy("1.4.2"))
    assert wire.sent == []


@pytest.mark.parametrize("case", ["BASIC", "CANARY"])
def test_somebody_elses_settings_in_between_are_taken_back(open_shop: Open, case: str) -> None:
    shop = open_shop(**CASES[case])
    name = "" if case == "BASIC" else "1"
    succeeded(shop.deploy("1.4.1"))
    before = shop.everything()
    bad = succeeded(shop.deploy("1.4.2"))
    shop.update(
        name,
        capacityProviderStrategy=[{"capacityProvider": "FARGATE_SPOT", "weight": 1}],
        forceNewDeployment=True,
        healthCheckGracePeriodSeconds=7,
    )
    shop.settle()
    succeeded(shop.scene.roll_back(bad))
    after = shop.everything()
    assert after["services"][name or shop.base].pop("healthCheckGracePeriodSeconds") == 0
    assert after == before


def test_a_base_that_only_one_service_may_be_is_a_problem(open_shop: Open, wire: Wire) -> None:
    shop = open_shop(**CASES["CANARY"])
    offered = {"portName": "web", "discoveryName": "shop"}
    connect = {"enabled": True, "namespace": "shop", "services": [offered]}
    shop.update(serviceConnectConfiguration=connect)
    shop.settle()
    assert "known to Service Connect as shop" in said(shop.deploy("1.4.1"))
    assert wire.sent == []


def test_somebody_elses_task_definition_in_between_is_drift(open_shop: Open) -> None:
    shop = open_shop()
    succeeded(shop.deploy("1.4.1"))
    before = shop.everything()
    bad = succeeded(shop.deploy("1.4.2"))
    shop.update(taskDefinition=before["services"][shop.base]["taskDefinition"])
    shop.settle()
    shop.update(
        taskDefinition=shop.cloud.task_definition(shop.family, "theirs", cpu="512", memory="1024")
    )
    shop.settle()
    (warning,) = inspected(shop, bad).warnings
    assert "which this deployment did not bring: somebody has changed it since" in warning
    succeeded(shop.scene.roll_back(bad))
    assert shop.everything() == before


def test_somebody_elses_change_while_we_wait_ends_the_step(open_shop: Open, wire: Wire) -> None:
    shop = open_shop()
    first = shop.look()["taskDefinition"]

    def interfere(operation: str) -> None:
        if operation == "update_service":
            wire.calm()
            shop.update(taskDefinition=first)

    wire.after = interfere
    bad = failed_and_back(shop.deploy("slow-1.4.2"))
    assert "was changed by somebody else" in said(bad)
    assert shop.look()["taskDefinition"] == first


def test_a_deregistered_revision_is_a_problem_before_anything_is_touched(open_shop: Open) -> None:
    shop = open_shop()
    succeeded(shop.deploy("1.4.1"))
    first = shop.look()["taskDefinition"]
    bad = succeeded(shop.deploy("1.4.2"))
    shop.ecs.deregister_task_definition(taskDefinition=first)
    assert any("was deregistered" in each for each in inspected(shop, bad).problems)


def test_an_old_service_that_was_deleted_is_a_problem(open_shop: Open) -> None:
    shop = open_shop(**CASES["CANARY"])
    succeeded(shop.deploy("1.4.1"))
    bad = succeeded(shop.deploy("1.4.2"))
    shop.ecs.delete_service(cluster=shop.cluster, service=f"{shop.key}__1")
    until(lambda: "1" not in shop.counts())
    assert any("was deleted by somebody" in each for each in inspected(shop, bad).problems)


@pytest.mark.parametrize("case", ["CANARY", "BLUE_GREEN"])
def test_a_new_service_that_somebody_has_deleted_need_not_come_back(
    open_shop: Open, case: str
) -> None:
    shop = open_shop(**CASES[case])
    succeeded(shop.deploy("1.4.1"))
    before = shop.everything()
    bad = succeeded(shop.deploy("1.4.2"))
    shop.ecs.delete_service(cluster=shop.cluster, service=f"{shop.key}__2", force=True)
    until(lambda: "2" not in shop.counts())
    assert inspected(shop, bad).problems == ()
    succeeded(shop.scene.roll_back(bad))
    assert shop.everything() == before


def test_another_deployment_in_progress_is_told(open_shop: Open) -> None:
    shop = open_shop()
    succeeded(shop.deploy("1.4.1"))
    bad = succeeded(shop.deploy("1.4.2"))
    theirs = shop.cloud.task_definition(shop.family, "slow-theirs")
    with shop.cloud.lasting("slow"):
        shop.update(taskDefinition=theirs)
        assert any("is in progress" in each for each in inspected(shop, bad).warnings)
    shop.settle()


def reconfigure(shop: Shop, **settings: object) -> None:
    infrastructure = shop.scene.infrastructure
    infrastructure.settings = {**infrastructure.settings, **settings}
    infrastructure.save()


@pytest.mark.parametrize("case", ["BASIC", "CANARY"])
def test_what_is_not_there_is_a_problem_before_anything_is_touched(
    open_shop: Open, wire: Wire, case: str
) -> None:
    shop = open_shop(**CASES[case])
    network = shop.look()["networkConfiguration"]["awsvpcConfiguration"]
    shop.cloud.client("ec2").delete_subnet(SubnetId=network["subnets"][0])
    assert "names a subnet that is not there" in said(shop.deploy("1.4.1"))
    reconfigure(shop, launch_type="EC2")
    assert "runs on FARGATE, the infrastructure says EC2" in said(shop.deploy("1.4.2"))
    reconfigure(shop, cluster="none")
    assert "Cluster not found" in said(shop.deploy("1.4.3"))
    assert wire.sent == []


def test_a_daemon_is_rolled_out_in_place_and_back(open_shop: Open) -> None:
    shop = open_shop(launch_type="EC2", instances=3)
    shop.update(desiredCount=0)
    shop.settle()
    shop.base = shop.key = shop.cloud.service(
        shop.cluster, shop.family, launchType="EC2", schedulingStrategy="DAEMON"
    )
    reconfigure(shop, services=[shop.base])
    shop.settle()
    succeeded(shop.deploy("1.4.1"))
    before = shop.everything()
    bad = succeeded(shop.deploy("1.4.2"))
    assert shop.images() == ["1.4.2"] * 3
    succeeded(shop.scene.roll_back(bad))
    assert shop.images() == ["1.4.1"] * 3
    assert shop.everything() == before


RIGHTS = {
    "BASIC": ["ecs:UpdateService", "ecs:RegisterTaskDefinition"],
    "CANARY": ["ecs:CreateService", "application-autoscaling:RegisterScalableTarget"],
    "BLUE_GREEN": ["elasticloadbalancing:ModifyListener", "ecs:TagResource"],
    "BLUE_GREEN by DNS": ["route53:ChangeResourceRecordSets"],
}


@pytest.mark.parametrize(
    ("case", "missing"), [(case, each) for case, many in RIGHTS.items() for each in many]
)
def test_a_missing_right_is_named_before_anything_is_touched(
    open_shop: Open, wire: Wire, case: str, missing: str
) -> None:
    shop = open_shop(**CASES[case], actions=[each for each in LEAST if each != missing])
    deployment = shop.deploy("1.4.1")
    assert deployment.status == Status.FAILED, deployment.message
    assert f"may not {missing}" in said(deployment) or f", {missing}" in said(deployment)
    assert wire.sent == []


@pytest.fixture
def strict() -> Iterator[FakeCloud]:
    """A cloud of its own, for everybody shares its buckets."""
    with FakeCloud() as cloud:
        yield cloud


def test_of_many_services_a_revision_and_the_subnets_are_asked_for_once(
    open_shop: Open, cloud: FakeCloud
) -> None:
    """However many services: one look asks for what they share once, and for themselves batched."""
    shop = open_shop(more_services=11, balanced=False)
    succeeded(shop.deploy("1.4.1"))
    bad = succeeded(shop.deploy("1.4.2"))
    before = len(cloud.requests)
    assert inspected(shop, bad).problems == ()
    asked = Counter(each.action for each in cloud.requests[before:])
    assert asked["DescribeServices"] == 2
    assert (asked["DescribeTaskDefinition"], asked["DescribeSubnets"]) == (2, 1)


def test_published_rates_are_kept_to(
    open_shop: Open, strict: FakeCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = open_shop(cloud=strict, **DOWNSIZED)
    succeeded(shop.deploy("1.4.1"))
    monkeypatch.setattr(SharedPace, "take", PACED)
    strict.throttling(True)
    bad = succeeded(shop.deploy("1.4.2"))
    succeeded(shop.scene.roll_back(bad))
    assert strict.throttled == 0
