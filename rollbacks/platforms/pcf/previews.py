"""What a step would change, in words, out of what was captured and written alone. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from rollbacks.platforms.base import Change, StepSpec, TargetRef
from rollbacks.platforms.pcf import counts, destinations, series, states

NOW = "what is there now"
Captured = Mapping[str, Any]


def of_setup(target: TargetRef, spec: StepSpec, captured: Captured | None) -> Sequence[Change]:
    """An app is made; or what was before is there again, and that app is gone."""
    key = series.key_of(target)
    if captured is None:
        return [Change(key, "droplet", NOW, spec.artifact.version if spec.artifact else "")]
    is_deleted = spec.settings.get("after_rollback", "DELETE") == "DELETE"
    end = "deleted" if is_deleted else "without instances"
    return [*_of_back(target, captured), Change(key, str(captured["name"]), NOW, end)]


def of_resize(target: TargetRef, spec: StepSpec, captured: Captured | None) -> Sequence[Change]:
    """Instances move to the new app; or back."""
    if captured is None:
        written = str(spec.settings["instances"])
        return [Change(series.key_of(target), "instances of the new app", "", written)]
    return _of_back(target, captured)


def of_swap(target: TargetRef, spec: StepSpec, captured: Captured | None) -> Sequence[Change]:
    """Routes send elsewhere; or where they did."""
    key = series.key_of(target)
    if captured is None:
        return [Change(key, "routes", "the old app", "the new app")]
    return _of_back(target, captured)


def _of_back(target: TargetRef, captured: Captured) -> list[Change]:
    """What each captured app and route has again."""
    key, was = series.key_of(target), states.states_in(captured)
    found = [
        Change(key, f"instances of {each.name}", NOW, counts.text_of(each.counts))
        for each in was.values()
    ]
    for url, to in destinations.parsed(captured).values():
        names = [was[each.app].name if each.app in was else "another app" for each in to]
        found.append(Change(key, f"route {url}", NOW, ", ".join(names) or "nobody"))
    return found
