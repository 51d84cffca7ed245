"""What Cloud Foundry says of a step before it begins: rights, room, differences, who else acts."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rollbacks.platforms.base import (
    Difference,
    Inspection,
    PlatformError,
    StepSpec,
    TargetRef,
)
from rollbacks.platforms.differences import lines
from rollbacks.platforms.pcf import (
    checks,
    counts,
    destinations,
    drift,
    flags,
    plans,
    registries,
    routes,
    states,
)
from rollbacks.platforms.pcf.apps import WEB, App, of_release
from rollbacks.platforms.pcf.calls import Looks
from rollbacks.platforms.pcf.destinations import Route
from rollbacks.platforms.pcf.filling import Filled
from rollbacks.platforms.pcf.loads import MEMORY, Load, load_of, total
from rollbacks.platforms.pcf.quotas import Quotas
from rollbacks.platforms.pcf.settings import TEMPORARY
from rollbacks.platforms.pcf.states import State

Captured = Mapping[str, Any]
DEFAULT_MEMORY = 1024  # MB, of an app whose manifest says nothing
_BESIDE = " beside the old one"


def of_rights(target: TargetRef) -> Inspection:
    """Of a step whose app is still to be made: whether it may do what it takes."""
    return Inspection(problems=tuple(checks.of_rights(Looks(target))))


def of_swap(target: TargetRef) -> Inspection:
    looks = Looks(target)
    routes.temporary_of(looks)
    return Inspection(problems=tuple(checks.of_rights(looks)))


def of_setup(target: TargetRef, spec: StepSpec) -> Inspection:
    """Of a step that makes an app: whether all is there that it is made from, and room for it."""
    looks, manifest = Looks(target), plans.manifest_of(spec)
    missing = checks.missing_routes(looks, spec, manifest)
    if problems := tuple(checks.of_rights(looks, *_features(spec, manifest, missing))):
        return Inspection(problems=problems)
    active = [each for each in looks.apps() if each.is_active]
    now = plans.serving(active, looks.routes(), target.settings["temporary_routes"])
    planned = counts.desired(
        manifest.counts, now.counts if now else {}, match_running=spec.settings["match_running"]
    )
    sizes = {kind: {**_sizes_of(now, kind), **manifest.sizes.get(kind, {})} for kind in planned}
    quotas, coming = Quotas(looks), load_of(sizes, planned) + Load(routes=len(missing))
    problems = (
        *_unbringable(target, spec, manifest),
        *checks.of_manifest(looks, manifest),
        *checks.of_routes(looks, missing),
        *quotas.too_large(sizes),
        *_room_for(quotas, spec, coming, active, now),
    )
    made = (f"+instances: {counts.text_of(planned)}",)
    return Inspection(
        (Difference(looks.key, "new app", made),), tuple(drift.who_else(looks, active)), problems
    )


def _features(spec: StepSpec, manifest: Filled, missing: Sequence[str]) -> Iterator[str]:
    """Of the foundation, that it takes to make the app."""
    yield flags.DOCKER if plans.image_for(spec, manifest) else flags.BITS
    if missing:
        yield flags.ROUTES


def _unbringable(target: TargetRef, spec: StepSpec, manifest: Filled) -> Iterator[str]:
    if spec.artifact is None and not manifest.image:
        yield "There is no artifact to deploy"
    try:
        registries.login_for(target, plans.image_for(spec, manifest))
    except PlatformError as fault:
        yield str(fault).rstrip(".")


def _room_for(
    quotas: Quotas, spec: StepSpec, coming: Load, active: Sequence[App], now: App | None
) -> Iterator[str]:
    """New instances come before old ones go, unless the old are to go first; idle ones always go
    first. A rollback will need the same room, since it brings the old ones before the new go."""
    is_old_first = spec.settings["resize"] == "OLD_FIRST" and spec.settings["routes"] != TEMPORARY
    leaving = total(each.load for each in active if is_old_first or each != now)
    where = "" if now is None else " in place of the old one" if is_old_first else _BESIDE
    return quotas.too_much(f"With the new app{where}", coming, leaving)


def _sizes_of(now: App | None, kind: str) -> dict[str, int]:
    """What an instance takes where the manifest does not say: as until now."""
    process = now.processes.get(kind) or now.processes.get(WEB) if now else None
    return process.sizes if process else {MEMORY: DEFAULT_MEMORY}


def of_undo(target: TargetRef, spec: StepSpec, captured: Captured) -> Inspection:
    """Of the way back: what differs now from what was captured, and whether it can come back."""
    looks, was = Looks(target), states.states_in(captured)
    found = {each.guid: each for each in looks.apps()}
    is_docker = any(each.is_docker for guid, each in found.items() if guid in was)
    if problems := tuple(checks.of_rights(looks, *([flags.DOCKER] if is_docker else []))):
        return Inspection(problems=problems)
    new = of_release(found.values(), spec.release)
    now = states.states_of(looks, (found[guid] for guid in was if guid in found))
    old = states.old_in(captured, new.guid if new else "")
    differences = [_difference(looks, guid, now[guid], was[guid]) for guid in now]
    if new is not None and new.guid not in was:
        gone = (f"-instances: {counts.text_of(new.counts)}",)
        differences.append(
            Difference(looks.key, new.name, gone if any(new.counts.values()) else ())
        )
    every = looks.routes()
    owed = destinations.owed(captured, {each.guid for each in every}, spec.release)
    return Inspection(
        tuple(each for each in (*differences, *_of_routes(looks, every, captured)) if each.lines),
        (
            *drift.of_apps(looks, old, now),
            *drift.of_routes(looks, every, captured, {*found, captured.get("new", "")}),
            *drift.who_else(looks, (found[guid] for guid in was if guid in found)),
        ),
        tuple(_in_the_way(looks, every, owed, old, now)),
    )


def _in_the_way(
    looks: Looks,
    every: Sequence[Route],
    owed: Mapping[str, tuple[str, object]],
    old: Mapping[str, State],
    now: Mapping[str, State],
) -> Iterator[str]:
    there = {each.guid for each in every}
    for guid, (url, _) in owed.items():
        if guid not in there:
            yield f"The route {url} was deleted by somebody; it cannot be brought back as it was"
    for guid, was in old.items():
        if guid in now:
            yield from checks.of_droplet(looks, was.name, was.droplet)
        else:
            yield f"{was.name} was deleted by somebody; it cannot be brought back as it was"
    yield from _room_for_old(looks, [(was, now[guid]) for guid, was in old.items() if guid in now])


def _room_for_old(looks: Looks, pairs: Sequence[tuple[State, State]]) -> Iterator[str]:
    """Each as it was and as it is: the old instances come back before the new ones go."""
    rising = [(was, now) for was, now in pairs if was.counts != now.counts]
    if not rising:
        return
    quotas = Quotas(looks)
    for was, _ in rising:
        yield from quotas.too_large(was.processes)
    coming = total(was.load - now.load for was, now in rising)
    yield from quotas.too_much("With the old instances back beside the new ones", coming)


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
