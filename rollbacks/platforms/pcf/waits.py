"""Waiting for instances and jobs: few requests, and people read what is waited for."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rollbacks.platforms import waits
from rollbacks.platforms.base import PlatformError, Running
from rollbacks.platforms.pcf import troubles
from rollbacks.platforms.pcf.answers import Refused, errors_in
from rollbacks.platforms.pcf.calls import Call, Looks

RUNNING = "RUNNING"
_ENDED = ("COMPLETE", "FAILED")
ROUNDED_SECONDS = 2.0  # by which an uptime in whole seconds, and the way of an answer, may deceive
Wanted = Mapping[str, Mapping[str, int]]  # instances by type, by the GUID of the app


def stats(looks: Looks, process: str) -> list[dict[str, Any]]:
    """Of each instance of a process, by index. Raises PlatformError."""
    found = looks.api.get(f"/v3/processes/{process}/stats").get("resources") or ()
    return sorted(found, key=lambda each: int(each["index"]))


def is_well(instance: Mapping[str, Any]) -> bool:
    """Running, and reached by those who are sent to it, where that is known."""
    return bool(instance["state"] == RUNNING and instance.get("routable") is not False)


@dataclass(frozen=True)
class Life:
    """One run of an instance, as it is seen at a moment."""

    guid: str
    uptime: float
    at: float

    def goes_on_in(self, later: "Life") -> bool:
        """Older foundations tell no GUID: there the uptime alone tells of a start in between."""
        passed = later.at - self.at - ROUNDED_SECONDS
        return self.guid == later.guid and later.uptime - self.uptime >= max(0, passed)


def up(call: Call, wanted: Wanted) -> Running | None:
    """Wait until each app has so many instances of each type, all of them well, at two looks
    between which none was started again: one that crashes and starts in turns is not up.
    """
    looked: dict[str, Life] = {}

    def missing() -> dict[str, str]:
        said, lives = _starting(call, wanted)
        is_steady = looked.keys() >= lives.keys() and all(
            looked[key].goes_on_in(lives[key]) for key in lives
        )
        looked.clear()
        looked.update(lives if not said else {})
        if not said and not is_steady:
            said = ["all instances run; they are looked at once more"]
        return {call.key: "; ".join(said)} if said else {}

    if not any(count for counts in wanted.values() for count in counts.values()):
        return None
    return waits.until(call.control, missing, lambda: troubles.of(call, wanted))


def _starting(call: Call, wanted: Wanted) -> tuple[list[str], dict[str, Life]]:
    """What is still to come, and what runs."""
    found = {each.guid: each for each in call.apps()}
    said: list[str] = []
    lives: dict[str, Life] = {}
    for guid, counts in wanted.items():
        if guid not in found:
            raise PlatformError(f"An app was deleted by somebody ({guid}).", permanent=True)
        app = found[guid]
        for kind, count in counts.items():
            if not count:
                continue
            process = app.processes.get(kind)
            seen = stats(call, process.guid) if process and app.is_started else []
            well = [each for each in seen if is_well(each)]
            if len(well) < count:
                said.append(f"{app.name} has {len(well)} of {count} instances of {kind} running")
            lives |= {f"{guid} {kind} {each['index']}": _life(each) for each in well}
    return said, lives


def _life(instance: Mapping[str, Any]) -> Life:
    guid, uptime = instance.get("instance_guid"), instance.get("uptime")
    return Life(str(guid or ""), float(uptime or 0), time.monotonic())


def down(call: Call, wanted: Wanted) -> Running | None:
    """Wait until each app has at most so many instances of each type."""

    def missing() -> dict[str, str]:
        said = list(_leaving(call, wanted))
        return {call.key: "; ".join(said)} if said else {}

    return waits.until(call.control, missing, lambda: "")


def _leaving(call: Call, wanted: Wanted) -> Iterator[str]:
    for app in call.apps():
        for kind, count in wanted.get(app.guid, {}).items():
            process = app.processes.get(kind)
            if process is None:
                continue
            left = [each for each in stats(call, process.guid) if each["state"] != "DOWN"]
            if len(left) > count:
                yield f"{app.name} has {len(left)} instances of {kind}, {count} are to stay"


def job(call: Call, path: str, what: str) -> Running | None:
    """Wait until a job has ended; Refused where it failed."""

    def missing() -> dict[str, str]:
        found = call.api.find(path) or {"state": "COMPLETE"}  # ended so long ago that it is gone
        if found["state"] == "FAILED":
            title, said = errors_in(found)
            raise Refused(f"Cloud Foundry could not {what}: {said or 'no reason given'}", title)
        return {} if found["state"] in _ENDED else {call.key: f"Waiting until it has {what}"}

    return waits.until(call.control, missing, lambda: "") if path else None
