"""Configuration of releases long past is deleted, as many as Kubernetes itself keeps are kept."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rollbacks.platforms.kubernetes.calls import Call
from rollbacks.platforms.kubernetes.kinds import KINDS, Object, labels, name_of
from rollbacks.platforms.kubernetes.releases import CONFIGURATION, number_of

KEPT = 10  # as a Deployment's revisionHistoryLimit


async def clean(call: Call, objects: Sequence[Object], captured: Mapping[str, Any]) -> None:
    """Keep what this release brings, what the captured workloads use, and the latest others."""
    used = json.dumps(captured["objects"])
    for manifest in objects:
        base = labels(manifest).get(CONFIGURATION)
        if not base:
            continue
        kind = KINDS[manifest["kind"]]
        found = await call.cluster.find(kind, labels=f"{CONFIGURATION}={base}")
        others = [each for each in found if name_of(each) != name_of(manifest)]
        others.sort(key=lambda each: _number(each, base), reverse=True)
        for each in others[KEPT:]:
            if f'"{name_of(each)}"' not in used:
                await call.remove(kind, name_of(each))
                call.control.log("", f"{kind.name}/{name_of(each)} of an old release is deleted")


def _number(configuration: Object, base: str) -> int:
    text = number_of(name_of(configuration).removeprefix(f"{base}-"))
    return int(text) if text.isdecimal() else 0
