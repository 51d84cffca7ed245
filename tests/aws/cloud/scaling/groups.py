"""Groups: made, changed, deleted, described; and their capacity."""

from collections.abc import Callable
from uuid import uuid4

from ..asked import Actions, Asked, Json
from ..paging import page
from ..refusals import Refused, not_modelled
from ..world import World
from . import causes, showing
from .controller import Controller
from .records import Group, refused
from .templates import LAUNCH, require_launch, resolve

_SHOWN, _MOST = 50, 100
_NOT_SETTINGS = {"AutoScalingGroupName", "Tags", "TargetGroupARNs", "ForceDelete"}


class Groups:
    def __init__(self, world: World) -> None:
        self._world = world
        self._groups: dict[str, Group] = {}
        self.controller: Controller

    def actions(self) -> Actions:
        return {
            "CreateAutoScalingGroup": self.create,
            "UpdateAutoScalingGroup": self.update,
            "DeleteAutoScalingGroup": self.delete,
            "DescribeAutoScalingGroups": self.describe,
            "SetDesiredCapacity": self.set_desired,
        }

    def all(self) -> list[Group]:
        return [self._groups[each] for each in sorted(self._groups)]

    def find(self, asked: Asked) -> Group:
        """Raises Refused."""
        name = asked.parameters["AutoScalingGroupName"]
        if name not in self._groups:
            raise refused(f"AutoScalingGroup name not found - AutoScalingGroup {name} not found")
        return self._groups[name]

    def forget(self, group: Group) -> None:
        del self._groups[group.name]
        self._world.beneath.ask(
            "autoscaling",
            "delete_auto_scaling_group",
            AutoScalingGroupName=group.name,
            ForceDelete=True,
        )

    def create(self, asked: Asked) -> Json:
        given = asked.parameters
        name = given["AutoScalingGroupName"]
        if name in self._groups:
            raise Refused(
                "AlreadyExists",
                "AutoScalingGroup by this name already exists - A group with the name "
                f"{name} already exists",
            )
        settings = {key: value for key, value in given.items() if key not in _NOT_SETTINGS}
        settings.setdefault("DesiredCapacity", settings["MinSize"])
        require_launch(asked, resolve(self._world, settings))
        if not settings.get("VPCZoneIdentifier") and not settings.get("AvailabilityZones"):
            raise refused("At least one Availability Zone or VPC Subnet is required.")
        _check(settings)
        self._complete_zones(settings)
        resource = f"autoScalingGroup:{uuid4()}:autoScalingGroupName/{name}"
        made = Group(name, self._world.arn("autoscaling", resource), settings, {})
        for each in given.get("Tags", []):
            made.tags[each["Key"]] = tag(each)
        self._mirror(made)
        self._groups[name] = made
        for each in given.get("TargetGroupARNs", []):
            made.target_groups[each] = "InService"
        made.why = causes.constrained(made, 0)
        self.controller.wake(made)
        return {}

    def update(self, asked: Asked) -> Json:
        group = self.find(asked)
        given = {k: v for k, v in asked.parameters.items() if k not in _NOT_SETTINGS}
        changed = {**group.settings, **given}
        if launch := [each for each in LAUNCH if each in given]:
            for each in set(LAUNCH) - set(launch):
                changed.pop(each, None)
            require_launch(asked, resolve(self._world, changed))
        if "DesiredCapacity" not in given:
            low, high = int(changed["MinSize"]), int(changed["MaxSize"])
            changed["DesiredCapacity"] = min(max(int(changed["DesiredCapacity"]), low), high)
        _check(changed)
        self._complete_zones(changed)
        before = group.desired
        group.settings = changed
        self._resized(group, before, causes.constrained)
        return {}

    def set_desired(self, asked: Asked) -> Json:
        group = self.find(asked)
        count = int(asked.parameters["DesiredCapacity"])
        low, high = int(group.settings["MinSize"]), int(group.settings["MaxSize"])
        if count < low:
            raise refused(
                f"New SetDesiredCapacity value {count} is below min value {low} for the "
                "AutoScalingGroup."
            )
        if count > high:
            raise refused(
                f"New SetDesiredCapacity value {count} is above max value {high} for the "
                "AutoScalingGroup."
            )
        before, group.settings["DesiredCapacity"] = group.desired, count
        self._resized(group, before, causes.set_explicitly)
        return {}

    def delete(self, asked: Asked) -> Json:
        group = self.find(asked)
        if group.instances and not asked.parameters.get("ForceDelete"):
            raise Refused(
                "ResourceInUse",
                "You cannot delete an AutoScalingGroup while there are instances or pending Spot "
                "instance request(s) still in the group.",
            )
        group.is_deleting = True
        self.controller.wake(group)
        return {}

    def describe(self, asked: Asked) -> Json:
        given = asked.parameters
        names = given.get("AutoScalingGroupNames")
        found = [
            each
            for each in self.all()
            if (not names or each.name in names)
            and all(_passes(each, one) for one in given.get("Filters", []))
        ]
        size = min(int(given.get("MaxRecords", _SHOWN)), _MOST)
        bad = Refused("InvalidNextToken", "The token is not valid.")
        listed, following = page(found, size, given.get("NextToken"), bad)
        shown = given.get("IncludeInstances", True)
        return {
            "AutoScalingGroups": [showing.group(each, shown) for each in listed],
            "NextToken": following,
        }

    def _resized(self, group: Group, before: int, why: Callable[[Group, int], str]) -> None:
        if group.desired != before:
            group.why, group.failures, group.waits_until = why(group, before), 0, 0.0
        self.controller.wake(group)

    def _complete_zones(self, settings: Json) -> None:
        subnets = [each for each in settings.get("VPCZoneIdentifier", "").split(",") if each]
        if not subnets:
            return
        try:
            found = self._world.beneath.ask("ec2", "describe_subnets", SubnetIds=subnets)
        except Refused as error:
            raise refused(error.message) from error
        zones = {each["AvailabilityZone"] for each in found["Subnets"]}
        settings["AvailabilityZones"] = sorted(zones)

    def _mirror(self, made: Group) -> None:
        """moto keeps policies, hooks and scheduled actions, and wants a group for them."""
        self._world.beneath.ask(
            "autoscaling",
            "create_auto_scaling_group",
            AutoScalingGroupName=made.name,
            MinSize=0,
            MaxSize=0,
            DesiredCapacity=0,
            AvailabilityZones=[f"{self._world.region}a"],
            **{key: made.settings[key] for key in LAUNCH if key in made.settings},
        )


def tag(given: Json) -> Json:
    return {
        "Value": given.get("Value", ""),
        "PropagateAtLaunch": given.get("PropagateAtLaunch", False),
    }


def _check(settings: Json) -> None:
    low, high = int(settings["MinSize"]), int(settings["MaxSize"])
    desired = int(settings["DesiredCapacity"])
    if low > high:
        raise refused(f"Max bound, {high}, must be greater than or equal to min bound, {low}")
    if not low <= desired <= high:
        raise refused(
            f"Desired capacity:{desired} must be between the specified min size:{low} and max "
            f"size:{high}"
        )


def _passes(group: Group, given: Json) -> bool:
    kind, _, key = given["Name"].partition(":")
    if kind != "tag":
        raise not_modelled(f"the filter {kind} of DescribeAutoScalingGroups")
    found = group.tags.get(key)
    return found is not None and found["Value"] in given.get("Values", [])
