"""The step that brings a release beside the one that serves."""

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
from rollbacks.platforms.kubernetes import captures, colors, releases, restoring
from rollbacks.platforms.kubernetes.calls import Call, done, is_of, on_condition, run, scaled_in
from rollbacks.platforms.kubernetes.cluster import Cluster
from rollbacks.platforms.kubernetes.inspecting import Planned, gone, inspected
from rollbacks.platforms.kubernetes.instances import Workload
from rollbacks.platforms.kubernetes.kinds import (
    PRIMARY_SERVICE,
    SERVICE,
    STAGE_SERVICE,
    WORKLOADS,
    Object,
    key_of,
    kind_of,
    name_of,
    pod_template,
)
from rollbacks.platforms.kubernetes.rollout import irreversible
from rollbacks.platforms.kubernetes.settings import BlueGreenSettings
from rollbacks.platforms.kubernetes.states import version_of


class Stage(Step):
    """Brings the release to the color that does not serve, and the stage service to it.

    Undone: that color's workload and the services are as they were captured.
    """

    kind: ClassVar[str] = "k8s.stage"
    label: ClassVar[str] = "Stage Deployment"
    settings_model: ClassVar[type[BaseModel]] = BlueGreenSettings

    def capture(self, target: TargetRef, spec: StepSpec, control: Control) -> dict[str, Any]:
        async def look(cluster: Cluster) -> dict[str, Any]:
            return await _captured(cluster, spec)

        return run(target, look, control)

    def apply(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        objects = _colored(spec, captured)

        async def bring(cluster: Cluster) -> Progress:
            call = Call(cluster, target, spec, control)

            async def visit(workload: Workload) -> InstanceOutcome | Running:
                manifest = next(each for each in objects if each["kind"] in WORKLOADS)
                live = await cluster.get(workload.kind, name_of(manifest))
                has_changed = live is None or not is_of(live, spec.release)
                if live is None or has_changed:
                    live = await call.apply(on_condition(manifest, live))
                waits = await call.rolled_out(workload.name, live)
                version = releases.version_of(spec.release)
                return waits or done(has_changed, f"{captured['color']} runs {version}")

            for manifest in objects:
                if manifest["kind"] not in WORKLOADS:
                    await call.apply(manifest)
            return await call.at_each(visit)

        return run(target, bring, control)

    def undo(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        async def bring_back(cluster: Cluster) -> Progress:
            call = Call(cluster, target, spec, control)
            for name, was in captured["services"].items():
                await restoring.service(call, name, was)

            async def visit(workload: Workload) -> InstanceOutcome | Running:
                name = f"{workload.own_name}-{captured['color']}"
                was = captured["workload"]
                is_scaled = await _is_scaled(cluster, f"{workload.kind.name}/{name}", captured)
                found = await restoring.workload(
                    call, workload.name, workload.kind, name, was, is_scaled=is_scaled
                )
                if isinstance(found, Running):
                    return found
                said = "is as before" if was else "is gone, as before"
                return done(found, f"{captured['color']} {said}")

            progress = await call.at_each(visit)
            if not isinstance(progress, Running):
                await call.remove_versioned(captured)
            return progress

        return run(target, bring_back, control)

    def preview(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any] | None
    ) -> Sequence[Change]:
        version = releases.version_of(spec.release)
        if captured is None:
            return [
                Change(key, "the color that does not serve", "", version) for key in spec.instances
            ]
        was = captured["workload"]
        earlier = version_of(pod_template(was)) if was else ""
        return [
            Change(key, f"{key}-{captured['color']}", version, earlier) for key in spec.instances
        ]

    def inspect(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any] | None
    ) -> Inspection:
        key = spec.instances[0]

        async def planned(cluster: Cluster) -> list[Planned]:
            if captured is not None:
                name = f"{key}-{captured['color']}"
                is_scaled = await _is_scaled(cluster, name, captured)
                return _planned_back(key, captured, is_scaled=is_scaled)
            objects = _colored(spec, await _captured(cluster, spec))
            return [
                Planned(
                    key if each["kind"] in WORKLOADS else "", kind_of(each), name_of(each), each
                )
                for each in objects
            ]

        is_forced = bool(spec.settings["take_ownership"])
        return inspected(target, planned, is_forced=is_forced)

    def irreversible(self, settings: Mapping[str, Any]) -> str:
        return irreversible(settings)


async def _captured(cluster: Cluster, spec: StepSpec) -> dict[str, Any]:
    objects, services = colors.brought(spec), {}
    workload = next(each for each in objects if each["kind"] in WORKLOADS)
    for service in (each for each in objects if each["kind"] == SERVICE.name):
        live = await cluster.get(SERVICE, name_of(service))
        services[name_of(service)] = captures.kept(live, service)
    serves = colors.color_of(services[colors.service_marked(objects, PRIMARY_SERVICE)])
    color = colors.GREEN if serves == colors.BLUE else colors.BLUE
    colored = colors.colored(workload, color)
    live = await cluster.get(kind_of(colored), name_of(colored))
    return {
        "color": color,
        "serves": serves,
        "workload": captures.kept(live, colored),
        "services": services,
        "is_scaled": key_of(colored) in await scaled_in(cluster),
        "versioned": releases.versioned(objects),
    }


def _colored(spec: StepSpec, captured: Mapping[str, Any]) -> list[Object]:
    """The release's objects: the workload in its color, and services that select theirs.

    Until the swap the primary service goes on selecting what it did; at first, what is new.
    """
    objects, color = colors.brought(spec), str(captured["color"])
    serves = captured["serves"] or (None if colors.was_there(objects, captured) else color)
    selected = {
        colors.service_marked(objects, PRIMARY_SERVICE): serves,
        colors.service_marked(objects, STAGE_SERVICE): color,
    }
    return [
        colors.colored(each, color)
        if each["kind"] in WORKLOADS
        else colors.selecting(each, selected.get(name_of(each)))
        for each in objects
    ]


async def _is_scaled(cluster: Cluster, key: str, captured: Mapping[str, Any]) -> bool:
    """Whether an autoscaler says how many pods it has, now or then."""
    return bool(captured["is_scaled"]) or key in await scaled_in(cluster)


def _planned_back(key: str, captured: Mapping[str, Any], *, is_scaled: bool) -> list[Planned]:
    kind, _, base = key.partition("/")
    was = captured["workload"]
    way = partial(captures.way_back, was=was, is_scaled=is_scaled) if was else None
    found = [Planned(key, WORKLOADS[kind], f"{base}-{captured['color']}", ways=way)]
    for name, was in captured["services"].items():
        found.append(
            Planned("", SERVICE, name, ways=partial(captures.way_back, was=was) if was else None)
        )
    return found + gone(captured)
