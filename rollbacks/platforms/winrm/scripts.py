"""The scripts that hosts are sent, and what a call of one gives it; pure.

Each script is a constant file beside this module that says the types of its parameters; what
varies travels as a parameter of the protocol's own, never as text of a script.

In a service's folder, beside `release-RELEASE`, a deployment may leave for a while:
`.release-RELEASE@upload`   what has arrived of the artifact
`.release-RELEASE@partial`  what is being unpacked or removed; never counts as a release
`.release-RELEASE@restart`  switched, but not yet restarted
`.release-RELEASE@check`    restarted, but not yet found healthy
Markers are written before the switch and removed after what they stand for, so that whoever comes
after a killed worker knows what is still missing. No release has an `@` in its name.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from rollbacks.platforms.base import PlatformError

DIRECTORY = Path(__file__).parent / "scripts"
LONG_SECONDS = 900  # to unpack a release, or to remove it
Value = str | int | bool | bytes
_RELEASE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._+~-]{0,98}[A-Za-z0-9_+~-])?")


@dataclass(frozen=True)
class Call:
    """A script by its name, and its parameters; those of an upload are too long to be shown.

    `seconds`: what it may take at least, whatever the connector says of others.
    """

    script: str
    parameters: Mapping[str, Value] = field(repr=False)
    seconds: float = 0

    @property
    def text(self) -> str:
        return text_of(self.script)


@cache
def text_of(script: str) -> str:
    return (DIRECTORY / f"{script}.ps1").read_text()


def directory_of(release: str) -> str:
    """The name of a release's directory; PlatformError where Windows could not take it."""
    if not _RELEASE.fullmatch(release):
        raise PlatformError(
            f"{release!r} cannot be the name of a release directory: at most 100 letters, digits "
            "and ._+~- and no dot at the end. Give the artifact another version.",
            permanent=True,
        )
    return f"release-{release}"


def look(folder: str, directory: str, wanted: str) -> Call:
    return Call("look_folder", {"Folder": folder, "Release": directory, "Wanted": wanted})


def receive(folder: str, directory: str, offset: int, data: bytes) -> Call:
    """One piece of the upload; sent again, it changes nothing."""
    where = {"Folder": folder, "Release": directory}
    return Call("receive", {**where, "Offset": offset, "Data": data})


def unpack(folder: str, directory: str, checksum: str) -> Call:
    """`checksum`: SHA-256 of the upload, in hexadecimal digits."""
    parameters = {"Folder": folder, "Release": directory, "Checksum": checksum}
    return Call("unpack", parameters, seconds=LONG_SECONDS)


def settle(folder: str, directory: str) -> Call:
    return Call("settle", {"Folder": folder, "Release": directory})


def remove(folder: str, directory: str, levels: int) -> Call:
    """`levels`: how many directories, from the folder upwards, were not there before."""
    where = {"Folder": folder, "Release": directory}
    return Call("remove", {**where, "Levels": levels}, seconds=LONG_SECONDS)
