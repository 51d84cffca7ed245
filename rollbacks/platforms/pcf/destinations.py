"""Routes, and whom they send people to. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from rollbacks.platforms.pcf import series
from rollbacks.platforms.pcf.apps import WEB

DEFAULT_PORT = 8080


@dataclass(frozen=True)
class Destination:
    """`port` and `protocol`: None is whatever the app's are. `weight`: in percent, or None.

    `guid`: of the mapping itself, which is another each time it is made.
    """

    app: str
    type: str = WEB
    port: int | None = None
    protocol: str | None = None
    weight: int | None = None
    guid: str = field(default="", compare=False)

    @classmethod
    def parsed(cls, kept: Mapping[str, Any]) -> Self:
        """Out of a capture."""
        return cls(kept["app"], kept["type"], kept["port"], kept["protocol"], kept["weight"])

    @property
    def as_json(self) -> dict[str, Any]:
        return {
            "app": self.app,
            "type": self.type,
            "port": self.port,
            "protocol": self.protocol,
            "weight": self.weight,
        }

    @property
    def body(self) -> dict[str, Any]:
        """As CAPI takes it."""
        more = {"port": self.port, "protocol": self.protocol, "weight": self.weight}
        given = {key: each for key, each in more.items() if each is not None}
        return {"app": {"guid": self.app, "process": {"type": self.type}}, **given}

    @property
    def by_default(self) -> Self:
        """The same, where no port is chosen: 8080 is what CAPI calls the port that an app has by
        itself. Only where it turns out to be another one has somebody chosen 8080."""
        return replace(self, port=None) if self.port == DEFAULT_PORT else self

    def is_met_by(self, other: "Destination") -> bool:
        """What is not said of it may be anything."""
        return (
            (self.app, self.type, self.weight) == (other.app, other.type, other.weight)
            and self.port in (None, other.port)
            and self.protocol in (None, other.protocol)
        )


def unmet(wanted: Iterable[Destination], now: Sequence[Destination]) -> list[Destination]:
    return [each for each in wanted if not any(each.is_met_by(one) for one in now)]


def superfluous(wanted: Sequence[Destination], now: Iterable[Destination]) -> list[Destination]:
    return [each for each in now if not any(one.is_met_by(each) for one in wanted)]


@dataclass(frozen=True)
class Route:
    """`url`: as people write it."""

    guid: str
    url: str
    destinations: tuple[Destination, ...]
    release: str = ""  # that has made it

    @property
    def apps(self) -> list[str]:
        return [each.app for each in self.destinations]

    @property
    def is_weighted(self) -> bool:
        return any(each.weight is not None for each in self.destinations)


def destination_of(described: Mapping[str, Any]) -> Destination:
    app = described["app"]
    return Destination(
        str(app["guid"]),
        str((app.get("process") or {}).get("type") or WEB),
        described.get("port"),
        described.get("protocol"),
        described.get("weight"),
        str(described["guid"]),
    )


def route_of(described: Mapping[str, Any]) -> Route:
    annotations = (described.get("metadata") or {}).get("annotations") or {}
    return Route(
        str(described["guid"]),
        str(described["url"]),
        tuple(destination_of(each) for each in described.get("destinations") or ()),
        str(annotations.get(series.RELEASE, "")),
    )


def kept(routes: Iterable[Route]) -> dict[str, Any]:
    """As JSON, by GUID."""
    return {
        each.guid: {
            "url": each.url,
            "release": each.release,
            "destinations": [one.as_json for one in each.destinations],
        }
        for each in routes
    }


def parsed(captured: Mapping[str, Any]) -> dict[str, tuple[str, tuple[Destination, ...]]]:
    """What a capture kept: each route's URL and destinations, by GUID."""
    return {
        guid: (each["url"], tuple(Destination.parsed(one) for one in each["destinations"]))
        for guid, each in (captured.get("routes") or {}).items()
    }


def owed(
    captured: Mapping[str, Any], there: Collection[str], release: str
) -> dict[str, tuple[str, tuple[Destination, ...]]]:
    """As `parsed`, without what `release` itself had made and a rollback has deleted again."""
    kept = captured.get("routes") or {}
    return {
        guid: each
        for guid, each in parsed(captured).items()
        if guid in there or not release or kept[guid].get("release") != release
    }


def with_app(
    now: Sequence[Destination], app: str, protocol: str | None = None
) -> list[Destination]:
    """The same, and the app's web process."""
    has_it = any(each.app == app for each in now)
    return [*now, *([] if has_it else [Destination(app, protocol=protocol)])]


def without(now: Sequence[Destination], apps: Iterable[str]) -> list[Destination]:
    gone = set(apps)
    return [each for each in now if each.app not in gone]


def handed_over(
    now: Sequence[Destination], old: Iterable[str], new: str, protocol: str | None = None
) -> list[Destination]:
    """The new app in the place of the old ones: with their weights, and beside whoever else is
    there. A port is the new app's own, since another version may listen on another."""
    leaving = set(old)
    found = [
        replace(each, app=new, port=None, guid="") if each.app in leaving else each for each in now
    ]
    ours = [each for each in found if each.app == new]
    return [
        *_merged(ours or [Destination(new, protocol=protocol)]),
        *(each for each in found if each.app != new),
    ]


def _merged(ours: Iterable[Destination]) -> list[Destination]:
    """Each type of process once; weights of those that became one are added."""
    by_type: dict[str, Destination] = {}
    for each in ours:
        before = by_type.get(each.type)
        if before is None:
            by_type[each.type] = each
        elif each.weight is not None:
            by_type[each.type] = replace(before, weight=(before.weight or 0) + each.weight)
    return list(by_type.values())
