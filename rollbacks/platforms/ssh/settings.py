"""What people may write about SSH: connector, infrastructure and the steps' settings.

Only shapes are checked here; nothing is read, resolved or reached.
"""

import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from rollbacks.platforms.aws import settings as aws
from rollbacks.platforms.credentials import Reference
from rollbacks.platforms.hosts import (
    Host,
    Hosted,
    Part,
    Port,
    Seconds,
    WebAddress,
    filled,
    template,
    without_nul,
)

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_BALANCING = r"^arn:aws[a-z-]*:elasticloadbalancing:[a-z0-9-]+:\d{12}"
_BALANCER = _BALANCING + r":listener(-rule)?/[\w/-]+$"
_TARGET_GROUP = _BALANCING + r":targetgroup/[\w/-]+$"


def absolute_path(path: str) -> str:
    """The path without a trailing slash; ValueError unless it is absolute, plain and not `/`."""
    parts = path.rstrip("/").split("/")
    if not path.startswith("/") or len(parts) < 2:
        raise ValueError("must be an absolute path, like /srv/shop")
    if _CONTROL.search(path) or any(part in ("", ".", "..") for part in parts[1:]):
        raise ValueError("must not contain '..', '.', '//' or control characters")
    return "/".join(parts)


def _directory(text: str) -> str:
    return absolute_path(template(text))


def _relative_or_absolute(path: str) -> str:
    if path.startswith("/"):
        return absolute_path(path)
    return absolute_path(f"/{path}").removeprefix("/")


Path = Annotated[str, AfterValidator(absolute_path)]
Command = Annotated[str, Field(min_length=1, max_length=60_000), AfterValidator(without_nul)]


User = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9._@-]*$", max_length=100)]
Address = Annotated[str, Field(pattern=r"^[A-Za-z0-9:][A-Za-z0-9.:_%-]*$", max_length=253)]


class Jump(Part):
    """A host on the way. What is not given is as for the hosts behind it."""

    address: Address
    port: Port = 22
    user: User | None = None
    known_hosts: Path | None = None
    credential: Reference | None = None
    certificate: Path | None = None

    @model_validator(mode="after")
    def _whole_key(self) -> Self:
        if self.certificate and not self.credential:
            raise ValueError("a certificate needs the credential whose key it certifies")
        return self


class Sudo(Part):
    """As whom commands run there; without a password sudo must not ask for one."""

    user: User = "root"
    password: Reference | None = None


class Connector(Part):
    """How to reach hosts. `known_hosts` is required: a key is never trusted on first use.

    `agent`: the socket of an SSH agent of the worker, instead of a credential. `certificate`: the
    OpenSSH certificate of the credential's key. `jumps`: hosts to go through, the first one first.
    """

    user: User
    known_hosts: Path
    certificate: Path | None = None
    agent: Path | None = None
    jumps: Annotated[list[Jump], Field(max_length=5)] = []
    sudo: Sudo | None = None
    port: Port = 22
    connect_timeout: Seconds = 10
    command_timeout: Seconds = 60
    concurrency: Annotated[int, Field(ge=1, le=500)] = 50

    @model_validator(mode="after")
    def _one_key(self) -> Self:
        if self.agent and self.certificate:
            raise ValueError("an agent offers its own certificates; leave certificate out")
        return self


class Groups(Part):
    """The names of the hosts of either color; one color serves while the other waits."""

    blue: Annotated[list[str], Field(min_length=1)]
    green: Annotated[list[str], Field(min_length=1)]

    @property
    def colors(self) -> dict[str, str]:
        """By the name of the host."""
        return {name: color for color in COLORS for name in getattr(self, color)}


COLORS = ("blue", "green")


class Proxies(Part):
    """Hosts in front of both groups. `show_command` prints the color that a proxy sends to;
    `switch_command` makes it send to LASTGOOD_COLOR."""

    hosts: Annotated[list[Host], Field(min_length=1, max_length=50)]
    show_command: Command
    switch_command: Command


class Listener(aws.Connector):
    """A listener of a load balancer, or a rule of one, and the target group of each color.

    `credential`: as whom we go to AWS, written as for the AWS connectors.
    """

    listener: Annotated[str, Field(pattern=_BALANCER)]
    blue: Annotated[str, Field(pattern=_TARGET_GROUP)]
    green: Annotated[str, Field(pattern=_TARGET_GROUP)]
    credential: Reference | None = None

    @model_validator(mode="after")
    def _two(self) -> Self:
        if self.blue == self.green:
            raise ValueError("blue and green need a target group each")
        return self


class Infrastructure(Hosted):
    """Hosts, and the directory that holds releases/ and current; it may have placeholders.

    `groups` with either `proxies` or `listener` in front of them: for blue/green.
    """

    directory: Annotated[str, AfterValidator(_directory)]
    groups: Groups | None = None
    proxies: Proxies | None = None
    listener: Listener | None = None

    @model_validator(mode="after")
    def _each_host_is_another(self) -> Self:
        names, places = set[str](), dict[tuple[str, int | None, str], str]()
        for host in self.examples:
            if host.name in names:
                raise ValueError(f"two hosts are named {host.name}")
            names.add(host.name)
            place = (host.address, host.port, self._directory_on(host))
            if place in places:
                raise ValueError(f"{places[place]} and {host.name} are the same place")
            places[place] = host.name
        return self

    @model_validator(mode="after")
    def _whole_pair(self) -> Self:
        fronts = [each for each in (self.proxies, self.listener) if each]
        if self.groups is None:
            if fronts:
                raise ValueError("proxies and listener need groups: the hosts of either color")
            return self
        if len(fronts) != 1:
            raise ValueError("groups need what sends to one of them: either proxies or listener")
        _require_each_once(self.groups, [host.name for host in self.hosts])
        return self

    def _directory_on(self, host: Host) -> str:
        try:
            return absolute_path(filled(self.directory, host.values(0)))
        except KeyError as unknown:
            raise ValueError(f"directory: {host.name} has no variable {unknown}") from None


def _require_each_once(groups: Groups, hosts: list[str]) -> None:
    named = [*groups.blue, *groups.green]
    if unknown := [name for name in named if name not in hosts]:
        raise ValueError(f"groups: {', '.join(unknown)}: no such host here")
    if twice := sorted({name for name in named if named.count(name) > 1}):
        raise ValueError(f"groups: {', '.join(twice)} must be in one of them, and once")
    if left := [name for name in hosts if name not in named]:
        raise ValueError(f"groups: {', '.join(left)} must be in one of them")


class HealthCheck(Part):
    """Either a URL that the worker asks, or a command on the host that must end with 0."""

    url: WebAddress | None = None
    expect_status: Annotated[int, Field(ge=100, le=599)] = 200
    expect_text: Annotated[str, Field(min_length=1, max_length=1_000)] | None = None
    command: Command | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.url is None) == (self.command is None):
            raise ValueError("give either url or command")
        # By value, not by presence: a check that was dumped and read again has every field.
        if self.command and (self.expect_status != 200 or self.expect_text is not None):
            raise ValueError("expect_status and expect_text need a url")
        return self


class InstallSettings(Part):
    """`health_timeout`: how many seconds the check may fail before the host counts as failed."""

    restart_command: Command | None = None
    health_check: HealthCheck | None = None
    health_timeout: Annotated[float, Field(gt=0, le=1_800)] = 30


class StageSettings(Part):
    """`stage_health_check`: of a host that nobody is sent to yet."""

    restart_command: Command | None = None
    stage_health_check: HealthCheck | None = None
    health_timeout: Annotated[float, Field(gt=0, le=1_800)] = 30


class SwapSettings(StageSettings):
    """`stage_health_check`: of the hosts that are to serve, before; `health_check`: through the
    front, afterwards; `restart_command`: for one that is to serve again and is not well."""

    health_check: HealthCheck | None = None


class ScriptSettings(Part):
    """`patience`: for how many seconds a host that gives no answer is tried.

    `working_directory` is absolute, or relative to the infrastructure's directory.
    `time_limit`: seconds that the command may take on a host.
    """

    command: Command
    undo_command: Command | None = None
    working_directory: Annotated[str, AfterValidator(_relative_or_absolute)] | None = None
    time_limit: Annotated[float, Field(gt=0, le=86_400)] = 300
    patience: Annotated[float, Field(ge=0, le=3_600)] = 60
