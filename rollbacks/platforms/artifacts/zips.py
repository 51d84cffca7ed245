"""Writes the members of an artifact into a ZIP."""

import stat
import tarfile
import zipfile
from collections.abc import Callable
from typing import IO

from rollbacks.platforms.artifacts.members import Member, UnsafeArchive

CHUNK = 256 * 1024
# The same artifact gives the same bytes, so that another worker can go on with an upload.
_WHEN = (1980, 1, 1, 0, 0, 0)
_KINDS = {tarfile.DIRTYPE: stat.S_IFDIR, tarfile.SYMTYPE: stat.S_IFLNK}


def add(packed: zipfile.ZipFile, member: Member, checkpoint: Callable[[], None]) -> None:
    """With its mode, and as a link where it is one; raises UnsafeArchive for what a ZIP has no
    word for, and whatever the checkpoint raises."""
    if member.kind == tarfile.LNKTYPE:
        raise UnsafeArchive(f"{member.name!r} is a hard link, which a ZIP cannot hold")
    is_directory = member.kind == tarfile.DIRTYPE
    entry = zipfile.ZipInfo(f"{member.name}/" if is_directory else member.name, _WHEN)
    entry.create_system = 3  # Unix, where modes are from
    entry.external_attr = (_KINDS.get(member.kind, stat.S_IFREG) | member.mode) << 16
    if member.open is None:
        packed.writestr(entry, member.link.encode(errors="surrogateescape"))
        return
    entry.compress_type = zipfile.ZIP_DEFLATED
    with member.open() as content, packed.open(entry, "w", force_zip64=True) as written:
        _copy(content, written, checkpoint)


def _copy(content: IO[bytes], written: IO[bytes], checkpoint: Callable[[], None]) -> None:
    while chunk := content.read(CHUNK):
        checkpoint()
        written.write(chunk)
