"""What the hosts say of a step before it begins: exact differences, drift, what would fail."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

from rollbacks.platforms import inspections
from rollbacks.platforms.base import Difference, Inspection, StepSpec, TargetRef
from rollbacks.platforms.inspections import Lost, Said
from rollbacks.platforms.ssh import commands
from rollbacks.platforms.ssh.access import access_to
from rollbacks.platforms.ssh.calls import looks
from rollbacks.platforms.ssh.connection import Remote
from rollbacks.platforms.ssh.found import Found, is_gone, look, require_link
from rollbacks.platforms.ssh.fronts import Front, other
from rollbacks.platforms.ssh.pairs import Kept, front_of, side_of
from rollbacks.platforms.ssh.places import Place, key_of
from rollbacks.platforms.ssh.states import HostState, release_of


def of_apply(target: TargetRef, spec: StepSpec, places: Sequence[Place]) -> Inspection:
    """Of a release that is to come."""
    wanted = commands.link_to(spec.release)

    async def visit(remote: Remote, place: Place) -> Said:
        state = await look(remote, place, spec.release)
        require_link(state, place)
        warning = ""
        if state.link is not None and not state.resolves:
            warning = (
                f"{place.name}: current points at {state.link}, which is not there; it will again "
                "after a rollback"
            )
        return Said(_difference(place, state, wanted), warning)

    return _inspected(target, spec, places, visit)


def of_undo(
    target: TargetRef, spec: StepSpec, places: Sequence[Place], found: Mapping[str, Found]
) -> Inspection:
    """Of the way back: what differs from what was captured, and whether it can come back."""

    async def visit(remote: Remote, place: Place) -> Said:
        if new := spec.newcomer(place.name):
            return Said(
                _difference(place, await look(remote, place), commands.link_to(new.release))
            )
        return await _of_way_back(remote, place, spec, found[place.name])

    return _inspected(target, spec, places, visit, each_by_itself=True)


def of_swap(target: TargetRef, spec: StepSpec, kept: Kept | None) -> Inspection:
    """Of a swap; `kept`: of the one that is to be undone."""
    front = front_of(target)
    told = _of_front(target, front, kept)
    if kept is None:
        return told
    side = side_of(target, kept)

    async def visit(remote: Remote, place: Place) -> Said:
        if place.name in kept.hosts:
            said = await _of_way_back(remote, place, spec, kept.hosts[place.name])
            return replace(said, warning=said.warning and f"{said.warning}, before it serves")
        state = await look(remote, place)
        if state.link in kept.links:
            return Said()
        return Said(
            problem=f"{place.name} came to {kept.color} since and runs {state.link or 'nothing'}; "
            f"install {' or '.join(map(str, kept.links))} there, or take it out"
        )

    hosts = _inspected(target, spec, [*side.known, *side.new], visit)
    gone = [f"{name}: no longer in {kept.color}; it will not serve" for name in side.gone]
    return Inspection(
        (*told.differences, *hosts.differences),
        (*told.warnings, *hosts.warnings, *gone),
        (*told.problems, *hosts.problems),
    )


def _of_front(target: TargetRef, front: Front, kept: Kept | None) -> Inspection:
    told, shown = front.inspect(), front.look(None)
    faults = [str(fault) for fault in shown.faults.values() if fault.permanent]
    silent = [str(fault) for fault in shown.faults.values() if not fault.permanent]
    warnings, problems = [*told.warnings, *silent], [*told.problems, *faults]
    colors = set(shown.colors.values())
    if len(colors) != 1 and kept is None:
        problems.append(f"{shown.text or 'nothing was shown'}: nobody can say which color waits")
    if kept is None:
        before = next(iter(colors), "")
        after = other(before) if before else ""
    else:
        before, after = shown.text, f"{kept.color} serves"
        if colors == {kept.color}:
            warnings.append(f"{kept.color} serves already: somebody swapped since")
    lines = (f"-{before}", f"+{after}")
    differences = (Difference(key_of(target), "serves", lines),) if before != after else ()
    return Inspection(differences, tuple(warnings), tuple(problems))


async def _of_way_back(remote: Remote, place: Place, spec: StepSpec, found: Found) -> Said:
    if found.directory != place.directory:
        return Said(
            problem=f"{place.name}: was deployed to {found.directory}, but the infrastructure now "
            f"says {place.directory}"
        )
    state = await look(remote, place, spec.release, found.link)
    require_link(state, place)
    warning = ""
    if state.link not in (commands.link_to(spec.release), found.link):
        warning = (
            f"{place.name}: current is {state.link or 'gone'}: somebody changed it since. It will "
            f"be {found.link or 'gone'}"
        )
    link = found.link or ""
    lost = Lost(f"{link}, which it ran before,", release_of(link))
    said = Said(_difference(place, state, link), warning)
    return replace(said, lost=lost) if is_gone(state, found) else said


def _difference(place: Place, state: HostState, after: str) -> Difference | None:
    before = state.link or ""
    if before == after:
        return None
    lines = [*([f"-{before}"] if before else []), *([f"+{after}"] if after else [])]
    return Difference(place.name, "current", tuple(lines))


def _inspected(
    target: TargetRef,
    spec: StepSpec,
    places: Sequence[Place],
    visit: Callable[[Remote, Place], Awaitable[Said]],
    *,
    each_by_itself: bool = False,
) -> Inspection:
    said, faults = looks(places, access_to(target), visit, None)
    names = [place.name for place in places]
    return inspections.summed(
        names, said, faults, earlier=spec.earlier, each_by_itself=each_by_itself
    )
