"""What a step would change, in words, out of what was captured and written alone. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from rollbacks.platforms.aws import balancing
from rollbacks.platforms.base import Change, StepSpec, TargetRef
from rollbacks.platforms.ecs import dns, series
from rollbacks.platforms.ecs.definitions import short
from rollbacks.platforms.ecs.states import states_in

NOW = "what is there now"
Captured = Mapping[str, Any]


def of_rollout(spec: StepSpec, captured: Captured | None) -> Sequence[Change]:
    """Another image; or the task definition and the count of before."""
    if captured is None:
        image = spec.artifact.location if spec.artifact else ""
        return [Change(name, "image", NOW, image) for name in spec.instances]
    found = []
    for name in spec.instances:
        was = captured["services"][name]
        found.append(Change(name, "task definition", NOW, short(was["definition"])))
        if was["count"] is not None:
            found.append(Change(name, "tasks", NOW, str(was["count"])))
    return found


def of_release(target: TargetRef, spec: StepSpec, captured: Captured | None) -> Sequence[Change]:
    """A service is made; or what was before is there again, and that service has no tasks."""
    key = series.key_of(target)
    if captured is None:
        image = spec.artifact.location if spec.artifact else ""
        return [Change(key, "image", NOW, image)]
    return [*_of_back(target, captured), Change(key, f"tasks of {captured['name']}", NOW, "0")]


def of_upgrade(target: TargetRef, spec: StepSpec, captured: Captured | None) -> Sequence[Change]:
    """Tasks move to the new service; or back."""
    if captured is None:
        written = str(spec.settings["instances"])
        return [Change(series.key_of(target), "tasks of the new service", "", written)]
    return _of_back(target, captured)


def of_swap(target: TargetRef, spec: StepSpec, captured: Captured | None) -> Sequence[Change]:
    """The listeners send elsewhere; or where they did."""
    key = series.key_of(target)
    if captured is None:
        return [Change(key, "production listener", "the old service", "the new service")]
    return [
        *(
            Change(key, where, NOW, ", ".join(map(balancing.short, balancing.forwarded(actions))))
            for where, actions in zip(
                ("production listener", "test listener"),
                captured["listeners"].values(),
                strict=True,
            )
        ),
        *_of_back(target, captured),
    ]


def of_weights(target: TargetRef, spec: StepSpec, captured: Captured | None) -> Sequence[Change]:
    """The weights of two records are set; or set back."""
    key = series.key_of(target)
    if captured is None:
        return [Change(key, "weight of the new service", NOW, f"{spec.settings['weight']} %")]
    text = dns.text_of(captured["records"])
    return [Change(key, "weights", NOW, text), *_of_back(target, captured)]


def _of_back(target: TargetRef, captured: Captured) -> list[Change]:
    """What each captured service has again."""
    key = series.key_of(target)
    return [
        Change(key, f"tasks of {name}", NOW, str(was.count))
        for name, was in states_in(captured).items()
    ]
