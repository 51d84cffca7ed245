"""What Windows hosts are sent of artifacts that nobody vouches for."""

import io
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollbacks.platforms.artifacts.members import UnsafeArchive
from rollbacks.platforms.winrm.packing import repack
from tests.artifacts import Content, Executable, Link, tar_artifact, zip_artifact
from tests.winrm.host.disk import Disk


def packed(content: bytes) -> bytes:
    out = io.BytesIO()
    repack(io.BytesIO(content), out, lambda: None)
    return out.getvalue()


def unpacked(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(packed(content))) as archive:
        return {each.filename: archive.read(each) for each in archive.infolist()}


@pytest.mark.parametrize("pack", [zip_artifact, tar_artifact])
def test_files_arrive_in_their_directories(pack: object) -> None:
    assert callable(pack)
    content = pack({"a/b.txt": "one", "ü.txt": "two", "run.exe": Executable(b"MZ")})
    assert unpacked(content) == {"a/": b"", "a/b.txt": b"one", "ü.txt": b"two", "run.exe": b"MZ"}
    disk = Disk()
    disk.extract(packed(content), "C:\\x")
    assert disk.read("C:\\x\\a\\b.txt") == b"one"


def test_the_same_artifact_gives_the_same_bytes() -> None:
    content = zip_artifact({"a": "one", "b/c": "two" * 1000})
    assert packed(content) == packed(content)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"a": "x", "A": "y"}, "the same file on Windows"),
        ({"d/a": "x", "D/a": "y"}, "the same file on Windows"),
        ({"nul": "x"}, "Windows takes no file 'nul'"),
        ({"a/COM1.txt": "x"}, "Windows takes no file 'COM1.txt'"),
        ({"a.": "x"}, "Windows takes no file 'a.'"),
        ({"a ": "x"}, "Windows takes no file 'a '"),
        ({"a:stream": "x"}, "Windows takes no file 'a:stream'"),
        ({"a?": "x"}, "Windows takes no file"),
        ({"a": "x", "b": Link("a")}, "is a link, which Windows hosts are not sent"),
        ({"../a": "x"}, "points outside"),
        ({"a\\b": "x"}, "backslashes"),
    ],
)
def test_what_windows_would_mistake_is_refused(files: dict[str, Content], said: str) -> None:
    with pytest.raises(UnsafeArchive, match=said):
        packed(zip_artifact(files))


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(st.text("aB.é-/ ", min_size=1, max_size=6), st.binary(max_size=50), max_size=5)
)
def test_whatever_is_in_it_arrives_whole_or_not_at_all(files: dict[str, bytes]) -> None:
    try:
        got = unpacked(zip_artifact({name: Executable(content) for name, content in files.items()}))
    except UnsafeArchive:
        return
    plain = {name: content for name, content in got.items() if not name.endswith("/")}
    kept = {
        "/".join(p for p in name.split("/") if p not in ("", ".")): c for name, c in files.items()
    }
    assert plain == {name: content for name, content in kept.items() if name in plain}
    assert len({name.lower() for name in got}) == len(got)
