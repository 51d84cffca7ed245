"""What a step would change, in words, out of what was captured and written alone. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rollbacks.platforms.ami import series
from rollbacks.platforms.ami.groups import State, states_in
from rollbacks.platforms.aws.balancing import short, weights
from rollbacks.platforms.base import Change, StepSpec, TargetRef

NOW = "what is there now"
_OURS = "of this release"
Captured = Mapping[str, Any]


def of_release(target: TargetRef, spec: StepSpec, captured: Captured | None) -> Sequence[Change]:
    """A group is made; or what was before is there again, and that group is deleted."""
    key = series.key_of(target)
    if captured is None:
        return [Change(key, "AMI", NOW, spec.artifact.location if spec.artifact else "")]
    return [
        *of_back(target, captured),
        Change(key, f"group {captured['name']}", _OURS, ""),
        Change(key, f"version of {captured['source']['id']}", _OURS, ""),
    ]


def of_refresh(target: TargetRef, captured: Captured) -> Sequence[Change]:
    """Instances are replaced by those that start as before."""
    key, was = series.key_of(target), captured["refreshed"]
    template = was["template"]
    text = f"{was['version'] or 'as before'}: {template['id']} version {template['version']}"
    return [
        Change(key, f"instances of {was['name']}", NOW, text),
        Change(key, f"version of {captured['source']['id']}", _OURS, ""),
    ]


def of_upgrade(target: TargetRef, spec: StepSpec, captured: Captured | None) -> Sequence[Change]:
    """Instances move to the new group; or back."""
    if captured is None:
        written = str(spec.settings["instances"])
        return [Change(series.key_of(target), "instances of the new group", "", written)]
    return of_back(target, captured)


def of_switch(target: TargetRef, spec: StepSpec, captured: Captured | None) -> Sequence[Change]:
    """The serving target groups get another group; or the one that they had."""
    if captured is None:
        names = ", ".join(map(short, target.settings["target_groups"]))
        return [Change(series.key_of(target), names, "the old group", "the new group")]
    return of_back(target, captured)


def of_shift(target: TargetRef, spec: StepSpec, captured: Captured | None) -> Sequence[Change]:
    """The weights of a listener rule are set; or set back."""
    key = series.key_of(target)
    if captured is None:
        return [Change(key, "weight of the new group", NOW, f"{spec.settings['weight']} %")]
    was = weights(captured["actions"])
    text = ", ".join(f"{short(arn)} {weight}" for arn, weight in was.items())
    return [Change(key, "weights", NOW, text), *of_back(target, captured)]


def of_back(target: TargetRef, captured: Captured) -> list[Change]:
    """What each captured group has again."""
    key = series.key_of(target)
    return [
        Change(key, f"{what} of {name}", NOW, text)
        for name, was in states_in(captured).items()
        for what, text in _said(was)
    ]


def _said(was: State) -> Iterator[tuple[str, str]]:
    yield "minimum/maximum/desired", was.sizes.text
    if was.target_groups:
        yield "target groups", ", ".join(map(short, was.target_groups))
