"""Why a group does not get its instances, in the words of its scaling activities."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from rollbacks.platforms.ami.calls import AUTOSCALING, Looks
from rollbacks.platforms.base import PlatformError

LATEST = 20  # of each group
RECENT = timedelta(minutes=15)  # what is older tells of something that is over
_FAILED = ("Failed", "Cancelled")


def of_series(looks: Looks) -> str:
    """What went wrong with each active group; empty where there is nothing to tell of."""
    try:
        active = [each.name for each in looks.groups() if each.is_active]
        return "; ".join(filter(None, (of_group(looks, name) for name in active)))
    except PlatformError:
        return ""  # what holds it up is only to be known; the look goes on without


def of_group(looks: Looks, name: str) -> str:
    """What went wrong last; empty where nothing did lately."""
    found = looks.api.read(
        AUTOSCALING,
        "describe_scaling_activities",
        AutoScalingGroupName=name,
        MaxRecords=LATEST,
    )["Activities"]
    since = datetime.now(UTC) - RECENT
    said = (_wrong(each) for each in found if each["StartTime"] >= since)
    text = next(filter(None, said), "")
    return f"{name}: {text}" if text else ""


def _wrong(activity: Mapping[str, Any]) -> str:
    """A launch that failed, or an instance that was ended because it failed its health checks."""
    if activity["StatusCode"] in _FAILED:
        said = activity.get("StatusMessage") or activity.get("Description") or "an activity failed"
        return str(said).strip().rstrip(".")
    cause = str(activity.get("Cause") or "")
    if "health check" in cause and activity.get("Description", "").startswith("Terminating"):
        return f"{activity['Description']}, since it failed its health checks"
    return ""
