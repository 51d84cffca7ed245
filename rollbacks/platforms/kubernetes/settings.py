"""What people may write about Kubernetes: connector, infrastructure and the steps' settings.

Only shapes are checked here; nothing is read, resolved or reached.
"""

from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from rollbacks.platforms.kubernetes.kinds import WORKLOADS
from rollbacks.platforms.kubernetes.manifests import (
    checked,
    is_name,
    require_one_workload,
    require_services,
)

Seconds = Annotated[float, Field(gt=0, le=600)]
DnsLabel = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", max_length=63)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


class Connector(_Part):
    """How to reach a cluster; the credential decides which of three ways.

    A kubeconfig (then `context`, by default its current one), a token (then `server` and
    `certificate_authority`, a PEM file on the worker), or, without a credential, `in_cluster`: the
    service account of the pod that the worker runs in.
    """

    context: Annotated[str, Field(min_length=1, max_length=253)] | None = None
    server: Annotated[str, Field(pattern=r"^https://[^\s/]+/?[^\s]*$", max_length=500)] | None = (
        None
    )
    certificate_authority: Annotated[str, Field(pattern=r"^/", max_length=500)] | None = None
    in_cluster: bool = False
    connect_timeout: Seconds = 10
    request_timeout: Seconds = 30

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = [self.context is not None, self.server is not None, self.in_cluster]
        if sum(ways) > 1:
            raise ValueError("give one of context, server and in_cluster")
        if (self.server is None) != (self.certificate_authority is None):
            raise ValueError("server and certificate_authority belong together")
        return self


def _workload(key: str) -> str:
    kind, _, name = key.partition("/")
    if kind not in WORKLOADS or not is_name(name.replace("{service}", "service")):
        raise ValueError(f"must be written Kind/name, Kind one of {', '.join(WORKLOADS)}")
    return key


class Infrastructure(_Part):
    """A namespace, and the workloads a service consists of; `{service}` is the service's name."""

    namespace: DnsLabel
    workloads: Annotated[
        list[Annotated[str, AfterValidator(_workload)]], Field(min_length=1, max_length=50)
    ] = ["Deployment/{service}"]

    @model_validator(mode="after")
    def _each_is_another(self) -> Self:
        if len(set(self.workloads)) < len(self.workloads):
            raise ValueError("a workload is named twice")
        return self


class _Manifests(_Part):
    """`manifests`: YAML, one or more objects; see manifests.py for what may stand in them.

    `take_ownership`: fields that another manager has set are taken over instead of refused.
    """

    manifests: Annotated[str, AfterValidator(checked)] = Field(min_length=1, max_length=200_000)
    take_ownership: bool = False


class RolloutSettings(_Manifests):
    """Of `k8s.rollout`."""


def _amount(text: str) -> str:
    number, percent = text.removesuffix("%"), text.endswith("%")
    if not number.isdecimal() or not 0 < int(number) <= (100 if percent else 10_000):
        raise ValueError("must be a number of pods, or a percentage like 25%")
    return text


class CanarySettings(_Manifests):
    """Of `k8s.canary`; `instances`: how many pods, or what percentage of the manifest's."""

    instances: Annotated[str, AfterValidator(_amount)] = "1"

    @model_validator(mode="after")
    def _one_workload(self) -> Self:
        require_one_workload(self.manifests)
        return self


class CanaryDeleteSettings(_Part):
    """Of `k8s.canary_delete`: there is nothing to say."""


class BlueGreenSettings(_Manifests):
    """Of `k8s.stage` and `k8s.swap`."""

    @model_validator(mode="after")
    def _one_workload_and_a_service(self) -> Self:
        require_one_workload(self.manifests)
        require_services(self.manifests)
        return self
