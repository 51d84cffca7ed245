"""The steps of a canary: a few pods of the new release beside the others, and their end."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel

from rollbacks.platforms.base import (
    Change,
    Control,
    Inspection,
    InstanceOutcome,
    Progress,
    Running,
    Step,
    StepSpec,
    TargetRef,
)
from rollbacks.platforms.kubernetes import releases
from rollbacks.platforms.kubernetes.calls import (
    Call,
    done,
    is_of,
    manifest_of,
    on_condition,
    part_of,
    run,
)
from rollbacks.platforms.kubernetes.cluster import Cluster
from rollbacks.platforms.kubernetes.inspecting import Planned, gone, inspected
from rollbacks.platforms.kubernetes.instances import Workload
from rollbacks.platforms.kubernetes.kinds import (
    TRACK,
    VERSIONED,
    WORKLOADS,
    Object,
    kind_of,
    name_of,
    pod_template,
)
from rollbacks.platforms.kubernetes.rollout import irreversible
from rollbacks.platforms.kubernetes.settings import CanaryDeleteSettings, CanarySettings
from rollbacks.platforms.kubernetes.states import wanted_pods

SUFFIX = "-canary"


class Canary(Step):
    """Brings the release to a workload of its own, named …-canary; undone, that is deleted."""

    kind: ClassVar[str] = "k8s.canary"
    label: ClassVar[str] = "Canary Deployment"
    settings_model: ClassVar[type[BaseModel]] = CanarySettings

    def capture(self, target: TargetRef, spec: StepSpec, control: Control) -> dict[str, Any]:
        """How many pods a percentage is of: what runs now, and only at first what is written."""
        objects = releases.objects_of(spec)

        async def look(cluster: Cluster) -> dict[str, Any]:
            call = Call(cluster, target, spec, control)
            counts = {}
            for workload in call.workloads:
                live = await cluster.get(workload.kind, workload.own_name)
                counts[workload.name] = wanted_pods(
                    (live or manifest_of(objects, workload.name))["spec"]
                )
            return {"counts": counts, "versioned": releases.versioned(objects)}

        return run(target, look, control)

    def apply(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        objects = releases.objects_of(spec)

        async def bring(cluster: Cluster) -> Progress:
            call = Call(cluster, target, spec, control)

            async def visit(workload: Workload) -> InstanceOutcome | Running:
                pods = part_of(str(spec.settings["instances"]), captured["counts"][workload.name])
                live = await cluster.get(workload.kind, workload.own_name + SUFFIX)
                has_changed = live is None or not is_of(live, spec.release)
                if live is None or has_changed:
                    manifest = _canary(manifest_of(objects, workload.name), pods)
                    live = await call.apply(on_condition(manifest, live))
                waits = await call.rolled_out(workload.name, live)
                return waits or done(has_changed, f"{pods} on {releases.version_of(spec.release)}")

            for manifest in objects:
                if manifest["kind"] in VERSIONED:
                    await call.apply(manifest)
            return await call.at_each(visit)

        return run(target, bring, control)

    def undo(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        async def end(cluster: Cluster) -> Progress:
            call = Call(cluster, target, spec, control)
            progress = await _end_canaries(call)
            if not isinstance(progress, Running):
                await call.remove_versioned(captured)
            return progress

        return run(target, end, control)

    def preview(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any] | None
    ) -> Sequence[Change]:
        pods, release = str(spec.settings["instances"]), releases.version_of(spec.release)
        if captured is None:
            return [Change(key, key + SUFFIX, "", f"{pods} on {release}") for key in spec.instances]
        return [Change(key, key + SUFFIX, release, "") for key in spec.instances]

    def inspect(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any] | None
    ) -> Inspection:
        async def planned(cluster: Cluster) -> list[Planned]:
            if captured is not None:
                return [*_planned_end(spec), *gone(captured)]
            return [
                Planned("", kind_of(each), name_of(each), each)
                for each in releases.objects_of(spec)
                if each["kind"] in VERSIONED
            ] + [
                Planned(key, kind_of(canary), name_of(canary), canary)
                for key, each in releases.workloads(releases.objects_of(spec)).items()
                if (canary := _canary(each, 1))
            ]

        is_forced = bool(spec.settings["take_ownership"])
        return inspected(target, planned, is_forced=is_forced)

    def irreversible(self, settings: Mapping[str, Any]) -> str:
        return irreversible(settings)


class CanaryDelete(Step):
    """Ends the canary once the release is everywhere; there is nothing about it to undo."""

    kind: ClassVar[str] = "k8s.canary_delete"
    label: ClassVar[str] = "Canary Delete"
    settings_model: ClassVar[type[BaseModel]] = CanaryDeleteSettings

    def capture(self, target: TargetRef, spec: StepSpec, control: Control) -> dict[str, Any]:
        return {}

    def apply(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        async def end(cluster: Cluster) -> Progress:
            return await _end_canaries(Call(cluster, target, spec, control))

        return run(target, end, control)

    def undo(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        """A canary is for trying a release; one that is taken back needs none."""
        return self.apply(target, spec, captured, control)

    def preview(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any] | None
    ) -> Sequence[Change]:
        if captured is not None:
            return ()
        release = releases.version_of(spec.release)
        return [Change(key, key + SUFFIX, release, "") for key in spec.instances]

    def inspect(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any] | None
    ) -> Inspection:
        async def planned(cluster: Cluster) -> list[Planned]:
            return _planned_end(spec)

        return inspected(target, planned, is_forced=False)


def _planned_end(spec: StepSpec) -> list[Planned]:
    found = [Workload(key) for key in spec.instances]
    return [Planned(each.name, each.kind, each.own_name + SUFFIX) for each in found]


async def _end_canaries(call: Call) -> Progress:
    async def visit(workload: Workload) -> InstanceOutcome | Running:
        name = workload.own_name + SUFFIX
        live = await call.cluster.get(workload.kind, name)
        has_changed = await call.remove(workload.kind, name)
        waits = await call.gone(workload.name, live) if live else None
        return waits or done(has_changed, "No canary is left")

    return await call.at_each(visit)


def _canary(manifest: Object, pods: int) -> Object:
    """The workload as a canary: its pods are found by whoever finds the others', and by itself."""
    canary = copy.deepcopy(manifest)
    assert canary["kind"] in WORKLOADS
    canary["metadata"]["name"] += SUFFIX
    spec, metadata = canary["spec"], pod_template(canary)["metadata"]
    spec["replicas"] = pods
    selector = spec.setdefault("selector", {})
    selector["matchLabels"] = {**(selector.get("matchLabels") or {}), TRACK: "canary"}
    metadata["labels"] = {**(metadata.get("labels") or {}), TRACK: "canary"}
    return canary
