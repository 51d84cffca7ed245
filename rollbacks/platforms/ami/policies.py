"""Scaling policies and scheduled actions: what is compared of them, and what another group gets.

Pure. A policy is kept as PutScalingPolicy takes it, without the group's name.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

Policy = dict[str, Any]
_POLICY = (
    "PolicyName",
    "PolicyType",
    "AdjustmentType",
    "MinAdjustmentStep",
    "MinAdjustmentMagnitude",
    "ScalingAdjustment",
    "Cooldown",
    "StepAdjustments",
    "MetricAggregationType",
    "EstimatedInstanceWarmup",
    "TargetTrackingConfiguration",
    "Enabled",
    "PredictiveScalingConfiguration",
)
_SCHEDULE = (
    "ScheduledActionName",
    "StartTime",
    "EndTime",
    "Recurrence",
    "MinSize",
    "MaxSize",
    "DesiredCapacity",
    "TimeZone",
)
PER_TARGET = "ALBRequestCountPerTarget"


def kept(described: Iterable[Mapping[str, Any]]) -> list[Policy]:
    """What DescribePolicies told, by name; without what the platform makes of them."""
    found = [
        {key: each[key] for key in _POLICY if each.get(key) not in (None, [])} for each in described
    ]
    return sorted(found, key=lambda each: str(each["PolicyName"]))


def copied(policies: Iterable[Policy]) -> list[Policy]:
    """Those that another group can have: not those that count the requests of a target group."""
    return [each for each in policies if not is_per_target(each)]


def is_per_target(policy: Mapping[str, Any]) -> bool:
    """Whether it counts the requests of one target group, which another group may not have."""
    tracking = policy.get("TargetTrackingConfiguration") or {}
    metric = tracking.get("PredefinedMetricSpecification") or {}
    return metric.get("PredefinedMetricType") == PER_TARGET


def differing(wanted: Sequence[Policy], found: Sequence[Policy]) -> tuple[list[Policy], list[str]]:
    """What is to be put, and the names of those that are to be deleted."""
    has = {each["PolicyName"]: each for each in found}
    names = {each["PolicyName"] for each in wanted}
    put = [each for each in wanted if has.get(each["PolicyName"]) != each]
    return put, sorted(has.keys() - names)


def unheard(described: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The policies that act on alarms which know nothing of another group: named with these."""
    for each in described:
        alarms = [alarm["AlarmName"] for alarm in each.get("Alarms") or ()]
        if alarms and "TargetTrackingConfiguration" not in each:
            yield f"{each['PolicyName']} ({', '.join(alarms)})"


def scheduled(described: Iterable[Mapping[str, Any]], now: datetime) -> list[dict[str, Any]]:
    """As BatchPutScheduledUpdateGroupAction takes them; what is over is left out."""
    found = []
    for each in described:
        action = {key: each[key] for key in _SCHEDULE if each.get(key) is not None}
        start = action.get("StartTime")
        if start is not None and start <= now:
            if "Recurrence" not in action:
                continue
            del action["StartTime"]  # AWS takes no beginning that has passed
        found.append(action)
    return found
