"""Gets an artifact, from a path or over HTTP, and makes of it what hosts are sent.

The bytes that were checked are the bytes that are used: both come from one private copy.
"""

import asyncio
import hashlib
import os
import re
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import BinaryIO
from urllib.parse import urlsplit

import httpx

from rollbacks.platforms.artifacts.archives import repack
from rollbacks.platforms.base import ArtifactRef, PlatformError

MOST_BYTES = 4 * 2**30
CHUNK = 256 * 1024
SECONDS = httpx.Timeout(30, connect=10)
_CHECKSUM = re.compile(r"sha256:([0-9a-fA-F]{64})")


class ArtifactRefused(PlatformError):
    """The artifact cannot be had, or is not what was declared."""


Pack = Callable[[BinaryIO, BinaryIO, Callable[[], None]], None]


class GivenUp(Exception):
    """Nobody waits for the artifact any more."""


class Payload:
    """What hosts are sent, made once, by the first host that needs it; close it after use."""

    def __init__(self, artifact: ArtifactRef | None, pack: Pack = repack) -> None:
        self._artifact = artifact
        self._pack = pack
        self._given_up = threading.Event()
        self._lock = asyncio.Lock()
        self._packed: BinaryIO | None = None
        self._digest = ""
        self._fault: PlatformError | None = None

    async def chunks(self, offset: int = 0) -> AsyncIterator[bytes]:
        """The stream from there on, for one host."""
        packed = await self.ready()
        while chunk := os.pread(packed.fileno(), CHUNK, offset):
            offset += len(chunk)
            yield chunk

    async def ready(self) -> BinaryIO:
        """The packed stream; every host gets the same PlatformError where there is none."""
        async with self._lock:
            if self._fault is not None:
                raise self._fault
            if self._packed is None:
                try:
                    self._packed = await asyncio.to_thread(self._prepare)
                except PlatformError as fault:
                    self._fault = fault
                    raise
            return self._packed

    async def digest(self) -> str:
        """SHA-256 of the stream, in hexadecimal digits."""
        packed = await self.ready()
        async with self._lock:
            if not self._digest:
                self._digest = await asyncio.to_thread(_digest, packed)
            return self._digest

    def close(self) -> None:
        """Also ends what a thread may still be doing for us."""
        self._given_up.set()
        if self._packed is not None:
            self._packed.close()

    def _prepare(self) -> BinaryIO:
        assert self._artifact is not None, "only what installs asks for the artifact"
        packed = prepared(self._artifact, self._check, self._pack)
        if self._given_up.is_set():
            packed.close()
            raise GivenUp
        return packed

    def _check(self) -> None:
        if self._given_up.is_set():
            raise GivenUp


class Payloads:
    """What each release is made of, by its name; close it after use."""

    def __init__(self, artifacts: Mapping[str, ArtifactRef | None], pack: Pack = repack) -> None:
        self._payloads = {release: Payload(each, pack) for release, each in artifacts.items()}

    def of(self, release: str) -> Payload:
        """KeyError where nobody has said what it is made of."""
        return self._payloads[release]

    def __contains__(self, release: str) -> bool:
        return release in self._payloads

    def close(self) -> None:
        for payload in self._payloads.values():
            payload.close()


def require_available(artifact: ArtifactRef) -> None:
    """Begin to read it, and no more; raises PlatformError where it cannot be had now."""
    with closing(_chunks(artifact.location)) as chunks:
        next(chunks, None)


def _digest(packed: BinaryIO) -> str:
    digest, offset = hashlib.sha256(), 0
    while chunk := os.pread(packed.fileno(), CHUNK, offset):
        offset += len(chunk)
        digest.update(chunk)
    return digest.hexdigest()


def prepared(
    artifact: ArtifactRef, checkpoint: Callable[[], None], pack: Pack = repack
) -> BinaryIO:
    """A temporary file with what is packed; raises PlatformError, and what the checkpoint does."""
    packed = tempfile.TemporaryFile()  # noqa: SIM115 - it is the caller's
    try:
        with _copied(artifact, checkpoint) as archive:
            pack(archive, packed, checkpoint)
    except BaseException:
        packed.close()
        raise
    packed.flush()
    return packed


@contextmanager
def _copied(artifact: ArtifactRef, checkpoint: Callable[[], None]) -> Iterator[BinaryIO]:
    """A private copy whose checksum is the declared one."""
    wanted = _wanted(artifact.checksum)
    digest, size = hashlib.sha256(), 0
    with tempfile.TemporaryFile() as copy:
        for chunk in _chunks(artifact.location):
            checkpoint()
            size += len(chunk)
            if size > MOST_BYTES:
                raise _refused(artifact, f"is larger than {MOST_BYTES} bytes")
            digest.update(chunk)
            copy.write(chunk)
        if wanted and digest.hexdigest() != wanted:
            raise _refused(
                artifact, f"has the checksum sha256:{digest.hexdigest()}, not the declared one"
            )
        yield copy


def _wanted(checksum: str) -> str:
    if not checksum:
        return ""
    if match := _CHECKSUM.fullmatch(checksum):
        return match[1].lower()
    raise ArtifactRefused(
        f"The artifact's checksum {checksum!r} is not sha256: and 64 hexadecimal digits.",
        permanent=True,
    )


def _chunks(location: str) -> Generator[bytes, None, None]:
    if location.startswith("/"):
        return _read(location)
    if location.startswith(("https://", "http://")):
        return _downloaded(location)
    raise ArtifactRefused(
        f"The artifact's location {_shown(location)!r} is neither an absolute path nor an "
        "http(s) URL.",
        permanent=True,
    )


def _read(path: str) -> Generator[bytes, None, None]:
    try:
        with open(path, "rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk
    except OSError as error:
        raise ArtifactRefused(
            f"The worker cannot read the artifact {path}: {error.strerror}.", permanent=True
        ) from None


def _downloaded(url: str) -> Generator[bytes, None, None]:
    """Proxies from the environment are used: artifact stores are often behind one."""
    try:
        with (
            httpx.Client(timeout=SECONDS, follow_redirects=True, max_redirects=5) as client,
            client.stream("GET", url, headers={"Accept-Encoding": "identity"}) as answer,
        ):
            if answer.status_code != 200:
                raise ArtifactRefused(
                    f"The artifact {_shown(url)} cannot be had: the server answered "
                    f"{answer.status_code}.",
                    permanent=answer.status_code < 500 and answer.status_code != 429,
                )
            yield from answer.iter_raw(CHUNK)
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.TooManyRedirects) as error:
        raise ArtifactRefused(
            f"The artifact {_shown(url)} cannot be had ({type(error).__name__}).", permanent=True
        ) from None
    except httpx.HTTPError as error:
        raise ArtifactRefused(
            f"The artifact {_shown(url)} could not be had ({type(error).__name__})."
        ) from None


def _refused(artifact: ArtifactRef, why: str) -> ArtifactRefused:
    return ArtifactRefused(f"The artifact {_shown(artifact.location)} {why}.", permanent=True)


def _shown(location: str) -> str:
    """Without a password, and without a query, which may be a signature."""
    if location.startswith("/"):
        return location
    try:
        parts = urlsplit(location)
        return f"{parts.scheme}://{parts.hostname}{parts.path}"
    except ValueError:
        return "URL"
