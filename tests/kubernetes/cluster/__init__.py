"""A small Kubernetes API server for tests, with controllers and pods that only pretend to run."""

from .cluster import ApiError, FakeCluster
from .controllers.fate import Timing
from .faults import Answer, Call, Delay, Drop

__all__ = ["Answer", "ApiError", "Call", "Delay", "Drop", "FakeCluster", "Timing"]
