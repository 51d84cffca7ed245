"""What people may write about WinRM: connector, infrastructure and the steps' settings.

Only shapes are checked here; nothing is read, resolved or reached.
"""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from rollbacks.platforms.hosts import (
    Hosted,
    Part,
    Port,
    Seconds,
    WebAddress,
    template,
    without_nul,
)

_DRIVE = re.compile(r"[A-Za-z]:\\")
_FORBIDDEN = re.compile(r'[<>:"/|?*\x00-\x1f\x7f]')
_RESERVED = re.compile(r"(?:CON|PRN|AUX|NUL|COM[0-9]|LPT[0-9])(?:\..*)?", re.IGNORECASE)


def is_plain_name(name: str) -> bool:
    """Whether Windows would take the name for a file, and take it as it is written."""
    return bool(name) and not (
        _FORBIDDEN.search(name) or name.endswith((".", " ")) or _RESERVED.fullmatch(name)
    )


def windows_path(path: str) -> str:
    r"""The path without a trailing backslash; ValueError unless it is like C:\Artifacts."""
    parts = path.rstrip("\\").split("\\")
    if not _DRIVE.match(path) or len(parts) < 2:
        raise ValueError(r"must be an absolute path on a drive, like C:\Artifacts")
    if not all(is_plain_name(part) for part in parts[1:]):
        raise ValueError("must consist of names that Windows takes, without '.' or '..'")
    return "\\".join(parts)


def _root(text: str) -> str:
    return windows_path(template(text))


def _relative(path: str) -> str:
    if not all(is_plain_name(part) for part in template(path).split("\\")):
        raise ValueError(r"must be a path inside of the release, like bin\Worker.exe")
    return path


def _below(path: str) -> str:
    if not re.fullmatch(r"(?:/[^/\\\x00-\x1f\x7f?*]+)+", template(path)):
        raise ValueError("must begin with a slash and have a name, like /api")
    return path


def _plain(text: str) -> str:
    if re.search(r"[\x00-\x1f\x7f]", template(text)):
        raise ValueError("must not contain control characters")
    return text


Root = Annotated[str, AfterValidator(_root)]
Name = Annotated[str, Field(min_length=1, max_length=256), AfterValidator(_plain)]
Below = Annotated[str, AfterValidator(_below)]


class Connector(Part):
    """How to reach hosts; always HTTPS, and the certificate is always checked.

    `ca_certificates`: a file on the worker; without it, what the worker's system trusts.
    `encrypt_messages`: encrypts each message by itself too, inside of TLS.
    """

    authentication: Literal["negotiate", "kerberos", "credssp", "certificate", "basic"] = (
        "negotiate"
    )
    user: Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f:]+$", max_length=256)] | None = None
    ca_certificates: Annotated[str, Field(pattern=r"^/[^\x00]+$")] | None = None
    encrypt_messages: bool = False
    port: Port = 5986
    connect_timeout: Seconds = 10
    command_timeout: Seconds = 120
    concurrency: Annotated[int, Field(ge=1, le=200)] = 50

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.user is None and self.authentication not in ("certificate", "kerberos"):
            raise ValueError(f"authentication {self.authentication} needs a user")
        if self.encrypt_messages and self.authentication not in ("negotiate", "kerberos"):
            raise ValueError("encrypt_messages needs authentication negotiate or kerberos")
        return self


class Infrastructure(Hosted):
    r"""Hosts, where releases go on them, and what serves them: a site, or a Windows service.

    `application`, `virtual_directory`: paths in the site; one of both. `executable`: the service's
    program, a path inside of a release. `stage_…`: its twin for blue/green. `production_binding`:
    as IIS writes it (`*:443:shop.example.com`); the site that has it is the serving one.
    """

    root: Root = r"C:\Artifacts"
    site: Name | None = None
    stage_site: Name | None = None
    production_binding: Name | None = None
    application: Below | None = None
    virtual_directory: Below | None = None
    windows_service: Name | None = None
    stage_windows_service: Name | None = None
    executable: Annotated[str, AfterValidator(_relative)] | None = None
    arguments: Annotated[str, AfterValidator(_plain)] = ""

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        if (self.site is None) == (self.windows_service is None):
            raise ValueError("give either site or windows_service")
        if self.site is None:
            self._require_service_only()
        elif self.stage_windows_service or self.executable or self.arguments:
            raise ValueError("executable, arguments and stage_windows_service need windows_service")
        if (self.stage_site is None) != (self.production_binding is None):
            raise ValueError("stage_site and production_binding are given together")
        if self.application and self.virtual_directory:
            raise ValueError("give either application or virtual_directory")
        return self

    @model_validator(mode="after")
    def _each_host_is_another(self) -> Self:
        names, places = set[str](), dict[tuple[str, int | None], str]()
        for host in self.hosts:
            if host.name in names:
                raise ValueError(f"two hosts are named {host.name}")
            names.add(host.name)
            place = (host.address, host.port)
            if place in places:
                raise ValueError(f"{places[place]} and {host.name} are the same host")
            places[place] = host.name
        return self

    def _require_service_only(self) -> None:
        if not self.executable:
            raise ValueError("windows_service needs the executable, a path inside of the release")
        if self.stage_site or self.production_binding or self.application or self.virtual_directory:
            raise ValueError(
                "stage_site, production_binding, application and virtual_directory need a site"
            )


class HealthCheck(Part):
    """A URL that the worker asks; beside it, pool and site or service must run."""

    url: WebAddress
    expect_status: Annotated[int, Field(ge=100, le=599)] = 200
    expect_text: Annotated[str, Field(min_length=1, max_length=1_000)] | None = None


class InstallSettings(Part):
    """`health_timeout`: how many seconds the check may fail before the host counts as failed."""

    health_check: HealthCheck | None = None
    health_timeout: Annotated[float, Field(gt=0, le=1_800)] = 60


class ScriptSettings(Part):
    """`patience`: for how many seconds a host that gives no answer is tried.

    `working_directory`: where the script begins. `time_limit`: seconds that it may take on a host.
    """

    command: Annotated[str, Field(min_length=1, max_length=60_000), AfterValidator(without_nul)]
    undo_command: (
        Annotated[str, Field(min_length=1, max_length=60_000), AfterValidator(without_nul)] | None
    ) = None
    working_directory: Annotated[str, AfterValidator(windows_path)] | None = None
    time_limit: Annotated[float, Field(gt=0, le=86_400)] = 300
    patience: Annotated[float, Field(ge=0, le=3_600)] = 60


class StageSettings(Part):
    """`stage_health_check`: of what nobody is sent to yet; a service that waits is not asked."""

    stage_health_check: HealthCheck | None = None
    health_timeout: Annotated[float, Field(gt=0, le=1_800)] = 60
