"""The step of blue/green that brings a release to the hosts that wait, and takes it back."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel

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
from rollbacks.platforms.ssh import commands, inspecting, pairs
from rollbacks.platforms.ssh.fronts import other
from rollbacks.platforms.ssh.pairs import checks_of, front_of, kept_in, releases_kept, side_of
from rollbacks.platforms.ssh.places import Place, key_of
from rollbacks.platforms.ssh.rounds import Round, require_artifact, require_known_placeholders
from rollbacks.platforms.ssh.settings import StageSettings
from rollbacks.platforms.ssh.visits import Visit


class Stage(Step):
    """Installs on the color that nobody is sent to, and on no other: that is looked at each time.

    Undone, the hosts are as before; those that came since are left alone.
    """

    kind: ClassVar[str] = "ssh.stage"
    label: ClassVar[str] = "Stage"
    settings_model: ClassVar[type[BaseModel]] = StageSettings

    def capture(self, target: TargetRef, spec: StepSpec, control: Control) -> dict[str, Any]:
        """Also finds out all that can be found out to be wrong before anything is touched."""
        commands.safe_release(spec.release)
        require_artifact(spec)
        color = other(front_of(target).serving(control))
        check = _settings(spec).stage_health_check
        require_known_placeholders(pairs.hosts_of(target, color), check)
        return pairs.keep(target, spec, control, color)

    def apply(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        kept = kept_in(captured)
        side = side_of(target, kept)
        swapped = "Somebody has swapped since this deployment began: deploy again."
        front_of(target).require_waiting(kept.color, control, swapped)

        async def bring(visit: Visit) -> InstanceOutcome:
            return await visit.bring(kept.hosts[visit.place.name])

        require_artifact(spec)
        faults = _round(target, spec, control, side.known, is_undo=False).run(bring)
        return pairs.concluded(target, control, faults, f"{kept.color} has {spec.release}")

    def undo(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], control: Control
    ) -> Progress:
        kept = kept_in(captured)
        side = side_of(target, kept)
        front_of(target).require_waiting(kept.color, control, "Undo the swap first.")
        pairs.told(side, control)

        async def bring_back(visit: Visit) -> InstanceOutcome:
            return await visit.bring_back(kept.hosts[visit.place.name])

        faults = _round(target, spec, control, side.known, is_undo=True).run(bring_back)
        return pairs.concluded(target, control, faults, f"{kept.color} is as it was before")

    def preview(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any] | None
    ) -> Sequence[Change]:
        release, key = commands.link_to(spec.release), key_of(target)
        if captured is None:
            return [Change(key, "current of the color that waits", "what is there now", release)]
        kept = kept_in(captured)
        return [
            Change(key, f"current of {name} ({kept.color})", release, found.link or "")
            for name, found in kept.hosts.items()
        ]

    def inspect(
        self, target: TargetRef, spec: StepSpec, captured: Mapping[str, Any] | None
    ) -> Inspection:
        front = front_of(target)
        if captured is None:
            places = pairs.hosts_of(target, other(front.serving(None)))
            return inspecting.of_apply(target, spec, places)
        kept = kept_in(captured)
        return inspecting.of_undo(target, spec, side_of(target, kept).known, kept.hosts)

    def releases(self, captured: Mapping[str, Any]) -> Collection[str]:
        return releases_kept(captured)


def _settings(spec: StepSpec) -> StageSettings:
    return StageSettings.model_validate(dict(spec.settings))


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
