"""What a new group takes over from the base group, and which launch template it starts from. Pure.

The base group's sizes, target groups and suspended processes are its own and stay behind.
"""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from rollbacks.platforms.ami.groups import Group, Template, template_in
from rollbacks.platforms.base import PlatformError

# Of CreateAutoScalingGroup and DescribeAutoScalingGroups alike.
COPIED = (
    "AvailabilityZoneDistribution",
    "AvailabilityZoneImpairmentPolicy",
    "CapacityRebalance",
    "CapacityReservationSpecification",
    "Context",
    "DefaultCooldown",
    "DefaultInstanceWarmup",
    "DesiredCapacityType",
    "HealthCheckGracePeriod",
    "HealthCheckType",
    "InstanceLifecyclePolicy",
    "InstanceMaintenancePolicy",
    "MaxInstanceLifetime",
    "NewInstancesProtectedFromScaleIn",
    "PlacementGroup",
    "ServiceLinkedRoleARN",
    "TerminationPolicies",
    "VPCZoneIdentifier",
)
_HOOK = (
    "LifecycleHookName",
    "LifecycleTransition",
    "NotificationMetadata",
    "HeartbeatTimeout",
    "DefaultResult",
    "NotificationTargetARN",
    "RoleARN",
)
_RESERVED = "aws:"


def template_of(group: Group) -> Template:
    """What the group starts its instances from; PlatformError where that is no launch template."""
    found = launched_by(group.described)
    if found is None:
        raise PlatformError(
            f"The base group {group.name} uses a launch configuration. AWS lets new accounts "
            "create none any more: migrate it to a launch template.",
            permanent=True,
        )
    return found


def launched_by(described: Mapping[str, Any]) -> Template | None:
    """Of a group, or of what an instance refresh brings."""
    mixed = described.get("MixedInstancesPolicy") or {}
    inside = mixed.get("LaunchTemplate") or {}
    return template_in(described.get("LaunchTemplate") or inside.get("LaunchTemplateSpecification"))


def unsupported(group: Group) -> Iterator[str]:
    """Why this base group cannot be the model of others."""
    mixed = (group.described.get("MixedInstancesPolicy") or {}).get("LaunchTemplate") or {}
    if any("LaunchTemplateSpecification" in each for each in mixed.get("Overrides") or ()):
        yield (
            f"The base group {group.name} has a launch template of their own for some instance "
            "types; one AMI cannot stand for them all"
        )


def left_behind(group: Group) -> Iterator[str]:
    """What a person may expect to come along, and does not."""
    if group.described.get("LoadBalancerNames"):
        yield (
            f"The Classic Load Balancers of the base group {group.name} are not taken over; only "
            "target groups are"
        )
    if group.described.get("WarmPoolConfiguration"):
        yield f"The warm pool of the base group {group.name} is not taken over"


def creation(
    base: Group,
    hooks: list[dict[str, Any]],
    *,
    name: str,
    template: Template,
    maximum: int,
    target_groups: list[str],
    tags: Mapping[str, str],
) -> dict[str, Any]:
    """The parameters of CreateAutoScalingGroup: as the base group, without any instance."""
    described = base.described
    taken = {
        key: copy.deepcopy(described[key])
        for key in COPIED
        if described.get(key) not in (None, "", [], -1)
    }
    if "VPCZoneIdentifier" not in taken:
        taken["AvailabilityZones"] = list(described["AvailabilityZones"])
    parameters = {
        "AutoScalingGroupName": name,
        "MinSize": 0,
        "MaxSize": maximum,
        "DesiredCapacity": 0,
        **taken,
        **launched_from(described, template),
        "Tags": _tags(base, name, tags),
    }
    if target_groups:
        parameters["TargetGroupARNs"] = target_groups
    if hooks:
        parameters["LifecycleHookSpecificationList"] = [
            {key: hook[key] for key in _HOOK if hook.get(key) is not None} for hook in hooks
        ]
    return parameters


def launched_from(described: Mapping[str, Any], template: Template) -> dict[str, Any]:
    """How a group like this one says what its instances start from."""
    specification = {"LaunchTemplateId": template.own_id, "Version": template.version}
    if not described.get("MixedInstancesPolicy"):
        return {"LaunchTemplate": specification}
    mixed = copy.deepcopy(dict(described["MixedInstancesPolicy"]))
    mixed["LaunchTemplate"]["LaunchTemplateSpecification"] = specification
    return {"MixedInstancesPolicy": mixed}


def _tags(base: Group, name: str, ours: Mapping[str, str]) -> list[dict[str, Any]]:
    """Those of the base group, but for what AWS itself sets and what another group is marked with;
    then our own, which its instances need not have."""
    others = {
        each["Key"]: (each.get("Value", ""), bool(each.get("PropagateAtLaunch")))
        for each in base.described.get("Tags") or ()
        if not each["Key"].startswith(_RESERVED)
    }
    return tags_of(name, others | {key: (value, False) for key, value in ours.items()})


def tags_of(name: str, every: Mapping[str, tuple[str, bool]]) -> list[dict[str, Any]]:
    """A group's tags as AWS takes them; each is a value, and whether instances get it too."""
    return [
        {
            "ResourceId": name,
            "ResourceType": "auto-scaling-group",
            "Key": key,
            "Value": value,
            "PropagateAtLaunch": is_propagated,
        }
        for key, (value, is_propagated) in every.items()
    ]


def metrics_of(base: Group) -> list[str]:
    """The group metrics that the base group has enabled."""
    return [each["Metric"] for each in base.described.get("EnabledMetrics") or ()]
