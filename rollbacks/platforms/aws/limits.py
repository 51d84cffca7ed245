"""How often AWS lets one account ask in one region.

A bucket holds `burst` tokens and gets `rate` new ones a second. Sources:
Amazon ECS: docs.aws.amazon.com/AmazonECS/latest/APIReference/request-throttling.html;
Elastic Load Balancing: docs.aws.amazon.com/elasticloadbalancing/latest/userguide/
elb-api-throttling.html; Amazon EC2: docs.aws.amazon.com/AWSEC2/latest/APIReference/throttling.html;
Route 53: docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html (5 a second).
For EC2 Auto Scaling, Application Auto Scaling, Cloud Map and IAM no figures are published that
would fit; there we keep to a modest pace of our own.
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True)
class Limit:
    """Of all operations that match one of the patterns together; `rate` in calls a second."""

    name: str
    patterns: tuple[str, ...]
    rate: float
    burst: int


def _limit(name: str, patterns: str, burst: int, rate: float) -> Limit:
    return Limit(name, tuple(patterns.split()), rate, burst)


_LIMITS: dict[str, tuple[Limit, ...]] = {
    "ecs": (
        _limit("task definition modify", "*register_task_definition", 20, 1),
        _limit("task definition read", "*_task_definition*", 50, 20),
        _limit("service deployment", "*_service_deployment*", 50, 20),
        _limit("service revision", "describe_service_revisions", 50, 20),
        _limit("service read", "describe_services list_services", 100, 20),
        _limit("service modify", "*_service", 50, 5),
        _limit("cluster read", "describe_clusters list_clusters", 50, 20),
        _limit("cluster resource modify", "stop_task", 100, 40),
        _limit("cluster resource read", "describe_* list_tasks list_container_instances", 100, 20),
        _limit("tag read", "list_tags_for_resource", 50, 20),
        _limit("tag modify", "*tag_resource", 20, 10),
    ),
    "elbv2": (
        _limit("registration", "*register_targets", 20, 4),
        _limit("read", "describe_*", 40, 10),
        _limit("modify", "*", 20, 3),
    ),
    "ec2": (
        _limit("launch template versions", "create_launch_template_version", 100, 5),
        _limit("read", "describe_*", 100, 20),
        _limit("modify", "*", 50, 5),
    ),
    "route53": (_limit("all", "*", 5, 5),),
}
_OTHERWISE = _limit("all", "*", 40, 20)


def limit_of(service: str, operation: str) -> Limit:
    """The bucket that a call takes its token from; both as boto3 spells them."""
    for limit in _LIMITS.get(service, ()):
        if any(fnmatchcase(operation, pattern) for pattern in limit.patterns):
            return limit
    return _OTHERWISE
