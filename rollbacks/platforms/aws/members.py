"""Which EC2 instances an Auto Scaling group has, and where they are reached. Reads only.

An instance that EC2 says has ended is gone, though the group may take a minute to notice it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rollbacks.platforms.aws.api import Api
from rollbacks.platforms.base import PlatformError, TargetRef

ADDRESSES = {
    "private_ip": "PrivateIpAddress",
    "public_ip": "PublicIpAddress",
    "private_dns": "PrivateDnsName",
    "public_dns": "PublicDnsName",
}
_IN_SERVICE = "InService"
_LEAVING = ("Terminating", "Terminated", "Detaching", "Detached", "Warmed")
_ENDED = ("shutting-down", "terminated")
_AT_ONCE = 100


@dataclass(frozen=True)
class Member:
    """One that the group has and keeps; `address`: empty where it has none of the wanted kind."""

    name: str
    address: str
    in_service: bool


def members_of(target: TargetRef, group: str, address: str) -> tuple[Member, ...]:
    """The group's instances in the order of their launch; `address`: one of ADDRESSES.

    Raises PlatformError.
    """
    api, field = Api(target), ADDRESSES[address]
    states = _states(api, group)
    found = [each for each in _described(api, sorted(states)) if not _has_ended(each)]
    return tuple(
        Member(
            each["InstanceId"],
            str(each.get(field) or ""),
            states[each["InstanceId"]] == _IN_SERVICE,
        )
        for each in sorted(found, key=lambda each: (each["LaunchTime"], each["InstanceId"]))
    )


def _states(api: Api, group: str) -> dict[str, str]:
    """The lifecycle states of those that are not on their way out."""
    found = api.read("autoscaling", "describe_auto_scaling_groups", AutoScalingGroupNames=[group])
    for described in found["AutoScalingGroups"]:
        return {
            each["InstanceId"]: each["LifecycleState"]
            for each in described.get("Instances") or ()
            if not each["LifecycleState"].startswith(_LEAVING)
        }
    raise PlatformError(
        f"There is no Auto Scaling group {group} where its AWS connector leads.", permanent=True
    )


def _described(api: Api, names: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """By a filter: of one that EC2 does not know, or not yet, it says nothing."""
    for first in range(0, len(names), _AT_ONCE):
        wanted = [{"Name": "instance-id", "Values": list(names[first : first + _AT_ONCE])}]
        for reservation in api.pages("ec2", "describe_instances", "Reservations", Filters=wanted):
            yield from reservation["Instances"]


def _has_ended(described: Mapping[str, Any]) -> bool:
    return described["State"]["Name"] in _ENDED
