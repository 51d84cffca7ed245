"""The step that brings a release beside the one that serves."""

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
from rollbacks.platforms.kubernetes import captures, colors, inspecting, releases
from rollbacks.platforms.kubernetes.calls import (
    Call,
    Workload,
    done,
    is_of,
    on_condition,
    run,
)
from rollbacks.platforms.kubernetes.cluster import Cluster
from rollbacks.platforms.kubernetes.kinds import (
    PRIMARY_SERVICE,
    SERVICE,
    STAGE_SERVICE,
    WORKLOADS,
    key_of,
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
        objects = colors.brought(spec)
        key, workload = next(iter(releases.workloads(objects).items()))

        async def look(cluster: Cluster) -> dict[str, Any]:
            call = Call(cluster, target, spec, control)
            services = {}
            for service in (each for each in objects if each["kind"] == SERVICE.name):
                live = await cluster.get(SERVICE, name_of(service))
                services[name_of(service)] = captures.kept(live, service)
            primary = services[colors.service_marked(objects, PRIMARY_SERVICE)]
            serves = colors.color_of(primary)
            color = colors.GREEN if serves == colors.BLUE else colors.BLUE
            colored = colors.colored(workload, color)
            live = await cluster.get(WORKLOADS[workload["kind"]], name_of(colored))
            scaled = await call.scaled_by()
            return {
                "key": key,
                "color": color,
                "serves": serves,
                "workload": captures.kept(live, colored),
                "services": services,
                "is_scaled": key_of(colored) in scaled,
                "versioned": releases.versioned(objects),
            }

        return run(target, look, control)

    def apply(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        objects, color = colors.brought(spec), str(captured["color"])
        # Until the swap the primary service goes on selecting what it did; at first, what is new.
        serves = captured["serves"] or (None if colors.was_there(objects, captured) else color)
        selected = {
            colors.service_marked(objects, PRIMARY_SERVICE): serves,
            colors.service_marked(objects, STAGE_SERVICE): color,
        }

        async def bring(cluster: Cluster) -> Progress:
            call = Call(cluster, target, spec, control)

            async def visit(workload: Workload) -> InstanceOutcome | Running:
                manifest = colors.colored(releases.workloads(objects)[workload.name], color)
                live = await cluster.get(workload.kind, name_of(manifest))
                has_changed = live is None or not is_of(live, spec.release)
                if live is None or has_changed:
                    live = await call.apply(on_condition(manifest, live))
                waits = await call.rolled_out(workload.name, live)
                version = releases.version_of(spec.release)
                return waits or done(has_changed, f"{color} runs {version}")

            for manifest in objects:
                if manifest["kind"] == SERVICE.name:
                    await call.apply(colors.selecting(manifest, selected.get(name_of(manifest))))
                elif manifest["kind"] not in WORKLOADS:
                    await call.apply(manifest)
            return await call.at_each(visit)

        return run(target, bring, control)

    def undo(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        async def bring_back(cluster: Cluster) -> Progress:
            call = Call(cluster, target, spec, control)
            for name, was in captured["services"].items():
                await call.bring_back(SERVICE, name, was)
                await call.own_again(SERVICE, name, was)

            async def visit(workload: Workload) -> InstanceOutcome | Running:
                name = f"{workload.own_name}-{captured['color']}"
                was = captured["workload"]
                before = await cluster.get(workload.kind, name) if was is None else None
                live, has_changed = await call.bring_back(
                    workload.kind, name, was, is_scaled=bool(captured["is_scaled"])
                )
                if was is None:
                    waits = await call.gone(workload.name, before) if before else None
                    return waits or done(has_changed, f"{captured['color']} is gone, as before")
                if live is not None:
                    if waits := await call.rolled_out(workload.name, live):
                        return waits
                    await call.own_again(workload.kind, name, was)
                return done(has_changed, f"{captured['color']} is as before")

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
        return inspecting.of_rights(target, spec, captured)

    def irreversible(self, settings: Mapping[str, Any]) -> str:
        return irreversible(settings)
