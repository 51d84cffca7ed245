"""The group that a release brings: planned at capture, made once, and deleted by the undo."""

from collections.abc import Mapping, Sequence
from typing import Any

from rollbacks.platforms import numbering
from rollbacks.platforms.ami import groups, policies, series, templates, versions, waits
from rollbacks.platforms.ami.calls import Call, Looks
from rollbacks.platforms.ami.groups import Group, Template
from rollbacks.platforms.ami.sizes import FIRST, Sizes
from rollbacks.platforms.base import PlatformError, Running, StepSpec


def planned(looks: Looks, spec: StepSpec) -> dict[str, Any]:
    """What a capture keeps: the groups of before, and all that the new one is made from.

    Whoever goes on after a dead worker finds the plan, and makes the very same group.
    """
    found = looks.groups()
    active = [each for each in found if each.is_active]
    base = looks.base()
    template = templates.template_of(base)
    source = versions.resolved(looks, template)
    number = numbering.next_number(each.number for each in found)
    idle = [each.number for each in found if not each.is_active and not each.is_ending]
    return {
        "groups": looks.states(active),
        "name": series.name_of(looks.key, number),
        "number": number,
        "sizes": sizes_of(spec.settings, active).text,
        "before": {str(each.number): each.sizes.desired for each in active},
        "source": {"id": template.own_id, "version": str(source["VersionNumber"])},
        "image": source["LaunchTemplateData"].get("ImageId", ""),
        "superfluous": numbering.superfluous(idle),
    }


def sizes_of(settings: Mapping[str, Any], active: Sequence[Group]) -> Sizes:
    """Those that were written, else those of the newest group that has instances, else the first
    time's."""
    if settings["desired"] is not None:
        return Sizes(settings["minimum"], settings["maximum"], settings["desired"])
    return active[0].sizes if active else FIRST


class Release:
    """The group of one release, while it is brought or taken away."""

    def __init__(self, call: Call, captured: Mapping[str, Any]) -> None:
        self._call = call
        self._captured = captured
        self._name: str = captured["name"]

    def bring(self, target_groups: Sequence[str]) -> Running | None:
        """The group is there, without instances, attached to these; made only where it is not."""
        call, spec = self._call, self._call.spec
        base = call.base()
        new = groups.of_release(call.groups(), spec.release)
        if new is None:
            call.create(self._creation(base, list(target_groups)))
            waits_for = waits.until(call, self._still_hidden)
            if waits_for:
                return waits_for
            new = call.new_group(call.groups())
        call.measure(new, templates.metrics_of(base))
        return None

    def _still_hidden(self, found: waits.Groups) -> str:
        return "" if self._name in found else f"{self._name} is being created"

    def _creation(self, base: Group, target_groups: list[str]) -> dict[str, Any]:
        call, captured = self._call, self._captured
        if call.spec.artifact is None:
            raise PlatformError("The deployment has no artifact: an AMI is needed", permanent=True)
        number = versions.brought(call, captured["source"], call.spec.artifact)
        sizes = Sizes.parsed(captured["sizes"])
        before = {int(each): count for each, count in captured["before"].items()}
        return templates.creation(
            base,
            call.hooks(base.name),
            name=self._name,
            template=Template(captured["source"]["id"], number),
            maximum=sizes.maximum,
            target_groups=target_groups,
            tags=series.tags_of(call.series, call.spec.release, captured["number"], sizes, before),
        )

    def clean(self) -> None:
        """Delete what was superfluous already at capture. What cannot be deleted holds up
        nothing: the next deployment tries again."""
        for group in self._call.groups():
            if group.number not in self._captured["superfluous"] or group.is_active:
                continue
            try:
                template = templates.template_of(group)
                source = {"id": template.own_id, "version": template.version}
                versions.remove(self._call, source, group.release)
                self._call.delete(group)
            except PlatformError as error:
                if not error.permanent:
                    raise
                self._call.control.log(self._call.key, f"{group.name} is left there: {error}")

    def end(self) -> Running | None:
        """The group is gone, and its launch template version; None once both are."""
        call = self._call
        if waits_for := waits.empty(call, self._name):
            return waits_for
        group = groups.of_release(call.groups(), call.spec.release)
        if group is not None:
            call.delete(group)
            if waits_for := waits.gone(call, group.name):
                return waits_for
        versions.remove(call, self._captured["source"], call.spec.release)
        return None


def finish(call: Call, new: Group, *, is_scheduled: bool) -> None:
    """The release is whole: from now on the group holds its minimum and scales by itself."""
    planned_sizes = new.planned_sizes
    call.resize(
        new,
        Sizes(
            min(planned_sizes.minimum, new.sizes.desired),
            max(planned_sizes.maximum, new.sizes.desired),
            new.sizes.desired,
        ),
    )
    call.bring_policies(new, policies.copied(call.policies(call.base_name)))
    if is_scheduled:
        call.bring_schedule(new, call.schedule(call.base_name))
