"""What is asked of Amazon ECS about the services of a target, and what is told it.

Every change is asked for only where it is still missing; what it became is seen by looking again.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from rollbacks.platforms import numbering
from rollbacks.platforms.aws import lineage
from rollbacks.platforms.aws.api import Api, Lost
from rollbacks.platforms.base import (
    Control,
    InstanceOutcome,
    OutcomeState,
    PlatformError,
    StepSpec,
    TargetRef,
)
from rollbacks.platforms.ecs import series, services
from rollbacks.platforms.ecs.definitions import Definition
from rollbacks.platforms.ecs.scaling import DIMENSION, NAMESPACE, Scaling, scaling_of
from rollbacks.platforms.ecs.services import COLOR, Service

ECS = "ecs"
AUTOSCALING = "application-autoscaling"
MOST_SERVICES = 10  # in one request
MOST_TASKS = 100
MOST_TARGETS = 50
Thing = TypeVar("Thing")


class Looks:
    """What can be read about a target's services."""

    def __init__(self, target: TargetRef) -> None:
        self.target = target
        self.api = Api(target)
        self.cluster = str(target.settings["cluster"])
        self.series = lineage.series_of(target)
        self._definitions: dict[str, Definition] = {}

    @property
    def key(self) -> str:
        """The instance that the series is."""
        return series.key_of(self.target)

    def named(self, names: Iterable[str]) -> dict[str, Service]:
        """Those that are there, by name; deleted ones are not."""
        found = (
            services.service_of(each)
            for part in some(sorted(set(names)), MOST_SERVICES)
            for each in self.api.read(
                ECS, "describe_services", cluster=self.cluster, services=part, include=["TAGS"]
            )["services"]
        )
        return {each.name: each for each in found if each.is_there}

    def services(self) -> list[Service]:
        """All of the series, newest first; by name and tag."""
        found = self.named(self._numbered()).values()
        return services.newest_first(
            each for each in found if each.tags.get(lineage.SERIES) == self.series
        )

    def numbers(self) -> list[int]:
        """All that names in the cluster have taken, whosever they are."""
        found = (numbering.number_in(self.key, name) for name in self._numbered())
        return [each for each in found if each is not None]

    def _numbered(self) -> list[str]:
        arns = self.api.pages(
            ECS,
            "list_services",
            "serviceArns",
            cluster=self.cluster,
            PaginationConfig={"PageSize": 100},
        )
        names = (str(each).rpartition("/")[2] for each in arns)
        return [each for each in names if numbering.number_in(self.key, each) is not None]

    def one(self, name: str) -> Service:
        """PlatformError where it is not there."""
        found = self.named([name])
        if name not in found:
            raise PlatformError(
                f"The cluster {self.cluster} has no service {name}.", permanent=True
            )
        return found[name]

    def definition(self, name: str) -> Definition:
        """By ARN, family:revision, or family: its newest; as it was when first asked for."""
        if name not in self._definitions:
            self._definitions[name] = self._described(name)
        return self._definitions[name]

    def _described(self, name: str) -> Definition:
        found = self.api.read(
            ECS, "describe_task_definition", taskDefinition=name, include=["TAGS"]
        )
        tags = {each["key"]: each.get("value", "") for each in found.get("tags") or ()}
        described = found["taskDefinition"]
        return Definition(str(described["taskDefinitionArn"]), tags, described)

    def revisions(self, family: str) -> Iterator[str]:
        """The ARNs of the family's active revisions, newest first."""
        found = self.api.pages(
            ECS,
            "list_task_definitions",
            "taskDefinitionArns",
            familyPrefix=family,
            sort="DESC",
            status="ACTIVE",
            PaginationConfig={"PageSize": 10},
        )
        return (str(each) for each in found)

    def scalings(self, names: Iterable[str]) -> dict[str, Scaling]:
        """Of those services that are scalable targets, by name."""
        found: dict[str, Scaling] = {}
        for part in some(sorted(set(names)), MOST_TARGETS):
            targets = self.api.pages(
                AUTOSCALING,
                "describe_scalable_targets",
                "ScalableTargets",
                ServiceNamespace=NAMESPACE,
                ResourceIds=[self._resource(each) for each in part],
                ScalableDimension=DIMENSION,
            )
            for each in targets:
                name = str(each["ResourceId"]).rpartition("/")[2]
                found[name] = scaling_of(each, self._policies(name))
        return found

    def _policies(self, name: str) -> list[dict[str, Any]]:
        return list(
            self.api.pages(
                AUTOSCALING,
                "describe_scaling_policies",
                "ScalingPolicies",
                ServiceNamespace=NAMESPACE,
                ResourceId=self._resource(name),
                ScalableDimension=DIMENSION,
            )
        )

    def _resource(self, name: str) -> str:
        return f"service/{self.cluster.rpartition('/')[2]}/{name}"

    def scalable(self, name: str) -> dict[str, str]:
        """The service, as Application Auto Scaling calls it."""
        return {
            "ServiceNamespace": NAMESPACE,
            "ResourceId": self._resource(name),
            "ScalableDimension": DIMENSION,
        }


class Call(Looks):
    """One capture, apply or undo of a step. `has_changed`: whether it has asked for any change."""

    def __init__(self, target: TargetRef, spec: StepSpec, control: Control) -> None:
        super().__init__(target)
        self.spec = spec
        self.control = control
        self.has_changed = False

    def write(self, service: str, operation: str, /, **parameters: Any) -> Mapping[str, Any]:
        """Change something, if this worker still may. A lost answer is told of the instances."""
        try:
            found: Mapping[str, Any] = self.api.write(
                self.control, service, operation, **parameters
            )
        except Lost as lost:
            for key in self._about(parameters):
                self.control.report(key, InstanceOutcome(OutcomeState.UNKNOWN, str(lost)))
            raise
        self.has_changed = True
        return found

    def _about(self, parameters: Mapping[str, Any]) -> tuple[str, ...]:
        """The instances that a change is about."""
        name = parameters.get("service")
        return (str(name),) if name in self.spec.instances else self.spec.instances

    def new_service(self, found: Iterable[Service]) -> Service:
        """That of this release; PlatformError where no earlier step has brought it."""
        new = services.of_release(found, self.spec.release)
        if new is None:
            raise PlatformError(
                f"No service of this release is there: the workflow needs a setup before the step "
                f"{self.spec.name}.",
                permanent=True,
            )
        return new

    def update(self, name: str, **changes: Any) -> None:
        self.write(ECS, "update_service", cluster=self.cluster, service=name, **changes)

    def resize(self, service: Service, count: int) -> None:
        if service.desired != count and not service.is_daemon:
            self.update(service.name, desiredCount=count)

    def color(self, service: Service, color: str) -> None:
        """Mark it BLUE or GREEN; without a color the mark goes."""
        if service.color == color:
            return
        if color:
            tags = [{"key": COLOR, "value": color}]
            self.write(ECS, "tag_resource", resourceArn=service.arn, tags=tags)
        else:
            self.write(ECS, "untag_resource", resourceArn=service.arn, tagKeys=[COLOR])

    def delete(self, service: Service) -> None:
        """Delete a service of ours that has no tasks; ECS refuses while it has any."""
        if service.tags.get(lineage.SERIES) != self.series:
            raise PlatformError(f"{service.name} is not ours: it is not deleted.", permanent=True)
        self.write(ECS, "delete_service", cluster=self.cluster, service=service.name)

    def register_target(
        self, name: str, minimum: int, maximum: int, suspended: Mapping[str, bool]
    ) -> None:
        """AWS moves the desired count between the bounds as it takes them."""
        self.write(
            AUTOSCALING,
            "register_scalable_target",
            **self.scalable(name),
            MinCapacity=minimum,
            MaxCapacity=maximum,
            SuspendedState=dict(suspended),
        )


def some(things: Sequence[Thing], most: int) -> Iterator[list[Thing]]:
    """As many at a time as one request takes."""
    for first in range(0, len(things), most):
        yield list(things[first : first + most])
