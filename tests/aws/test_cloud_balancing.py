"""Which target group is served once listeners or rules were changed, and which is not."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from .cloud import Balancer, FakeCloud, forward
from .scene import behind, health, service_of
from .waiting import until

Json = dict[str, Any]


@pytest.fixture
def balancer(cloud: FakeCloud) -> Balancer:
    """Three groups with a target each; the second has no listener and no rule."""
    made = cloud.load_balancer(groups=3)
    elb = cloud.client("elbv2")
    for number, group in enumerate(made.groups):
        elb.register_targets(TargetGroupArn=group, Targets=[{"Id": f"10.0.0.{number + 4}"}])
    return made


def states(cloud: FakeCloud, balancer: Balancer) -> list[str]:
    return [state for group in balancer.groups for state in health(cloud, group)]


def used(cloud: FakeCloud, balancer: Balancer) -> list[bool]:
    found = cloud.client("elbv2").describe_target_groups(TargetGroupArns=list(balancer.groups))
    of = {each["TargetGroupArn"]: each["LoadBalancerArns"] for each in found["TargetGroups"]}
    return [bool(of[each]) for each in balancer.groups]


def test_only_what_traffic_is_sent_to_is_checked(cloud: FakeCloud, balancer: Balancer) -> None:
    until(lambda: states(cloud, balancer) == ["healthy", "unused", "healthy"])
    assert used(cloud, balancer) == [True, False, True]


def test_a_listener_that_sends_elsewhere_serves_another_group(
    cloud: FakeCloud, balancer: Balancer
) -> None:
    elb, (first, second, _) = cloud.client("elbv2"), balancer.groups
    elb.delete_rule(RuleArn=balancer.rule)
    elb.modify_listener(ListenerArn=balancer.listener, DefaultActions=[forward(second)])
    assert health(cloud, second) in (["initial"], ["healthy"])
    until(lambda: states(cloud, balancer) == ["unused", "healthy", "healthy"])
    assert used(cloud, balancer) == [False, True, True]
    elb.modify_listener(ListenerArn=balancer.listener, DefaultActions=[forward(first)])
    until(lambda: states(cloud, balancer) == ["healthy", "unused", "healthy"])


def test_the_default_rule_is_the_listeners_default(cloud: FakeCloud, balancer: Balancer) -> None:
    elb, action = cloud.client("elbv2"), forward(balancer.groups[1])
    elb.modify_listener(ListenerArn=balancer.listener, DefaultActions=[action])
    rules = elb.describe_rules(ListenerArn=balancer.listener)["Rules"]
    (default,) = (each for each in rules if each["IsDefault"])
    (listener,) = elb.describe_listeners(ListenerArns=[balancer.listener])["Listeners"]
    assert default["Actions"] == listener["DefaultActions"]
    assert default["Actions"][0]["TargetGroupArn"] == balancer.groups[1]
    with pytest.raises(ClientError, match="OperationNotPermitted"):
        elb.modify_rule(RuleArn=default["RuleArn"], Actions=[forward(balancer.groups[0])])


def test_a_rule_divides_by_weight(cloud: FakeCloud, balancer: Balancer) -> None:
    elb, (first, second, _) = cloud.client("elbv2"), balancer.groups
    elb.modify_rule(RuleArn=balancer.rule, Actions=[forward(first, second, 75)])
    (rule,) = elb.describe_rules(RuleArns=[balancer.rule])["Rules"]
    groups = rule["Actions"][0]["ForwardConfig"]["TargetGroups"]
    assert [(each["TargetGroupArn"], each["Weight"]) for each in groups] == [
        (first, 75),
        (second, 25),
    ]
    assert rule["Conditions"][0]["Field"] == "path-pattern"
    until(lambda: health(cloud, second) == ["healthy"])


def test_a_group_of_weight_0_is_served_too(cloud: FakeCloud, balancer: Balancer) -> None:
    elb, (first, second, _) = cloud.client("elbv2"), balancer.groups
    elb.modify_rule(RuleArn=balancer.rule, Actions=[forward(first, second, 100)])
    until(lambda: health(cloud, second) == ["healthy"])


def test_a_deleted_rule_serves_nothing_any_more(cloud: FakeCloud, balancer: Balancer) -> None:
    elb, second = cloud.client("elbv2"), balancer.groups[1]
    rule = elb.create_rule(
        ListenerArn=balancer.listener,
        Priority=2,
        Conditions=[{"Field": "path-pattern", "Values": ["/next/*"]}],
        Actions=[forward(second)],
    )["Rules"][0]["RuleArn"]
    until(lambda: health(cloud, second) == ["healthy"])
    elb.delete_rule(RuleArn=rule)
    until(lambda: health(cloud, second) == ["unused"])


def test_a_group_that_is_not_there_is_refused(cloud: FakeCloud, balancer: Balancer) -> None:
    elb, action = cloud.client("elbv2"), forward(f"{balancer.groups[1]}x")
    with pytest.raises(ClientError, match="TargetGroupNotFound"):
        elb.modify_listener(ListenerArn=balancer.listener, DefaultActions=[action])
    with pytest.raises(ClientError, match="TargetGroupNotFound"):
        elb.modify_rule(RuleArn=balancer.rule, Actions=[action])
    assert used(cloud, balancer) == [True, False, True]


def test_a_group_belongs_to_one_balancer(cloud: FakeCloud, balancer: Balancer) -> None:
    elb, other = cloud.client("elbv2"), cloud.load_balancer()
    with pytest.raises(ClientError, match="TargetGroupAssociationLimit"):
        elb.modify_listener(
            ListenerArn=other.listener, DefaultActions=[forward(balancer.groups[0])]
        )


def test_a_group_that_is_served_cannot_be_deleted(cloud: FakeCloud, balancer: Balancer) -> None:
    elb, (first, second, _) = cloud.client("elbv2"), balancer.groups
    with pytest.raises(ClientError, match="ResourceInUse"):
        elb.delete_target_group(TargetGroupArn=first)
    elb.delete_target_group(TargetGroupArn=second)
    with pytest.raises(ClientError, match="TargetGroupNotFound"):
        health(cloud, second)


def test_a_target_drains_before_it_goes(cloud: FakeCloud, balancer: Balancer) -> None:
    elb, group = cloud.client("elbv2"), balancer.groups[0]
    until(lambda: health(cloud, group) == ["healthy"])
    with cloud.lasting("draining"):
        elb.deregister_targets(TargetGroupArn=group, Targets=[{"Id": "10.0.0.4"}])
        assert health(cloud, group) == ["draining"]
    until(lambda: health(cloud, group) == [])
    found = elb.describe_target_health(TargetGroupArn=group, Targets=[{"Id": "10.0.0.4"}])
    reason = found["TargetHealthDescriptions"][0]["TargetHealth"]["Reason"]
    assert reason == "Target.NotRegistered"


def test_targets_are_of_their_groups_kind(cloud: FakeCloud, balancer: Balancer) -> None:
    with pytest.raises(ClientError, match="ValidationError"):
        cloud.client("elbv2").register_targets(
            TargetGroupArn=balancer.groups[0], Targets=[{"Id": "i-0123456789abcdef0"}]
        )


def test_a_service_is_steady_behind_whatever_serves_it(cloud: FakeCloud) -> None:
    """Two services, each behind its group; the listeners are swapped and swapped back."""
    balancer, elb = cloud.load_balancer(), cloud.client("elbv2")
    blue, green = (service_of(cloud, loadBalancers=behind(balancer, at)) for at in (0, 1))
    blue.rolled_out()
    green.rolled_out()
    for live, idle in (balancer.groups[::-1], balancer.groups):
        elb.modify_listener(ListenerArn=balancer.listener, DefaultActions=[forward(live)])
        elb.modify_listener(ListenerArn=balancer.test_listener, DefaultActions=[forward(idle)])
        assert health(cloud, live) == health(cloud, idle) == ["healthy", "healthy"]


def test_a_service_needs_a_group_that_is_served(cloud: FakeCloud) -> None:
    balancer = cloud.load_balancer(groups=3)
    with pytest.raises(ClientError, match="does not have an associated load balancer"):
        service_of(cloud, loadBalancers=behind(balancer, 1))
