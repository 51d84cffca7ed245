"""Hosts that an Auto Scaling group of the suite's own cloud starts and ends.

Each instance has an address of its own on loopback; what listens there is said by who opens one.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from dashboard.models import Connector
from tests.aws.cloud import FakeCloud
from tests.aws.target import written
from tests.aws.waiting import until
from tests.ports import free_port

CONNECTOR = "aws account"
CREDENTIAL = "LASTGOOD_TEST_GROUP"
NEEDED = ("autoscaling:DescribeAutoScalingGroups", "ec2:DescribeInstances")


@dataclass
class Group:
    """`boot`: starts a host, by its name, address and port; `halt`: ends one."""

    cloud: FakeCloud
    boot: Callable[[str, str, int], object]
    halt: Callable[[str], object]
    port: int = field(default_factory=free_port)
    name: str = ""
    running: set[str] = field(default_factory=set)

    def open(self, count: int) -> None:
        """With so many instances, which are up, and a connector that may look at them."""
        self.begin(count)
        Connector.objects.create(**self.connector)

    def begin(self, count: int) -> None:
        """With so many instances, which are up."""
        ec2, zone = self.cloud.client("ec2"), f"{self.cloud.region}a"
        vpc = ec2.create_vpc(CidrBlock="127.0.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="127.0.8.0/22", AvailabilityZone=zone)
        self.name = self.cloud.auto_scaling_group(
            count=0,
            MaxSize=50,
            VPCZoneIdentifier=subnet["Subnet"]["SubnetId"],
            AvailabilityZones=[zone],
        )
        os.environ[CREDENTIAL] = written(self.cloud.account(NEEDED))
        self.grow(count)

    @property
    def connector(self) -> dict[str, Any]:
        """As a catalogue has it; the credential is in this process's environment."""
        return {
            "name": CONNECTOR,
            "deployment_type": "AMI",
            "credential": f"env:{CREDENTIAL}",
            "settings": {"region": self.cloud.region, "endpoint": self.cloud.endpoint},
        }

    @property
    def settings(self) -> dict[str, Any]:
        """Of an infrastructure definition, where it would have hosts."""
        where = {"connector": CONNECTOR, "name": self.name, "port": self.port}
        return {"auto_scaling_group": where}

    def grow(self, count: int) -> list[str]:
        """So many more; which they are, in the order in which they are listed."""
        before = set(self.running)
        wanted = len(before) + count
        self.cloud.client("autoscaling").update_auto_scaling_group(
            AutoScalingGroupName=self.name, DesiredCapacity=wanted
        )
        until(lambda: self._states() == ["InService"] * wanted)
        new = [each for each in self._described() if each["InstanceId"] not in before]
        for each in new:
            self.boot(each["InstanceId"], each["PrivateIpAddress"], self.port)
            self.running.add(each["InstanceId"])
        return [each["InstanceId"] for each in new]

    def end(self, *names: str) -> None:
        """These are terminated, and the group does not replace them."""
        for name in names:
            self.cloud.client("autoscaling").terminate_instance_in_auto_scaling_group(
                InstanceId=name, ShouldDecrementDesiredCapacity=True
            )
            self.running.remove(name)
            self.halt(name)
        until(lambda: len(self._members()) == len(self.running))

    def listed(self) -> list[str]:
        """As a rollback lists them: by launch, then by id."""
        return [each["InstanceId"] for each in self._described()]

    def _states(self) -> list[str]:
        return [each["LifecycleState"] for each in self._members()]

    def _members(self) -> list[dict[str, Any]]:
        found = self.cloud.client("autoscaling").describe_auto_scaling_groups(
            AutoScalingGroupNames=[self.name]
        )["AutoScalingGroups"][0]["Instances"]
        return list(found)

    def _described(self) -> Sequence[dict[str, Any]]:
        names = [each["InstanceId"] for each in self._members()]
        if not names:
            return []
        answer = self.cloud.client("ec2").describe_instances(InstanceIds=names)
        every = [each for part in answer["Reservations"] for each in part["Instances"]]
        return sorted(every, key=lambda each: (each["LaunchTime"], each["InstanceId"]))
