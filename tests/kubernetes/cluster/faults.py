"""What can go wrong between a client and the server, on purpose."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True)
class Call:
    """A request as a test looks at it."""

    method: str
    path: str
    query: str
    content_type: str


@dataclass(frozen=True)
class Answer:
    """The server refuses with 429, 500, 503 or 504; nothing has happened."""

    code: int
    retry_after: int | None = None


@dataclass(frozen=True)
class Drop:
    """The connection is lost: before the effect, or after it, when only the answer is lost."""

    after_effect: bool = False


@dataclass(frozen=True)
class Delay:
    """The server takes its time, and then does what it was asked."""

    seconds: float


Fault = Answer | Drop | Delay
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
        return fnmatchcase(f"{call.method} {call.path}", matcher)
    return matcher(call)
