"""What of an app manifest a workflow may hold.

It never names an app or a package: both are the release's. Only shapes are checked here.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    model_validator,
)

from rollbacks.platforms.pcf.addresses import checked as route

_SIZE = re.compile(r"(\d+)([BKMGT])B?", re.IGNORECASE)
_BYTES = {"B": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
_UNLIMITED, _NONE = "-1", "0"
_AS_THEY_ARE = ("disk_quota", "binding_name", "process_types")
VARIABLE = re.compile(r"\(\(([A-Za-z_][A-Za-z0-9_]*)\)\)")


def _size(text: str) -> str:
    if not _SIZE.fullmatch(text) and not VARIABLE.search(text):
        raise ValueError("must be a number with a unit, like 512M or 1G")
    return text


def _rate(text: str) -> str:
    return text if text in (_UNLIMITED, _NONE) else _size(text)


Size = Annotated[str, AfterValidator(_size)]
Rate = Annotated[str, BeforeValidator(str), AfterValidator(_rate)]
Text = Annotated[str, Field(min_length=1, max_length=4096)]
Route = Annotated[str, AfterValidator(lambda text: text if VARIABLE.search(text) else route(text))]


def _spelled(name: str) -> str:
    return name if name in _AS_THEY_ARE else name.replace("_", "-")


class _Part(BaseModel):
    """Written with dashes where CAPI writes dashes."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=_spelled,
        validate_by_alias=True,
        validate_by_name=True,
    )


class Runs(_Part):
    """Of one type of process."""

    command: Text | None = None
    instances: Annotated[int, Field(ge=0, le=10_000)] | None = None
    memory: Size | None = None
    disk_quota: Size | None = None
    log_rate_limit_per_second: Rate | None = None
    timeout: Annotated[int, Field(ge=1)] | None = None
    health_check_type: Literal["http", "port", "process"] | None = None
    health_check_http_endpoint: Text | None = None
    health_check_invocation_timeout: Annotated[int, Field(ge=1)] | None = None
    health_check_interval: Annotated[int, Field(ge=1)] | None = None
    readiness_health_check_type: Literal["http", "port", "process"] | None = None
    readiness_health_check_http_endpoint: Text | None = None
    readiness_health_check_invocation_timeout: Annotated[int, Field(ge=1)] | None = None
    readiness_health_check_interval: Annotated[int, Field(ge=1)] | None = None


class Process(Runs):
    type: Text


class Sidecar(_Part):
    name: Text
    command: Text
    process_types: Annotated[list[Text], Field(min_length=1)]
    memory: Size | None = None


class RouteOf(_Part):
    route: Route
    protocol: Literal["http1", "http2"] | None = None


class ServiceOf(_Part):
    name: Text
    binding_name: Text | None = None
    parameters: dict[str, JsonValue] | None = None


class Metadata(_Part):
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class Docker(_Part):
    image: Text


class Manifest(Runs):
    """One app; what stands beside `processes` is of its process `web`."""

    buildpacks: list[Text] | None = None
    stack: Text | None = None
    env: dict[str, str | int | float | bool] = {}
    routes: Annotated[list[Route | RouteOf], Field(max_length=50)] = []
    services: list[Text | ServiceOf] = []
    processes: list[Process] = []
    sidecars: list[Sidecar] = []
    features: dict[str, bool] = {}
    metadata: Metadata = Metadata()
    docker: Docker | None = None

    @model_validator(mode="after")
    def _each_type_once(self) -> Self:
        types = [each.type for each in self.processes]
        if len(set(types)) < len(types):
            raise ValueError("a type of process is described twice")
        return self


def is_hard_coded(settings: Mapping[str, Any]) -> bool:
    """Whether the manifest itself names what runs, so that no artifact decides it."""
    return bool((settings.get("manifest") or {}).get("docker"))


def megabytes(text: str) -> int:
    return octets(text) // _BYTES["M"]


def octets(text: str) -> int:
    """Bytes; -1 is without a limit, where that is allowed."""
    if text == _UNLIMITED:
        return -1
    found = _SIZE.fullmatch(text)
    return int(found[1]) * _BYTES[found[2].upper()] if found else 0
