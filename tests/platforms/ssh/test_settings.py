"""What people may write, and what is refused where they wrote it."""

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from rollbacks.platforms.base import PlatformError, TargetRef
from rollbacks.platforms.ssh.places import places_of
from rollbacks.platforms.ssh.settings import (
    Connector,
    Infrastructure,
    InstallSettings,
    ScriptSettings,
)

CONNECTOR = {"user": "deploy", "known_hosts": "/etc/known_hosts"}
HOST = {"name": "web-1", "address": "192.0.2.11"}
PLACES = {"directory": "/srv/shop", "hosts": [HOST]}

REFUSED: list[tuple[type[BaseModel], dict[str, Any], str]] = [
    (Connector, {"user": "deploy"}, "known_hosts"),
    (Connector, CONNECTOR | {"known_hosts": "known_hosts"}, "absolute path"),
    (Connector, CONNECTOR | {"known_hosts": None}, "known_hosts"),
    (Connector, CONNECTOR | {"username": "x"}, "username"),
    (Connector, CONNECTOR | {"user": "-oProxyCommand=x"}, "user"),
    (Connector, CONNECTOR | {"connect_timeout": 0}, "connect_timeout"),
    (Infrastructure, PLACES | {"directory": "srv/shop"}, "absolute path"),
    (Infrastructure, PLACES | {"directory": "/"}, "absolute path"),
    (Infrastructure, PLACES | {"directory": "/srv/../etc"}, r"'\.\.'"),
    (Infrastructure, PLACES | {"directory": "/srv/a\nb"}, "control characters"),
    (Infrastructure, PLACES | {"directory": "/srv/{nam}"}, "web-1 has no variable 'nam'"),
    (Infrastructure, PLACES | {"directory": "/srv/{"}, "a brace may only stand"),
    (Infrastructure, PLACES | {"hosts": []}, "at least 1"),
    (Infrastructure, PLACES | {"hosts": [HOST, HOST]}, "two hosts are named web-1"),
    (Infrastructure, PLACES | {"hosts": [HOST, HOST | {"name": "b"}]}, "are the same place"),
    (Infrastructure, PLACES | {"hosts": [HOST | {"address": "a b"}]}, "address"),
    (Infrastructure, PLACES | {"hosts": [HOST | {"variables": {"A B": ""}}]}, "no variable name"),
    (Infrastructure, PLACES | {"hosts": [HOST | {"variables": {"LASTGOOD_X": ""}}]}, "own"),
    (Infrastructure, PLACES | {"hosts": [HOST | {"variables": {"A": "\0"}}]}, "NUL"),
    (InstallSettings, {"health_check": {}}, "either url or command"),
    (InstallSettings, {"health_check": {"url": "http://a", "command": "b"}}, "either url or"),
    (InstallSettings, {"health_check": {"command": "b", "expect_text": "x"}}, "need a url"),
    (InstallSettings, {"health_check": {"url": "ftp://a"}}, "http://"),
    (InstallSettings, {"health_check": {"url": "http://{a b}"}}, "brace"),
    (InstallSettings, {"restart_command": ""}, "restart_command"),
    (ScriptSettings, {"command": "x", "working_directory": "../etc"}, r"'\.\.'"),
]


@pytest.mark.parametrize(("model", "given", "sentence"), REFUSED)
def test_what_cannot_work_is_refused(
    model: type[BaseModel], given: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValidationError, match=sentence):
        model.model_validate(given)


def target(*hosts: dict[str, Any], directory: str = "/srv/{name}/{color}") -> TargetRef:
    settings = {"directory": directory, "hosts": list(hosts)}
    return TargetRef("Shop", "web", "production", "web hosts", CONNECTOR, settings, None)


def test_placeholders_are_the_hosts_own() -> None:
    one = HOST | {"variables": {"color": "blue", "page_port": 8080}}
    two = {"name": "web-2", "address": "2001:db8::2", "port": 2222, "variables": {"color": "red"}}

    first, second = places_of(target(one, two))

    assert (first.directory, second.directory) == ("/srv/web-1/blue", "/srv/web-2/red")
    assert (first.where, second.where) == ("192.0.2.11:22", "[2001:db8::2]:2222")
    assert first.fill("http://{address}:{page_port}/") == "http://192.0.2.11:8080/"
    assert second.fill("http://{address}/{name}") == "http://[2001:db8::2]/web-2"
    with pytest.raises(PlatformError, match="web-2 has no variable 'page_port'"):
        second.fill("http://{address}:{page_port}/")


def test_what_was_dumped_can_be_read_again() -> None:
    for model, given in (
        (Connector, CONNECTOR),
        (Infrastructure, PLACES),
        (InstallSettings, {"health_check": {"command": "true"}}),
        (InstallSettings, {"health_check": {"url": "https://{address}/", "expect_text": "x"}}),
        (ScriptSettings, {"command": "true"}),
    ):
        made = model.model_validate(given)
        assert model.model_validate(made.model_dump()) == made
