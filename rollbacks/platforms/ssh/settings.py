"""What people may write about SSH: connector, infrastructure and the steps' settings.

Only shapes are checked here; nothing is read, resolved or reached.
"""

import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

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


class Connector(Part):
    """How to reach hosts. `known_hosts` is required: a key is never trusted on first use."""

    user: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9._@-]*$", max_length=100)]
    known_hosts: Path
    port: Port = 22
    connect_timeout: Seconds = 10
    command_timeout: Seconds = 60
    concurrency: Annotated[int, Field(ge=1, le=500)] = 50


class Infrastructure(Hosted):
    """Hosts, and the directory that holds releases/ and current; it may have placeholders."""

    directory: Annotated[str, AfterValidator(_directory)]

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

    def _directory_on(self, host: Host) -> str:
        try:
            return absolute_path(filled(self.directory, host.values(0)))
        except KeyError as unknown:
            raise ValueError(f"directory: {host.name} has no variable {unknown}") from None


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
