"""What people may write, and what is refused where they wrote it."""

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from rollbacks.platforms.base import PlatformError, TargetRef
from rollbacks.platforms.kubernetes import Kubernetes
from rollbacks.platforms.kubernetes.instances import workloads_of
from rollbacks.platforms.kubernetes.settings import (
    BlueGreenSettings,
    CanaryDeleteSettings,
    CanarySettings,
    Connector,
    Infrastructure,
    RolloutSettings,
)
from tests.kubernetes.manifests import blue_green, service, workload, written

PLACE = {"namespace": "shop"}
ONE = written(workload())
TWO = written(workload(), workload(name="worker"))
DAEMON = written(workload("DaemonSet"))
TOKEN = {"server": "https://10.0.0.1", "certificate_authority": "/ca.pem"}
PRIMARY = service(**{"lastgood.io/primary-service": "true"})

REFUSED: list[tuple[type[BaseModel], dict[str, Any], str]] = [
    (Connector, {"server": "https://10.0.0.1"}, "server and certificate_authority belong"),
    (Connector, {"certificate_authority": "/ca.pem"}, "belong together"),
    (Connector, TOKEN | {"server": "http://10.0.0.1"}, "server"),
    (Connector, TOKEN | {"certificate_authority": "ca.pem"}, "certificate_authority"),
    (Connector, TOKEN | {"in_cluster": True}, "one of context, server and in_cluster"),
    (Connector, TOKEN | {"context": "a"}, "one of context, server and in_cluster"),
    (Connector, {"context": ""}, "context"),
    (Connector, {"token": "x"}, "token"),
    (Connector, {"request_timeout": 0}, "request_timeout"),
    (Infrastructure, {}, "namespace"),
    (Infrastructure, {"namespace": "Shop"}, "namespace"),
    (Infrastructure, {"namespace": "../kube-system"}, "namespace"),
    (Infrastructure, PLACE | {"workloads": []}, "at least 1"),
    (Infrastructure, PLACE | {"workloads": ["web"]}, "must be written Kind/name, Kind one of"),
    (Infrastructure, PLACE | {"workloads": ["Pod/web"]}, "must be written Kind/name"),
    (Infrastructure, PLACE | {"workloads": ["Deployment/"]}, "must be written Kind/name"),
    (Infrastructure, PLACE | {"workloads": ["Deployment/a/../b"]}, "must be written Kind/name"),
    (Infrastructure, PLACE | {"workloads": ["Deployment/{name}"]}, "must be written Kind/name"),
    (Infrastructure, PLACE | {"workloads": ["Deployment/a"] * 2}, "a workload is named twice"),
    (RolloutSettings, {}, "manifests"),
    (RolloutSettings, {"manifests": "a: ["}, "is not YAML"),
    (RolloutSettings, {"manifests": ONE, "takes": 1}, "takes"),
    (CanarySettings, {"manifests": TWO}, "exactly one workload, a Deployment or a StatefulSet"),
    (CanarySettings, {"manifests": DAEMON}, "exactly one workload"),
    (CanarySettings, {"manifests": ONE, "instances": "0"}, "a number of pods, or a percentage"),
    (CanarySettings, {"manifests": ONE, "instances": "101%"}, "a number of pods"),
    (CanarySettings, {"manifests": ONE, "instances": "a few"}, "a number of pods"),
    (CanaryDeleteSettings, {"instances": "1"}, "instances"),
    (BlueGreenSettings, {"manifests": TWO}, "exactly one workload"),
    (BlueGreenSettings, {"manifests": ONE}, "exactly one Service annotated lastgood.io/primary"),
    (BlueGreenSettings, {"manifests": written(workload(), PRIMARY)}, "lastgood.io/stage-service"),
]


@pytest.mark.parametrize(("model", "given", "sentence"), REFUSED)
def test_what_cannot_work_is_refused(
    model: type[BaseModel], given: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValidationError, match=sentence):
        model.model_validate(given)


def test_what_was_dumped_can_be_read_again() -> None:
    for model, given in (
        (Connector, TOKEN),
        (Connector, {}),
        (Infrastructure, PLACE),
        (RolloutSettings, {"manifests": ONE}),
        (CanarySettings, {"manifests": ONE, "instances": 2}),
        (CanarySettings, {"manifests": ONE, "instances": "25%"}),
        (BlueGreenSettings, {"manifests": blue_green()}),
    ):
        made = model.model_validate(given)
        assert model.model_validate(made.model_dump()) == made


def target(*workloads: str, service: str = "web") -> TargetRef:
    settings = PLACE | ({"workloads": list(workloads)} if workloads else {})
    return TargetRef("Shop", service, "production", "east", {}, settings, None)


def test_a_service_is_a_deployment_of_its_name_unless_something_else_is_said() -> None:
    assert [each.name for each in workloads_of(target())] == ["Deployment/web"]
    both = target("StatefulSet/{service}-db", "DaemonSet/logs")
    assert Kubernetes().select(both, {}) == ("StatefulSet/web-db", "DaemonSet/logs")


def test_a_workload_that_the_infrastructure_does_not_name_is_refused() -> None:
    with pytest.raises(PlatformError, match=r"Deployment/other: no such workload in east\."):
        workloads_of(target(), ["Deployment/web", "Deployment/other"])


@pytest.mark.parametrize("name", ["Web Shop", "web/../../secrets", "web?watch=true", "é"])
def test_a_service_whose_name_cannot_be_a_workloads_is_refused(name: str) -> None:
    with pytest.raises(PlatformError, match="cannot be the name of a workload") as caught:
        workloads_of(target(service=name))
    assert caught.value.permanent


def test_a_phase_is_about_all_workloads() -> None:
    with pytest.raises(PlatformError, match="Kubernetes phases cannot select by hosts"):
        Kubernetes().select(target(), {"hosts": ["a"]})
