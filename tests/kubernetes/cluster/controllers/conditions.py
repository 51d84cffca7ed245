"""Conditions of a status: a list in which each type is there once."""

from typing import Any

from .. import clock

Json = dict[str, Any]


def find(status: Json, kind: str) -> Json | None:
    return next((each for each in status.get("conditions", []) if each["type"] == kind), None)


def put(status: Json, kind: str, value: str, reason: str = "", message: str = "") -> None:
    """The time of the last transition is that of the value; nothing changes if nothing does."""
    old = find(status, kind)
    said = (value, reason, message)
    if old and tuple(old.get(each, "") for each in ("status", "reason", "message")) == said:
        return
    new: Json = {"type": kind, "status": value}
    new |= {"reason": reason} if reason else {}
    new |= {"message": message} if message else {}
    changed_at = clock.stamp()
    if old and old["status"] == value:
        changed_at = old["lastTransitionTime"]
    new["lastTransitionTime"] = changed_at
    drop(status, kind)
    status.setdefault("conditions", []).append(new)


def drop(status: Json, kind: str) -> None:
    kept = [each for each in status.get("conditions", []) if each["type"] != kind]
    if "conditions" in status:
        status["conditions"] = kept
