"""An Auto Scaling group as it was described, and what a capture keeps of it. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rollbacks.platforms.ami import series
from rollbacks.platforms.ami.sizes import Sizes
from rollbacks.platforms.aws import lineage

Described = Mapping[str, Any]
ALARMS = "AlarmNotification"
ACTS_BY_ITSELF = (ALARMS, "ScheduledActions")  # what changes sizes behind our back
GROWS = ("Launch", "AddToLoadBalancer")  # without them no instance comes, or none serves
SHRINKS = ("Terminate",)
_IN_SERVICE = "InService"
# Warm pools are no part of a group's size, and what terminates serves nobody any more.
_ON_THE_WAY_OUT = ("Terminating", "Terminated", "Detaching", "Detached", "Warmed")


@dataclass(frozen=True)
class Template:
    """A launch template, and a version of it: a number, $Latest or $Default."""

    own_id: str
    version: str


def template_in(found: Described | None) -> Template | None:
    """Of a launch template specification as AWS describes it."""
    if not found:
        return None
    return Template(found["LaunchTemplateId"], str(found.get("Version") or "$Default"))


@dataclass(frozen=True)
class Machine:
    """An EC2 instance of a group."""

    own_id: str
    state: str  # LifecycleState
    is_healthy: bool  # by the health checks of the group
    is_protected: bool = False  # from being ended when the group shrinks
    weight: int = 1  # how much of the capacity it is
    template: Template | None = None  # what it was started from; None where that is not told

    @property
    def is_leaving(self) -> bool:
        return self.state.startswith(_ON_THE_WAY_OUT)

    @property
    def is_in_service(self) -> bool:
        return self.state == _IN_SERVICE and self.is_healthy


@dataclass(frozen=True)
class Group:
    """One group; `described` is all that Amazon EC2 Auto Scaling tells of it."""

    name: str
    tags: Mapping[str, str]
    sizes: Sizes
    machines: tuple[Machine, ...]
    described: Described = field(repr=False)

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
    def target_groups(self) -> tuple[str, ...]:
        return tuple(sorted(self.described.get("TargetGroupARNs") or ()))

    @property
    def suspended(self) -> tuple[str, ...]:
        found = self.described.get("SuspendedProcesses") or ()
        return tuple(sorted(each["ProcessName"] for each in found))

    @property
    def is_ending(self) -> bool:
        """Whether it is being deleted."""
        return bool(self.described.get("Status"))

    @property
    def staying(self) -> tuple[Machine, ...]:
        """The instances that are not on their way out."""
        return tuple(each for each in self.machines if not each.is_leaving)

    @property
    def in_service(self) -> tuple[Machine, ...]:
        return tuple(each for each in self.machines if each.is_in_service)

    def others_than(self, template: Template) -> tuple[Machine, ...]:
        """The staying instances that were started from something else."""
        return tuple(each for each in self.staying if each.template != template)

    @property
    def is_exempt(self) -> bool:
        """Whether instances would stay when it shrinks, since they are protected from that."""
        return any(each.is_protected for each in self.staying)

    @property
    def is_active(self) -> bool:
        """Whether it has instances, or is to have."""
        return bool(self.sizes.desired or self.sizes.minimum or self.staying) and not self.is_ending

    @property
    def is_calm(self) -> bool:
        """Whether its scaling policies may not act."""
        return ALARMS in self.suspended

    @property
    def planned_sizes(self) -> Sizes:
        """What it is to have in the end, by its tag; what it has, where that is gone."""
        try:
            return Sizes.parsed(self.tags[series.SIZES])
        except (KeyError, ValueError):
            return self.sizes


def group_of(described: Described) -> Group:
    return Group(
        name=described["AutoScalingGroupName"],
        tags={each["Key"]: each.get("Value", "") for each in described.get("Tags") or ()},
        sizes=Sizes.of(described),
        machines=tuple(
            Machine(
                each["InstanceId"],
                each["LifecycleState"],
                each["HealthStatus"].lower() == "healthy",
                bool(each.get("ProtectedFromScaleIn")),
                int(each.get("WeightedCapacity") or 1),
                template_in(each.get("LaunchTemplate")),
            )
            for each in described.get("Instances") or ()
        ),
        described=described,
    )


def capacity_of(machines: Iterable[Machine]) -> int:
    """In the units that sizes are given in: instances, unless the instance types have weights."""
    return sum(each.weight for each in machines)


def newest_first(groups: Iterable[Group]) -> list[Group]:
    return sorted(groups, key=lambda each: (each.number, each.name), reverse=True)


def of_release(groups: Iterable[Group], release: str) -> Group | None:
    """The group that this release has brought."""
    return next((each for each in groups if each.release == release), None)


@dataclass(frozen=True)
class State:
    """What a capture keeps of a group, and an undo returns to."""

    sizes: Sizes
    target_groups: tuple[str, ...] = ()
    suspended: tuple[str, ...] = ()
    policies: tuple[Mapping[str, Any], ...] = ()

    @property
    def as_json(self) -> dict[str, Any]:
        return {
            "sizes": self.sizes.text,
            "target_groups": list(self.target_groups),
            "suspended": list(self.suspended),
            "policies": [dict(each) for each in self.policies],
        }


def state_of(group: Group, policies: Sequence[Mapping[str, Any]]) -> State:
    return State(group.sizes, group.target_groups, group.suspended, tuple(policies))


def states_in(captured: Mapping[str, Any]) -> dict[str, State]:
    """What a capture kept, by the name of the group."""
    return {
        name: State(
            Sizes.parsed(each["sizes"]),
            tuple(each["target_groups"]),
            tuple(each["suspended"]),
            tuple(each["policies"]),
        )
        for name, each in captured["groups"].items()
    }
