"""What can go wrong between a client and the foundation, on purpose."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests import faults
from tests.faults import Delay, Planned

from .problems import Refused

__all__ = [
    "Asked",
    "Delay",
    "Drop",
    "Error",
    "Expire",
    "Fault",
    "Faults",
    "Matcher",
]


@dataclass(frozen=True)
class Asked:
    """A request as a test looks at it; `body` is empty if it is not JSON."""

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
class Drop(faults.Drop):
    """By an end of the connection, or by a reset."""

    by_reset: bool = False


@dataclass(frozen=True)
class Expire:
    """The access token has ended just before."""


Fault = Error | Drop | Delay | Expire
Matcher = str | Callable[[Asked], bool]


class Faults(Planned[Asked, Fault]):
    def spelled(self, asked: Asked) -> str:
        return f"{asked.method} {asked.path}"
