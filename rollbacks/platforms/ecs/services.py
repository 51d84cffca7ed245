"""An ECS service as it was described, and what of it can be put back. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rollbacks.platforms.aws import lineage

Described = Mapping[str, Any]
COLOR = "BG_VERSION"
BLUE, GREEN = "BLUE", "GREEN"
_ACTIVE = "ACTIVE"
_FINISHED = (None, "COMPLETED")  # None: what AWS tells of deployments that are older than the state
# What UpdateService takes, and what it takes where there was nothing.
_SETTINGS: Mapping[str, Any] = {
    "capacityProviderStrategy": [],
    "deploymentConfiguration": None,
    "networkConfiguration": None,
    "platformVersion": None,
    "loadBalancers": [],
    "serviceRegistries": [],
    "placementConstraints": [],
    "placementStrategy": [],
    "healthCheckGracePeriodSeconds": 0,
    "enableExecuteCommand": False,
    "enableECSManagedTags": False,
    "propagateTags": "NONE",
    "availabilityZoneRebalancing": None,
}
CONNECT = "serviceConnectConfiguration"
# The same, of what AWS tells only with a service's deployments.
_DEPLOYED: Mapping[str, Any] = {
    CONNECT: {"enabled": False},
    "volumeConfigurations": [],
    "vpcLatticeConfigurations": [],
}
_LOGS = "logConfiguration"  # of Service Connect's proxy; its options may hold what is secret
_PROVIDERS = "capacityProviderStrategy"
# What CreateService takes of a base service, beside these.
_MADE = ("role", "schedulingStrategy")


@dataclass(frozen=True)
class Service:
    """`described` is all that ECS tells of it, its tags included."""

    name: str
    tags: Mapping[str, str]
    described: Described = field(repr=False)

    @property
    def arn(self) -> str:
        return str(self.described["serviceArn"])

    @property
    def definition(self) -> str:
        """The ARN of its task definition."""
        return str(self.described["taskDefinition"])

    @property
    def desired(self) -> int:
        return int(self.described["desiredCount"])

    @property
    def running(self) -> int:
        return int(self.described["runningCount"])

    @property
    def tasks(self) -> int:
        """Running, or about to."""
        return self.running + int(self.described["pendingCount"])

    @property
    def is_there(self) -> bool:
        """Not deleted, nor being deleted."""
        return bool(self.described["status"] == _ACTIVE)

    @property
    def is_active(self) -> bool:
        """Whether it has tasks, or is to have."""
        return self.is_there and bool(self.desired or self.tasks)

    @property
    def is_daemon(self) -> bool:
        return self.described.get("schedulingStrategy") == "DAEMON"

    @property
    def controller(self) -> str:
        return str((self.described.get("deploymentController") or {}).get("type", "ECS"))

    @property
    def deployments(self) -> list[Described]:
        """The PRIMARY one first."""
        found = list(self.described.get("deployments") or ())
        return sorted(found, key=lambda each: each["status"] != "PRIMARY")

    @property
    def primary(self) -> Described:
        found = self.deployments
        return found[0] if found else {}

    @property
    def changed_at(self) -> datetime | None:
        return self.primary.get("createdAt")

    @property
    def is_rolled_out(self) -> bool:
        """One deployment, completed, with all its tasks running."""
        return (
            len(self.deployments) == 1
            and self.primary.get("rolloutState") in _FINISHED
            and self.running == self.desired == self.tasks
        )

    @property
    def target_groups(self) -> tuple[str, ...]:
        found = self.described.get("loadBalancers") or ()
        return tuple(each["targetGroupArn"] for each in found if each.get("targetGroupArn"))

    @property
    def registries(self) -> tuple[str, ...]:
        """The ARNs of its Cloud Map services."""
        found = self.described.get("serviceRegistries") or ()
        return tuple(each["registryArn"] for each in found)

    @property
    def offers(self) -> tuple[str, ...]:
        """The names by which Service Connect knows it, each of which only one service may have."""
        found = (self.primary.get(CONNECT) or {}).get("services") or ()
        return tuple(each.get("discoveryName") or each["portName"] for each in found)

    @property
    def launch_type(self) -> str:
        """EC2 or FARGATE, also where capacity providers say so."""
        names = [
            each["capacityProvider"]
            for each in self.described.get("capacityProviderStrategy") or ()
        ]
        if names:
            return "FARGATE" if any(each.startswith("FARGATE") for each in names) else "EC2"
        return str(self.described.get("launchType", "EC2"))

    @property
    def subnets(self) -> list[str]:
        network = self.described.get("networkConfiguration") or {}
        return list((network.get("awsvpcConfiguration") or {}).get("subnets") or ())

    @property
    def number(self) -> int:
        return lineage.number_of(self.tags)

    @property
    def release(self) -> str:
        return self.tags.get(lineage.RELEASE, "")

    @property
    def version(self) -> str:
        return self.tags.get(lineage.VERSION, "")

    @property
    def color(self) -> str:
        return self.tags.get(COLOR, "")


def service_of(described: Described) -> Service:
    tags = {each["key"]: each.get("value", "") for each in described.get("tags") or ()}
    return Service(str(described["serviceName"]), tags, described)


def newest_first(services: Iterable[Service]) -> list[Service]:
    return sorted(services, key=lambda each: (each.number, each.name), reverse=True)


def of_release(services: Iterable[Service], release: str) -> Service | None:
    """The one that this release has brought."""
    return next((each for each in services if each.release == release), None)


def settings_of(service: Service) -> dict[str, Any]:
    """All of it that UpdateService can change, but for task definition and count."""
    found = {
        key: service.described[key]
        for key, empty in _SETTINGS.items()
        if service.described.get(key) not in (None, empty)
    }
    deployed = {key: service.primary.get(key) or empty for key, empty in _DEPLOYED.items()}
    connect = {key: each for key, each in deployed[CONNECT].items() if key != _LOGS}
    return {**found, **deployed, CONNECT: connect}


def differing(service: Service, was: Mapping[str, Any]) -> dict[str, Any]:
    """What UpdateService is to be told so that these settings are as they were."""
    now = settings_of(service)
    empties = {**_SETTINGS, **{key: each for key, each in _DEPLOYED.items() if key in was}}
    changed = {
        key: was.get(key, empty)
        for key, empty in empties.items()
        if now.get(key, empty) != was.get(key, empty)
    }
    logs = (service.primary.get(CONNECT) or {}).get(_LOGS)
    if logs and changed.get(CONNECT, {}).get("enabled"):
        changed[CONNECT] = {**changed[CONNECT], _LOGS: logs}
    if _PROVIDERS in changed:
        changed["forceNewDeployment"] = True  # else ECS refuses other providers
    return {key: value for key, value in changed.items() if value is not None}


def creation(base: Service, launch_type: str) -> dict[str, Any]:
    """The parameters of CreateService for one after the base service, without any task."""
    found = {**settings_of(base), CONNECT: base.primary.get(CONNECT) or ""}
    taken = {key: value for key, value in found.items() if value not in ([], "")}
    for key in _MADE:
        if base.described.get(key):
            taken[key] = base.described[key]
    if _PROVIDERS not in taken:
        taken["launchType"] = launch_type
    return {**taken, "desiredCount": 0}
