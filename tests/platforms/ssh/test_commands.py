"""What hosts are sent, run by this machine's own sh."""

import io
import subprocess
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollbacks.platforms.artifacts.archives import repack
from rollbacks.platforms.base import PlatformError
from rollbacks.platforms.ssh import commands
from rollbacks.platforms.ssh.commands import Pending, sent
from rollbacks.platforms.ssh.states import parsed, version_of
from tests.artifacts import Executable, Link, tar_artifact, zip_artifact

anything = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60)
names = st.from_regex(r"[A-Z][A-Z0-9_]{3,10}", fullmatch=True).map("V_{}".format)
parts = st.text(
    st.characters(exclude_characters="\0/\\", exclude_categories=["Cs"]), min_size=1, max_size=40
).filter(lambda part: part not in {".", ".."} and len(part.encode()) < 200)


def sh(line: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """As sshd does it: the line is for the login shell."""
    return subprocess.run(["/bin/sh", "-c", line], input=stdin, capture_output=True, timeout=20)


def packed(artifact: bytes) -> bytes:
    out = io.BytesIO()
    repack(io.BytesIO(artifact), out, lambda: None)
    return out.getvalue()


@given(st.lists(anything, max_size=4))
@settings(max_examples=60, deadline=None)
def test_arguments_arrive_byte_for_byte(values: list[str]) -> None:
    ran = sh(sent(r'for each in "$@"; do printf "%s\0" "$each"; done', *values))
    assert ran.stdout == b"".join(value.encode() + b"\0" for value in values)


@given(st.dictionaries(names, anything, min_size=1, max_size=4))
@settings(max_examples=60, deadline=None)
def test_variables_arrive_byte_for_byte(values: dict[str, str]) -> None:
    ran = sh(commands.script("env -0", "", values))
    arrived = dict(line.split(b"=", 1) for line in ran.stdout.split(b"\0") if line)
    for name, value in values.items():
        assert arrived[name.encode()] == value.encode()


@given(anything)
@settings(max_examples=40, deadline=None)
def test_a_persons_command_is_one_word_until_its_own_shell(command: str) -> None:
    with TemporaryDirectory() as directory:
        line = commands.restart(
            directory, "1-a", f"exit 7 # {command}".replace("\n", " "), Pending.NOTHING, {}
        )
        assert sh(line).returncode == 7


@given(parts, parts)
@settings(max_examples=40, deadline=None)
def test_any_link_text_is_written_and_read_back_byte_for_byte(first: str, second: str) -> None:
    text = f"{first}/{second}"
    with TemporaryDirectory() as directory:
        line = commands.switch(directory, "1-a", text, Pending.NOTHING, may_dangle=True)
        assert sh(line).returncode == 0
        assert (Path(directory) / "current").readlink() == Path(text)
        assert parsed(sh(commands.look(directory, "1-a", text)).stdout).link == text


@given(st.dictionaries(parts, st.binary(max_size=300), min_size=1, max_size=5), st.booleans())
@settings(max_examples=40, deadline=None)
def test_any_file_name_and_content_arrives_byte_for_byte(
    files: dict[str, bytes], is_zip: bool
) -> None:
    pack = zip_artifact if is_zip else tar_artifact
    with TemporaryDirectory() as directory:
        assert sh(commands.unpack(directory, "1-a"), packed(pack(dict(files)))).returncode == 0
        release = Path(directory) / "releases" / "1-a"
        assert {path.name: path.read_bytes() for path in release.iterdir()} == files


@pytest.mark.parametrize("pack", [zip_artifact, tar_artifact])
def test_a_stream_cut_off_anywhere_leaves_no_release(pack: object, tmp_path: Path) -> None:
    artifact = pack({"a": "x" * 600, "bin/b": Executable(b"y"), "c": Link("a")})  # type: ignore[operator]
    stream = packed(artifact)
    with tarfile.open(fileobj=io.BytesIO(stream)) as archive:
        complete = archive.getmember("complete").offset
    for end in [*range(0, complete + 1, 512), 700]:
        ran = sh(commands.unpack(str(tmp_path), "1-a"), stream[:end])
        assert ran.returncode != 0
        assert list((tmp_path / "releases").iterdir()) == [], end
    assert sh(commands.unpack(str(tmp_path), "1-a"), stream).returncode == 0
    assert [path.name for path in (tmp_path / "releases").iterdir()] == ["1-a"]


def test_what_a_killed_worker_left_is_cleared_away(tmp_path: Path) -> None:
    stale = tmp_path / "releases" / ".1-a@partial.77" / "content"
    stale.mkdir(parents=True)
    stale.chmod(0o500)
    other = tmp_path / "releases" / ".1-a.b@partial.78"
    other.mkdir()

    assert (
        sh(commands.unpack(str(tmp_path), "1-a"), packed(zip_artifact({"a": ""}))).returncode == 0
    )

    assert {path.name for path in (tmp_path / "releases").iterdir()} == {"1-a", other.name}


def test_the_running_release_is_not_removed(tmp_path: Path) -> None:
    (tmp_path / "releases" / "1-a").mkdir(parents=True)
    (tmp_path / "current").symlink_to("releases/1-a")

    ran = sh(
        commands.clean(str(tmp_path), "1-a", removes_release=True, removes_releases=True, levels=0)
    )

    assert ran.returncode != 0
    assert b"current still points at 1-a" in ran.stderr
    assert (tmp_path / "releases" / "1-a").is_dir()


def test_a_switch_never_replaces_what_is_no_link_nor_points_at_nothing(tmp_path: Path) -> None:
    refused = sh(commands.switch(str(tmp_path), "1-a", "releases/1-a", Pending.NOTHING))
    assert b"releases/1-a is not there" in refused.stderr
    (tmp_path / "releases" / "1-a").mkdir(parents=True)
    (tmp_path / "current").write_text("precious")
    refused = sh(commands.switch(str(tmp_path), "1-a", "releases/1-a", Pending.RESTART))
    assert b"current is not a symbolic link" in refused.stderr
    assert (tmp_path / "current").read_text() == "precious"


@pytest.mark.parametrize("release", ["../x", "", ".x", "a/b", "a b", "-a", "a@b", "a\n", "x" * 300])
def test_a_release_that_is_no_plain_name_is_refused(release: str) -> None:
    with pytest.raises(PlatformError, match="cannot be the name of a release directory"):
        commands.safe_release(release)


@pytest.mark.parametrize("value", ["a\0b", "\ud800", "x" * 130_000])
def test_what_cannot_be_sent_is_refused(value: str) -> None:
    with pytest.raises(PlatformError) as refused:
        sent("true", value)
    assert refused.value.permanent


def test_a_greeting_of_the_login_shell_is_not_taken_for_an_answer(tmp_path: Path) -> None:
    (tmp_path / "current").symlink_to("here\n\n")
    answer = sh(commands.look(str(tmp_path), "1-a", "")).stdout

    assert parsed(b"Welcome!\nlink=none\n\n" + answer).link == "here\n\n"
    with pytest.raises(PlatformError, match="cannot be read"):
        parsed(b"This account is disabled.\n")


def test_missing_tools_and_links_in_no_known_encoding_are_refused() -> None:
    with pytest.raises(PlatformError, match="the host has no readlink, tar"):
        parsed(b"\nlastgood\nmissing= readlink tar\nlevels=0\nlink=none\n\n")
    with pytest.raises(PlatformError, match="is not UTF-8"):
        parsed(b"\nlastgood\nmissing=\nlevels=0\nlink=yes\n\n\xff\n")


def test_the_version_is_what_follows_the_first_dash() -> None:
    assert version_of("releases/42-1.4.1-rc.2") == "1.4.1-rc.2"
    assert version_of("releases/legacy") == version_of("/opt/42-1") == ""
