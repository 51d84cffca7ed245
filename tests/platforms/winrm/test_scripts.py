"""Our PowerShell, as far as a machine without Windows can tell: parsed, typed, nothing glued."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import tree_sitter_powershell
from hypothesis import given, settings
from hypothesis import strategies as st
from psrpcore import (
    CreatePipelineEvent,
    PSRPPayload,
    ServerPipeline,
    ServerRunspacePool,
    StreamType,
)
from pypsrp.complex_objects import (
    ApartmentState,
    Command,
    CommandParameter,
    HostInfo,
    Pipeline,
    RemoteStreamOptions,
)
from pypsrp.messages import CreatePipeline, InitRunspacePool, SessionCapability
from pypsrp.powershell import Fragmenter
from pypsrp.serializer import Serializer
from tree_sitter import Language, Node, Parser

from rollbacks.platforms.base import PlatformError
from rollbacks.platforms.winrm.scripts import DIRECTORY, Value, directory_of
from rollbacks.platforms.winrm.sessions import on_the_wire
from tests.winrm.host.shells import _plain, declared
from tests.winrm.host.windows import Windows

SCRIPTS = sorted(DIRECTORY.glob("*.ps1"))
PARSER = Parser(Language(tree_sitter_powershell.language()))
# What makes code of text, or runs what text says.
FORBIDDEN = {
    "invoke-expression", "iex", "invoke-command", "start-process", "add-type -typedefinition",
    "[scriptblock]", ".invokescript", "cmd", "cmd.exe", "powershell", "sc.exe", "&",
}  # fmt: skip


def nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from nodes(child)


def parsed(path: Path) -> list[Node]:
    return list(nodes(PARSER.parse(path.read_bytes()).root_node))


def words(path: Path, kind: str) -> list[str]:
    return [str(each.text, "utf-8") for each in parsed(path) if each.type == kind and each.text]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_is_powershell(path: Path) -> None:
    assert not [each for each in parsed(path) if each.is_error or each.is_missing]
    assert path.read_bytes().isascii(), "Windows PowerShell would guess at the encoding"


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_says_the_type_of_every_parameter_and_stops_at_an_error(path: Path) -> None:
    block = next(each for each in parsed(path) if each.type == "param_block")
    parameters = [each for each in nodes(block) if each.type == "script_parameter"]
    typed = [each for each in parameters if any(n.type == "type_literal" for n in nodes(each))]
    assert len(typed) == len(parameters) == len(declared(path.read_text()))
    assert "\n$ErrorActionPreference = 'Stop'\n" in path.read_text()


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_makes_no_text_into_code_and_no_text_out_of_parts(path: Path) -> None:
    assert not words(path, "expandable_string_literal"), "a value in a text may change what it says"
    assert not words(path, "expandable_here_string_literal")
    commands = {each.lower() for each in words(path, "command_name")}
    assert not commands & FORBIDDEN
    text = path.read_text().lower()
    assert not [
        each for each in ("[scriptblock]", "invokescript", "frombase64", "-typedef") if each in text
    ]
    assert not [each for each in parsed(path) if each.type == "command_invokation_operator"]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_every_parameter_is_used_and_every_other_variable_set_before(path: Path) -> None:
    text = path.read_text()
    names = {each.lstrip("$").lower() for each in words(path, "variable")}
    wanted = {name.lower() for name in declared(text)}
    assert wanted <= names
    body = text[text.index("$ErrorActionPreference") :].lower()
    assert [name for name in wanted if f"${name}" not in body] == []
    known = wanted | {"null", "true", "false", "_", "env:windir", "erroractionpreference"}
    known |= {"global:lastexitcode", "global:erroractionpreference"}
    for name in names - known:
        assert f"${name} = " in text.lower() or f"(${name} in " in text.lower(), name


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_the_tests_hosts_know_it(path: Path) -> None:
    assert path.stem in ("prepare_script", "exit_code") or callable(getattr(Windows, path.stem))


def heard(parameters: dict[str, Value]) -> tuple[str, dict[str, Value]]:
    """A script with these parameters through pypsrp's serializer and psrpcore's back."""
    pool, client = ServerRunspacePool(), Fragmenter(32_000, Serializer())
    rpid, pid = "5F8A8F1E-0F5B-4A1C-9A0E-6C2B1D7E0001", "5F8A8F1E-0F5B-4A1C-9A0E-6C2B1D7E0002"
    capability = SessionCapability("2.3", "2.0", "1.1.0.1")
    init = InitRunspacePool(1, 1, None, ApartmentState(value=2), HostInfo(host=None), None)
    command = Command("param([string]$Each)", protocol_version="2.3", is_script=True)
    command.args = [
        CommandParameter(name=name, value=on_the_wire(value)) for name, value in parameters.items()
    ]
    pipeline = Pipeline(is_nested=False, cmds=[command], history=None, redirect_err_to_out=False)
    create = CreatePipeline(
        True, ApartmentState(value=2), RemoteStreamOptions(value=0), False,
        HostInfo(host=None), pipeline, False,
    )  # fmt: skip
    for message in client.fragment(capability, rpid) + client.fragment(init, rpid):
        pool.receive_data(PSRPPayload(message, StreamType.default, None))
    while pool.next_event() is not None:
        pass
    ServerPipeline(pool, uuid.UUID(pid))
    for message in client.fragment(create, rpid, pid):
        pool.receive_data(PSRPPayload(message, StreamType.default, None))
    event = pool.next_event()
    assert isinstance(event, CreatePipelineEvent)
    (got,) = event.pipeline.commands
    return got.command_text, {str(name): _plain(value) for name, value in got.parameters}


nasty = st.sampled_from(
    ["'; rm -r C:\\ #", "$(Get-Date)", "`n", '"', "_x000A_", "_x005F_", "\U0001f600", "]]>",
     "&lt;", "\x00", "\x1b[31m", "\r\n", "\u2019", "a\u0301", "%PATH%",
     "$env:windir", "@{}"]
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(
        st.text(
            st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff"),
            max_size=200,
        ),
        nasty,
    )
)
def test_a_text_arrives_as_it_was_and_leaves_the_script_alone(text: str) -> None:
    assert heard({"Each": text}) == ("param([string]$Each)", {"Each": text})


@pytest.mark.parametrize("text", ["a\ufffe", "\uffff", "\ud800"])
def test_a_text_that_no_xml_may_hold_is_refused(text: str) -> None:
    with pytest.raises(PlatformError, match="cannot be sent"):
        on_the_wire(text)


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=80_000), st.integers(0, 2**62), st.booleans())
def test_bytes_and_numbers_arrive_as_they_were(data: bytes, number: int, flag: bool) -> None:
    sent: dict[str, Value] = {"Data": data, "Offset": number, "Runs": flag}
    assert heard(sent)[1] == sent


@pytest.mark.parametrize(
    "release",
    ["", ".", "..", "1-1.4.", "1 1", "1-a\\b", "1-a/b", "1:a", "1-" + "a" * 100, "1@a", "-1"],
)
def test_a_release_that_windows_could_not_name_is_refused(release: str) -> None:
    with pytest.raises(PlatformError, match="cannot be the name of a release directory"):
        directory_of(release)


@given(st.from_regex(r"[0-9]{1,6}-[0-9a-z]{1,5}([.+~_-][0-9a-z]{1,5}){0,4}", fullmatch=True))
def test_a_release_with_a_version_has_a_directory(release: str) -> None:
    assert directory_of(release) == f"release-{release}"
