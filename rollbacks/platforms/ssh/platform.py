"""The platform SSH: what it can do, and what runs on its hosts."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel

from rollbacks.platforms.base import Observation, Platform, Step, TargetRef
from rollbacks.platforms.hosts import selected
from rollbacks.platforms.ssh.install import Install
from rollbacks.platforms.ssh.observing import observed
from rollbacks.platforms.ssh.places import keys_of
from rollbacks.platforms.ssh.script import Script
from rollbacks.platforms.ssh.settings import Connector, Infrastructure
from rollbacks.platforms.ssh.stage import Stage
from rollbacks.platforms.ssh.swap import Swap


class Ssh(Platform):
    """Hosts with a directory per release and a link `current`; see commands.py for the layout."""

    name: ClassVar[str] = "SSH"
    label: ClassVar[str] = "SSH"
    steps: ClassVar[Mapping[str, Step]] = {
        step.kind: step for step in (Install(), Stage(), Swap(), Script())
    }
    connector_model: ClassVar[type[BaseModel]] = Connector
    infrastructure_model: ClassVar[type[BaseModel]] = Infrastructure
    deploys: ClassVar[frozenset[str]] = frozenset({"BASIC", "CANARY", "BLUE_GREEN"})
    reverts: ClassVar[tuple[str, ...]] = (
        "The release that each host runs: its current link, followed by a restart",
        "Which of two groups of hosts serves: proxies, or the listener of a load balancer",
        "The release directory that the deployment created, which is removed",
        "Scripts, by their undo command where they have one",
    )
    leaves: ClassVar[tuple[str, ...]] = (
        "Databases and other services",
        "Files outside of the release directory",
        "Effects of scripts without an undo command",
    )

    def default_phases(self, workflow_type: str) -> list[dict[str, Any]]:
        install = {"name": "Install", "kind": Install.kind}
        if workflow_type == "CANARY":
            return [
                {"name": "Canary", "select": {"percentage": 25}, "steps": [install]},
                {"name": "Primary", "select": {"percentage": 100}, "steps": [install]},
            ]
        if workflow_type == "BLUE_GREEN":
            steps = [{"name": "Stage", "kind": Stage.kind}, {"name": "Swap", "kind": Swap.kind}]
            return [{"name": "Blue/Green", "steps": steps}]
        return [{"name": "Install", "steps": [install]}]

    def select(self, target: TargetRef, selection: Mapping[str, Any]) -> tuple[str, ...]:
        """By `hosts` or by `percentage`."""
        return self.select_after(target, selection, ())

    def select_after(
        self, target: TargetRef, selection: Mapping[str, Any], taken: Sequence[str]
    ) -> tuple[str, ...]:
        """A percentage counts the hosts of earlier phases in, and does not take them again."""
        return selected(keys_of(target), selection, taken)

    def observe(self, target: TargetRef, instances: Sequence[str] = ()) -> Observation:
        """Of each host, or of two groups of hosts as one."""
        return observed(target, instances)
