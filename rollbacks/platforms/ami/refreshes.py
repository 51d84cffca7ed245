"""Instance refreshes of one group: begun, followed, cancelled.

There is one at a time, and no client token: whether it was begun is seen by looking. The group's
own configuration changes only when a refresh has succeeded.
Source: docs.aws.amazon.com/autoscaling/ec2/userguide/instance-refresh-overview.html.
"""

from collections.abc import Mapping
from typing import Any

from rollbacks.platforms.ami import templates, waits
from rollbacks.platforms.ami.calls import AUTOSCALING, Call, Looks
from rollbacks.platforms.ami.groups import Group, Template
from rollbacks.platforms.aws.api import Refused
from rollbacks.platforms.base import PlatformError, Running

IN_PROGRESS = ("Pending", "InProgress", "Cancelling", "RollbackInProgress", "Baking")
_SUCCEEDED = "Successful"
_ENDED = "ActiveInstanceRefreshNotFound"


def latest(looks: Looks, name: str) -> Mapping[str, Any] | None:
    """The group's newest refresh, however it ended; None where there never was one."""
    found = looks.api.read(
        AUTOSCALING, "describe_instance_refreshes", AutoScalingGroupName=name, MaxRecords=1
    )["InstanceRefreshes"]
    return found[0] if found else None


def is_in_progress(refresh: Mapping[str, Any] | None) -> bool:
    return refresh is not None and refresh["Status"] in IN_PROGRESS


def replace_all(call: Call, name: str, wanted: Template) -> Running | None:
    """Every instance of the group starts from this version, and so does the group itself.

    None once that is so. Another refresh in progress is cancelled first. PlatformError where AWS
    gives up, with its reason.
    """
    if waits_for := _end_others(call, name, wanted):
        return waits_for
    if not is_in_progress(latest(call, name)):
        group = waits.there(call, name)
        if _is_whole(group, wanted):
            return None
        _begin(call, group, wanted)
    if waits_for := waits.until(call, lambda found: _still(call, name)):
        return waits_for
    ended = latest(call, name) or {}
    if ended.get("Status") != _SUCCEEDED and not _is_whole(waits.there(call, name), wanted):
        why = str(ended.get("StatusReason") or ended.get("Status")).rstrip(".")
        raise PlatformError(f"AWS ended the instance refresh of {name}: {why}", permanent=True)
    return waits.until(call, lambda found: _differing(found, name, wanted))


def is_ours(refresh: Mapping[str, Any], wanted: Template) -> bool:
    """Whether it brings this version."""
    desired = refresh.get("DesiredConfiguration") or {}
    return bool(desired) and templates.launched_by(desired) == wanted


def _end_others(call: Call, name: str, wanted: Template) -> Running | None:
    refresh = latest(call, name)
    if refresh is None or not is_in_progress(refresh) or is_ours(refresh, wanted):
        return None
    if refresh["Status"] != "Cancelling":
        try:
            call.write(AUTOSCALING, "cancel_instance_refresh", AutoScalingGroupName=name)
        except Refused as error:
            if error.code != _ENDED:  # it ended by itself just now
                raise
    return waits.until(call, lambda found: _still(call, name))


def _begin(call: Call, group: Group, wanted: Template) -> None:
    """What starts from that version already is left alone."""
    settings = call.spec.settings
    preferences = {
        "SkipMatching": True,
        "AutoRollback": False,
        "MinHealthyPercentage": settings["minimum_healthy_percentage"],
    }
    if settings["instance_warmup"] is not None:
        preferences["InstanceWarmup"] = settings["instance_warmup"]
    call.write(
        AUTOSCALING,
        "start_instance_refresh",
        AutoScalingGroupName=group.name,
        DesiredConfiguration=templates.launched_from(group.described, wanted),
        Preferences=preferences,
    )


def _still(call: Call, name: str) -> str:
    refresh = latest(call, name)
    if refresh is None or not is_in_progress(refresh):
        return ""
    share, why = refresh.get("PercentageComplete", 0), refresh.get("StatusReason")
    text = f"The instance refresh of {name} is {refresh['Status']}: {share} %"
    return f"{text} ({why})" if why else text


def _is_whole(group: Group, wanted: Template) -> bool:
    return templates.template_of(group) == wanted and not group.others_than(wanted)


def _differing(found: waits.Groups, name: str, wanted: Template) -> str:
    group = waits.in_groups(found, name)
    if _is_whole(group, wanted):
        return ""
    others = len(group.others_than(wanted))
    return f"{others} instances of {name} do not start from version {wanted.version} yet"
