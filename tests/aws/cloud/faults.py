"""What can go wrong between a client and AWS, on purpose."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any


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


@dataclass(frozen=True)
class Drop:
    """The connection is lost: before the effect, or after it, when only the answer is lost."""

    after_effect: bool = False


@dataclass(frozen=True)
class Delay:
    """The service takes its time, and then does what it was asked."""

    seconds: float


Fault = Answer | Throttled | Drop | Delay
Matcher = str | Callable[[Call], bool]


@dataclass
class _Planned:
    matcher: Matcher
    times: int
    how: Fault


class Faults:
    """Faults that are still to happen, oldest first."""

    def __init__(self) -> None:
        self._planned: list[_Planned] = []
        self._lock = threading.Lock()

    def plan(self, matcher: Matcher, times: int, how: Fault) -> None:
        with self._lock:
            self._planned.append(_Planned(matcher, times, how))

    def clear(self) -> None:
        with self._lock:
            self._planned.clear()

    def of(self, call: Call) -> Fault | None:
        """The fault that this call meets; it is used up by that."""
        with self._lock:
            for planned in self._planned:
                if planned.times > 0 and _matches(planned.matcher, call):
                    planned.times -= 1
                    return planned.how
        return None


def _matches(matcher: Matcher, call: Call) -> bool:
    if isinstance(matcher, str):
        return fnmatchcase(f"{call.service}:{call.action}", matcher)
    return matcher(call)
