"""Real artifacts for tests: ZIP and TAR archives built in memory."""

import hashlib
import io
import stat
import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Link:
    """A symbolic link in an artifact."""

    to: str


@dataclass(frozen=True)
class Executable:
    """A file that may be run."""

    content: bytes


Content = str | bytes | Link | Executable


def zip_artifact(files: Mapping[str, Content]) -> bytes:
    """A ZIP with these files, as Info-ZIP on Unix would write it."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.create_system = 3
            info.compress_type = zipfile.ZIP_DEFLATED
            kind = stat.S_IFLNK if isinstance(content, Link) else stat.S_IFREG
            info.external_attr = (kind | _mode(content)) << 16
            archive.writestr(info, content.to if isinstance(content, Link) else _bytes(content))
    return written.getvalue()


def tar_artifact(files: Mapping[str, Content], compression: str = "gz") -> bytes:
    """A TAR with these files; `compression` is gz, bz2, xz or empty."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode=f"w:{compression}") as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.mode = _mode(content)
            if isinstance(content, Link):
                info.type, info.linkname = tarfile.SYMTYPE, content.to
                archive.addfile(info)
            else:
                data = _bytes(content)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
    return written.getvalue()


def checksum(artifact: bytes) -> str:
    """As an artifact declares it."""
    return f"sha256:{hashlib.sha256(artifact).hexdigest()}"


def _mode(content: Content) -> int:
    if isinstance(content, Link):
        return 0o777
    return 0o755 if isinstance(content, Executable) else 0o644


def _bytes(content: Content) -> bytes:
    if isinstance(content, Executable):
        return content.content
    assert not isinstance(content, Link)
    return content.encode() if isinstance(content, str) else content
