"""How many pods a rolling update may have too many, and too few."""

import math
from collections.abc import Callable
from typing import Any

Json = dict[str, Any]


def surge(spec: Json) -> int:
    """How many pods more than wanted there may be."""
    if spec["strategy"]["type"] == "Recreate":
        return 0
    return _share(spec["strategy"]["rollingUpdate"]["maxSurge"], spec["replicas"], math.ceil)


def slack(spec: Json) -> int:
    """How many of the wanted pods may be unavailable; never none if there is no surge, either."""
    rolling = spec["strategy"]["rollingUpdate"]
    found = _share(rolling["maxUnavailable"], spec["replicas"], math.floor)
    if not found and not surge(spec):
        found = 1
    replicas: int = spec["replicas"]
    return min(found, replicas)


def _share(value: int | str, of: int, rounded: Callable[[float], int]) -> int:
    if isinstance(value, str) and value.endswith("%"):
        return rounded(int(value[:-1]) * of / 100)
    return int(value)
