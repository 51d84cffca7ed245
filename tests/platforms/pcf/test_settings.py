from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from rollbacks.platforms.pcf import CloudFoundry
from rollbacks.platforms.pcf.settings import (
    Connector,
    Infrastructure,
    ResizeSettings,
    SetupSettings,
    SwapSettings,
)

API = {"api": "https://api.example.com"}
SPACE = {"organization": "o", "space": "s"}


@pytest.mark.parametrize(
    ("model", "given"),
    [
        (Connector, {"api": "http://api.example.com"}),
        (Connector, {"api": "https://api.example.com/v3"}),
        (Connector, {"api": "https://api.example.com", "certificate_authority": "ca.pem"}),
        (Connector, {"api": "https://api.example.com", "password": "x"}),
        (Connector, {**API, "registries": [{"registry": "r.example", "credential": "secret"}]}),
        (Connector, {**API, "registries": [{"registry": "r.example/x", "credential": "env:X"}]}),
        (Connector, {**API, "registries": [{"registry": "r", "credential": "env:X"}] * 2}),
        (Infrastructure, {"space": "s"}),
        (Infrastructure, {**SPACE, "routes": ["a.example.com", "a.example.com"]}),
        (Infrastructure, {**SPACE, "routes": ["a.b"], "temporary_routes": ["a.b"]}),
        (Infrastructure, {**SPACE, "autoscaler": "http://x"}),
        (SetupSettings, {"keep": 0}),
        (SetupSettings, {"routes": "TEMPORARY", "resize": "OLD_FIRST"}),
        (SetupSettings, {"after_rollback": "FORGET"}),
        (ResizeSettings, {"instances": "110%"}),
        (ResizeSettings, {"instances": "0"}),
        (ResizeSettings, {"old_instances": 1, "downsize_old": False}),
        (SwapSettings, {"overlap": -1}),
    ],
)
def test_what_is_refused(model: type[BaseModel], given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        model.model_validate(given)


def test_a_number_of_instances_may_be_written_as_one() -> None:
    assert ResizeSettings.model_validate({"instances": 3}).instances == "3"


def test_the_default_phases_are_the_references() -> None:
    phases = CloudFoundry().default_phases("CANARY")
    found = [[each["kind"] for each in phase["steps"]] for phase in phases]
    assert found == [["pcf.setup", "pcf.resize"], ["pcf.resize"], ["pcf.resize"]]
    shares = [phase["steps"][-1]["settings"]["instances"] for phase in phases]
    assert shares == ["25%", "50%", "100%"]
    (blue_green,) = CloudFoundry().default_phases("BLUE_GREEN")
    assert [each["kind"] for each in blue_green["steps"]] == [
        "pcf.setup",
        "pcf.resize",
        "pcf.swap",
    ]


@pytest.mark.parametrize("workflow_type", sorted(CloudFoundry.deploys))
def test_settings_of_default_phases_pass_their_models(workflow_type: str) -> None:
    for phase in CloudFoundry().default_phases(workflow_type):
        for step in phase["steps"]:
            CloudFoundry.steps[step["kind"]].settings_model.model_validate(step.get("settings", {}))
