"""A manifest filled in, and written as CAPI takes it. Pure."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import yaml
from pydantic import ValidationError

from rollbacks.platforms.base import PlatformError
from rollbacks.platforms.pcf.apps import WEB
from rollbacks.platforms.pcf.loads import LOG_RATE, MEMORY
from rollbacks.platforms.pcf.manifest import (
    VARIABLE,
    Manifest,
    RouteOf,
    Runs,
    megabytes,
    octets,
)


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
    def sizes(self) -> dict[str, dict[str, int]]:
        """Of one instance, by type and as CAPI spells them, where the manifest says."""
        every = [(WEB, self._read), *((each.type, each) for each in self._read.processes)]
        found: dict[str, dict[str, int]] = {}
        for kind, runs in every:
            found.setdefault(kind, {}).update(_sizes(runs))
        return found

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
            by_alias=True, exclude_none=True, include=set(Runs.model_fields)
        )
        every = {WEB: {**beside, "type": WEB}}
        for each in self._read.processes:
            found = each.model_dump(by_alias=True, exclude_none=True)
            every[each.type] = {**every.get(each.type, {}), **found}
        return [{**each, "instances": 0} for each in every.values()]


def _sizes(runs: Runs) -> dict[str, int]:
    found = {}
    if runs.memory is not None:
        found[MEMORY] = megabytes(runs.memory)
    if runs.log_rate_limit_per_second is not None:
        found[LOG_RATE] = octets(runs.log_rate_limit_per_second)
    return found


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
    return VARIABLE.sub(value, part) if isinstance(part, str) else part


def _first(error: ValueError) -> str:
    """What is wrong, and where, without the value, which may be meant for nobody's eyes."""
    if not isinstance(error, ValidationError):
        return "its shape is wrong"
    found = error.errors()[0]
    return f"{'.'.join(map(str, found['loc']))}: {found['msg']}"
