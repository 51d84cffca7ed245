"""The way back to what was captured of an object, and the waiting for it."""

from collections.abc import Mapping
from typing import Any

from rollbacks.platforms.base import PlatformError, Running
from rollbacks.platforms.kubernetes import captures
from rollbacks.platforms.kubernetes.calls import Call
from rollbacks.platforms.kubernetes.kinds import SERVICE, STATEFUL_SET, Kind, Object

Captured = Mapping[str, Any]


async def workload(
    call: Call, key: str, kind: Kind, name: str, was: Captured | None, *, is_scaled: bool
) -> Running | bool:
    """As it was captured and rolled out; gone, where there was none. Whether we changed anything.

    `key`: the instance it is reported as.
    """
    if was is None:
        live = await call.cluster.get(kind, name)
        has_changed = await call.remove(kind, name)
        waits = await call.gone(key, live) if live else None
        return waits or has_changed
    has_changed = False
    # Stuck pods of a StatefulSet may have needed another strategy for a while.
    for _ in range(2 if kind == STATEFUL_SET else 1):
        found, is_new = await _spec_back(call, kind, name, was, is_scaled=is_scaled)
        has_changed |= is_new
        if waits := await call.rolled_out(key, found, is_undo=True):
            return waits
    await _own_again(call, kind, name, was)
    return has_changed


async def service(call: Call, name: str, was: Captured | None) -> None:
    """As it was captured; gone, where there was none."""
    if was is None:
        await call.remove(SERVICE, name)
        return
    await _spec_back(call, SERVICE, name, was)
    await _own_again(call, SERVICE, name, was)


async def _spec_back(
    call: Call, kind: Kind, name: str, was: Captured, *, is_scaled: bool = False
) -> tuple[Object, bool]:
    live, has_changed = await call.change(
        kind, name, lambda live: captures.way_back(live, was, is_scaled=is_scaled)
    )
    if live is None:
        raise PlatformError(
            f"{kind.name}/{name} was deleted by somebody; it cannot be brought back as it was.",
            permanent=True,
        )
    return live, has_changed


async def _own_again(call: Call, kind: Kind, name: str, was: Captured) -> None:
    """After what was changed back: own of it what we owned then."""
    await call.change(kind, name, lambda live: captures.ownership(live, was))
