"""What people may write, and what phases select."""

from typing import Any

import pytest
from pydantic import ValidationError

from rollbacks.platforms.base import PlatformError
from rollbacks.platforms.winrm import Winrm
from rollbacks.platforms.winrm.settings import Connector, Infrastructure, windows_path
from rollbacks.platforms.winrm.states import file_of, version_of
from tests.platforms.winrm.conftest import shop_for
from tests.winrm.host import Fleet

HOSTS = {"hosts": [{"name": "web-1", "address": "10.0.0.1"}]}


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({}, "either site or windows_service"),
        (
            {"site": "a", "windows_service": "b", "executable": "c"},
            "either site or windows_service",
        ),
        ({"windows_service": "b"}, "needs the executable"),
        ({"site": "a", "executable": "c"}, "need windows_service"),
        ({"site": "a", "stage_site": "b"}, "given together"),
        ({"windows_service": "b", "executable": "c", "application": "/a"}, "need a site"),
        ({"site": "a", "application": "/a", "virtual_directory": "/b"}, "either application"),
        ({"site": "a", "application": "api"}, "begin with a slash"),
        ({"site": "a", "application": "/"}, "begin with a slash"),
        ({"site": "a", "root": "Artifacts"}, "absolute path on a drive"),
        ({"site": "a", "root": "C:\\a\\..\\b"}, "without '.' or '..'"),
        ({"site": "a", "root": "\\\\server\\share"}, "absolute path on a drive"),
        ({"windows_service": "b", "executable": "..\\a.exe"}, "inside of the release"),
        ({"windows_service": "b", "executable": 'a".exe'}, "inside of the release"),
        ({"windows_service": "b", "executable": "c:\\a.exe"}, "inside of the release"),
        ({"windows_service": "b", "executable": "a", "arguments": "a\nb"}, "control characters"),
        ({"site": "a", "hosts": HOSTS["hosts"] * 2}, "two hosts are named"),
        ({"site": "{"}, "a brace may only stand around a name"),
    ],
)
def test_an_infrastructure_that_cannot_be_meant(document: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Infrastructure.model_validate({**HOSTS, **document})
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({}, "needs a user"),
        ({"user": "a", "authentication": "ntlm"}, "Input should be"),
        (
            {"user": "a", "authentication": "basic", "encrypt_messages": True},
            "needs authentication",
        ),
        ({"user": "a:b"}, "should match pattern"),
        ({"user": "a", "password": "b"}, "Extra inputs"),
        ({"user": "a", "verify": False}, "Extra inputs"),
    ],
)
def test_a_connector_that_cannot_be_meant(document: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Connector.model_validate(document)
    assert said in str(refused.value)


def test_a_domain_user_and_no_user_at_all() -> None:
    assert Connector(user="SHOP\\deployer").port == 5986
    assert Connector(authentication="certificate").user is None
    assert Connector(authentication="kerberos").user is None


@pytest.mark.parametrize("fleet", [4], indirect=True)
@pytest.mark.parametrize(
    ("selection", "count"),
    [({}, 4), ({"percentage": 25}, 1), ({"percentage": 26}, 2), ({"percentage": 100}, 4)],
)
def test_a_percentage_counts_from_the_first_host_on(
    fleet: Fleet, selection: dict[str, Any], count: int
) -> None:
    target = shop_for(fleet).target
    assert Winrm().select(target, selection) == ("web-1", "web-2", "web-3", "web-4")[:count]
    assert Winrm().select(target, {"hosts": ["web-3"]}) == ("web-3",)


@pytest.mark.parametrize(
    ("selection", "said"),
    [
        ({"hosts": ["db-1"]}, "db-1: no such host here"),
        ({"percentage": 0}, "a number from 1 to 100"),
        ({"percentage": 101}, "a number from 1 to 100"),
        ({"percentage": True}, "a number from 1 to 100"),
        ({"hosts": "web-1"}, "a list of names"),
        ({"hosts": []}, "a list of names"),
        ({"percentage": 50, "hosts": ["web-1"]}, "either hosts"),
        ({"zone": "a"}, "either hosts"),
    ],
)
def test_a_selection_that_cannot_be_meant(
    fleet: Fleet, selection: dict[str, Any], said: str
) -> None:
    with pytest.raises(PlatformError, match=said):
        Winrm().select(shop_for(fleet).target, selection)


@pytest.mark.parametrize(
    ("path", "version"),
    [
        ("C:\\Artifacts\\web\\release-12-1.4.0", "1.4.0"),
        ("C:\\A\\w\\release-12-1.4.0-rc.1+b", "1.4.0-rc.1+b"),
        ('"C:\\A\\w\\release-3-2.0\\bin\\W.exe" --a \\release-9-9', "2.0"),
        ("C:\\inetpub\\wwwroot", ""),
        ("C:\\A\\release-x", ""),
        ("", ""),
    ],
)
def test_the_version_is_in_the_path(path: str, version: str) -> None:
    assert version_of(path) == version


@pytest.mark.parametrize(
    ("path", "file"),
    [
        ('"C:\\a b\\W.exe" --x', "C:\\a b\\W.exe"),
        ("C:\\a b\\W.exe --x", "C:\\a b\\W.exe"),
        ("C:\\a\\W.exe", "C:\\a\\W.exe"),
        ("C:\\inetpub\\wwwroot", "C:\\inetpub\\wwwroot"),
    ],
)
def test_the_file_of_a_path(path: str, file: str) -> None:
    assert file_of(path) == file


def test_a_service_whose_name_is_no_directory_is_refused(fleet: Fleet) -> None:
    with pytest.raises(ValueError, match="names that Windows takes"):
        windows_path("C:\\Artifacts\\a?b")


@pytest.mark.parametrize("workflow_type", sorted(Winrm.deploys))
def test_default_phases_are_of_steps_there_are(workflow_type: str) -> None:
    for phase in Winrm().default_phases(workflow_type):
        assert {step["kind"] for step in phase["steps"]} <= Winrm.steps.keys()
