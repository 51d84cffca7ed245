"""Real hosts that an Auto Scaling group of the suite's own cloud starts and ends.

Each instance has an address of its own on loopback, and an sshd there; its disk begins as a copy of
whatever host the image was made of.
"""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dashboard.models import Connector
from tests.aws.cloud import FakeCloud
from tests.aws.target import written
from tests.aws.waiting import until
from tests.ports import free_port
from tests.sshd import Fleet

CONNECTOR = "aws account"
CREDENTIAL = "LASTGOOD_TEST_GROUP"
NEEDED = ("autoscaling:DescribeAutoScalingGroups", "ec2:DescribeInstances")


@dataclass
class Group:
    """`image`: the disk that new instances begin with; None: an empty one."""

    cloud: FakeCloud
    fleet: Fleet
    image: Path | None = None
    port: int = field(default_factory=free_port)
    name: str = ""

    def open(self, count: int) -> None:
        """With so many instances, which are up."""
        ec2 = self.cloud.client("ec2")
        vpc = ec2.create_vpc(CidrBlock="127.0.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(
            VpcId=vpc, CidrBlock="127.0.8.0/22", AvailabilityZone=f"{self.cloud.region}a"
        )["Subnet"]["SubnetId"]
        zones = [f"{self.cloud.region}a"]
        self.name = self.cloud.auto_scaling_group(
            count=0, MaxSize=50, VPCZoneIdentifier=subnet, AvailabilityZones=zones
        )
        self.fleet.trust_authority(self.port)
        os.environ[CREDENTIAL] = written(self.cloud.account(NEEDED))
        self.grow(count)

    @property
    def settings(self) -> dict[str, Any]:
        """Of an infrastructure definition."""
        return {
            "directory": f"{self.fleet.directory}/hosts/{{name}}/srv/shop",
            "auto_scaling_group": {
                "connector": CONNECTOR,
                "name": self.name,
                "port": self.port,
                "variables": {"COLOR": "teal"},
            },
        }

    def connect(self) -> Connector:
        """The AWS connector that the settings name."""
        return Connector.objects.create(
            name=CONNECTOR,
            deployment_type="AMI",
            credential=f"env:{CREDENTIAL}",
            settings={"region": self.cloud.region, "endpoint": self.cloud.endpoint},
        )

    def grow(self, count: int) -> list[str]:
        """So many more; which they are, in the order in which they are listed."""
        before = set(self.fleet.hosts)
        self._resize(len(before) + count)
        return [name for name in self.listed() if name not in before]

    def end(self, *names: str) -> None:
        """These are terminated, and the group does not replace them."""
        for name in names:
            self.cloud.client("autoscaling").terminate_instance_in_auto_scaling_group(
                InstanceId=name, ShouldDecrementDesiredCapacity=True
            )
            self.fleet.remove(name)
        until(lambda: not set(names) & {each["InstanceId"] for each in self._members()})

    def listed(self) -> list[str]:
        """As a rollback lists them: by launch, then by id."""
        return [each["InstanceId"] for each in self._described()]

    def _resize(self, count: int) -> None:
        self.cloud.client("autoscaling").update_auto_scaling_group(
            AutoScalingGroupName=self.name, DesiredCapacity=count
        )
        until(lambda: [each["LifecycleState"] for each in self._members()] == ["InService"] * count)
        for each in self._described():
            if each["InstanceId"] not in self.fleet.hosts:
                self._boot(each["InstanceId"], each["PrivateIpAddress"])

    def _boot(self, name: str, address: str) -> None:
        if self.image is not None:
            shutil.copytree(self.image, self.fleet.root(name), symlinks=True)
        self.fleet.add(name, address, self.port)

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
