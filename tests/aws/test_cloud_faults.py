"""What a test can make go wrong, and what was asked."""

import time

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from .cloud import Answer, Call, Delay, Drop, FakeCloud, Throttled
from .scene import service_of


@pytest.mark.parametrize("after_effect", [False, True])
def test_a_lost_answer_leaves_the_effect_behind(cloud: FakeCloud, after_effect: bool) -> None:
    service = service_of(cloud)
    ecs = cloud.client("ecs", cloud.account(["ecs:*"]))
    cloud.fail("ecs:UpdateService", how=Drop(after_effect))
    with pytest.raises(ConnectionClosedError):
        ecs.update_service(cluster=service.cluster, service=service.name, desiredCount=1)
    assert service.look()["desiredCount"] == (1 if after_effect else 2)


@pytest.mark.parametrize(
    ("service", "call", "code", "status"),
    [
        ("ecs", "list_clusters", "ThrottlingException", 400),
        ("autoscaling", "describe_auto_scaling_groups", "Throttling", 400),
        ("elbv2", "describe_load_balancers", "ThrottlingException", 400),
        ("ec2", "describe_vpcs", "RequestLimitExceeded", 503),
    ],
)
def test_a_throttled_call_is_told_so_in_the_services_words(
    cloud: FakeCloud, service: str, call: str, code: str, status: int
) -> None:
    client = cloud.client(service, cloud.account([f"{service}:*", "elasticloadbalancing:*"]))
    cloud.fail(f"{service}:*", how=Throttled())
    with pytest.raises(ClientError) as raised:
        getattr(client, call)()
    found = raised.value.response
    assert found["Error"]["Code"] == code
    assert found["ResponseMetadata"]["HTTPStatusCode"] == status
    getattr(client, call)()


@pytest.mark.parametrize("code", [500, 503])
def test_a_service_out_of_order(cloud: FakeCloud, code: int) -> None:
    ecs = cloud.client("ecs", cloud.account(["ecs:*"]))
    cloud.fail("ecs:List*", times=2, how=Answer(code))
    for _ in range(2):
        with pytest.raises(ClientError) as raised:
            ecs.list_clusters()
        assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == code
    ecs.list_clusters()


def test_a_delay_delays(cloud: FakeCloud) -> None:
    ecs = cloud.client("ecs", cloud.account(["ecs:*"]))
    cloud.fail(lambda call: call.action == "ListClusters", how=Delay(0.2))
    began = time.monotonic()
    ecs.list_clusters()
    assert time.monotonic() - began >= 0.2


def test_requests_are_those_of_clients_in_order(cloud: FakeCloud) -> None:
    account = cloud.account(["ecs:*"], name="watched")
    cloud.client("ecs").list_clusters()
    cloud.client("ecs", account).list_clusters(maxResults=3)
    cloud.client("sts", account).get_caller_identity()
    arn = f"arn:aws:iam::{cloud.account_id}:user/watched"
    assert [each for each in cloud.requests if each.principal == arn] == [
        Call("ecs", "ListClusters", arn, {"maxResults": 3}),
        Call("sts", "GetCallerIdentity", arn, {}),
    ]


def test_secrets_are_not_among_the_requests(cloud: FakeCloud) -> None:
    ec2 = cloud.client("ec2", cloud.account(["ec2:*"]))
    data = {"ImageId": cloud.image("app"), "UserData": "cGFzc3dvcmQ="}
    ec2.create_launch_template(LaunchTemplateName=cloud.name("t"), LaunchTemplateData=data)
    shown = cloud.requests[-1].parameters["LaunchTemplateData"]
    assert shown == {"ImageId": data["ImageId"], "UserData": "…"}


@pytest.mark.parametrize(
    ("service", "call", "what"),
    [
        ("ecs", "run_task", "RunTask"),
        ("ecs", "create_task_set", "CreateTaskSet"),
        ("autoscaling", "describe_traffic_sources", "DescribeTrafficSources"),
        ("s3", "list_buckets", "the service s3"),
    ],
)
def test_what_is_not_modelled_says_so(cloud: FakeCloud, service: str, call: str, what: str) -> None:
    given: dict[str, dict[str, str]] = {
        "run_task": {"taskDefinition": "x"},
        "create_task_set": {"service": "x", "cluster": "x", "taskDefinition": "x"},
        "describe_traffic_sources": {"AutoScalingGroupName": "x"},
    }
    with pytest.raises(ClientError, match=what) as raised:
        getattr(cloud.client(service), call)(**given.get(call, {}))
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


def test_another_region_is_not_modelled(cloud: FakeCloud) -> None:
    account = cloud.account(["*"])
    client = boto3.client(
        "ecs",
        endpoint_url=cloud.endpoint,
        region_name="us-west-2",
        aws_access_key_id=account["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=account["AWS_SECRET_ACCESS_KEY"],
    )
    with pytest.raises(ClientError, match="the region us-west-2"):
        client.list_clusters()
