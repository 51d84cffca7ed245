"""Artifacts that nobody vouches for: fetched, checked, opened, packed again."""

import io
import stat
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollbacks.platforms.artifacts import members as limits
from rollbacks.platforms.artifacts.archives import repack
from rollbacks.platforms.artifacts.members import UnsafeArchive
from rollbacks.platforms.artifacts.payload import prepared
from rollbacks.platforms.base import ArtifactRef, PlatformError
from tests.artifacts import Content, Executable, Link, checksum, tar_artifact, zip_artifact


def stream(artifact: bytes) -> bytes:
    out = io.BytesIO()
    repack(io.BytesIO(artifact), out, lambda: None)
    return out.getvalue()


def members(artifact: bytes) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(stream(artifact))) as opened:
        return {member.name: member for member in opened}


def tar_of(*infos: tarfile.TarInfo) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as archive:
        for info in infos:
            archive.addfile(info, io.BytesIO(bytes(info.size)))
    return written.getvalue()


def info(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, link
    return made


def zip_with(change: Callable[[zipfile.ZipInfo], None]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        entry = zipfile.ZipInfo("a")
        change(entry)
        archive.writestr(entry, "x")
    return written.getvalue()


HOSTILE = {
    "absolute": tar_of(info("/etc/passwd")),
    "absolute in zip": zip_artifact({"/etc/passwd": "x"}),
    "up": tar_of(info("a/../../b")),
    "up in zip": zip_artifact({"../b": "x"}),
    "backslash": zip_artifact({"..\\b": "x"}),
    "link up": zip_artifact({"a/l": Link("../../x")}),
    "link absolute": tar_artifact({"l": Link("/etc")}),
    "link to nothing": tar_artifact({"l": Link("")}),
    "link in a circle": tar_artifact({"a": Link("b"), "b": Link("a")}),
    # Each looks harmless by its text: y leads to the root, so y/.. is above it.
    "link through a link": tar_artifact({"sub/y": Link(".."), "x": Link("sub/y/..")}),
    "write through a link": tar_artifact({"l": Link("sub"), "sub/a": "", "l/b": "x"}),
    "file as directory": tar_artifact({"a": "x", "a/b": "x"}),
    "twice": tar_of(info("a"), info("a")),
    "link, then file": tar_of(info("a", tarfile.SYMTYPE, "b"), info("./a")),
    "hard link out": tar_of(info("a", tarfile.LNKTYPE, "../x")),
    "hard link to nothing": tar_of(info("a", tarfile.LNKTYPE, "x")),
    "hard link to a link": tar_of(info("s", tarfile.SYMTYPE, "a"), info("h", tarfile.LNKTYPE, "s")),
    "device": tar_of(info("a", tarfile.CHRTYPE)),
    "pipe": tar_of(info("a", tarfile.FIFOTYPE)),
    "device in zip": zip_with(lambda e: setattr(e, "external_attr", (stat.S_IFCHR | 0o666) << 16)),
    "no archive": b"#!/bin/sh\necho hello\n",
    "nothing": b"",
    "cut short": tar_artifact({"a": "x", "b": "y"}, "")[:1024],
    "cut short, compressed": tar_artifact({"a": "x" * 9000})[:100],
    "cut short before its checksum": tar_artifact({"a": "x" * 9000})[:-4],
    "zip cut short": zip_artifact({"a": "x"})[:-10],
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_or_damaged_archive_is_refused(what: str) -> None:
    with pytest.raises(UnsafeArchive, match=r"^The artifact is refused: ") as refused:
        stream(HOSTILE[what])
    assert refused.value.permanent


def test_an_encrypted_zip_is_refused() -> None:
    artifact = bytearray(zip_artifact({"a": "x"}))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        artifact[artifact.index(signature) + offset] |= 1
    with pytest.raises(UnsafeArchive, match="'a' is encrypted"):
        stream(bytes(artifact))


def test_a_flipped_bit_in_a_zip_is_noticed() -> None:
    artifact = bytearray(zip_artifact({"a": bytes(range(256))}))
    artifact[60] ^= 1
    with pytest.raises(UnsafeArchive):
        stream(bytes(artifact))


@given(
    st.binary(max_size=200), st.integers(0, 3000), st.sampled_from(["zip", "", "gz", "xz", "bz2"])
)
@settings(max_examples=150, deadline=None)
def test_damage_of_any_kind_raises_nothing_but_a_refusal(noise: bytes, at: int, kind: str) -> None:
    files: dict[str, Content] = {"a": "x" * 700, "b/c": Executable(b"y"), "l": Link("a")}
    artifact = bytearray(zip_artifact(files) if kind == "zip" else tar_artifact(files, kind))
    artifact[at : at + len(noise)] = noise
    with suppress(UnsafeArchive):
        stream(bytes(artifact))


def test_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_BYTES", 1_000)
    with pytest.raises(UnsafeArchive, match="more than"):
        stream(zip_artifact({"bomb": "0" * 1_001}))


@pytest.mark.parametrize("compression", ["", "gz", "bz2", "xz"])
def test_modes_links_and_parents_are_kept(compression: str) -> None:
    files: dict[str, Content] = {
        "bin/run": Executable(b"x"),
        "a": "y",
        "l": Link("bin/run"),
        "bin/up": Link("../a"),
    }
    for artifact in (zip_artifact(files), tar_artifact(files, compression)):
        found = members(artifact)
        assert list(found)[-1] == "complete"
        assert found["content/bin"].mode == found["content/bin/run"].mode == 0o755
        assert found["content/a"].mode == 0o644
        assert found["content/l"].linkname == "bin/run"
        assert stream(artifact) == stream(artifact), "deterministic"


def test_hard_links_inside_stay_hard_links() -> None:
    found = members(
        tar_of(info("a"), info("./d", tarfile.DIRTYPE), info("d/h", tarfile.LNKTYPE, "./a"))
    )
    assert found["content/d/h"].linkname == "content/a"


def test_set_user_id_is_dropped_and_directories_can_be_entered() -> None:
    directory, program = info("d", tarfile.DIRTYPE), info("d/su")
    directory.mode, program.mode = 0, 0o6755
    found = members(tar_of(directory, program))
    assert found["content/d/su"].mode == 0o755
    assert found["content/d"].mode == 0o700


def test_utf8_names_that_a_zip_does_not_declare_are_understood() -> None:
    artifact = zip_artifact({"xxxx": "1"}).replace(b"xxxx", "üü".encode())
    assert "content/üü" in members(artifact)


def ref(location: object, declared: str = "") -> ArtifactRef:
    return ArtifactRef("1", str(location), declared, "ZIP")


def test_the_checksum_is_verified(tmp_path: Path) -> None:
    artifact = zip_artifact({"a": "x"})
    path = tmp_path / "a.zip"
    path.write_bytes(artifact)

    upper = checksum(artifact).upper().replace("SHA", "sha")
    for declared in ("", checksum(artifact), upper):
        prepared(ref(path, declared), lambda: None).close()
    with pytest.raises(PlatformError, match=r"a.zip has the checksum sha256:\w{64}, not the decl"):
        prepared(ref(path, checksum(b"")), lambda: None)
    with pytest.raises(PlatformError, match="'md5:1' is not sha256"):
        prepared(ref(path, "md5:1"), lambda: None)


def test_a_location_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(PlatformError, match=r"cannot read the artifact .*gone.zip: No such file"):
        prepared(ref(tmp_path / "gone.zip"), lambda: None)
    with pytest.raises(PlatformError, match="neither an absolute path nor"):
        prepared(ref("a.zip"), lambda: None)


class Store(BaseHTTPRequestHandler):
    """Serves one artifact, and errors by their number."""

    artifact = zip_artifact({"a": "x"})

    def do_GET(self) -> None:
        status = int(self.path.strip("/")[:3])
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/200")
        self.end_headers()
        self.wfile.write(self.artifact)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def store() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Store)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://user:hunter2@127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_artifact_comes_over_http_and_no_secret_of_its_url_is_shown(store: str) -> None:
    for path in ("200", "302"):
        prepared(ref(f"{store}/{path}", checksum(Store.artifact)), lambda: None).close()
    for status, permanent in ((404, True), (503, False)):
        with pytest.raises(PlatformError, match=f"the server answered {status}") as refused:
            prepared(ref(f"{store}/{status}?signature=hunter2"), lambda: None)
        assert refused.value.permanent is permanent
        assert "hunter2" not in str(refused.value)
    with pytest.raises(PlatformError, match="could not be had") as lost:
        prepared(ref("http://127.0.0.1:1/a.zip?s=hunter2"), lambda: None)
    assert not lost.value.permanent
