"""Target groups of Auto Scaling groups: attached and detached, instances registered and drained."""

from .cloud import FakeCloud
from .scene import health
from .test_cloud_scaling import activities, in_service, look, resize
from .waiting import until


def states(cloud: FakeCloud, name: str) -> list[str]:
    found = cloud.client("autoscaling").describe_load_balancer_target_groups(
        AutoScalingGroupName=name
    )
    return [each["State"] for each in found["LoadBalancerTargetGroups"]]


def test_a_target_group_is_added_and_removed(cloud: FakeCloud) -> None:
    group = cloud.load_balancer("instance").groups[0]
    name = cloud.auto_scaling_group(count=2)
    in_service(cloud, name)
    autoscaling = cloud.client("autoscaling")
    which = {"AutoScalingGroupName": name, "TargetGroupARNs": [group]}
    with cloud.lasting("attach"):
        autoscaling.attach_load_balancer_target_groups(**which)
        assert states(cloud, name) == ["Adding"]
    until(lambda: health(cloud, group) == ["healthy", "healthy"])
    until(lambda: states(cloud, name) == ["Added"])
    with cloud.lasting("attach", "draining"):
        autoscaling.detach_load_balancer_target_groups(**which)
        assert states(cloud, name) == ["Removing"]
        assert health(cloud, group) == ["draining", "draining"]
    until(lambda: states(cloud, name) == [])
    assert health(cloud, group) == []


def test_with_elb_health_checks_it_comes_into_service(cloud: FakeCloud) -> None:
    group = cloud.load_balancer("instance").groups[0]
    name = cloud.auto_scaling_group(count=1, HealthCheckType="ELB")
    cloud.client("autoscaling").attach_load_balancer_target_groups(
        AutoScalingGroupName=name, TargetGroupARNs=[group]
    )
    until(lambda: states(cloud, name) == ["InService"])


def test_instances_that_come_and_go_are_registered_and_drained(cloud: FakeCloud) -> None:
    group = cloud.load_balancer("instance").groups[0]
    name = cloud.auto_scaling_group(count=1, TargetGroupARNs=[group])
    assert look(cloud, name)["TargetGroupARNs"] == [group]
    until(lambda: health(cloud, group) == ["healthy"])
    resize(cloud, name, 2)
    until(lambda: health(cloud, group) == ["healthy", "healthy"])
    resize(cloud, name, 0)
    until(lambda: health(cloud, group) == [])


def test_what_is_never_healthy_is_replaced_again_and_again(cloud: FakeCloud) -> None:
    group = cloud.load_balancer("instance").groups[0]
    template = cloud.launch_template("unready")
    name = cloud.auto_scaling_group(
        template, 1, HealthCheckType="ELB", TargetGroupARNs=[group], HealthCheckGracePeriod=0
    )
    until(lambda: len(activities(cloud, name)) >= 4)
    causes = [each["Cause"] for each in activities(cloud, name)]
    assert any("ELB system health check failure" in each for each in causes)
    resize(cloud, name, 0)


def test_without_elb_health_checks_nobody_minds(cloud: FakeCloud) -> None:
    group = cloud.load_balancer("instance").groups[0]
    name = cloud.auto_scaling_group(cloud.launch_template("unready"), 1, TargetGroupARNs=[group])
    until(lambda: health(cloud, group) == ["unhealthy"])
    assert look(cloud, name)["Instances"][0]["HealthStatus"] == "Healthy"
