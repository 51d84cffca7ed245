"""Who may do what in the fake cloud, and how AWS says that somebody may not."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from .cloud import FakeCloud
from .scene import service_of


def refusal(action: Any, **parameters: Any) -> tuple[str, str, int]:
    with pytest.raises(ClientError) as raised:
        action(**parameters)
    found = raised.value.response
    status = found["ResponseMetadata"]["HTTPStatusCode"]
    return found["Error"]["Code"], found["Error"]["Message"], status


def test_who_may_do_something_else_is_refused_in_awss_words(cloud: FakeCloud) -> None:
    service = service_of(cloud)
    account = cloud.account(["ecs:Describe*"], name="reader")
    ecs = cloud.client("ecs", account)
    assert ecs.describe_services(cluster=service.cluster, services=[service.name])["services"]
    code, message, status = refusal(
        ecs.update_service, cluster=service.cluster, service=service.name, desiredCount=1
    )
    arn = service.look()["serviceArn"]
    assert (code, status) == ("AccessDeniedException", 400)
    assert message == (
        f"User: arn:aws:iam::{cloud.account_id}:user/reader is not authorized to perform: "
        f"ecs:UpdateService on resource: {arn} because no identity-based policy allows the "
        "ecs:UpdateService action"
    )
    assert service.look()["desiredCount"] == 2


@pytest.mark.parametrize(
    ("service", "action", "code"),
    [
        ("autoscaling", "describe_auto_scaling_groups", "AccessDenied"),
        ("elbv2", "describe_load_balancers", "AccessDenied"),
        ("ec2", "describe_instances", "UnauthorizedOperation"),
        ("application-autoscaling", "describe_scalable_targets", "AccessDeniedException"),
        ("servicediscovery", "list_services", "AccessDeniedException"),
        ("route53", "list_hosted_zones", "AccessDenied"),
    ],
)
def test_each_service_has_its_own_word_for_it(
    cloud: FakeCloud, service: str, action: str, code: str
) -> None:
    client = cloud.client(service, cloud.account(["sts:GetCallerIdentity"]))
    given = {"ServiceNamespace": "ecs"} if service == "application-autoscaling" else {}
    found, message, _ = refusal(getattr(client, action), **given)
    assert found == code
    assert "is not authorized to perform: " in message


def test_permissions_can_be_for_some_resources_only(cloud: FakeCloud) -> None:
    mine, other = service_of(cloud), service_of(cloud)
    account = cloud.account(["ecs:UpdateService"], [mine.look()["serviceArn"]])
    ecs = cloud.client("ecs", account)
    ecs.update_service(cluster=mine.cluster, service=mine.name, desiredCount=1)
    code, _, _ = refusal(
        ecs.update_service, cluster=other.cluster, service=other.name, desiredCount=1
    )
    assert code == "AccessDeniedException"


def test_a_role_of_tasks_must_be_passed(cloud: FakeCloud) -> None:
    ecs = cloud.client("ecs", cloud.account(["ecs:*"]))
    role = cloud.role(["s3:*"])
    container = {"name": "web", "image": "web:1", "memory": 64}
    code, message, _ = refusal(
        ecs.register_task_definition,
        family=cloud.name("shop"),
        containerDefinitions=[container],
        executionRoleArn=role,
    )
    assert code == "AccessDeniedException"
    assert f"iam:PassRole on resource: {role}" in message


def test_a_launch_template_needs_the_right_to_run_it(cloud: FakeCloud) -> None:
    template = cloud.launch_template()
    group = cloud.auto_scaling_group(template, 0)
    autoscaling = cloud.client("autoscaling", cloud.account(["autoscaling:*"]))
    autoscaling.update_auto_scaling_group(AutoScalingGroupName=group, MaxSize=3)
    code, message, _ = refusal(
        autoscaling.update_auto_scaling_group,
        AutoScalingGroupName=group,
        LaunchTemplate={"LaunchTemplateId": template, "Version": "1"},
    )
    assert code == "AccessDenied"
    assert message.startswith("You are not authorized to use launch template: template-")


def test_everybody_may_ask_who_they_are(cloud: FakeCloud) -> None:
    found = cloud.client("sts", cloud.account([], name="nobody")).get_caller_identity()
    assert found["Arn"] == f"arn:aws:iam::{cloud.account_id}:user/nobody"
    assert found["Account"] == cloud.account_id


def test_what_one_may_can_be_asked_before(cloud: FakeCloud) -> None:
    account = cloud.account(["iam:SimulatePrincipalPolicy", "ecs:Describe*"], name="careful")
    found = cloud.client("iam", account).simulate_principal_policy(
        PolicySourceArn=f"arn:aws:iam::{cloud.account_id}:user/careful",
        ActionNames=["ecs:DescribeServices", "ecs:UpdateService"],
    )["EvaluationResults"]
    assert [(each["EvalActionName"], each["EvalDecision"]) for each in found] == [
        ("ecs:DescribeServices", "allowed"),
        ("ecs:UpdateService", "implicitDeny"),
    ]


def test_who_may_not_ask_is_refused(cloud: FakeCloud) -> None:
    iam = cloud.client("iam", cloud.account(["ecs:*"], name="curious"))
    arn = f"arn:aws:iam::{cloud.account_id}:user/curious"
    code, _, status = refusal(
        iam.simulate_principal_policy, PolicySourceArn=arn, ActionNames=["ecs:UpdateService"]
    )
    assert (code, status) == ("AccessDenied", 403)


def session(cloud: FakeCloud, role: str, **how: Any) -> dict[str, str]:
    """The environment of somebody who has assumed a role."""
    sts = cloud.client("sts", cloud.account(["sts:AssumeRole"]))
    given = sts.assume_role(RoleArn=role, RoleSessionName="lastgood", **how)["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
        "AWS_SESSION_TOKEN": given["SessionToken"],
    }


def test_a_role_can_be_assumed(cloud: FakeCloud) -> None:
    role = cloud.role(["ecs:List*"], name="rollback")
    account = session(cloud, role)
    found = cloud.client("sts", account).get_caller_identity()["Arn"]
    assert found == f"arn:aws:sts::{cloud.account_id}:assumed-role/rollback/lastgood"
    cloud.client("ecs", account).list_clusters()
    code, message, _ = refusal(cloud.client("elbv2", account).describe_load_balancers)
    assert code == "AccessDenied"
    assert found in message


def test_the_arn_of_a_session_is_not_one_of_a_role(cloud: FakeCloud) -> None:
    role = cloud.role(["iam:SimulatePrincipalPolicy"], name="asking")
    account = session(cloud, role)
    arn = cloud.client("sts", account).get_caller_identity()["Arn"]
    iam = cloud.client("iam", account)
    code, _, _ = refusal(
        iam.simulate_principal_policy, PolicySourceArn=arn, ActionNames=["ecs:UpdateService"]
    )
    assert code == "InvalidInput"
    iam.simulate_principal_policy(PolicySourceArn=role, ActionNames=["ecs:UpdateService"])


@pytest.mark.parametrize("given", [{}, {"ExternalId": "wrong"}])
def test_the_external_id_must_be_right(cloud: FakeCloud, given: dict[str, str]) -> None:
    role = cloud.role(["ecs:*"], external_id="lastgood-42")
    session(cloud, role, ExternalId="lastgood-42")
    with pytest.raises(ClientError, match="is not authorized to perform: sts:AssumeRole"):
        session(cloud, role, **given)


def test_a_session_ends(cloud: FakeCloud) -> None:
    account = session(cloud, cloud.role(["ecs:*", "autoscaling:*"]))
    cloud.end_sessions()
    assert refusal(cloud.client("ecs", account).list_clusters)[0] == "ExpiredTokenException"
    client = cloud.client("autoscaling", account)
    assert refusal(client.describe_auto_scaling_groups)[0] == "ExpiredToken"


def test_a_wrong_secret_is_noticed(cloud: FakeCloud) -> None:
    account = {**cloud.account(["*"]), "AWS_SECRET_ACCESS_KEY": "wrong"}
    assert refusal(cloud.client("ecs", account).list_clusters)[0] == "InvalidSignatureException"
    assert refusal(cloud.client("sts", account).get_caller_identity)[0] == "SignatureDoesNotMatch"


def test_an_unknown_key_is_noticed(cloud: FakeCloud) -> None:
    account = {**cloud.account(["*"]), "AWS_ACCESS_KEY_ID": "AKIAUNKNOWN"}
    assert refusal(cloud.client("ecs", account).list_clusters)[0] == "UnrecognizedClientException"
    assert refusal(cloud.client("elbv2", account).describe_rules, RuleArns=["x"])[0] == (
        "InvalidClientTokenId"
    )
    assert refusal(cloud.client("ec2", account).describe_vpcs)[0] == "AuthFailure"
