"""What a test needs around what it is about; made with an administrator's client."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .cloud import FakeCloud


@dataclass(frozen=True)
class Balancer:
    """The production listener sends to the first target group, the test listener to the second.

    `rule` belongs to the production listener, and divides between both: 100 and 0.
    """

    arn: str
    listener: str
    test_listener: str
    rule: str
    groups: tuple[str, ...]


def network(cloud: "FakeCloud") -> tuple[str, list[str]]:
    """A VPC and its subnets, in two zones."""
    ec2 = cloud.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    return vpc, [
        ec2.create_subnet(
            VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"{cloud.region}{zone}"
        )["Subnet"]["SubnetId"]
        for number, zone in enumerate("ab")
    ]


def image(cloud: "FakeCloud", name: str) -> str:
    ec2 = cloud.client("ec2")
    name = cloud.name(name)
    return str(ec2.register_image(Name=name, RootDeviceName="/dev/xvda")["ImageId"])


def launch_template(cloud: "FakeCloud", image_name: str, name: str) -> str:
    data = {"ImageId": image(cloud, image_name), "InstanceType": "t3.micro"}
    made = cloud.client("ec2").create_launch_template(
        LaunchTemplateName=name, LaunchTemplateData=data
    )
    return str(made["LaunchTemplate"]["LaunchTemplateId"])


def launch_version(cloud: "FakeCloud", template: str, image_name: str) -> str:
    made = cloud.client("ec2").create_launch_template_version(
        LaunchTemplateId=template,
        SourceVersion="1",
        LaunchTemplateData={"ImageId": image(cloud, image_name), "InstanceType": "t3.micro"},
    )
    return str(made["LaunchTemplateVersion"]["VersionNumber"])


def auto_scaling_group(
    cloud: "FakeCloud", template: str, count: int, settings: dict[str, Any]
) -> str:
    template = template or cloud.launch_template()
    default = {
        "AutoScalingGroupName": cloud.name("shop"),
        "MinSize": 0,
        "MaxSize": 10,
        "DesiredCapacity": count,
        "LaunchTemplate": {"LaunchTemplateId": template, "Version": "1"},
        "AvailabilityZones": [f"{cloud.region}a", f"{cloud.region}b"],
    }
    given = {**default, **settings}
    cloud.client("autoscaling").create_auto_scaling_group(**given)
    return str(given["AutoScalingGroupName"])


def load_balancer(cloud: "FakeCloud", kind: str, groups: int) -> Balancer:
    elb, (vpc, subnets) = cloud.client("elbv2"), network(cloud)
    arn = elb.create_load_balancer(Name=cloud.name("balancer"), Subnets=subnets, Scheme="internal")[
        "LoadBalancers"
    ][0]["LoadBalancerArn"]
    made = tuple(
        elb.create_target_group(
            Name=cloud.name("group"), Protocol="HTTP", Port=80, VpcId=vpc, TargetType=kind
        )["TargetGroups"][0]["TargetGroupArn"]
        for _ in range(groups)
    )
    listener, test_listener = (
        elb.create_listener(
            LoadBalancerArn=arn, Protocol="HTTP", Port=port, DefaultActions=[forward(group)]
        )["Listeners"][0]["ListenerArn"]
        for port, group in ((80, made[0]), (8080, made[-1]))
    )
    rule = elb.create_rule(
        ListenerArn=listener,
        Priority=1,
        Conditions=[{"Field": "path-pattern", "Values": ["/shop/*"]}],
        Actions=[forward(made[0], made[-1])],
    )["Rules"][0]["RuleArn"]
    return Balancer(arn, listener, test_listener, rule, made)


def forward(group: str, other: str = "", weight: int = 100) -> dict[str, Any]:
    """An action: all to one group, or so much to it and the rest to another."""
    if not other or other == group:
        return {"Type": "forward", "TargetGroupArn": group}
    weights = ((group, weight), (other, 100 - weight))
    groups = [{"TargetGroupArn": each, "Weight": share} for each, share in weights]
    return {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}


def container_instances(cloud: "FakeCloud", cluster: str, count: int) -> list[str]:
    if not count:
        return []
    image_id = image(cloud, "container-host")
    launched = cloud.client("ec2").run_instances(ImageId=image_id, MinCount=count, MaxCount=count)
    return [
        cloud.client("ecs").register_container_instance(
            cluster=cluster, instanceIdentityDocument=_document(cloud, each["InstanceId"])
        )["containerInstance"]["containerInstanceArn"]
        for each in launched["Instances"]
    ]


def task_definition(cloud: "FakeCloud", family: str, tag: str, settings: dict[str, Any]) -> str:
    container = {
        "name": "web",
        "image": f"registry.example/shop/web:{tag}",
        "portMappings": [{"containerPort": 80}],
        **settings.pop("container", {}),
    }
    default = {
        "networkMode": "awsvpc",
        "cpu": "256",
        "memory": "512",
        "requiresCompatibilities": ["FARGATE"],
        "containerDefinitions": [container],
    }
    made = cloud.client("ecs").register_task_definition(family=family, **{**default, **settings})
    return str(made["taskDefinition"]["taskDefinitionArn"])


def service(cloud: "FakeCloud", cluster: str, definition: str, settings: dict[str, Any]) -> str:
    default: dict[str, Any] = {"serviceName": cloud.name("web"), "desiredCount": 2}
    if not {"launchType", "capacityProviderStrategy"} & set(settings):
        default["launchType"] = "FARGATE"
        default["networkConfiguration"] = {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}
    if settings.get("schedulingStrategy") == "DAEMON":
        del default["desiredCount"]
    given = {**default, **settings, "cluster": cluster, "taskDefinition": definition}
    return str(cloud.client("ecs").create_service(**given)["service"]["serviceName"])


def _document(cloud: "FakeCloud", instance: str) -> str:
    return json.dumps({"instanceId": instance, "region": cloud.region})
