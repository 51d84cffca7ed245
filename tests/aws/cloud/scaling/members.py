"""What is done to a group beside its size: instances, target groups, processes, tags."""

from ..asked import Actions, Asked, Json
from ..paging import page
from ..refusals import Refused, not_modelled
from ..world import World
from . import causes, showing
from .controller import Controller
from .groups import Groups, tag
from .records import Group, Instance, refused

_PROCESSES = (
    "Launch",
    "Terminate",
    "HealthCheck",
    "ReplaceUnhealthy",
    "AZRebalance",
    "AlarmNotification",
    "ScheduledActions",
    "AddToLoadBalancer",
    "InstanceRefresh",
)
_MOST = 100


class Members:
    def __init__(self, world: World, groups: Groups, controller: Controller) -> None:
        self._world = world
        self._groups = groups
        self._controller = controller

    def actions(self) -> Actions:
        return {
            "AttachLoadBalancerTargetGroups": self.attach,
            "DetachLoadBalancerTargetGroups": self.detach,
            "DescribeLoadBalancerTargetGroups": self.target_groups,
            "DescribeScalingActivities": self.activities,
            "TerminateInstanceInAutoScalingGroup": self.terminate,
            "SetInstanceHealth": self.set_health,
            "SetInstanceProtection": self.set_protection,
            "SuspendProcesses": self.suspend,
            "ResumeProcesses": self.resume,
            "CreateOrUpdateTags": self.tag,
            "DeleteTags": self.untag,
            "DescribeTags": self.tags,
        }

    def attach(self, asked: Asked) -> Json:
        group = self._groups.find(asked)
        for each in asked.parameters["TargetGroupARNs"]:
            self._world.beneath.ask("elbv2", "describe_target_groups", TargetGroupArns=[each])
            self._controller.attach(group, each)
        self._controller.wake(group)
        return {}

    def detach(self, asked: Asked) -> Json:
        group = self._groups.find(asked)
        for each in asked.parameters["TargetGroupARNs"]:
            if each not in group.target_groups:
                raise refused("Trying to remove Target Groups that are not part of the group")
            self._controller.detach(group, each)
        return {}

    def target_groups(self, asked: Asked) -> Json:
        group = self._groups.find(asked)
        found = [
            {"LoadBalancerTargetGroupARN": arn, "State": state}
            for arn, state in group.target_groups.items()
        ]
        listed, following = pages(found, asked)
        return {"LoadBalancerTargetGroups": listed, "NextToken": following}

    def activities(self, asked: Asked) -> Json:
        """Newest first."""
        wanted = set(asked.parameters.get("ActivityIds") or [])
        if asked.parameters.get("AutoScalingGroupName"):
            groups = [self._groups.find(asked)]
        else:
            groups = self._groups.all()
        found = [
            showing.activity(group, each)
            for group in groups
            for each in group.activities
            if not wanted or each.id in wanted
        ]
        found.sort(key=lambda each: each["StartTime"], reverse=True)
        listed, following = pages(found, asked)
        return {"Activities": listed, "NextToken": following}

    def terminate(self, asked: Asked) -> Json:
        group, instance = self._instance(asked.parameters["InstanceId"])
        if asked.parameters["ShouldDecrementDesiredCapacity"]:
            if group.desired <= int(group.settings["MinSize"]):
                raise refused(
                    "Currently, desiredSize equals minSize "
                    f"({group.desired}). Terminating instance without replacement will violate "
                    f"group's min size constraint. Either set shouldDecrementDesiredCapacity flag "
                    "to false or lower group's min size."
                )
            group.settings["DesiredCapacity"] = group.desired - 1
        self._controller.terminate(group, instance, causes.ASKED.format(instance.id))
        return {"Activity": showing.activity(group, instance.activity)}

    def set_health(self, asked: Asked) -> Json:
        group, instance = self._instance(asked.parameters["InstanceId"])
        instance.health = asked.parameters["HealthStatus"]
        instance.why_unhealthy = causes.SET
        self._controller.wake(group)
        return {}

    def set_protection(self, asked: Asked) -> Json:
        group = self._groups.find(asked)
        for each in group.instances:
            if each.id in asked.parameters["InstanceIds"]:
                each.is_protected = asked.parameters["ProtectedFromScaleIn"]
        return {}

    def suspend(self, asked: Asked) -> Json:
        group = self._groups.find(asked)
        for each in _processes(asked):
            group.suspended[each] = "User suspended at the request of the client"
        return {}

    def resume(self, asked: Asked) -> Json:
        group = self._groups.find(asked)
        for each in _processes(asked):
            group.suspended.pop(each, None)
        self._controller.wake(group)
        return {}

    def tag(self, asked: Asked) -> Json:
        for each in asked.parameters["Tags"]:
            self._tagged(asked, each).tags[each["Key"]] = tag(each)
        return {}

    def untag(self, asked: Asked) -> Json:
        for each in asked.parameters["Tags"]:
            self._tagged(asked, each).tags.pop(each["Key"], None)
        return {}

    def tags(self, asked: Asked) -> Json:
        fields = {"auto-scaling-group": "ResourceId", "key": "Key", "value": "Value"}
        found = [each for group in self._groups.all() for each in showing.tags(group)]
        for given in asked.parameters.get("Filters", []):
            if given["Name"] not in fields:
                raise not_modelled(f"the filter {given['Name']} of DescribeTags")
            name = fields[given["Name"]]
            found = [each for each in found if each[name] in given["Values"]]
        listed, following = pages(found, asked)
        return {"Tags": listed, "NextToken": following}

    def _tagged(self, asked: Asked, given: Json) -> Group:
        parameters = {"AutoScalingGroupName": given["ResourceId"]}
        return self._groups.find(Asked(asked.dialect, asked.action, parameters, asked.principal))

    def _instance(self, name: str) -> tuple[Group, Instance]:
        found = self._controller.find(name)
        if found is None or found[1] not in found[0].instances:
            raise refused(
                f"Instance Id not found - No managed instance found for instance ID: {name}"
            )
        return found


def _processes(asked: Asked) -> list[str]:
    named: list[str] = asked.parameters.get("ScalingProcesses") or list(_PROCESSES)
    if unknown := set(named) - set(_PROCESSES):
        raise refused(f"{sorted(unknown)[0]} is not a valid process name")
    return named


def pages(found: list[Json], asked: Asked) -> tuple[list[Json], str | None]:
    bad = Refused("InvalidNextToken", "The token is not valid.")
    size = min(int(asked.parameters.get("MaxRecords", _MOST)), _MOST)
    return page(found, size, asked.parameters.get("NextToken"), bad)
