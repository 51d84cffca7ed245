"""Instances of groups: launched and terminated in moto's EC2, booting and ending here."""

from collections.abc import Callable
from functools import partial

from ..ecs.fates import Fate, fate_of_name
from ..refusals import Refused
from ..world import World, now
from .records import Group, Instance, Lifecycle, Template


class Instances:
    """`told` hears of every change of a group's instances."""

    def __init__(self, world: World, told: Callable[[Group], None]) -> None:
        self._world = world
        self._told = told
        self._fates: dict[str, Fate] = {}  # by AMI

    def launch(self, group: Group, template: Template, count: int, cause: str) -> None:
        zones = [place[1] for place in self._places(group)]
        for name in self._run(group, template, count):
            activity = group.begin(f"Launching a new EC2 instance: {name}", cause)
            zone = zones[len(group.instances) % len(zones)]
            made = Instance(name, zone, template, self._fate(template.image), activity)
            made.is_protected = bool(group.settings.get("NewInstancesProtectedFromScaleIn"))
            group.instances.append(made)
            timing = self._world.timing
            seconds = timing.slow if made.fate is Fate.SLOW else timing.boot
            self._world.loop.after(seconds, partial(self._booted, group, made))

    def terminate(self, group: Group, instance: Instance, cause: str, drain: bool) -> None:
        if not instance.is_staying:
            return
        if instance.lifecycle is Lifecycle.PENDING:
            instance.activity.end("Cancelled", "The instance was terminated before it was ready.")
        instance.lifecycle = Lifecycle.TERMINATING
        instance.activity = group.begin(f"Terminating EC2 instance: {instance.id}", cause)
        timing = self._world.timing
        if drain:
            instance.activity.status = "WaitingForELBConnectionDraining"
            self._world.loop.after(timing.draining, partial(self._end, group, instance))
        else:
            self._end(group, instance)

    def _end(self, group: Group, instance: Instance) -> None:
        instance.activity.status = "InProgress"
        seconds = self._world.timing.terminate
        self._world.loop.after(seconds, partial(self._gone, group, instance))

    def _gone(self, group: Group, instance: Instance) -> None:
        self._world.beneath.ask("ec2", "terminate_instances", InstanceIds=[instance.id])
        instance.activity.end()
        group.instances.remove(instance)
        self._told(group)

    def _booted(self, group: Group, instance: Instance) -> None:
        if instance.lifecycle is Lifecycle.PENDING:
            instance.lifecycle, instance.in_service_at = Lifecycle.IN_SERVICE, now()
            instance.activity.end()
            self._told(group)

    def _run(self, group: Group, template: Template, count: int) -> list[str]:
        """Raises Refused, as where the AMI has gone."""
        if not template.image:
            raise Refused("ValidationError", "The request must contain the parameter ImageId")
        where = self._places(group)[0][0]
        launched = self._world.beneath.ask(
            "ec2",
            "run_instances",
            ImageId=template.image,
            InstanceType=template.instance_type,
            MinCount=count,
            MaxCount=count,
            TagSpecifications=[{"ResourceType": "instance", "Tags": _tags(group)}],
            **({"SubnetId": where} if where else {}),
        )
        return [str(each["InstanceId"]) for each in launched["Instances"]]

    def _places(self, group: Group) -> list[tuple[str, str]]:
        """Subnets with their zones, or zones alone."""
        subnets = [each for each in group.settings.get("VPCZoneIdentifier", "").split(",") if each]
        if not subnets:
            return [("", zone) for zone in group.settings["AvailabilityZones"]]
        found = self._world.beneath.ask("ec2", "describe_subnets", SubnetIds=subnets)["Subnets"]
        return [(each["SubnetId"], each["AvailabilityZone"]) for each in found]

    def _fate(self, image: str) -> Fate:
        if image not in self._fates:
            found = self._world.beneath.ask("ec2", "describe_images", ImageIds=[image])["Images"]
            self._fates[image] = fate_of_name(found[0].get("Name", ""))
        return self._fates[image]


def _tags(group: Group) -> list[dict[str, str]]:
    """moto keeps tags that begin with aws: to itself, so the group's name is not among them."""
    return [
        {"Key": key, "Value": each["Value"]}
        for key, each in group.tags.items()
        if each["PropagateAtLaunch"]
    ] or [{"Key": "Name", "Value": group.name}]
