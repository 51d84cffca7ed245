"""Packs an artifact again as a ZIP for Windows hosts; what a host would mistake is refused here."""

import zipfile
from collections.abc import Callable
from typing import BinaryIO

from rollbacks.platforms.artifacts.archives import contents
from rollbacks.platforms.artifacts.members import Member, UnsafeArchive
from rollbacks.platforms.artifacts.zips import add
from rollbacks.platforms.winrm.settings import is_plain_name


def repack(archive: BinaryIO, out: BinaryIO, checkpoint: Callable[[], None]) -> None:
    """Write the ZIP; raises UnsafeArchive, and whatever the checkpoint raises."""
    with contents(archive) as members, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        seen: dict[str, str] = {}
        for member in members:
            checkpoint()
            _require_plain(member, seen)
            add(packed, member, checkpoint)


def _require_plain(member: Member, seen: dict[str, str]) -> None:
    if wrong := [part for part in member.name.split("/") if not is_plain_name(part)]:
        raise UnsafeArchive(f"{member.name!r}: Windows takes no file {wrong[0]!r}")
    before = seen.setdefault(member.name.casefold(), member.name)
    if before != member.name:
        raise UnsafeArchive(f"{before!r} and {member.name!r} are the same file on Windows")
    if member.link:
        raise UnsafeArchive(f"{member.name!r} is a link, which Windows hosts are not sent")
