"""What can go wrong between a client and AWS, on purpose."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.faults import Delay, Drop, Planned

__all__ = [
    "Answer",
    "Call",
    "Delay",
    "Drop",
    "Fault",
    "Faults",
    "Matcher",
    "Throttled",
]


@dataclass(frozen=True)
class Call:
    """A request as a test looks at it; `parameters` are without secrets."""

    service: str  # as boto3 names it: "ecs", "elbv2"
    action: str
    principal: str  # ARN
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """The service refuses with 500 or 503; nothing has happened."""

    code: int = 503


@dataclass(frozen=True)
class Throttled:
    """The service says that there were too many calls, in its own words; nothing has happened."""


Fault = Answer | Throttled | Drop | Delay
Matcher = str | Callable[[Call], bool]


class Faults(Planned[Call, Fault]):
    def spelled(self, asked: Call) -> str:
        return f"{asked.service}:{asked.action}"
