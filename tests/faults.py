"""Faults that tests plan for requests to a counterpart: which ones meet them, and how often."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
How = TypeVar("How")


@dataclass(frozen=True)
class Drop:
    """The connection is lost: before the effect, or after it, when only the answer is lost."""

    after_effect: bool = False


@dataclass(frozen=True)
class Delay:
    """The server takes its time, and then does what it was asked."""

    seconds: float


@dataclass
class _Planned(Generic[Asked, How]):
    matcher: str | Callable[[Asked], bool]
    times: int
    how: How
    spared: int


class Planned(ABC, Generic[Asked, How]):
    """Faults that are still to happen, oldest first."""

    def __init__(self) -> None:
        self._planned: list[_Planned[Asked, How]] = []
        self._lock = threading.Lock()

    @abstractmethod
    def spelled(self, asked: Asked) -> str:
        """What a pattern is compared with."""

    def plan(
        self, matcher: str | Callable[[Asked], bool], times: int, how: How, spared: int = 0
    ) -> None:
        """For so many requests that match, after so many that are spared."""
        with self._lock:
            self._planned.append(_Planned(matcher, times, how, spared))

    def clear(self) -> None:
        with self._lock:
            self._planned.clear()

    def of(self, asked: Asked) -> How | None:
        """The fault that this request meets; it is used up by that."""
        with self._lock:
            for planned in self._planned:
                if planned.times > 0 and self._matches(planned, asked):
                    if planned.spared == 0:
                        planned.times -= 1
                        return planned.how
                    planned.spared -= 1
        return None

    def _matches(self, planned: _Planned[Asked, How], asked: Asked) -> bool:
        if isinstance(planned.matcher, str):
            return fnmatchcase(self.spelled(asked), planned.matcher)
        return planned.matcher(asked)
