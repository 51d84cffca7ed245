"""Why an app does not get its instances, in the words of Cloud Foundry."""

from collections.abc import Iterable, Mapping
from typing import Any

from rollbacks.platforms.base import PlatformError
from rollbacks.platforms.pcf.calls import Looks

LATEST = 5  # crashes that are looked at


def of(looks: Looks, wanted: Iterable[str]) -> str:
    """What went wrong with each app; empty where there is nothing to tell of."""
    try:
        return "; ".join(filter(None, (of_app(looks, guid) for guid in wanted)))
    except PlatformError:
        return ""  # what holds it up is only to be known; the look goes on without


def of_app(looks: Looks, app: str) -> str:
    """Its instances that are not well, and why the latest of them crashed."""
    said: dict[str, None] = {}
    for process in looks.api.pages(f"/v3/apps/{app}/processes"):
        found = looks.api.get(f"/v3/processes/{process['guid']}/stats").get("resources") or ()
        for each in found:
            if text := of_instance(each):
                said[f"{each['type']}/{each['index']}: {text}"] = None
    if said and (reason := _crash(looks, app)):
        said[reason] = None
    return ", ".join(said)


def of_instance(instance: Mapping[str, Any]) -> str:
    """Empty for one that is well."""
    state = str(instance["state"])
    if state == "RUNNING":
        return "is not routable" if instance.get("routable") is False else ""
    details = str(instance.get("details") or "")
    return f"{state} ({details})" if details else state


def _crash(looks: Looks, app: str) -> str:
    """As the newest crash event of the app says it."""
    asked = {"types": "app.process.crash", "target_guids": app, "order_by": "-created_at"}
    try:
        found = looks.api.get("/v3/audit_events", per_page=str(LATEST), **asked)
    except PlatformError:
        return ""  # who may not read events still learns the states
    for each in found.get("resources") or ():
        data = each.get("data") or {}
        if text := str(data.get("exit_description") or data.get("reason") or ""):
            return text
    return ""
