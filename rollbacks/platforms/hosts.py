"""Hosts as people write them, on every platform that has hosts; shapes only."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from rollbacks.platforms.base import PlatformError, StepSpec, TargetRef

VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
RESERVED = "LASTGOOD_"
_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


def placeholders(template: str) -> list[str]:
    """The names between braces; ValueError where a brace stands for nothing."""
    if re.search(r"[{}]", _PLACEHOLDER.sub("", template)):
        raise ValueError("a brace may only stand around a name, like {address}")
    return _PLACEHOLDER.findall(template)


def filled(template: str, values: dict[str, str]) -> str:
    """The template with every placeholder replaced; KeyError names an unknown one."""
    return _PLACEHOLDER.sub(lambda match: values[match[1]], template)


def without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not contain a NUL character")
    return text


def template(text: str) -> str:
    placeholders(text)
    return text


def _web_address(url: str) -> str:
    if not re.match(r"https?://", template(url)) or re.search(r"\s", url):
        raise ValueError("must begin with http:// or https:// and contain no spaces")
    return url


def _variables(variables: dict[str, str]) -> dict[str, str]:
    for name in variables:
        if not VARIABLE.fullmatch(name):
            raise ValueError(f"{name!r} is no variable name: letters, digits and underscores")
        if name.startswith(RESERVED):
            raise ValueError(f"{name}: names that begin with {RESERVED} are Lastgood's own")
    return variables


Text = Annotated[str, AfterValidator(without_nul)]
Port = Annotated[int, Field(ge=1, le=65_535)]
Seconds = Annotated[float, Field(gt=0, le=3_600)]
WebAddress = Annotated[str, AfterValidator(_web_address)]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


class Host(Part):
    """One host; its variables reach commands as environment, and URLs as placeholders."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)]
    address: Annotated[str, Field(pattern=r"^[A-Za-z0-9:][A-Za-z0-9.:_%-]*$", max_length=253)]
    port: Port | None = None
    variables: Annotated[dict[str, Text], AfterValidator(_variables)] = {}

    def values(self, default_port: int) -> dict[str, str]:
        """What placeholders stand for; a variable of the same name goes first."""
        port = str(self.port or default_port)
        return {"name": self.name, "address": self.address, "port": port, **self.variables}


class AutoScalingGroup(Part):
    """Where hosts come from that come and go; each is named by its EC2 instance id.

    `connector`: the name of an AWS connector (of ECS or AMI), which says region and credential.
    `address`: where they are reached. `port` and `variables`: of all of them.
    """

    connector: Annotated[str, Field(min_length=1, max_length=80)]
    name: Annotated[str, Field(min_length=1, max_length=255)]
    address: Literal["private_ip", "public_ip", "private_dns", "public_dns"] = "private_ip"
    port: Port | None = None
    variables: Annotated[dict[str, Text], AfterValidator(_variables)] = {}

    def host(self, name: str, address: str) -> Host:
        """One of its members."""
        return Host(name=name, address=address, port=self.port, variables=self.variables)


class Hosted(Part):
    """What every infrastructure of hosts has: a list of them, or where they come from."""

    hosts: Annotated[list[Host], Field(max_length=1_000)] = []
    auto_scaling_group: AutoScalingGroup | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if bool(self.hosts) == (self.auto_scaling_group is not None):
            raise ValueError("give either hosts, at least 1, or auto_scaling_group")
        return self

    @property
    def examples(self) -> list[Host]:
        """The hosts, or one such as there will be: for what must hold before any is looked up."""
        group = self.auto_scaling_group
        return self.hosts if group is None else [group.host("i-0", "10.0.0.1")]

    def hosts_of(self, target: TargetRef) -> list[Host]:
        """Those that the target stands for."""
        if target.hosts is None:
            return self.hosts
        return [Host.model_validate(dict(each)) for each in target.hosts]


def selected(
    every: Sequence[str], selection: Mapping[str, Any], taken: Sequence[str] = ()
) -> tuple[str, ...]:
    """The hosts that a phase takes: `hosts`, by name; `percentage`, from the first on, as many as
    make so many of all with those that earlier phases took; without a selection all.

    A share is rounded up. Raises PlatformError.
    """
    if not selection:
        return tuple(every)
    wanted = dict(selection)
    hosts, share = wanted.pop("hosts", None), wanted.pop("percentage", None)
    if isinstance(hosts, list) and hosts and share is None and not wanted:
        if unknown := [str(name) for name in hosts if name not in every]:
            raise PlatformError(f"{', '.join(unknown)}: no such host here.", permanent=True)
        return tuple(name for name in every if name in hosts)
    if type(share) is int and 0 < share <= 100 and hosts is None and not wanted:
        left = [name for name in every if name not in taken]
        wanted_count = math.ceil(len(every) * share / 100)
        return tuple(left[: max(0, wanted_count - len(every) + len(left))])
    raise PlatformError(
        "A phase selects either hosts, a list of names, or percentage, a number from 1 to 100; "
        "without a selection it takes every host.",
        permanent=True,
    )


def environment_on(
    name: str,
    variables: Mapping[str, str],
    directory: str,
    target: TargetRef,
    spec: StepSpec,
    *,
    is_undo: bool,
) -> dict[str, str]:
    """What a person's command gets to know: the workflow's variables, the host's, and ours.

    The host's go before the workflow's, being more specific; ours before both.
    """
    if wrong := [each for each in spec.variables if not VARIABLE.fullmatch(each)]:
        raise PlatformError(
            f"{wrong[0]!r} cannot be the name of an environment variable.", permanent=True
        )
    return {
        **spec.variables,
        **variables,
        "LASTGOOD_RELEASE": spec.release,
        "LASTGOOD_VERSION": spec.artifact.version if spec.artifact else "",
        "LASTGOOD_SERVICE": target.service,
        "LASTGOOD_ENVIRONMENT": target.environment,
        "LASTGOOD_HOST": name,
        "LASTGOOD_DIRECTORY": directory,
        "LASTGOOD_DIRECTION": "rollback" if is_undo or spec.goes_back else "deploy",
    }
