"""What the hosts say of a step before it begins: missing rights, exact differences, drift."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from rollbacks.platforms import inspections
from rollbacks.platforms.base import Difference, Inspection, StepSpec, TargetRef
from rollbacks.platforms.inspections import Lost, Said
from rollbacks.platforms.winrm import pairs
from rollbacks.platforms.winrm.calls import looks
from rollbacks.platforms.winrm.found import Found, is_gone, look_into, release_to_send
from rollbacks.platforms.winrm.pairs import Seen, look_at
from rollbacks.platforms.winrm.places import Place
from rollbacks.platforms.winrm.sessions import Remote
from rollbacks.platforms.winrm.states import file_of


def of_apply(
    target: TargetRef,
    spec: StepSpec,
    directory: str,
    choose: Callable[[Remote, Place], Awaitable[Seen]],
) -> Inspection:
    """Of a release that is to come."""

    async def look(remote: Remote, place: Place) -> Said:
        seen = await choose(remote, place)
        after = seen.unit.path_in(f"{place.folder}\\{directory}")
        trouble = seen.state.trouble if seen.state.runs is False else ""
        warning = (
            f"{place.name}: {seen.unit.title}: {trouble}; it will be started" if trouble else ""
        )
        return Said(_difference(place, seen, after), warning)

    return _inspected(target, spec, look)


def of_undo(
    target: TargetRef, spec: StepSpec, directory: str, found: Mapping[str, Found]
) -> Inspection:
    """Of the way back: what differs now from what was captured, and whether it can come back."""

    async def look(remote: Remote, place: Place) -> Said:
        mine = found[place.name]
        unit = next((u for u in (place.unit, place.twin) if u and u.title == mine.unit), None)
        if unit is None or mine.folder != place.folder:
            return Said(
                problem=f"{place.name}: {mine.unit} with releases in {mine.folder} is no longer "
                "what the infrastructure says"
            )
        seen = Seen(unit, await look_at(remote, unit))
        folder = await look_into(remote, place, directory, mine.path)
        ours = unit.path_in(f"{place.folder}\\{directory}")
        warning = ""
        if seen.state.path not in (ours, mine.path):
            warning = (
                f"{place.name}: the {unit.what} of {unit.title} is {seen.state.path}: somebody "
                "changed it since. It will be what it was before the deployment"
            )
        said = Said(_difference(place, seen, mine.path), warning)
        if not is_gone(folder, mine):
            return said
        release = await release_to_send(remote, place, mine)
        return replace(said, lost=Lost(f"{file_of(mine.path)}, which it served before,", release))

    return _inspected(target, spec, look, each_by_itself=True)


def of_pairs(target: TargetRef, spec: StepSpec, expected: Mapping[str, str]) -> Inspection:
    """Of a swap; `expected`: what is thought to serve now, by host."""

    async def look(remote: Remote, place: Place) -> Said:
        serving, waiting = await pairs.both(remote, place)
        should = expected.get(place.name, serving.unit.title)
        warning = ""
        if serving.unit.title != should:
            warning = f"{place.name}: {serving.unit.title} serves already: somebody swapped since"
            return Said(None, warning)
        lines = (f"-{serving.unit.title}", f"+{waiting.unit.title}")
        return Said(Difference(place.name, "serves", lines))

    return _inspected(target, spec, look)


def _difference(place: Place, seen: Seen, after: str) -> Difference | None:
    if seen.state.path == after:
        return None
    what = f"{seen.unit.what} of {seen.unit.title}"
    return Difference(place.name, what, (f"-{seen.state.path}", f"+{after}"))


def _inspected(
    target: TargetRef,
    spec: StepSpec,
    look: Callable[[Remote, Place], Awaitable[Said]],
    *,
    each_by_itself: bool = False,
) -> Inspection:
    said, faults = looks(target, spec.instances, look, None)
    return inspections.summed(
        spec.instances, said, faults, earlier=spec.earlier, each_by_itself=each_by_itself
    )
