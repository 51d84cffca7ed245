"""What a host served before a deployment: kept by a capture, returned to by an undo."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from rollbacks.platforms.base import PlatformError
from rollbacks.platforms.winrm import scripts
from rollbacks.platforms.winrm.places import Place
from rollbacks.platforms.winrm.scripts import directory_of
from rollbacks.platforms.winrm.sessions import Remote
from rollbacks.platforms.winrm.states import FolderState, file_of, folder_in, release_of


class Found(BaseModel):
    """What a capture keeps of one host; `unit`: its title; `levels`: directories not there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    unit: str
    folder: str
    path: str
    runs: bool
    resolves: bool
    has_release: bool
    levels: int


def is_gone(folder: FolderState, found: Found) -> bool:
    """Whether what it served before is not there any more; the look was at that."""
    return found.resolves and not folder.wanted


async def release_to_send(remote: Remote, place: Place, found: Found) -> str:
    """What was served before by its release's name, unless some of it is there: of a directory that
    was damaged nobody can say what is to be kept. Empty where it cannot be sent."""
    release = release_of(found.path, place.folder)
    if not release:
        return ""
    folder = await look_into(remote, place, directory_of(release), found.path)
    return "" if folder.release else release


async def look_into(remote: Remote, place: Place, directory: str, path: str) -> FolderState:
    """The service's folder, and whether the path leads anywhere."""
    return folder_in(await remote.call(scripts.look(place.folder, directory, file_of(path))))


def found_in(captured: Mapping[str, Any], name: str) -> Found:
    """A host's part of a capture; PlatformError where it has none."""
    try:
        return Found.model_validate(captured["hosts"][name])
    except (KeyError, TypeError, ValueError):
        raise PlatformError(
            f"{name} was not looked at before this deployment, so it cannot be brought back.",
            permanent=True,
        ) from None
