"""What Cloud Foundry says of a step before it begins: rights, room, differences, who else acts."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rollbacks.platforms.base import Difference, Inspection, StepSpec, TargetRef
from rollbacks.platforms.differences import lines
from rollbacks.platforms.pcf import (
    checks,
    counts,
    destinations,
    drift,
    plans,
    routes,
    states,
)
from rollbacks.platforms.pcf.apps import WEB, App, of_release
from rollbacks.platforms.pcf.calls import Looks
from rollbacks.platforms.pcf.destinations import Route
from rollbacks.platforms.pcf.settings import TEMPORARY
from rollbacks.platforms.pcf.states import State

Captured = Mapping[str, Any]
DEFAULT_MEMORY = 1024  # MB, of an app whose manifest says nothing


def of_rights(target: TargetRef) -> Inspection:
    """Of a step whose app is still to be made: whether it may do what it takes."""
    return Inspection(problems=tuple(checks.of_rights(Looks(target))))


def of_swap(target: TargetRef) -> Inspection:
    looks = Looks(target)
    routes.temporary_of(looks)
    return Inspection(problems=tuple(checks.of_rights(looks)))


def of_setup(target: TargetRef, spec: StepSpec) -> Inspection:
    """Of a step that makes an app: whether all is there that it is made from, and room for it."""
    looks = Looks(target)
    if problems := tuple(checks.of_rights(looks)):
        return Inspection(problems=problems)
    manifest = plans.manifest_of(spec)
    active = [each for each in looks.apps() if each.is_active]
    now = plans.serving(active, looks.routes(), target.settings["temporary_routes"])
    planned = counts.desired(
        manifest.counts, now.counts if now else {}, match_running=spec.settings["match_running"]
    )
    problems = (*_unbringable(spec, manifest.image), *checks.of_manifest(looks, spec, manifest))
    made = (f"+instances: {counts.text_of(planned)}",)
    return Inspection(
        (Difference(looks.key, "new app", made),),
        tuple(drift.who_else(looks, active)),
        (*problems, *_room_for(looks, spec, manifest.memory, planned, active, now)),
    )


def _unbringable(spec: StepSpec, image: str) -> Iterator[str]:
    if spec.artifact is None and not image:
        yield "There is no artifact to deploy"


def _room_for(
    looks: Looks,
    spec: StepSpec,
    memory: Mapping[str, int],
    planned: Mapping[str, int],
    active: Sequence[App],
    now: App | None,
) -> Iterator[str]:
    """New instances come before old ones go, unless the old are to go first; idle ones always go
    first. A rollback will need the same room, since it brings the old ones before the new go."""
    is_old_first = spec.settings["resize"] == "OLD_FIRST" and spec.settings["routes"] != TEMPORARY
    leaving = [each for each in active if is_old_first or each != now]
    each_takes = {kind: memory.get(kind, _default(now, kind)) for kind in planned}
    more = sum(count * each_takes[kind] for kind, count in planned.items())
    yield from checks.of_room(
        looks,
        more - sum(each.memory for each in leaving),
        sum(planned.values()) - sum(sum(each.counts.values()) for each in leaving),
        "Beside the old app, the new one takes" if not is_old_first else "The new app takes",
        max(each_takes.values(), default=0),
    )


def _default(now: App | None, kind: str) -> int:
    process = now.processes.get(kind) or now.processes.get(WEB) if now else None
    return process.memory if process else DEFAULT_MEMORY


def of_undo(target: TargetRef, spec: StepSpec, captured: Captured) -> Inspection:
    """Of the way back: what differs now from what was captured, and whether it can come back."""
    looks = Looks(target)
    if problems := tuple(checks.of_rights(looks)):
        return Inspection(problems=problems)
    found = {each.guid: each for each in looks.apps()}
    was = states.states_in(captured)
    new = of_release(found.values(), spec.release)
    now = states.states_of(looks, (found[guid] for guid in was if guid in found))
    old = {guid: each for guid, each in was.items() if new is None or guid != new.guid}
    differences = [_difference(looks, guid, now[guid], was[guid]) for guid in now]
    if new is not None and new.guid not in was:
        gone = (f"-instances: {counts.text_of(new.counts)}",)
        differences.append(
            Difference(looks.key, new.name, gone if any(new.counts.values()) else ())
        )
    every = looks.routes()
    return Inspection(
        tuple(each for each in (*differences, *_of_routes(looks, every, captured)) if each.lines),
        (
            *drift.of_apps(looks, old, now),
            *drift.of_routes(looks, every, captured, {*found}),
            *drift.who_else(looks, (found[guid] for guid in was if guid in found)),
        ),
        tuple(_in_the_way(looks, every, captured, old, now)),
    )


def _in_the_way(
    looks: Looks,
    every: Sequence[Route],
    captured: Captured,
    old: Mapping[str, State],
    now: Mapping[str, State],
) -> Iterator[str]:
    there = {each.guid for each in every}
    for guid, (url, _) in destinations.parsed(captured).items():
        if guid not in there:
            yield f"The route {url} was deleted by somebody; it cannot be brought back as it was"
    memory = instances = 0
    for guid, was in old.items():
        if guid not in now:
            yield f"{was.name} was deleted by somebody; it cannot be brought back as it was"
            continue
        yield from checks.of_droplet(looks, was.name, was.droplet)
        memory += was.memory - now[guid].memory
        instances += sum(was.counts.values()) - sum(now[guid].counts.values())
    yield from checks.of_room(
        looks, memory, instances, "Before the new app goes, the old ones take"
    )


def _difference(looks: Looks, guid: str, now: State, was: State) -> Difference:
    """Digests would tell a person nothing; that they differ is a warning of its own."""
    return Difference(looks.key, was.name, lines(_shown(now), _shown(was)))


def _shown(state: State) -> dict[str, Any]:
    return {
        "state": "STARTED" if state.is_started else "STOPPED",
        "droplet": state.droplet,
        "instances": dict(state.counts),
        "memory in MB": {kind: each["memory_in_mb"] for kind, each in state.processes.items()},
        "autoscaling policy": dict(state.policy) if state.policy else None,
    }


def _of_routes(looks: Looks, every: Iterable[Route], captured: Captured) -> Iterator[Difference]:
    was, names = destinations.parsed(captured), drift.names_of(looks)
    for route in every:
        if route.guid in was:
            before, after = (
                sorted(drift.spelled(names, one) for one in found)
                for found in (route.destinations, was[route.guid][1])
            )
            yield Difference(looks.key, f"route {route.url}", lines(before, after))
