"""What a foundation keeps: plain records that name each other by GUID."""

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

Json = dict[str, Any]
WEB = "web"


def new_guid() -> str:
    return str(uuid4())


@dataclass(kw_only=True)
class Record:
    """`created` and `updated` are moments of the foundation's clock."""

    guid: str = field(default_factory=new_guid)
    created: float = 0.0
    updated: float = 0.0
    labels: dict[str, str | None] = field(default_factory=dict)
    annotations: dict[str, str | None] = field(default_factory=dict)


@dataclass(kw_only=True)
class Quota(Record):
    """Of an organization, or of spaces in one; None is without limit."""

    name: str
    org: str | None = None
    total_memory: int | None = None
    per_process_memory: int | None = None
    total_instances: int | None = None
    log_rate: int | None = None
    total_routes: int | None = None


@dataclass(kw_only=True)
class Organization(Record):
    name: str
    quota: str
    is_suspended: bool = False


@dataclass(kw_only=True)
class Space(Record):
    name: str
    org: str
    quota: str | None = None


@dataclass(kw_only=True)
class User(Record):
    """A person, or a client of UAA."""

    name: str
    is_admin: bool = False
    origin: str = "uaa"


@dataclass(kw_only=True)
class Role(Record):
    """Of a user in an organization or a space."""

    type: str
    user: str
    org: str | None = None
    space: str | None = None


@dataclass(kw_only=True)
class Domain(Record):
    name: str
    is_internal: bool = False
    org: str | None = None


@dataclass(kw_only=True)
class Stack(Record):
    name: str


@dataclass(kw_only=True)
class Buildpack(Record):
    name: str
    stack: str


@dataclass(kw_only=True)
class App(Record):
    name: str
    space: str
    lifecycle: Json
    state: str = "STOPPED"
    droplet: str | None = None
    environment: dict[str, str] = field(default_factory=dict)
    features: dict[str, bool] = field(default_factory=dict)


@dataclass(kw_only=True)
class Process(Record):
    """`since`: for how long it runs as it does, by the droplet and environment it has now."""

    app: str
    type: str = WEB
    command: str | None = None
    user: str | None = None
    instances: int = 1
    memory: int = 1024
    disk: int = 1024
    log_rate: int = -1
    health_check: Json = field(default_factory=dict)
    readiness_check: Json = field(default_factory=dict)
    revision: str | None = None
    version: str = field(default_factory=new_guid)
    droplet: str | None = None  # what its instances run


@dataclass(kw_only=True)
class Sidecar(Record):
    app: str
    name: str
    command: str
    process_types: list[str]
    memory: int | None = None
    origin: str = "user"


@dataclass(kw_only=True)
class Package(Record):
    """`version`: what its contents say of themselves, for tests to tell how they fare. `login`: to
    the registry of an image."""

    app: str
    type: str
    state: str
    data: Json = field(default_factory=dict)
    bits: bytes = b""
    version: str = ""
    login: tuple[str | None, str | None] = (None, None)


@dataclass(kw_only=True)
class Build(Record):
    app: str
    package: str
    lifecycle: Json
    created_by: str
    state: str = "STAGING"
    droplet: str | None = None
    error: str | None = None
    memory: int = 1024
    disk: int = 1024


@dataclass(kw_only=True)
class Droplet(Record):
    app: str
    state: str
    lifecycle: str
    package: str | None = None
    checksum: str | None = None
    image: str | None = None
    process_types: dict[str, str] = field(default_factory=dict)
    error: str | None = None
    version: str = ""
    bits: bytes = b""


@dataclass(kw_only=True)
class Revision(Record):
    app: str
    version: int
    droplet: str
    environment: dict[str, str]
    commands: dict[str, str | None]
    sidecars: list[Json]
    description: str


@dataclass(kw_only=True)
class Deployment(Record):
    """`state` is the Cloud Controller's own, behind the status that it shows."""

    app: str
    state: str
    strategy: str
    droplet: str
    previous_droplet: str | None
    original_instances: int
    max_in_flight: int = 1
    web_instances: int | None = None
    memory: int | None = None
    disk: int | None = None
    canary_steps: list[int] = field(default_factory=list)
    canary_step: int = 1
    value: str = "ACTIVE"
    reason: str = "DEPLOYING"
    process: str | None = None
    revision: str | None = None
    revision_version: int | None = None
    last_healthy: float = 0.0
    changed: float = 0.0
    error: str | None = None


@dataclass(kw_only=True)
class Destination:
    """Where a route sends its requests."""

    app: str
    process_type: str = WEB
    port: int | None = None
    weight: int | None = None
    protocol: str | None = "http1"
    guid: str = field(default_factory=new_guid)
    created: float = 0.0

    @property
    def key(self) -> tuple[Any, ...]:
        return (self.app, self.process_type, self.port, self.weight, self.protocol)


@dataclass(kw_only=True)
class Route(Record):
    space: str
    domain: str
    host: str = ""
    path: str = ""
    options: Json | None = None
    destinations: list[Destination] = field(default_factory=list)


@dataclass(kw_only=True)
class ServiceInstance(Record):
    """Only those that users provide themselves."""

    name: str
    space: str
    credentials: Json = field(default_factory=dict)
    syslog_drain_url: str | None = None
    route_service_url: str | None = None
    tags: list[str] = field(default_factory=list)


@dataclass(kw_only=True)
class Binding(Record):
    """Of an app to a service instance."""

    app: str
    service: str
    name: str | None = None
    description: str = "create succeeded"


@dataclass(kw_only=True)
class Event(Record):
    """What happened to an app, by one of its processes."""

    type: str
    app: str
    process: str
    process_type: str
    data: Json


@dataclass(kw_only=True)
class Job(Record):
    """`resource`: what it is about, as kind and GUID."""

    operation: str
    state: str = "PROCESSING"
    resource: tuple[str, str] | None = None
    errors: list[Json] = field(default_factory=list)
