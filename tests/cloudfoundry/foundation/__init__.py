"""A counterpart of a Cloud Foundry foundation for tests: CAPI v3, UAA, cells and a router."""

from .fates import Fate
from .faults import Asked, Delay, Drop, Error, Expire
from .foundation import FakeFoundation
from .problems import bad_gateway, broken, too_many, unavailable, unprocessable
from .scenery import Login, Place
from .timing import Timing

__all__ = [
    "Asked",
    "Delay",
    "Drop",
    "Error",
    "Expire",
    "FakeFoundation",
    "Fate",
    "Login",
    "Place",
    "Timing",
    "bad_gateway",
    "broken",
    "too_many",
    "unavailable",
    "unprocessable",
]
