"""How often may be called: a bucket of tokens for each kind of action, as AWS publishes them."""

import threading
from dataclasses import dataclass, field

from .clock import Clock
from .rates import Rate, rate_of


@dataclass
class _Bucket:
    rate: Rate
    tokens: float
    filled_at: float

    def take(self, at: float) -> bool:
        self.tokens = min(
            self.rate.burst, self.tokens + (at - self.filled_at) * self.rate.sustained
        )
        self.filled_at = at
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


@dataclass
class Buckets:
    """Of one account in one region. Off until told otherwise.

    `refused`: how many calls found no token since they were last full.
    """

    clock: Clock
    is_on: bool = False
    refused: int = 0
    _of: dict[Rate, _Bucket] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, service: str, action: str) -> bool:
        """Whether there was a token left. What AWS publishes no figure for always has one."""
        rate = rate_of(service, action) if self.is_on else None
        if rate is None:
            return True
        at = self.clock.now()
        with self._lock:
            bucket = self._of.setdefault(rate, _Bucket(rate, rate.burst, at))
            is_taken = bucket.take(at)
            self.refused += not is_taken
            return is_taken

    def refill(self) -> None:
        with self._lock:
            self._of.clear()
            self.refused = 0
