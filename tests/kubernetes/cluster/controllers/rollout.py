"""What a stateful set wants, ordinal by ordinal."""

from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """The set, and the revisions it comes from and goes to."""

    obj: Json
    current: str
    update: str

    @property
    def first(self) -> int:
        start: int = self.obj["spec"].get("ordinals", {}).get("start", 0)
        return start

    @property
    def ordinals(self) -> range:
        return range(self.first, self.first + self.obj["spec"]["replicas"])

    @property
    def min_ready(self) -> int:
        seconds: int = self.obj["spec"].get("minReadySeconds", 0)
        return seconds

    @property
    def is_ordered(self) -> bool:
        return bool(self.obj["spec"]["podManagementPolicy"] == "OrderedReady")

    @property
    def is_rolling(self) -> bool:
        return bool(self.obj["spec"]["updateStrategy"]["type"] == "RollingUpdate")

    @property
    def first_updated(self) -> int:
        """Pods below the partition are left as they are."""
        rolling = self.obj["spec"]["updateStrategy"].get("rollingUpdate") or {}
        return self.first + int(rolling.get("partition", 0))

    def revision_for(self, ordinal: int) -> str:
        """Of which revision a pod is made that is missing."""
        first_updated = self.first_updated
        if self.is_rolling and "rollingUpdate" not in self.obj["spec"]["updateStrategy"]:
            first_updated = self.first + self.obj.get("status", {}).get("currentReplicas", 0)
        return self.current if ordinal < first_updated else self.update
