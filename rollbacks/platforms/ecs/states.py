"""What a capture keeps of the services of a series, and an undo returns to. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rollbacks.platforms.ecs.scaling import Scaling
from rollbacks.platforms.ecs.services import Service


@dataclass(frozen=True)
class State:
    count: int
    definition: str = ""
    color: str = ""
    scaling: Scaling | None = None

    @property
    def as_json(self) -> dict[str, Any]:
        return {
            "count": self.count,
            "definition": self.definition,
            "color": self.color,
            "scaling": self.scaling.as_json if self.scaling else None,
        }


GONE = State(0)


def state_of(service: Service, scaling: Scaling | None) -> State:
    return State(service.desired, service.definition, service.color, scaling)


def kept(found: Iterable[Service], scalings: Mapping[str, Scaling]) -> dict[str, Any]:
    """As JSON, by name."""
    return {each.name: state_of(each, scalings.get(each.name)).as_json for each in found}


def states_in(captured: Mapping[str, Any]) -> dict[str, State]:
    """What a capture kept, by the name of the service."""
    return {
        name: State(
            each["count"], each["definition"], each["color"], Scaling.parsed(each["scaling"])
        )
        for name, each in captured["services"].items()
    }
