"""The step that sends everybody to the release that was staged, and back."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from pydantic import BaseModel

from rollbacks.platforms.base import (
    Change,
    Control,
    Inspection,
    InstanceOutcome,
    PlatformError,
    Progress,
    Running,
    Step,
    StepSpec,
    TargetRef,
)
from rollbacks.platforms.kubernetes import captures, colors, restoring
from rollbacks.platforms.kubernetes.calls import Call, done, run, scaled_in
from rollbacks.platforms.kubernetes.cluster import Cluster
from rollbacks.platforms.kubernetes.inspecting import Planned, inspected
from rollbacks.platforms.kubernetes.instances import Workload
from rollbacks.platforms.kubernetes.kinds import COLOR, SERVICE, Object, key_of
from rollbacks.platforms.kubernetes.settings import BlueGreenSettings
from rollbacks.platforms.kubernetes.states import wanted_pods


class Swap(Step):
    """Exchanges the colors that the primary and the stage service select.

    Undone, each selects again what was captured: repeating it changes nothing. What served before
    is first brought back to what it was then, whatever has become of it, and waited for.
    """

    kind: ClassVar[str] = "k8s.swap"
    label: ClassVar[str] = "Swap Primary with Stage"
    settings_model: ClassVar[type[BaseModel]] = BlueGreenSettings

    def capture(self, target: TargetRef, spec: StepSpec, control: Control) -> dict[str, Any]:
        names = colors.services(spec)

        async def look(cluster: Cluster) -> dict[str, Any]:
            call, found = Call(cluster, target, spec, control), {}
            for part, name in names.items():
                live = await cluster.get(SERVICE, name)
                if live is None:
                    raise PlatformError(f"Service/{name} is not there", permanent=True)
                found[part] = {"name": name, "color": colors.color_of(live)}
            workload = call.workloads[0]
            live = await cluster.get(
                workload.kind, colors.own_name(workload, found["primary"]["color"])
            )
            return {
                **found,
                "served": captures.kept(live, {}),
                "is_scaled": live is not None and key_of(live) in await scaled_in(cluster),
            }

        return run(target, look, control)

    def apply(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        primary, stage = captured["primary"], captured["stage"]

        async def swap(cluster: Cluster) -> Progress:
            call = Call(cluster, target, spec, control)

            async def visit(workload: Workload) -> InstanceOutcome | Running:
                first = await _select(call, primary["name"], stage["color"])
                second = await _select(call, stage["name"], primary["color"])
                return done(first or second, f"{primary['name']} serves {stage['color']}")

            return await call.at_each(visit)

        return run(target, swap, control)

    def undo(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        primary, stage = captured["primary"], captured["stage"]

        async def swap_back(cluster: Cluster) -> Progress:
            call = Call(cluster, target, spec, control)

            async def visit(workload: Workload) -> InstanceOutcome | Running:
                if captured["served"] and (waits := await _ready(call, workload, captured)):
                    return waits
                first = await _select(call, primary["name"], primary["color"])
                second = await _select(call, stage["name"], stage["color"])
                return done(
                    first or second, f"{primary['name']} serves {primary['color'] or 'as before'}"
                )

            return await call.at_each(visit)

        return run(target, swap_back, control)

    def preview(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any] | None
    ) -> Sequence[Change]:
        if captured is None:
            return [Change(key, "primary service", "", "what is staged") for key in spec.instances]
        primary, stage = captured["primary"], captured["stage"]
        what = f"Service/{primary['name']} selects"
        return [
            Change(key, what, stage["color"] or "", primary["color"] or "no color")
            for key in spec.instances
        ]

    def inspect(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any] | None
    ) -> Inspection:
        """Its differences are told by the preview: before the stage step there is no color yet."""
        workload = Workload(spec.instances[0])

        async def planned(cluster: Cluster) -> list[Planned]:
            if captured is None:
                return [Planned("", SERVICE, name, ways=_as_it_is) for name in names.values()]
            services = [
                Planned("", SERVICE, each["name"], ways=partial(_selecting, color=each["color"]))
                for each in (captured["primary"], captured["stage"])
            ]
            if not captured["served"]:
                return services
            name = colors.own_name(workload, captured["primary"]["color"])
            is_scaled = await _is_scaled(cluster, f"{workload.kind.name}/{name}", captured)
            ways = partial(_as_it_served, was=captured["served"], is_scaled=is_scaled)
            return [Planned(workload.name, workload.kind, name, ways=ways), *services]

        names = colors.services(spec)
        return inspected(target, planned, is_forced=False)


async def _ready(call: Call, workload: Workload, captured: Mapping[str, Any]) -> Running | None:
    """What served before is as it was, all its pods ready, before anybody is sent there."""
    name = colors.own_name(workload, captured["primary"]["color"])
    live = await call.cluster.get(workload.kind, name)
    is_scaled = await _is_scaled(call.cluster, f"{workload.kind.name}/{name}", captured)
    found = await restoring.workload(
        call,
        workload.name,
        workload.kind,
        name,
        captured["served"],
        is_scaled=is_scaled and _has_enough(live, captured["served"]),
    )
    return found if isinstance(found, Running) else None


async def _is_scaled(cluster: Cluster, key: str, captured: Mapping[str, Any]) -> bool:
    return bool(captured["is_scaled"]) or key in await scaled_in(cluster)


def _has_enough(live: Object | None, was: Mapping[str, Any]) -> bool:
    """An autoscaler that let it shrink, as nobody came, says how many again once they come."""
    return live is not None and wanted_pods(live["spec"]) >= wanted_pods(was["spec"])


def _as_it_served(
    live: Object, was: Mapping[str, Any], *, is_scaled: bool
) -> list[captures.Operation]:
    return captures.way_back(live, was, is_scaled=is_scaled and _has_enough(live, was))


async def _select(call: Call, service: str, color: str | None) -> bool:
    live, has_changed = await call.change(SERVICE, service, partial(_selecting, color=color))
    if live is None:
        raise PlatformError(f"Service/{service} is not there", permanent=True)
    return has_changed


def _selecting(live: Object, color: str | None) -> list[captures.Operation]:
    path = f"/spec/selector/{captures.escaped(COLOR)}"
    if colors.color_of(live) == color:
        return []
    if color is None:
        return captures.conditional(live, [{"op": "remove", "path": path}])
    return captures.conditional(live, [{"op": "add", "path": path, "value": color}])


def _as_it_is(live: Object) -> list[captures.Operation]:
    return []
