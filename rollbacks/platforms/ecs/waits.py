"""Waiting for services: all of them in as few requests as ECS lets us."""

from collections.abc import Callable, Iterable, Mapping

from rollbacks.platforms import waits
from rollbacks.platforms.base import PlatformError, Running
from rollbacks.platforms.ecs import tasks, troubles
from rollbacks.platforms.ecs.calls import Call
from rollbacks.platforms.ecs.services import Service

Found = Mapping[str, Service]


def until(call: Call, names: Iterable[str], missing: Callable[[Found], str]) -> Running | None:
    """None once nothing is missing; Running where the time limit comes near.

    `missing` says of these services, by name, what is still to come.
    """
    wanted = list(names)

    def look() -> dict[str, str]:
        text = missing(call.named(wanted)) if wanted else ""
        return {call.key: text} if text else {}

    return waits.until(call.control, look, lambda: troubles.of(call, wanted))


def up(call: Call, wanted: Mapping[str, int]) -> Running | None:
    """Wait until each service has so many tasks, healthy in all their target groups."""

    def missing(found: Found) -> str:
        waiting = [(_there(found, name), count) for name, count in wanted.items() if count]
        return _starting(waiting) or _unhealthy(call, waiting)

    return until(call, wanted, missing)


def down(call: Call, wanted: Mapping[str, int]) -> Running | None:
    """Wait until each service has at most so many tasks."""

    def missing(found: Found) -> str:
        return "; ".join(
            f"{name} has {found[name].tasks} tasks, {count} are to stay"
            for name, count in wanted.items()
            if name in found and found[name].tasks > count
        )

    return until(call, wanted, missing)


def _there(found: Found, name: str) -> Service:
    if name not in found:
        raise PlatformError(f"{name} was deleted by somebody.", permanent=True)
    return found[name]


def _starting(waiting: Iterable[tuple[Service, int]]) -> str:
    return "; ".join(
        f"{service.name} has {service.running} of {count} tasks running"
        + ("" if len(service.deployments) == 1 else ", and a deployment in progress")
        for service, count in waiting
        if service.running < count or len(service.deployments) > 1
    )


def _unhealthy(call: Call, waiting: Iterable[tuple[Service, int]]) -> str:
    counts = {service.name: count for service, count in waiting}
    every = tasks.of(call, [service for service, _ in waiting])
    said = []
    for name, count in counts.items():
        own = [each for each in every if each.service == name]
        well = sum(each.is_well for each in own)
        if well < count:
            reasons = ", ".join(sorted({text for each in own for text in each.troubles}))
            said.append(
                f"{well} of {count} tasks of {name} are healthy"
                + (f" ({reasons})" if reasons else "")
            )
    return "; ".join(said)
