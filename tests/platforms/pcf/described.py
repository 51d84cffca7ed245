"""Targets, apps and captures as tests of pure code need them."""

from typing import Any

from rollbacks.platforms.base import ArtifactRef, StepSpec, TargetRef
from rollbacks.platforms.pcf.settings import Connector, Infrastructure, SetupSettings
from rollbacks.platforms.pcf.states import State

Json = dict[str, Any]


def target(**settings: Any) -> TargetRef:
    given = {"organization": "shop", "space": "production", **settings}
    return TargetRef(
        application="Shop",
        service="web shop",
        environment="production",
        infrastructure="east",
        connector=Connector(api="https://api.example.test").model_dump(),
        settings=Infrastructure.model_validate(given).model_dump(),
        credential=None,
    )


def spec(variables: dict[str, str] | None = None, **settings: Any) -> StepSpec:
    return StepSpec(
        name="App Setup",
        kind="pcf.setup",
        settings=SetupSettings.model_validate(settings).model_dump(),
        variables=variables or {},
        artifact=ArtifactRef("1.4.2", "registry.example/web:1.4.2", "", "DOCKER_IMAGE"),
        instances=(),
        release="12-1.4.2",
    )


def state(name: str = "shop__1", instances: int = 2, **more: Any) -> State:
    process = {"instances": instances, "memory_in_mb": 64, "disk_in_mb": 128, "command": "c"}
    given = {
        "is_started": True,
        "droplet": "d",
        "environment": "e",
        "revision": "r",
        "processes": {"web": process},
        **more,
    }
    return State(name=name, **given)
