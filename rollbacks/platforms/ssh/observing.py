"""What runs on hosts, and what two groups of them serve."""

import hashlib
from collections.abc import Mapping, Sequence

from rollbacks.platforms.base import (
    Member,
    Observation,
    ObservedInstance,
    PlatformError,
    TargetRef,
)
from rollbacks.platforms.ssh.access import access_to
from rollbacks.platforms.ssh.calls import looks
from rollbacks.platforms.ssh.connection import Remote
from rollbacks.platforms.ssh.found import look, require_link
from rollbacks.platforms.ssh.fronts import Shown
from rollbacks.platforms.ssh.pairs import front_of
from rollbacks.platforms.ssh.places import Place, key_of, places_of
from rollbacks.platforms.ssh.settings import COLORS
from rollbacks.platforms.ssh.states import HostState, version_of

LONGEST_IDENTITY = 300
_NOTHING = "nothing"
Links = Mapping[str, str]


def observed(target: TargetRef, instances: Sequence[str]) -> Observation:
    """The identity is the link's text: a release's name is used by one deployment only."""
    places = places_of(target, instances or None)

    async def visit(remote: Remote, place: Place) -> ObservedInstance:
        state = await look(remote, place)
        require_link(state, place)
        return _seen(place, state)

    seen, faults = looks(places, access_to(target), visit, None)
    every = [seen.get(place.name) or _unseen(place.name, faults[place.name]) for place in places]
    if any(place.color for place in places):
        return Observation((_pair(target, places, every),))
    return Observation(tuple(every))


def _seen(place: Place, state: HostState) -> ObservedInstance:
    if state.link is None:
        return ObservedInstance(place.name, "", message="Nothing is installed.")
    if not state.resolves:
        return ObservedInstance(
            place.name,
            state.link,
            version_of(state.link),
            is_healthy=False,
            message=f"current points at {state.link}, which is not there.",
        )
    # A look asks whether the release is in place; whether it works was checked when it came.
    return ObservedInstance(place.name, state.link, version_of(state.link), is_healthy=True)


def _unseen(name: str, fault: PlatformError) -> ObservedInstance:
    return ObservedInstance(name, None, message=f"{name}: {fault}.")


def _pair(
    target: TargetRef, places: Sequence[Place], hosts: Sequence[ObservedInstance]
) -> ObservedInstance:
    """Both groups as one instance: which serves, and what every host of either has."""
    key = key_of(target)
    try:
        shown = front_of(target).look(None)
    except PlatformError as fault:
        return ObservedInstance(key, None, message=str(fault))
    silent = [each.message for each in hosts if each.identity is None]
    silent += [f"{fault}." for fault in shown.faults.values()]
    if silent:
        return ObservedInstance(key, None, message=" ".join(silent))
    by_color = {
        color: [each for place, each in zip(places, hosts, strict=True) if place.color == color]
        for color in COLORS
    }
    return _told(key, shown, by_color)


def _told(
    key: str, shown: Shown, by_color: Mapping[str, Sequence[ObservedInstance]]
) -> ObservedInstance:
    has = {color: _releases(hosts) for color, hosts in by_color.items()}
    text = "; ".join((shown.text, *(f"{color}: {each}" for color, each in has.items())))
    serving = [each for color in set(shown.colors.values()) for each in by_color[color]]
    versions = {each.version for each in serving}
    return ObservedInstance(
        key,
        _short(text),
        versions.pop() if len(versions) == 1 else "",
        is_healthy=len(set(shown.colors.values())) == 1 and all(each.is_healthy is not False
                                                               for each in serving),
        message=f"{text[:1].upper()}{text[1:]}.",
        members=tuple(
            Member(each.key, each.version, each.is_healthy, each.message) for each in serving
        ),
    )  # fmt: skip


def _releases(hosts: Sequence[ObservedInstance]) -> str:
    """Once where all have the same; hosts that come and go with it are no difference."""
    by_link: dict[str, list[str]] = {}
    for each in hosts:
        link = each.identity or _NOTHING
        by_link.setdefault(link if each.is_healthy is not False else f"{link} (gone)", []).append(
            each.key
        )
    if len(by_link) == 1:
        return next(iter(by_link))
    return ", ".join(f"{link} on {' '.join(names)}" for link, names in sorted(by_link.items()))


def _short(text: str) -> str:
    """As long as an identity may be, and still one."""
    if len(text) <= LONGEST_IDENTITY:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()
    return f"{text[: LONGEST_IDENTITY - len(digest) - 2]}… {digest}"
