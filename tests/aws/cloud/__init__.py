"""A counterpart of AWS for tests: moto where it is right, our own where it is not."""

from .cloud import FakeCloud
from .faults import Answer, Call, Delay, Drop, Throttled
from .policies import Statement
from .scenery import Balancer, forward
from .timing import HOUR, Timing

__all__ = [
    "HOUR",
    "Answer",
    "Balancer",
    "Call",
    "Delay",
    "Drop",
    "FakeCloud",
    "Statement",
    "Throttled",
    "Timing",
    "forward",
]
