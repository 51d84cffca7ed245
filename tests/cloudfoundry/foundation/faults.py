"""What can go wrong between a client and the foundation, on purpose."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from .problems import Refused


@dataclass(frozen=True)
class Asked:
    """A request as a test looks at it; `body` is without secrets, and empty if it is not JSON."""

    method: str
    path: str
    query: str
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_change(self) -> bool:
        return self.method != "GET" and self.path != "/oauth/token"


@dataclass(frozen=True)
class Error:
    """The foundation refuses; nothing has happened."""

    refused: Refused


@dataclass(frozen=True)
class Drop:
    """The connection is lost: before the effect, or after it, when only the answer is lost."""

    after_effect: bool = False
    by_reset: bool = False


@dataclass(frozen=True)
class Delay:
    """The foundation takes its time, and then does what it was asked."""

    seconds: float


@dataclass(frozen=True)
class Expire:
    """The access token has ended just before."""


Fault = Error | Drop | Delay | Expire
Matcher = str | Callable[[Asked], bool]


@dataclass
class _Planned:
    matcher: Matcher
    skipped: int
    times: int
    how: Fault


class Faults:
    """Faults that are still to happen, oldest first."""

    def __init__(self) -> None:
        self._planned: list[_Planned] = []
        self._lock = threading.Lock()

    def plan(self, matcher: Matcher, how: Fault, times: int, after: int) -> None:
        with self._lock:
            self._planned.append(_Planned(matcher, after, times, how))

    def clear(self) -> None:
        with self._lock:
            self._planned.clear()

    def of(self, asked: Asked) -> Fault | None:
        """The fault that this request meets; it is used up by that."""
        with self._lock:
            for planned in self._planned:
                if planned.times > 0 and _matches(planned.matcher, asked):
                    if planned.skipped > 0:
                        planned.skipped -= 1
                        continue
                    planned.times -= 1
                    return planned.how
        return None


def _matches(matcher: Matcher, asked: Asked) -> bool:
    if isinstance(matcher, str):
        return fnmatchcase(f"{asked.method} {asked.path}", matcher)
    return matcher(asked)
