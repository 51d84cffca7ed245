"""What of an app manifest a workflow may hold; checked, filled in, and written as CAPI takes it.

A manifest never names an app or a package: both are the release's. Pure.
"""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
    model_validator,
)

from rollbacks.platforms.base import PlatformError
from rollbacks.platforms.pcf.addresses import checked as route

WEB = "web"
_SIZE = re.compile(r"(\d+)([BKMGT])B?", re.IGNORECASE)
_MEGABYTES = {"B": 2**-20, "K": 2**-10, "M": 1, "G": 2**10, "T": 2**20}
_AS_THEY_ARE = ("disk_quota", "binding_name", "process_types")
_VARIABLE = re.compile(r"\(\(([A-Za-z_][A-Za-z0-9_]*)\)\)")


def _size(text: str) -> str:
    if not _SIZE.fullmatch(text) and not _VARIABLE.search(text):
        raise ValueError("must be a number with a unit, like 512M or 1G")
    return text


Size = Annotated[str, AfterValidator(_size)]
Text = Annotated[str, Field(min_length=1, max_length=4096)]
Route = Annotated[str, AfterValidator(lambda text: text if _VARIABLE.search(text) else route(text))]


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


class _Runs(_Part):
    """Of one type of process."""

    command: Text | None = None
    instances: Annotated[int, Field(ge=0, le=10_000)] | None = None
    memory: Size | None = None
    disk_quota: Size | None = None
    log_rate_limit_per_second: str | None = None
    timeout: Annotated[int, Field(ge=1)] | None = None
    health_check_type: Literal["http", "port", "process"] | None = None
    health_check_http_endpoint: Text | None = None
    health_check_invocation_timeout: Annotated[int, Field(ge=1)] | None = None
    health_check_interval: Annotated[int, Field(ge=1)] | None = None
    readiness_health_check_type: Literal["http", "port", "process"] | None = None
    readiness_health_check_http_endpoint: Text | None = None
    readiness_health_check_invocation_timeout: Annotated[int, Field(ge=1)] | None = None
    readiness_health_check_interval: Annotated[int, Field(ge=1)] | None = None


class Process(_Runs):
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


class Manifest(_Runs):
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


class Filled:
    """A manifest whose ((variables)) have been put in; PlatformError where one is not known."""

    def __init__(self, settings: Mapping[str, Any], variables: Mapping[str, str]) -> None:
        written = Manifest.model_validate(settings["manifest"])
        document = written.model_dump(by_alias=True, exclude_none=True)
        try:
            self._read = Manifest.model_validate(_filled(document, _reader(variables)))
        except ValueError as error:
            raise PlatformError(
                f"The manifest is not right once its variables are put in: {_first(error)}.",
                permanent=True,
            ) from None

    @property
    def routes(self) -> dict[str, str | None]:
        """Each route with its protocol."""
        found = (
            RouteOf(route=each) if isinstance(each, str) else each for each in self._read.routes
        )
        return {each.route: each.protocol for each in found}

    @property
    def services(self) -> list[str]:
        return [each if isinstance(each, str) else each.name for each in self._read.services]

    @property
    def buildpacks(self) -> list[str]:
        return list(self._read.buildpacks or ())

    @property
    def stack(self) -> str:
        return self._read.stack or ""

    @property
    def image(self) -> str:
        """The image that is hard-coded; empty where the release brings it."""
        return self._read.docker.image if self._read.docker else ""

    @property
    def features(self) -> dict[str, bool]:
        return dict(self._read.features)

    @property
    def labels(self) -> dict[str, str]:
        return dict(self._read.metadata.labels)

    @property
    def annotations(self) -> dict[str, str]:
        return dict(self._read.metadata.annotations)

    @property
    def counts(self) -> dict[str, int]:
        """How many instances of each type are asked for, where the manifest says."""
        every = [
            (WEB, self._read.instances),
            *((p.type, p.instances) for p in self._read.processes),
        ]
        return {kind: count for kind, count in every if count is not None}

    @property
    def memory(self) -> dict[str, int]:
        """In MB of one instance, by type, where the manifest says."""
        every = [(WEB, self._read.memory), *((p.type, p.memory) for p in self._read.processes)]
        return {kind: megabytes(text) for kind, text in every if text is not None}

    def document(self, name: str) -> str:
        """The YAML for the app of that name: without instances, and without any route."""
        own = {"env", "services", "sidecars", "stack", "buildpacks"}
        said = self._read.model_dump(by_alias=True, exclude_none=True, include=own)
        kept = {key: each for key, each in said.items() if key == "buildpacks" or each}
        app = {"name": name, **kept, "processes": self._processes()}
        text: str = yaml.safe_dump({"version": 1, "applications": [app]}, sort_keys=False)
        return text

    def _processes(self) -> list[dict[str, Any]]:
        """Each without instances, web first: what stands beside them is of it."""
        beside = self._read.model_dump(
            by_alias=True, exclude_none=True, include=set(_Runs.model_fields)
        )
        every = {WEB: {**beside, "type": WEB}}
        for each in self._read.processes:
            found = each.model_dump(by_alias=True, exclude_none=True)
            every[each.type] = {**every.get(each.type, {}), **found}
        return [{**each, "instances": 0} for each in every.values()]


def is_hard_coded(settings: Mapping[str, Any]) -> bool:
    """Whether the manifest itself names what runs, so that no artifact decides it."""
    return bool((settings.get("manifest") or {}).get("docker"))


def megabytes(text: str) -> int:
    found = _SIZE.fullmatch(text)
    return int(int(found[1]) * _MEGABYTES[found[2].upper()]) if found else 0


def _reader(variables: Mapping[str, str]) -> Callable[[re.Match[str]], str]:
    def value(match: re.Match[str]) -> str:
        if match[1] not in variables:
            raise PlatformError(
                f"(({match[1]})) in the manifest is no variable of the workflow.", permanent=True
            )
        return variables[match[1]]

    return value


def _filled(part: Any, value: Callable[[re.Match[str]], str]) -> Any:
    if isinstance(part, dict):
        return {key: _filled(each, value) for key, each in part.items()}
    if isinstance(part, list):
        return [_filled(each, value) for each in part]
    return _VARIABLE.sub(value, part) if isinstance(part, str) else part


def _first(error: ValueError) -> str:
    """What is wrong, and where, without the value, which may be meant for nobody's eyes."""
    if not isinstance(error, ValidationError):
        return "its shape is wrong"
    found = error.errors()[0]
    return f"{'.'.join(map(str, found['loc']))}: {found['msg']}"
