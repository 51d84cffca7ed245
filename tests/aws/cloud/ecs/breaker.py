"""How many failures a deployment may have before its circuit breaker says that it has failed.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ThresholdConfiguration.html
"""

import math
from typing import Any

_LEAST, _MOST, _PERCENT = 3, 200, 50


def threshold(settings: dict[str, Any], desired: int) -> int:
    """By default half of the desired count, but from 3 to 200."""
    told = settings.get("thresholdConfiguration") or {}
    kind, value = told.get("type", "BOUNDED_PERCENT"), int(told.get("value", _PERCENT))
    if kind == "COUNT":
        return value
    count = math.ceil(desired * value / 100)
    if kind == "UNBOUNDED_PERCENT":
        return max(count, 1)
    return min(max(count, _LEAST), _MOST)
