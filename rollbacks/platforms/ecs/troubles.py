"""Why a service does not get its tasks, in the words of its events and of tasks that ended."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from rollbacks.platforms.base import PlatformError
from rollbacks.platforms.ecs.calls import ECS, Looks
from rollbacks.platforms.ecs.services import Service

RECENT = timedelta(minutes=15)  # what is older tells of something that is over
LATEST = 10  # ended tasks that are looked at
TOLD_OF = 3  # services
_TROUBLES = ("unable to", "is unhealthy", "failed", "rolling back", "error")
_GENERAL = "unable to consistently start tasks"  # and another event says why
_FAILED = ("TaskFailedToStart", "EssentialContainerExited")
_MORE = " For more information, see"


def of(looks: Looks, names: Iterable[str]) -> str:
    """What went wrong with each; empty where there is nothing to tell of."""
    try:
        found = looks.named(list(names)[:TOLD_OF]).values()
        return "; ".join(filter(None, (of_service(looks, each) for each in found)))
    except PlatformError:
        return ""  # what holds it up is only to be known; the look goes on without


def of_service(looks: Looks, service: Service) -> str:
    said = [event_of(service), _ended(looks, service)]
    text = ", ".join(filter(None, said))
    return f"{service.name}: {text}" if text else ""


def event_of(service: Service) -> str:
    """The latest event, since it was changed, that a person needs to know."""
    since, general = datetime.now(UTC) - RECENT, ""
    for each in service.described.get("events") or ():
        text = str(each["message"]).removeprefix(f"(service {service.name}) ")
        if each["createdAt"] < max(since, service.changed_at or since):
            break
        if any(word in text for word in _TROUBLES):
            found = text.partition(_MORE)[0].rstrip(". ")
            if _GENERAL not in found:
                return found
            general = general or found
    return general


def _ended(looks: Looks, service: Service) -> str:
    """Why a task of it ended that should not have."""
    arns = looks.api.read(
        ECS,
        "list_tasks",
        cluster=looks.cluster,
        serviceName=service.name,
        desiredStatus="STOPPED",
        maxResults=LATEST,
    )["taskArns"]
    if not arns:
        return ""
    found = looks.api.read(ECS, "describe_tasks", cluster=looks.cluster, tasks=arns)["tasks"]
    failed = [
        each
        for each in found
        if each.get("stopCode") in _FAILED and each["taskDefinitionArn"] == service.definition
    ]
    return _reason(failed[-1]) if failed else ""


def _reason(task: Mapping[str, Any]) -> str:
    said = str(task.get("stoppedReason") or "a task ended").rstrip(".")
    for each in task.get("containers") or ():
        if each.get("exitCode"):
            return f"{said}: {each['name']} ended with {each['exitCode']}"
    return said
