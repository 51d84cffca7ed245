"""What is asked of Amazon EC2 Auto Scaling about the groups of a series, and what is told it.

Every change is asked for only where it is still missing; what it became is seen by looking again.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rollbacks.platforms.ami import groups, policies, series, templates
from rollbacks.platforms.ami.groups import Group, State
from rollbacks.platforms.ami.sizes import Sizes
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

AUTOSCALING = "autoscaling"
MOST_ACTIONS = 50  # scheduled actions in one call
GRANULARITY = "1Minute"


class Looks:
    """What can be read about a target's groups."""

    def __init__(self, target: TargetRef) -> None:
        self.target = target
        self.api = Api(target)
        self.series = lineage.series_of(target)
        self.key = series.key_of(target)
        self.base_name = str(target.settings["base_group"])

    def groups(self) -> list[Group]:
        """All groups of the series, newest first; the base group is none, however it is tagged."""
        found = self.api.pages(
            AUTOSCALING,
            "describe_auto_scaling_groups",
            "AutoScalingGroups",
            Filters=[{"Name": f"tag:{lineage.SERIES}", "Values": [self.series]}],
        )
        every = (groups.group_of(each) for each in found)
        return groups.newest_first(each for each in every if each.name != self.base_name)

    def base(self) -> Group:
        """The group that others are made after; PlatformError where it is gone."""
        found = self.api.read(
            AUTOSCALING,
            "describe_auto_scaling_groups",
            AutoScalingGroupNames=[self.base_name],
            IncludeInstances=False,
        )["AutoScalingGroups"]
        if not found:
            raise PlatformError(
                f"The base group {self.base_name} of the infrastructure definition is not there.",
                permanent=True,
            )
        return groups.group_of(found[0])

    def described_policies(self, name: str) -> list[dict[str, Any]]:
        """The group's scaling policies as they are described."""
        return list(
            self.api.pages(
                AUTOSCALING, "describe_policies", "ScalingPolicies", AutoScalingGroupName=name
            )
        )

    def policies(self, name: str) -> list[policies.Policy]:
        return policies.kept(self.described_policies(name))

    def schedule(self, name: str) -> list[dict[str, Any]]:
        """The group's scheduled actions, as another group can have them."""
        found = self.api.pages(
            AUTOSCALING,
            "describe_scheduled_actions",
            "ScheduledUpdateGroupActions",
            AutoScalingGroupName=name,
        )
        return policies.scheduled(found, datetime.now(UTC))

    def hooks(self, name: str) -> list[dict[str, Any]]:
        """The group's lifecycle hooks."""
        found: list[dict[str, Any]] = self.api.read(
            AUTOSCALING, "describe_lifecycle_hooks", AutoScalingGroupName=name
        )["LifecycleHooks"]
        return found

    def states(self, found: Iterable[Group]) -> dict[str, Any]:
        """What a capture keeps of these groups."""
        return {
            each.name: groups.state_of(each, self.policies(each.name)).as_json for each in found
        }


class Call(Looks):
    """One capture, apply or undo of a step. `has_changed`: whether it has asked for any change."""

    def __init__(self, target: TargetRef, spec: StepSpec, control: Control) -> None:
        super().__init__(target)
        self.spec = spec
        self.control = control
        self.has_changed = False

    def write(self, service: str, operation: str, /, **parameters: Any) -> Mapping[str, Any]:
        """Change something, if this worker still may. A lost answer is told of the series."""
        try:
            found: Mapping[str, Any] = self.api.write(
                self.control, service, operation, **parameters
            )
        except Lost as lost:
            self.control.report(self.key, InstanceOutcome(OutcomeState.UNKNOWN, str(lost)))
            raise
        self.has_changed = True
        return found

    def new_group(self, found: Iterable[Group]) -> Group:
        """The group of this release; PlatformError where no earlier step has brought it."""
        new = groups.of_release(found, self.spec.release)
        if new is None:
            raise PlatformError(
                f"No group of this release is there: the workflow needs a setup before the step "
                f"{self.spec.name}.",
                permanent=True,
            )
        return new

    def resize(self, group: Group, sizes: Sizes) -> None:
        """All three in one call: minimum never exceeds desired on the way, up or down."""
        if group.sizes != sizes:
            self._update(group, sizes.parameters)

    def _update(self, group: Group, parameters: Mapping[str, Any]) -> None:
        name = "update_auto_scaling_group"
        self.write(AUTOSCALING, name, AutoScalingGroupName=group.name, **parameters)

    def calm(self, group: Group) -> None:
        """Let nothing but us change its sizes; its policies and its schedule stay as they are."""
        missing = [each for each in groups.ACTS_BY_ITSELF if each not in group.suspended]
        if missing:
            self._processes(group, "suspend_processes", missing)

    def bring_processes(self, group: Group, wanted: Sequence[str]) -> None:
        """Exactly these are suspended."""
        if missing := sorted(set(wanted) - set(group.suspended)):
            self._processes(group, "suspend_processes", missing)
        self.resume(group, sorted(set(group.suspended) - set(wanted)))

    def resume(self, group: Group, names: Sequence[str]) -> None:
        """None of these is suspended."""
        if extra := [each for each in names if each in group.suspended]:
            self._processes(group, "resume_processes", extra)

    def _processes(self, group: Group, operation: str, names: Sequence[str]) -> None:
        self.write(
            AUTOSCALING, operation, AutoScalingGroupName=group.name, ScalingProcesses=list(names)
        )

    def bring_policies(self, group: Group, wanted: Sequence[Mapping[str, Any]]) -> None:
        """Exactly these are the group's scaling policies."""
        put, gone = policies.differing([dict(each) for each in wanted], self.policies(group.name))
        for name in gone:
            self.write(
                AUTOSCALING, "delete_policy", AutoScalingGroupName=group.name, PolicyName=name
            )
        for each in put:
            self.write(AUTOSCALING, "put_scaling_policy", AutoScalingGroupName=group.name, **each)

    def strip(self, group: Group, was: State) -> None:
        """Nothing makes it grow any more, but what did so before."""
        self.bring_policies(group, was.policies)
        if names := [each["ScheduledActionName"] for each in self.schedule(group.name)]:
            self.write(
                AUTOSCALING,
                "batch_delete_scheduled_action",
                AutoScalingGroupName=group.name,
                ScheduledActionNames=names,
            )

    def bring_schedule(self, group: Group, wanted: Sequence[Mapping[str, Any]]) -> None:
        """These are among the group's scheduled actions."""
        has = {each["ScheduledActionName"] for each in self.schedule(group.name)}
        missing = [each for each in wanted if each["ScheduledActionName"] not in has]
        for first in range(0, len(missing), MOST_ACTIONS):
            self.write(
                AUTOSCALING,
                "batch_put_scheduled_update_group_action",
                AutoScalingGroupName=group.name,
                ScheduledUpdateGroupActions=missing[first : first + MOST_ACTIONS],
            )

    def attach(self, group: Group, arns: Iterable[str]) -> bool:
        """Attach those target groups that it is not attached to; whether there were any."""
        missing = [each for each in arns if each not in group.target_groups]
        if missing:
            self._attachment(group, "attach_load_balancer_target_groups", missing)
        return bool(missing)

    def detach(self, group: Group, arns: Iterable[str]) -> None:
        if extra := [each for each in arns if each in group.target_groups]:
            self._attachment(group, "detach_load_balancer_target_groups", extra)

    def _attachment(self, group: Group, operation: str, arns: list[str]) -> None:
        self.write(AUTOSCALING, operation, AutoScalingGroupName=group.name, TargetGroupARNs=arns)

    def mark(self, group: Group, release: str, version: str) -> None:
        """By its tags the group belongs to this release."""
        wanted = {lineage.RELEASE: release, lineage.VERSION: version}
        missing = {key: each for key, each in wanted.items() if group.tags.get(key) != each}
        if missing:
            tags = templates.tags_of(group.name, {key: (missing[key], False) for key in missing})
            self.write(AUTOSCALING, "create_or_update_tags", Tags=tags)

    def create(self, parameters: Mapping[str, Any]) -> None:
        self.write(AUTOSCALING, "create_auto_scaling_group", **parameters)

    def measure(self, group: Group, wanted: Sequence[str]) -> None:
        """Enable these group metrics where they are not."""
        if missing := sorted(set(wanted) - set(templates.metrics_of(group))):
            self.write(
                AUTOSCALING,
                "enable_metrics_collection",
                AutoScalingGroupName=group.name,
                Metrics=missing,
                Granularity=GRANULARITY,
            )

    def delete(self, group: Group) -> None:
        """Delete a group of ours that has no instances; AWS refuses while it has any."""
        if group.name == self.base_name or group.tags.get(lineage.SERIES) != self.series:
            raise PlatformError(f"{group.name} is not ours, so it is not deleted.", permanent=True)
        if not group.is_ending:
            self.write(AUTOSCALING, "delete_auto_scaling_group", AutoScalingGroupName=group.name)
