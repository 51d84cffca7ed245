"""The figures that AWS publishes of how often may be called; where, stands with each table.

AWS publishes none for EC2 Auto Scaling and Application Auto Scaling, only that each has a bucket
of its own (https://repost.aws/knowledge-center/autoscaling-api-calls-throttled): no limit here.
What a table leaves out, as StopServiceDeployment, has none either.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Rate:
    """`burst`: what a bucket holds; `sustained`: how many it gets back in a second."""

    service: str
    category: str
    burst: float
    sustained: float


# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/request-throttling.html
_ECS = {
    "Cluster modify": (
        "CreateCluster DeleteCluster PutClusterCapacityProviders UpdateCluster "
        "UpdateClusterSettings",
        (20, 1),
    ),
    "Cluster read": ("DescribeClusters ListClusters", (50, 20)),
    "Task definition modify": ("DeregisterTaskDefinition RegisterTaskDefinition", (20, 1)),
    "Task definition read": (
        "DescribeTaskDefinition ListTaskDefinitions ListTaskDefinitionFamilies",
        (50, 20),
    ),
    "Capacity provider modify": (
        "CreateCapacityProvider DeleteCapacityProvider UpdateCapacityProvider",
        (10, 1),
    ),
    "Capacity provider read": ("DescribeCapacityProviders", (50, 20)),
    "Tag modify": ("TagResource UntagResource", (20, 10)),
    "Tag read": ("ListTagsForResource", (50, 20)),
    "Cluster resource modify": (
        "DeleteAttributes DeregisterContainerInstance PutAttributes StopTask "
        "UpdateContainerInstancesState",
        (100, 40),
    ),
    "Cluster resource read": (
        "DescribeContainerInstances DescribeTasks ListAttributes ListContainerInstances ListTasks",
        (100, 20),
    ),
    "Agent modify": ("RegisterContainerInstance", (200, 120)),
    "Service modify": ("CreateService DeleteService UpdateService", (50, 5)),
    "Service read": ("DescribeServices ListServices", (100, 20)),
    "Service deployment": ("DescribeServiceDeployments ListServiceDeployments", (50, 20)),
    "Service revision": ("DescribeServiceRevisions", (50, 20)),
}

# https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/elb-api-throttling.html
_ELB = {
    "Resource-intensive": ("CreateLoadBalancer SetSubnets", (10, 0.2)),
    "Registration": ("RegisterTargets DeregisterTargets", (20, 4)),
}
_ELB_READ, _ELB_WRITE = (40, 10), (20, 3)

# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/throttling.html
# What asks DescribeInstances and its like without a filter has a smaller bucket; that is not here.
_EC2 = {
    "Resource-intensive": ("AuthorizeSecurityGroupIngress RevokeSecurityGroupIngress", (50, 5)),
    "CreateLaunchTemplateVersion": ("CreateLaunchTemplateVersion", (100, 5)),
    "CreateTags": ("CreateTags", (100, 10)),
    "DeleteTags": ("DeleteTags", (100, 10)),
    "DeregisterImage": ("DeregisterImage", (100, 5)),
    "ModifyLaunchTemplate": ("ModifyLaunchTemplate", (100, 5)),
    "RunInstances": ("RunInstances", (5, 2)),
    "StartInstances": ("StartInstances", (5, 2)),
    "TerminateInstances": ("TerminateInstances", (100, 5)),
}
_EC2_READ, _EC2_WRITE = (100, 20), (50, 5)
# https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html
_ROUTE_53 = (5, 5)
_READ = ("Describe", "List", "Search", "Get")

_Table = Mapping[str, tuple[str, tuple[float, float]]]


def rate_of(service: str, action: str) -> Rate | None:
    """The bucket that a call takes its token from; None where AWS publishes none."""
    match service:
        case "ecs":
            return _listed("ecs", _ECS, action)
        case "elbv2":
            return _listed("elbv2", _ELB, action) or _usual("elbv2", action, _ELB_READ, _ELB_WRITE)
        case "ec2":
            return _listed("ec2", _EC2, action) or _usual("ec2", action, _EC2_READ, _EC2_WRITE)
        case "route53":
            return Rate("route53", "All", *_ROUTE_53)
        case _:
            return None


def _listed(service: str, table: _Table, action: str) -> Rate | None:
    for category, (actions, (burst, sustained)) in table.items():
        if action in actions.split():
            return Rate(service, category, burst, sustained)
    return None


def _usual(
    service: str, action: str, read: tuple[float, float], write: tuple[float, float]
) -> Rate:
    if action.startswith(_READ):
        return Rate(service, "Non-mutating", *read)
    return Rate(service, "Mutating", *write)
