"""Infrastructure definitions that name an Auto Scaling group: what is refused when saved."""

from typing import Any

import pytest

from dashboard.models import Connector
from rollbacks.catalogue.settings import infrastructure_settings
from rollbacks.definition import DefinitionError

pytestmark = pytest.mark.django_db
GROUP = {"connector": "aws", "name": "web"}
HOST = {"name": "web-1", "address": "10.0.0.1"}
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"auto_scaling_group": GROUP | {"connector": "elsewhere"}}, "no connector elsewhere of ECS"),
    ({"auto_scaling_group": GROUP | {"connector": "ssh"}}, "no connector ssh of ECS or AMI"),
    ({"auto_scaling_group": GROUP, "hosts": [HOST]}, "either hosts, at least 1, or auto_scaling"),
    ({}, "either hosts, at least 1, or auto_scaling_group"),
    ({"auto_scaling_group": GROUP | {"address": "somewhere"}}, "address"),
    ({"auto_scaling_group": GROUP | {"credential": "env:KEY"}}, "credential"),
    ({"auto_scaling_group": GROUP, "directory": "/srv/{color}"}, "has no variable 'color'"),
]


@pytest.fixture
def ssh() -> Connector:
    Connector.objects.create(name="aws", deployment_type="ECS")
    return Connector.objects.create(name="ssh", deployment_type="SSH")


@pytest.mark.parametrize(("settings", "said"), WRONG)
def test_what_cannot_be_meant_is_refused(
    ssh: Connector, settings: dict[str, Any], said: str
) -> None:
    with pytest.raises(DefinitionError, match=said):
        infrastructure_settings(ssh, {"directory": "/srv/shop", **settings})


def test_a_group_is_stored_as_it_was_written(ssh: Connector) -> None:
    written = {"directory": "/srv/{name}", "auto_scaling_group": GROUP | {"port": 2222}}
    assert infrastructure_settings(ssh, written) == written
