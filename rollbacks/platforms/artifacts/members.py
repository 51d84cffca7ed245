"""What may be in a release: nothing that could write, or point, outside of its directory; pure."""

import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from rollbacks.platforms.base import PlatformError

MOST_MEMBERS = 200_000
MOST_BYTES = 8 * 2**30
MOST_HOPS = 64


class UnsafeArchive(PlatformError):
    """The archive is refused; the message names the member."""

    def __init__(self, message: str) -> None:
        super().__init__(f"The artifact is refused: {message}.", permanent=True)


@dataclass(frozen=True)
class Member:
    """One thing in an archive. `kind` is one of tarfile's types; `name` has no `.` or `..`."""

    name: str
    kind: bytes
    mode: int
    mtime: int = 0
    size: int = 0
    link: str = ""
    open: Callable[[], IO[bytes]] | None = None


def checked(members: Iterator[Member]) -> list[Member]:
    """The members, safe to unpack, parents first; raises UnsafeArchive."""
    found: dict[str, Member] = {}
    size = 0
    for member in members:
        before = found.get(member.name)
        if before and (before.kind, member.kind) != (tarfile.DIRTYPE, tarfile.DIRTYPE):
            raise UnsafeArchive(f"{member.name!r} is in it twice")
        found[member.name] = member
        size += member.size
        if len(found) > MOST_MEMBERS or size > MOST_BYTES:
            raise UnsafeArchive(f"it has more than {MOST_MEMBERS} members or {MOST_BYTES} bytes")
    directories = {
        parent: Member(parent, tarfile.DIRTYPE, 0o755)
        for member in found.values()
        for parent in _parents(member.name)
    }
    others = [member for member in found.values() if member.kind != tarfile.DIRTYPE]
    directories.update({m.name: m for m in found.values() if m.kind == tarfile.DIRTYPE})
    for member in others:
        if member.name in directories:
            raise UnsafeArchive(f"{member.name!r} is a directory and something else")
    _check_links(others)
    return [*(directories[name] for name in sorted(directories)), *others]


def safe_name(name: str) -> str:
    """The name inside of the release, "" for its root; raises UnsafeArchive."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or ".." in parts or "\0" in name:
        raise UnsafeArchive(f"{name!r} points outside of the release directory")
    return "/".join(parts)


def _parents(name: str) -> list[str]:
    parts = name.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]


def _check_links(members: Sequence[Member]) -> None:
    links = {each.name: each.link for each in members if each.kind == tarfile.SYMTYPE}
    files = set[str]()
    for member in members:
        if member.kind == tarfile.SYMTYPE:
            if not _stays_inside(member.name, links):
                raise UnsafeArchive(
                    f"the link {member.name!r} points outside of the release directory, or nowhere"
                )
        elif member.kind == tarfile.LNKTYPE and member.link not in files:
            raise UnsafeArchive(f"{member.name!r} is a hard link to what is no file before it")
        else:
            files.add(member.name)


def _stays_inside(name: str, links: Mapping[str, str]) -> bool:
    """Walk as the host would, through other links too: "a/.." need not be where it looks."""
    here, ahead, hops = name.split("/")[:-1], links[name].split("/")[::-1], 0
    if not links[name] or links[name].startswith("/"):
        return False
    while ahead:
        part = ahead.pop()
        if part == "..":
            if not here:
                return False
            here.pop()
        elif part not in ("", "."):
            here.append(part)
        if (link := links.get("/".join(here))) is not None:
            hops += 1
            if link.startswith("/") or hops > MOST_HOPS:
                return False
            here.pop()
            ahead += link.split("/")[::-1]
    return True
