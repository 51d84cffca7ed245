"""What a capture keeps of the services of a series, and an undo returns to. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rollbacks.platforms.ecs.scaling import Scaling
from rollbacks.platforms.ecs.services import Service, settings_of


@dataclass(frozen=True)
class State:
    count: int
    definition: str = ""
    color: str = ""
    scaling: Scaling | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def as_json(self) -> dict[str, Any]:
        return {
            "count": self.count,
            "definition": self.definition,
            "color": self.color,
            "scaling": self.scaling.as_json if self.scaling else None,
            "settings": dict(self.settings),
        }


GONE = State(0)


def state_of(service: Service, scaling: Scaling | None) -> State:
    settings = settings_of(service)
    return State(service.desired, service.definition, service.color, scaling, settings)


def kept(found: Iterable[Service], scalings: Mapping[str, Scaling]) -> dict[str, Any]:
    """As JSON, by name."""
    return {each.name: state_of(each, scalings.get(each.name)).as_json for each in found}


def states_in(captured: Mapping[str, Any]) -> dict[str, State]:
    """What a capture kept, by the name of the service."""
    return {
        name: State(
            each["count"],
            each["definition"],
            each["color"],
            Scaling.parsed(each["scaling"]),
            each.get("settings", {}),
        )
        for name, each in captured["services"].items()
    }
