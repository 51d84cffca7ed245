"""What people may write about groups of hosts, what stands before them, and ways in."""

from typing import Any

import pytest
from pydantic import ValidationError

from rollbacks.definition import parse
from rollbacks.platforms.base import Inspection, PlatformError
from rollbacks.platforms.ssh import Ssh
from rollbacks.platforms.ssh.observing import LONGEST_IDENTITY, _short
from rollbacks.platforms.ssh.settings import Connector, Infrastructure
from tests.platforms.ssh.conftest import Shop

HOSTS = [{"name": f"web-{number}", "address": f"10.0.0.{number}"} for number in range(1, 5)]
GROUPS = {"blue": ["web-1", "web-2"], "green": ["web-3", "web-4"]}
PROXIES = {
    "hosts": [{"name": "proxy-1", "address": "10.0.1.1"}],
    "show_command": "cat /etc/color",
    "switch_command": "true",
}
_ARN = "arn:aws:elasticloadbalancing:eu-central-1:123456789012"
LISTENER = {
    "listener": f"{_ARN}:listener/app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2",
    "blue": f"{_ARN}:targetgroup/blue/73e2d6bc24d8a067",
    "green": f"{_ARN}:targetgroup/green/73e2d6bc24d8a068",
    "region": "eu-central-1",
}


def infrastructure(**settings: Any) -> Infrastructure:
    return Infrastructure.model_validate({"directory": "/srv/shop", "hosts": HOSTS, **settings})


def test_groups_stand_behind_proxies_or_a_listener() -> None:
    made = infrastructure(groups=GROUPS, proxies=PROXIES)
    assert made.groups
    assert made.groups.colors["web-3"] == "green"
    rule = LISTENER["listener"].replace(":listener/", ":listener-rule/") + "/9683b2d02a6cabee"
    for listener in (LISTENER, {**LISTENER, "listener": rule}):
        assert infrastructure(groups=GROUPS, listener=listener).listener
    # What was dumped can be read again: a target is handed on so.
    assert Infrastructure.model_validate(made.model_dump()) == made


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"proxies": PROXIES}, "proxies and listener need groups"),
        ({"groups": GROUPS}, "either proxies or listener"),
        ({"groups": GROUPS, "proxies": PROXIES, "listener": LISTENER}, "either proxies or"),
        ({"groups": {**GROUPS, "blue": ["db-1"]}, "proxies": PROXIES}, "db-1: no such host here"),
        ({"groups": {**GROUPS, "blue": ["web-3"]}, "proxies": PROXIES}, "web-3 must be in one"),
        ({"groups": {**GROUPS, "blue": ["web-1"]}, "proxies": PROXIES}, "web-2 must be in one"),
        ({"groups": {**GROUPS, "blue": []}, "proxies": PROXIES}, "at least 1"),
        (
            {"groups": GROUPS, "listener": {**LISTENER, "green": LISTENER["blue"]}},
            "blue and green need a target group each",
        ),
        ({"groups": GROUPS, "listener": {**LISTENER, "listener": "shop"}}, "match pattern"),
    ],
)
def test_a_pair_that_cannot_be_meant_is_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        infrastructure(**settings)


@pytest.mark.parametrize(
    "connector",
    [
        {"sudo": {"password": "hunter2"}},
        {"jumps": [{"address": "bastion", "credential": "-----BEGIN OPENSSH PRIVATE KEY-----"}]},
        {"jumps": [{"address": "bastion", "certificate": "/etc/id-cert.pub"}]},
        {"jumps": [{"address": "-oProxyCommand=x"}]},
        {"agent": "/run/agent", "certificate": "/etc/id-cert.pub"},
        {"agent": "agent.sock"},
    ],
)
def test_secrets_and_half_ways_are_refused(connector: dict[str, Any]) -> None:
    whole = {"user": "deploy", "known_hosts": "/etc/known_hosts"}
    assert Connector.model_validate(whole)
    with pytest.raises(ValidationError):
        Connector.model_validate({**whole, **connector})


@pytest.mark.parametrize("workflow_type", sorted(Ssh.deploys))
def test_default_phases_are_a_definition(workflow_type: str) -> None:
    assert parse({}, "SSH", workflow_type).phases


def test_an_identity_is_never_longer_than_it_may_be_and_still_tells_apart() -> None:
    one, other = (_short("releases/1-1.4.0 on web-1 " * 50 + end) for end in "ab")
    assert len(one) == len(other) == LONGEST_IDENTITY
    assert one != other


@pytest.mark.parametrize("shop", [2], indirect=True)
def test_what_differs_and_what_is_gone_is_told_host_by_host(shop: Shop) -> None:
    target = shop.fleet.target()
    shop.deploy("1-1.4.0")
    shop.deploy("2-1.4.1")
    spec, captured = shop.spec("2-1.4.1"), shop.captured["2-1.4.1"]
    told = shop.step.inspect(target, spec, captured)
    assert [(each.instance, each.lines) for each in told.differences] == [
        (host, ("-releases/2-1.4.1", "+releases/1-1.4.0")) for host in shop.fleet.hosts
    ]
    assert (told.warnings, told.problems) == ((), ())
    current = shop.fleet.path("web-1", "current")
    current.unlink()
    current.symlink_to("/")
    shop.fleet.path("web-2", "releases/1-1.4.0").rename(shop.fleet.path("web-2", "moved"))
    told = shop.step.inspect(target, spec, captured)
    assert told.warnings == (
        "web-1: current is /: somebody changed it since. It will be releases/1-1.4.0",
    )
    assert told.problems == (
        "web-2: releases/1-1.4.0, which it ran before, is gone; deploy that version again",
    )
    shop.fleet.stop("web-1")
    told = shop.step.inspect(target, spec, captured)
    [silent] = told.warnings
    assert silent.startswith("web-1: 127.0.0.1:")
    shop.fleet.stop("web-2")
    with pytest.raises(PlatformError, match=r"web-1: .*web-2: ") as error:
        shop.step.inspect(target, spec, captured)
    assert not error.value.permanent
    assert told != Inspection()
