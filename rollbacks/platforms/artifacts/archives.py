"""Opens ZIP and TAR archives that nobody vouches for, and packs them again as a tar stream.

The stream holds `content/…` and ends with an empty file `complete`: a host that got less knows it.
What members.py refuses, no host gets to see.
"""

import calendar
import lzma
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import IO, BinaryIO, Protocol

from rollbacks.platforms.artifacts.members import (
    MOST_BYTES,
    Member,
    UnsafeArchive,
    checked,
    safe_name,
)
from rollbacks.platforms.base import PlatformError

LONGEST_LINK = 4_096
CHUNK = 64 * 1024
# What zipfile, tarfile and the decompressors raise at damage, beside OSError without a number.
_UNREADABLE = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, struct.error, EOFError,
    ValueError, KeyError, IndexError, OverflowError, NotImplementedError, RuntimeError,
)  # fmt: skip


class Source(Protocol):
    """What bytes are read from."""

    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True)
class _Checked:
    """A member's content that can be given up halfway."""

    content: IO[bytes]
    checkpoint: Callable[[], None]

    def read(self, size: int = -1, /) -> bytes:
        self.checkpoint()
        return self.content.read(size)


def repack(archive: BinaryIO, out: BinaryIO, checkpoint: Callable[[], None]) -> None:
    """Write the tar stream for hosts; raises UnsafeArchive, and whatever the checkpoint raises."""
    with contents(archive) as members:
        _write(members, out, checkpoint)


@contextmanager
def contents(archive: BinaryIO) -> Iterator[list[Member]]:
    """The members, safe to unpack, to be read while it is open; raises UnsafeArchive, also for
    damage that only shows while they are read."""
    archive.seek(0)
    is_zip = archive.read(4) in (b"PK\x03\x04", b"PK\x05\x06")
    archive.seek(0)
    try:
        if is_zip:
            with zipfile.ZipFile(archive) as opened_zip:
                yield checked(_zip_members(opened_zip))
        else:
            with tarfile.open(fileobj=archive, encoding="utf-8") as opened_tar:
                yield checked(_tar_members(opened_tar))
    except OSError as error:
        if error.errno is not None:
            raise PlatformError(
                f"The worker cannot prepare the artifact: {error.strerror}."
            ) from None
        raise UnsafeArchive(f"it cannot be read ({error})") from None
    except _UNREADABLE as error:
        raise UnsafeArchive(f"it cannot be read as a ZIP or TAR archive ({error})") from None


def _zip_members(archive: zipfile.ZipFile) -> Iterator[Member]:
    for info in archive.infolist():
        original = _zip_name(info)
        if info.flag_bits & 1:
            raise UnsafeArchive(f"{original!r} is encrypted")
        if "\\" in original:
            raise UnsafeArchive(f"{original!r} is written with backslashes; pack it with slashes")
        if name := safe_name(original):
            yield _zip_member(archive, info, name)


def _zip_name(info: zipfile.ZipInfo) -> str:
    """Packers on Unix write UTF-8 without saying so; zipfile then takes it for code page 437."""
    if info.flag_bits & 0x800:
        return info.orig_filename
    try:
        return info.orig_filename.encode("cp437").decode()
    except UnicodeError:
        return info.orig_filename


def _zip_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> Member:
    mode = info.external_attr >> 16
    mtime = calendar.timegm((*info.date_time, 0, 0, 0))
    if info.is_dir() or stat.S_ISDIR(mode):
        return Member(name, tarfile.DIRTYPE, _directory_mode(mode or 0o755), mtime)
    if stat.S_ISLNK(mode):
        if info.file_size > LONGEST_LINK:
            raise UnsafeArchive(f"the link {name!r} is too long")
        target = archive.read(info).decode(errors="surrogateescape")
        return Member(name, tarfile.SYMTYPE, 0o777, mtime, link=target)
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        raise UnsafeArchive(f"{name!r} is neither a file, a directory nor a link")
    return Member(
        name, tarfile.REGTYPE, mode & 0o777 if mode else 0o644, mtime, info.file_size,
        open=lambda: archive.open(info),
    )  # fmt: skip


def _tar_members(archive: tarfile.TarFile) -> Iterator[Member]:
    for info in archive:
        if name := safe_name(info.name):
            yield _tar_member(archive, info, name)
    if archive.fileobj is not None:
        archive.fileobj.seek(archive.offset)
        _require_end(archive.fileobj)


def _require_end(rest: Source) -> None:
    """tarfile takes damage behind the first member for the end, which is a block of zeros; and a
    compressed file's own checksum is only compared by whoever reads to its end."""
    if rest.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
        raise UnsafeArchive("it is cut short or damaged")
    for _ in range(MOST_BYTES // CHUNK):
        if not rest.read(CHUNK):
            return
    raise UnsafeArchive("it has far too much behind its end")


def _tar_member(archive: tarfile.TarFile, info: tarfile.TarInfo, name: str) -> Member:
    mode, mtime = info.mode & 0o777, max(0, int(info.mtime))
    if info.isdir():
        return Member(name, tarfile.DIRTYPE, _directory_mode(mode), mtime)
    if info.issym():
        return Member(name, tarfile.SYMTYPE, 0o777, mtime, link=info.linkname)
    if info.islnk():
        return Member(name, tarfile.LNKTYPE, mode, mtime, link=safe_name(info.linkname))
    if not info.isreg():
        raise UnsafeArchive(f"{name!r} is neither a file, a directory nor a link")
    return Member(
        name, tarfile.REGTYPE, mode, mtime, info.size,
        open=lambda: archive.extractfile(info) or BytesIO(),
    )  # fmt: skip


def _directory_mode(mode: int) -> int:
    """A release directory that its owner cannot enter could be neither filled nor removed."""
    return mode & 0o777 | 0o700


def _write(members: Sequence[Member], out: BinaryIO, checkpoint: Callable[[], None]) -> None:
    # GNU, not pax: busybox's tar knows no other way of writing long names.
    with tarfile.open(
        fileobj=out, mode="w|", format=tarfile.GNU_FORMAT, encoding="utf-8",
        errors="surrogateescape",
    ) as packed:  # fmt: skip
        packed.addfile(_header(Member("", tarfile.DIRTYPE, 0o755)))
        for member in members:
            checkpoint()
            if member.open is None:
                packed.addfile(_header(member))
                continue
            with member.open() as content:
                packed.addfile(_header(member), _Checked(content, checkpoint))
        complete = tarfile.TarInfo("complete")
        packed.addfile(complete)


def _header(member: Member) -> tarfile.TarInfo:
    """Nobody's in particular: `tar -o` gives it to whoever unpacks."""
    header = tarfile.TarInfo(f"content/{member.name}".rstrip("/"))
    header.type, header.mode = member.kind, member.mode
    header.size, header.mtime = member.size, member.mtime
    header.linkname = f"content/{member.link}" if member.kind == tarfile.LNKTYPE else member.link
    return header
