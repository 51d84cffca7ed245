"""The step of blue/green that sends everybody to the other color, and back."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel

from rollbacks.platforms import everywhere
from rollbacks.platforms.base import (
    Change,
    Control,
    Inspection,
    InstanceOutcome,
    Progress,
    Step,
    StepSpec,
    TargetRef,
)
from rollbacks.platforms.ssh import inspecting, pairs
from rollbacks.platforms.ssh.fronts import Switch, other
from rollbacks.platforms.ssh.pairs import checks_of, front_of, kept_in, releases_kept, side_of
from rollbacks.platforms.ssh.places import Place, key_of
from rollbacks.platforms.ssh.rounds import Round
from rollbacks.platforms.ssh.settings import SwapSettings
from rollbacks.platforms.ssh.visits import Visit


class Swap(Step):
    """Whoever is to serve is seen to be ready first; then the front is switched, and asked.

    Undone, the hosts that served before must still have what they had, and be well: what has
    stopped is started again, what is gone is said, and nothing is switched.
    """

    kind: ClassVar[str] = "ssh.swap"
    label: ClassVar[str] = "Swap"
    settings_model: ClassVar[type[BaseModel]] = SwapSettings

    def capture(self, target: TargetRef, spec: StepSpec, control: Control) -> dict[str, Any]:
        front = front_of(target)
        color = front.serving(control)
        return pairs.keep(target, spec, control, color, front.keep())

    def apply(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        async def ready(visit: Visit) -> InstanceOutcome:
            return await visit.ready()

        color = other(kept_in(captured).color)
        places = pairs.hosts_of(target, color)
        faults = _round(target, spec, control, places, is_undo=False).run(ready)
        if faults:
            return everywhere.concluded(faults, "")
        switch = Switch(color, spec, _settings(spec), control)
        found = front_of(target).bring(switch)
        return pairs.concluded(target, control, found, f"{color} serves")

    def undo(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        kept = kept_in(captured)
        side = side_of(target, kept)
        pairs.told(side, control)

        async def stand(visit: Visit) -> InstanceOutcome:
            if found := kept.hosts.get(visit.place.name):
                return await visit.stand(found)
            return await visit.require_any_of(kept.links)

        places = [*side.known, *side.new]
        faults = _round(target, spec, control, places, is_undo=True).run(stand)
        if faults:
            return everywhere.concluded(faults, "")
        switch = Switch(kept.color, spec, _settings(spec), control, kept.front)
        found = front_of(target).bring(switch)
        return pairs.concluded(target, control, found, f"{kept.color} serves again")

    def preview(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any] | None
    ) -> Sequence[Change]:
        if captured is None:
            return [Change(key_of(target), "serves", "the color that serves now", "the other one")]
        kept = kept_in(captured)
        again = f"{kept.color} ({', '.join(kept.hosts)})"
        return [Change(key_of(target), "serves", other(kept.color), again)]

    def inspect(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any] | None
    ) -> Inspection:
        return inspecting.of_swap(target, spec, kept_in(captured) if captured else None)

    def releases(self, captured: Mapping[str, Any]) -> Collection[str]:
        return releases_kept(captured)


def _settings(spec: StepSpec) -> SwapSettings:
    return SwapSettings.model_validate(dict(spec.settings))


def _round(
    target: TargetRef,
    spec: StepSpec,
    control: Control,
    places: Sequence[Place],
    *,
    is_undo: bool,
) -> Round:
    settings = checks_of(_settings(spec))
    return Round(target, spec, control, places, settings, is_undo=is_undo)
