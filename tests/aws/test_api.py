"""Reading is repeated, writing is not, unless AWS has said that nothing happened."""

import threading
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

import pytest

from rollbacks.pacing import SHARE_OF_WAYS_BACK
from rollbacks.platforms.aws import api as module
from rollbacks.platforms.aws.api import Api, Lost, Refused
from rollbacks.platforms.aws.limits import limit_of
from rollbacks.platforms.base import PlatformError, Stopped
from tests.aws.cloud import Answer, Drop, FakeCloud, Throttled
from tests.aws.cloud.rates import rate_of
from tests.aws.scene import service_of
from tests.aws.target import target_of, written
from tests.platforms.ssh.control import RecordingControl


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE_SECONDS", 0.001)


@pytest.fixture
def api(cloud: FakeCloud) -> Api:
    return Api(target_of(cloud, written(cloud.account(["ecs:*", "autoscaling:*", "iam:*"]))))


class LocalPace:
    """Token buckets of one process, for a way back."""

    def __init__(self) -> None:
        self._full_at: dict[str, float] = defaultdict(float)
        self._lock = threading.Lock()
        self.buckets: set[str] = set()

    def take(self, bucket: str, rate: float, burst: int) -> float:
        with self._lock:
            self.buckets.add(bucket)
            now = time.monotonic()
            rate, size = rate * SHARE_OF_WAYS_BACK, burst * SHARE_OF_WAYS_BACK
            self._full_at[bucket] = max(self._full_at[bucket], now) + 1 / rate
            return max(0.0, self._full_at[bucket] - now - size / rate)


@pytest.mark.parametrize("fault", [Throttled(), Answer(500), Answer(503), Drop()])
def test_a_read_is_asked_again(
    cloud: FakeCloud, api: Api, fault: Throttled | Answer | Drop
) -> None:
    cloud.fail("ecs:ListClusters", how=fault)
    api.read("ecs", "list_clusters")


def test_a_read_that_stays_without_an_answer_passes(cloud: FakeCloud, api: Api) -> None:
    cloud.fail("ecs:ListClusters", times=4, how=Drop())
    with pytest.raises(PlatformError, match="no answer to list_clusters") as raised:
        api.read("ecs", "list_clusters")
    assert not raised.value.permanent


def test_a_throttled_write_is_sent_again_behind_a_checkpoint(cloud: FakeCloud, api: Api) -> None:
    cluster, control = cloud.name("made"), RecordingControl()
    cloud.fail("ecs:CreateCluster", times=3, how=Throttled())
    api.write(control, "ecs", "create_cluster", clusterName=cluster)
    assert control.checkpoints == 4
    assert cluster in str(api.read("ecs", "list_clusters"))


def test_what_cannot_be_sent_is_no_lost_answer_and_shows_no_value(api: Api) -> None:
    wrong = {"clusterName": ["canary-secret"]}
    with pytest.raises(PlatformError, match="create_cluster was not sent") as raised:
        api.write(RecordingControl(), "ecs", "create_cluster", **wrong)
    assert raised.value.permanent
    assert not isinstance(raised.value, Lost)
    assert "canary" not in str(raised.value)
    with pytest.raises(PlatformError, match="describe_clusters was not sent"):
        api.read("ecs", "describe_clusters", clusters="canary-secret")


def test_a_write_that_stays_throttled_is_for_later(cloud: FakeCloud, api: Api) -> None:
    cloud.fail("ecs:CreateCluster", times=module.WRITE_ATTEMPTS, how=Throttled())
    with pytest.raises(Refused, match="AWS is busy with CreateCluster: Rate exceeded") as raised:
        api.write(RecordingControl(), "ecs", "create_cluster", clusterName=cloud.name("c"))
    assert not raised.value.permanent


@pytest.mark.parametrize("after_effect", [False, True])
def test_a_write_without_an_answer_is_sent_once(
    cloud: FakeCloud, api: Api, after_effect: bool
) -> None:
    service = service_of(cloud)
    cloud.fail("ecs:UpdateService", how=Drop(after_effect))
    before = len(cloud.requests)
    with pytest.raises(Lost, match="no answer to update_service") as raised:
        api.write(
            RecordingControl(),
            "ecs",
            "update_service",
            cluster=service.cluster,
            service=service.name,
            desiredCount=1,
        )
    assert not raised.value.permanent
    assert [each.action for each in cloud.requests[before:]] == ["UpdateService"]


@pytest.mark.parametrize("code", [500, 503])
def test_a_write_to_an_ill_service_may_have_happened(cloud: FakeCloud, api: Api, code: int) -> None:
    cloud.fail("ecs:CreateCluster", how=Answer(code))
    with pytest.raises(Lost, match="did not say what became of CreateCluster"):
        api.write(RecordingControl(), "ecs", "create_cluster", clusterName=cloud.name("c"))


def test_who_was_stopped_sends_nothing(cloud: FakeCloud, api: Api) -> None:
    before = len(cloud.requests)
    with pytest.raises(Stopped):
        api.write(RecordingControl(stop_at=1), "ecs", "create_cluster", clusterName="never")
    assert len(cloud.requests) == before


def test_a_refusal_has_awss_word_and_reason(cloud: FakeCloud, api: Api) -> None:
    with pytest.raises(
        Refused, match=r"AWS refuses DescribeServices: .*\(ClusterNotFoundExcep"
    ) as r:
        api.read("ecs", "describe_services", cluster="nowhere", services=["web"])
    assert (r.value.code, r.value.permanent) == ("ClusterNotFoundException", True)


def test_all_pages_are_read(cloud: FakeCloud, api: Api) -> None:
    made = {cloud.auto_scaling_group(count=0) for _ in range(3)}
    found = api.pages(
        "autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups", MaxRecords=1
    )
    assert made <= {each["AutoScalingGroupName"] for each in found}


@pytest.mark.parametrize(
    ("service", "operation", "action"),
    [
        ("ecs", "describe_services", "DescribeServices"),
        ("ecs", "update_service", "UpdateService"),
        ("ecs", "create_service", "CreateService"),
        ("ecs", "delete_service", "DeleteService"),
        ("ecs", "register_task_definition", "RegisterTaskDefinition"),
        ("ecs", "deregister_task_definition", "DeregisterTaskDefinition"),
        ("ecs", "describe_task_definition", "DescribeTaskDefinition"),
        ("ecs", "list_task_definitions", "ListTaskDefinitions"),
        ("ecs", "describe_service_deployments", "DescribeServiceDeployments"),
        ("ecs", "list_service_deployments", "ListServiceDeployments"),
        ("ecs", "describe_service_revisions", "DescribeServiceRevisions"),
        ("ecs", "describe_tasks", "DescribeTasks"),
        ("ecs", "list_tasks", "ListTasks"),
        ("ecs", "describe_clusters", "DescribeClusters"),
        ("ecs", "describe_container_instances", "DescribeContainerInstances"),
        ("ecs", "list_tags_for_resource", "ListTagsForResource"),
        ("ecs", "tag_resource", "TagResource"),
        ("ecs", "untag_resource", "UntagResource"),
        ("elbv2", "describe_target_health", "DescribeTargetHealth"),
        ("elbv2", "modify_rule", "ModifyRule"),
        ("elbv2", "modify_listener", "ModifyListener"),
        ("elbv2", "register_targets", "RegisterTargets"),
        ("ec2", "describe_images", "DescribeImages"),
        ("ec2", "create_launch_template_version", "CreateLaunchTemplateVersion"),
        ("ec2", "delete_launch_template_versions", "DeleteLaunchTemplateVersions"),
    ],
)
def test_the_limits_are_those_that_are_published(service: str, operation: str, action: str) -> None:
    published = rate_of(service, action)
    assert published is not None
    ours = limit_of(service, operation)
    assert (ours.rate, ours.burst) == (published.sustained, published.burst)


def test_what_shares_a_bucket_with_aws_shares_one_with_us() -> None:
    together = [limit_of("ecs", f"{verb}_service").name for verb in ("create", "update", "delete")]
    assert len(set(together)) == 1
    assert limit_of("ecs", "describe_services").name != limit_of("ecs", "describe_tasks").name


def test_many_at_once_meet_no_limit() -> None:
    """Three workers of eight threads; the published buckets would be empty at once."""
    with FakeCloud() as cloud:
        pace = LocalPace()
        text = written(cloud.account(["*"]))
        targets = [target_of(cloud, text, pace) for _ in range(3)]
        for each in targets:
            Api(each).read("ecs", "list_clusters")
        cloud.throttling(True)
        before = len(cloud.requests)
        with ThreadPoolExecutor(24) as threads:
            list(
                threads.map(
                    lambda number: Api(targets[number % 3]).read("ecs", "list_clusters"),
                    range(60),
                )
            )
        assert cloud.throttled == 0
        asked = [each.action for each in cloud.requests[before:]]
        assert asked.count("ListClusters") == 60
        assert pace.buckets == {f"aws/{cloud.account_id}/{cloud.region}/ecs/cluster read"}


def test_whoever_would_wait_too_long_is_told_so(cloud: FakeCloud) -> None:
    class Slow:
        def take(self, bucket: str, rate: float, burst: int) -> float:
            return 1000.0

    target = target_of(cloud, written(cloud.account(["*"])), Slow())
    with pytest.raises(
        PlatformError, match="list_clusters of AWS would have to wait 1000 s"
    ) as raised:
        Api(target).read("ecs", "list_clusters")
    assert not raised.value.permanent
