"""What a host ran before a deployment: looked at, kept by a capture, returned to by an undo."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from rollbacks.platforms.base import PlatformError
from rollbacks.platforms.ssh import commands
from rollbacks.platforms.ssh.connection import Remote
from rollbacks.platforms.ssh.places import Place
from rollbacks.platforms.ssh.states import HostState, parsed, release_of


class Found(BaseModel):
    """What a capture keeps of one host; `levels`: directories that were not there, upwards."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    directory: str
    link: str | None
    resolves: bool
    has_release: bool
    has_releases: bool
    levels: int


async def look(
    remote: Remote, place: Place, release: str = "", wanted: str | None = None
) -> HostState:
    """What is there now; refuses what cannot be brought back."""
    answer = await remote.run(commands.look(place.directory, release, wanted or ""))
    if remote.become and (refusal := remote.become.refusal(answer)):
        raise PlatformError(f"{refusal}; nothing was changed", permanent=True)
    if answer.failure:
        raise PlatformError(f"the look at {place.directory} {answer.failure}", permanent=True)
    return parsed(answer.out)


async def find(remote: Remote, place: Place, release: str) -> Found:
    """What is there now, to be kept."""
    state = await look(remote, place, release)
    require_link(state, place)
    return Found(
        directory=place.directory,
        link=state.link,
        resolves=state.resolves,
        has_release=state.has_release,
        has_releases=state.has_releases,
        levels=state.levels,
    )


def require_link(state: HostState, place: Place) -> None:
    """`current` must be a link, or not be there; raises PlatformError."""
    if state.is_other:
        raise PlatformError(
            f"{place.directory}/current exists and is not a symbolic link; move it away, or give "
            "the infrastructure another directory",
            permanent=True,
        )


def is_gone(state: HostState, found: Found) -> bool:
    """Whether what it ran before is not there any more; the look was at that."""
    return found.link is not None and found.resolves and not state.has_wanted


def releases_in(every: Iterable[Found]) -> set[str]:
    """The names of the releases that were found; of what is none of ours there is none."""
    return {release_of(found.link or "") for found in every if found.resolves} - {""}


def found_in(captured: Mapping[str, Any], name: str) -> Found:
    """A host's part of a capture; PlatformError where it has none."""
    try:
        return Found.model_validate(captured["hosts"][name])
    except (KeyError, TypeError, ValueError):
        raise PlatformError(
            f"{name} was not looked at before this deployment, so it cannot be brought back.",
            permanent=True,
        ) from None
