"""The step that brings a release to workloads in place, and takes it back."""

from collections.abc import Mapping, Sequence
from functools import partial
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
from rollbacks.platforms.kubernetes import captures, cleaning, previews, releases, restoring
from rollbacks.platforms.kubernetes.calls import (
    Call,
    done,
    is_of,
    manifest_of,
    on_condition,
    run,
    scaled_in,
    with_count,
)
from rollbacks.platforms.kubernetes.cluster import Cluster
from rollbacks.platforms.kubernetes.inspecting import Planned, gone, inspected
from rollbacks.platforms.kubernetes.instances import Workload
from rollbacks.platforms.kubernetes.kinds import (
    KINDS,
    SERVICE,
    WORKLOADS,
    Object,
    key_of,
    kind_of,
    name_of,
)
from rollbacks.platforms.kubernetes.manifests import hard_coded
from rollbacks.platforms.kubernetes.settings import RolloutSettings


class Rollout(Step):
    """Applies the manifests and waits for the cluster to roll the workloads out.

    Undone: each workload's spec is put back to what was captured, whatever has happened since, but
    for the count of pods where an autoscaler says it, now or then; then services; then the
    configuration that this release alone had is deleted.
    """

    kind: ClassVar[str] = "k8s.rollout"
    label: ClassVar[str] = "Rollout Deployment"
    settings_model: ClassVar[type[BaseModel]] = RolloutSettings

    def capture(self, target: TargetRef, spec: StepSpec, control: Control) -> dict[str, Any]:
        objects = releases.objects_of(spec)

        async def look(cluster: Cluster) -> dict[str, Any]:
            found = {
                key_of(each): captures.kept(await cluster.get(kind_of(each), name_of(each)), each)
                for each in objects
                if each["kind"] in (*WORKLOADS, SERVICE.name)
            }
            scaled = await scaled_in(cluster)
            return {
                "objects": found,
                "scaled_by": {key: scaled[key] for key in found if key in scaled},
                "versioned": releases.versioned(objects),
            }

        return run(target, look, control)

    def apply(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        objects = releases.objects_of(spec)

        async def bring(cluster: Cluster) -> Progress:
            call = Call(cluster, target, spec, control)

            async def visit(workload: Workload) -> InstanceOutcome | Running:
                live = await cluster.get(workload.kind, workload.own_name)
                has_changed = live is None or not is_of(live, spec.release)
                if live is None or has_changed:
                    manifest = manifest_of(objects, workload.name)
                    is_scaled = workload.name in captured["scaled_by"]
                    counted = with_count(manifest, live, is_scaled=is_scaled)
                    live = await call.apply(on_condition(counted, live))
                waits = await call.rolled_out(workload.name, live)
                return waits or done(has_changed, f"Runs {releases.version_of(spec.release)}")

            for manifest in objects:
                if manifest["kind"] not in WORKLOADS:
                    await call.apply(manifest)
            progress = await call.at_each(visit)
            if not isinstance(progress, Running):
                await cleaning.clean(call, objects, captured)
            return progress

        return run(target, bring, control)

    def undo(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        async def bring_back(cluster: Cluster) -> Progress:
            call = Call(cluster, target, spec, control)
            scaled = await scaled_in(cluster)

            async def visit(workload: Workload) -> InstanceOutcome | Running:
                was, key = captured["objects"][workload.name], workload.name
                is_scaled = key in {*scaled, *captured["scaled_by"]}
                found = await restoring.workload(
                    call, key, workload.kind, workload.own_name, was, is_scaled=is_scaled
                )
                if isinstance(found, Running):
                    return found
                return done(found, "As before" if was else "Gone, as before")

            progress = await call.at_each(visit)
            if not isinstance(progress, Running):
                for key, was in captured["objects"].items():
                    if key.startswith(f"{SERVICE.name}/"):
                        await restoring.service(call, key.partition("/")[2], was)
                await call.remove_versioned(captured)
            return progress

        return run(target, bring_back, control)

    def preview(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any] | None
    ) -> Sequence[Change]:
        return previews.of_rollout(spec, captured)

    def inspect(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any] | None
    ) -> Inspection:
        async def planned(cluster: Cluster) -> list[Planned]:
            if captured is not None:
                return _planned_back(spec, captured, {*await scaled_in(cluster)})
            return await _planned(cluster, spec)

        is_forced = bool(spec.settings["take_ownership"])
        return inspected(target, planned, is_forced=is_forced)

    def irreversible(self, settings: Mapping[str, Any]) -> str:
        return irreversible(settings)


def irreversible(settings: Mapping[str, Any]) -> str:
    """Of every step that brings manifests."""
    if keys := hard_coded(str(settings["manifests"])):
        return (
            f"The manifests hard-code the image of {', '.join(keys)}: the artifact does not come "
            "into it. Write ${image} where the artifact belongs, and deploy again."
        )
    return ""


async def _planned(cluster: Cluster, spec: StepSpec) -> list[Planned]:
    objects, scaled, found = releases.objects_of(spec), await scaled_in(cluster), []
    for each in objects:
        live = await cluster.get(kind_of(each), name_of(each)) if key_of(each) in scaled else None
        manifest = with_count(each, live, is_scaled=live is not None)
        found.append(Planned(_instance(each), kind_of(each), name_of(each), manifest))
    return found


def _instance(manifest: Object) -> str:
    return key_of(manifest) if manifest["kind"] in WORKLOADS else ""


def _planned_back(spec: StepSpec, captured: Mapping[str, Any], scaled: set[str]) -> list[Planned]:
    found = []
    for key, was in captured["objects"].items():
        if key.startswith(f"{SERVICE.name}/") or key in spec.instances:
            kind, name = KINDS[key.partition("/")[0]], key.partition("/")[2]
            instance = key if kind.name in WORKLOADS else ""
            is_scaled = key in scaled | {*captured["scaled_by"]}
            ways = partial(captures.way_back, was=was, is_scaled=is_scaled) if was else None
            found.append(Planned(instance, kind, name, ways=ways))
    return found + gone(captured)
