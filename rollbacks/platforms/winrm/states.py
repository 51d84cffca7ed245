"""What a host's answers to looks say; pure."""

import json
import re
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from rollbacks.platforms.base import PlatformError
from rollbacks.platforms.winrm.units import Unit

_OURS = re.compile(r"\\release-([0-9]+-([^\\\"]+))(?:[\\\"]|$)")
_QUOTED = re.compile(r'"([^"]+)"')


class Binding(BaseModel):
    """One of a site's; `information` as IIS writes it: address:port:host."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    protocol: str
    information: str
    flags: int = 0


class UnitState(BaseModel):
    """`path` exactly as it is there; `mode` is a Windows service's start mode."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str
    state: str
    pool: str = ""
    pool_state: str = ""
    mode: str = ""
    bindings: tuple[Binding, ...] = ()

    @property
    def runs(self) -> bool:
        """Whether what a restart would restart is on."""
        return (self.pool_state or self.state) in ("Started", "Running")

    @property
    def trouble(self) -> str:
        """Why nobody is served; empty where all of it runs."""
        if self.pool_state and self.pool_state != "Started":
            return f"the application pool {self.pool} is {self.pool_state}"
        if self.state not in ("Started", "Running"):
            return f"it is {self.state}"
        return ""


@dataclass(frozen=True)
class FolderState:
    """`levels`: how many directories, from the folder upwards, are not there; `uploaded`: bytes."""

    levels: int
    release: bool
    uploaded: int
    partial: bool
    restart: bool
    check: bool
    wanted: bool

    @property
    def has_rest(self) -> bool:
        return bool(self.uploaded or self.partial or self.restart or self.check)


def unit_in(answer: str, unit: Unit) -> UnitState:
    """PlatformError says what a person must do before the unit can be acted on."""
    said = _read(answer)
    if not said.pop("administrator", False):
        raise PlatformError(
            "the connector's user is not an administrator there; make it one, or give the "
            "connector another user",
            permanent=True,
        )
    if not said.pop("module", True):
        raise PlatformError(
            "IIS with its management tools is not installed there "
            "(Install-WindowsFeature Web-Server -IncludeManagementTools)",
            permanent=True,
        )
    if missing := said.pop("missing", ""):
        raise PlatformError(
            f"{unit.title}: there is no such {missing}; create it once, Lastgood only changes "
            f"its {unit.what}",
            permanent=True,
        )
    try:
        return UnitState.model_validate(said)
    except ValidationError:
        raise _unreadable() from None


def folder_in(answer: str) -> FolderState:
    try:
        return FolderState(**_read(answer))
    except TypeError:
        raise _unreadable() from None


def version_of(path: str) -> str:
    """The version that a path of ours leads to; empty where it is none of ours."""
    match = _OURS.search(path)
    return match[2] if match else ""


def release_of(path: str, folder: str) -> str:
    """The name of the release in the folder that a path leads into; empty where there is none."""
    file = file_of(path)
    is_inside = file.lower().startswith(folder.lower())
    match = _OURS.match(file, len(folder)) if is_inside else None
    return match[1] if match else ""


def file_of(path: str) -> str:
    """What must be there for the path to lead anywhere: of a binary path, the program."""
    if match := _QUOTED.match(path):
        return match[1]
    return path.partition(".exe ")[0] + ".exe" if ".exe " in path else path


def _read(answer: str) -> dict[str, Any]:
    try:
        said = json.loads(answer)
    except ValueError:
        raise _unreadable() from None
    if not isinstance(said, dict):
        raise _unreadable()
    return said


def _unreadable() -> PlatformError:
    return PlatformError("the answer to a look cannot be read")
