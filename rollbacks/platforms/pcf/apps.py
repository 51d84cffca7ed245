"""Apps and their processes as CAPI describes them. Pure."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rollbacks.platforms.pcf import series
from rollbacks.platforms.pcf.loads import LOG_RATE, MEMORY, Load, load_of

Described = Mapping[str, Any]
STARTED = "STARTED"
WEB = "web"
# What scaling sets, as CAPI spells it.
SIZES = ("instances", MEMORY, "disk_in_mb", LOG_RATE)


@dataclass(frozen=True)
class Process:
    """One type of process of an app."""

    guid: str
    app: str
    type: str
    described: Described = field(repr=False)

    @property
    def instances(self) -> int:
        return int(self.described["instances"])

    @property
    def sizes(self) -> dict[str, int]:
        return {
            key: int(self.described[key]) for key in SIZES if self.described.get(key) is not None
        }


@dataclass(frozen=True)
class App:
    """`processes` by type."""

    guid: str
    name: str
    described: Described = field(repr=False)
    processes: Mapping[str, Process] = field(default_factory=dict)

    @property
    def is_started(self) -> bool:
        return bool(self.described["state"] == STARTED)

    @property
    def is_docker(self) -> bool:
        return bool((self.described.get("lifecycle") or {}).get("type") == "docker")

    @property
    def counts(self) -> dict[str, int]:
        """Instances that are asked for, by type; a stopped app has none."""
        return {
            kind: each.instances if self.is_started else 0 for kind, each in self.processes.items()
        }

    @property
    def is_active(self) -> bool:
        return any(self.counts.values())

    @property
    def load(self) -> Load:
        """Of all its instances."""
        return load_of({kind: each.sizes for kind, each in self.processes.items()}, self.counts)

    @property
    def annotations(self) -> Mapping[str, str]:
        return (self.described.get("metadata") or {}).get("annotations") or {}

    @property
    def label(self) -> str:
        labels = (self.described.get("metadata") or {}).get("labels") or {}
        return str(labels.get(series.SERIES, ""))

    @property
    def release(self) -> str:
        return self.annotations.get(series.RELEASE, "")

    @property
    def version(self) -> str:
        return self.annotations.get(series.VERSION, "")

    @property
    def number(self) -> int:
        """0 where somebody has changed the annotation."""
        text = self.annotations.get(series.NUMBER, "")
        return int(text) if text.isdecimal() else 0

    def said(self, annotation: str) -> Any:
        """What an annotation holds as JSON; None where there is nothing that can be read."""
        try:
            return json.loads(self.annotations.get(annotation, ""))
        except ValueError:
            return None


def process_of(described: Described) -> Process:
    app = described["relationships"]["app"]["data"]["guid"]
    return Process(str(described["guid"]), str(app), str(described["type"]), described)


def apps_of(described: Iterable[Described], processes: Iterable[Process]) -> list[App]:
    """Newest first."""
    every = list(processes)
    found = [
        App(
            str(each["guid"]),
            str(each["name"]),
            each,
            {one.type: one for one in every if one.app == each["guid"]},
        )
        for each in described
    ]
    return sorted(found, key=lambda each: (each.number, each.name), reverse=True)


def of_release(apps: Iterable[App], release: str) -> App | None:
    """The one that this release has brought."""
    return next((each for each in apps if each.release == release), None)
