"""What can go wrong between a client and the server, on purpose."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.faults import Delay, Drop, Planned

__all__ = [
    "Answer",
    "Call",
    "Delay",
    "Drop",
    "Fault",
    "Faults",
    "Matcher",
]


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


Fault = Answer | Drop | Delay
Matcher = str | Callable[[Call], bool]


class Faults(Planned[Call, Fault]):
    def spelled(self, asked: Call) -> str:
        return f"{asked.method} {asked.path}"
