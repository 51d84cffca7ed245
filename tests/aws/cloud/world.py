"""What every part of the cloud shares: one account in one region, its lock, its clock."""

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime
from secrets import token_hex

from .beneath import Beneath
from .clock import Clock
from .loop import Loop
from .timing import Timing


@dataclass
class World:
    account: str
    region: str
    timing: Timing
    beneath: Beneath
    loop: Loop = field(default_factory=lambda: Loop(Clock()))
    shortages: set[str] = field(default_factory=set)  # of capacity: "FARGATE", "EC2"
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"

    def number(self) -> int:
        """Another one each time, rising."""
        return next(self._numbers)


def now() -> datetime:
    return datetime.now(UTC)


def token(length: int = 32) -> str:
    """Hexadecimal, as in the names of tasks and instances."""
    return token_hex((length + 1) // 2)[:length]
