"""Who writes, and how: what requests and controllers say to the one door they write through."""

from dataclasses import dataclass, field

from .owners import UPDATE, Manager
from .resources import Resource


@dataclass(frozen=True)
class Writing:
    """Who writes, and how."""

    manager: str = "unknown"
    operation: str = UPDATE
    subresource: str = ""
    dry_run: bool = False
    force: bool = False
    strictness: str = "Warn"
    is_patch: bool = False
    warnings: list[str] = field(default_factory=list)

    def owner(self, resource: Resource) -> Manager:
        return Manager(self.operation, self.manager, resource.api_version, self.subresource)

    @property
    def is_of_status(self) -> bool:
        return self.subresource == "status"
