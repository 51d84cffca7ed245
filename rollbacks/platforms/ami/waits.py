"""Waiting for groups: all of a series in one request at a time, and few of those."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from rollbacks.platforms import waits
from rollbacks.platforms.ami import troubles
from rollbacks.platforms.ami.calls import Call
from rollbacks.platforms.ami.groups import Group, capacity_of
from rollbacks.platforms.aws.balancing import Health, health_in, short
from rollbacks.platforms.base import PlatformError, Running

Groups = Mapping[str, Group]
Waiting = Sequence[tuple[Group, int]]


def until(call: Call, missing: Callable[[Groups], str]) -> Running | None:
    """None once nothing is missing; Running where the time limit comes near.

    `missing` says of the groups of the series, by name, what is still to come.
    """

    def look() -> dict[str, str]:
        text = missing({each.name: each for each in call.groups()})
        return {call.key: text} if text else {}

    return waits.until(call.control, look, lambda: troubles.of_series(call))


def up(call: Call, wanted: Mapping[str, int]) -> Running | None:
    """Wait until each group has so many instances in service, healthy wherever it is attached."""

    def missing(found: Groups) -> str:
        waiting = [(in_groups(found, name), count) for name, count in wanted.items() if count]
        return _starting(waiting) or _unhealthy(call, waiting)

    return until(call, missing)


def down(call: Call, wanted: Mapping[str, int]) -> Running | None:
    """Wait until each group has at most so many instances that are not on their way out."""

    def missing(found: Groups) -> str:
        return "; ".join(
            f"{name} has {capacity_of(found[name].staying)} instances, {count} are to stay"
            + (", but some are protected from scale-in" if found[name].is_exempt else "")
            for name, count in wanted.items()
            if name in found and capacity_of(found[name].staying) > count
        )

    return until(call, missing)


def empty(call: Call, name: str) -> Running | None:
    """Wait until the group has no instance at all, draining ones included, or is gone."""

    def missing(found: Groups) -> str:
        left = found[name].machines if name in found else ()
        states = ", ".join(sorted({each.state for each in left}))
        return f"{name} still has {len(left)} instances ({states})" if left else ""

    return until(call, missing)


def gone(call: Call, name: str) -> Running | None:
    """Wait until the group is not there any more."""
    return until(call, lambda found: f"{name} is being deleted" if name in found else "")


def there(call: Call, name: str) -> Group:
    """The group as it is now; PlatformError where it is gone."""
    return in_groups({each.name: each for each in call.groups()}, name)


def in_groups(found: Groups, name: str) -> Group:
    """PlatformError where it is not among them."""
    if name not in found or found[name].is_ending:
        raise PlatformError(f"{name} was deleted by somebody.", permanent=True)
    return found[name]


def _starting(waiting: Waiting) -> str:
    return "; ".join(
        f"{group.name} has {capacity_of(group.in_service)} of {count} instances in service"
        for group, count in waiting
        if capacity_of(group.in_service) < count
    )


def _unhealthy(call: Call, waiting: Waiting) -> str:
    """Each target group is asked once, whoever is attached to it."""
    arns = sorted({arn for group, _ in waiting for arn in group.target_groups})
    health = {arn: health_in(call, arn) for arn in arns}
    said = (
        _ill(group, count, arn, health[arn])
        for group, count in waiting
        for arn in group.target_groups
    )
    return "; ".join(filter(None, said))


def _ill(group: Group, count: int, arn: str, health: Mapping[str, Health]) -> str:
    healthy = [
        each
        for each in group.in_service
        if each.own_id in health and health[each.own_id].is_healthy
    ]
    if capacity_of(healthy) >= count:
        return ""
    reasons = _reasons(health.get(each.own_id) for each in group.staying)
    return (
        f"{capacity_of(healthy)} of {count} instances of {group.name} are healthy in {short(arn)}"
        + (f" ({reasons})" if reasons else "")
    )


def _reasons(found: Iterable[Health | None]) -> str:
    texts = {
        f"{each.state}: {each.reason}" if each.reason else each.state
        for each in found
        if each is not None and not each.is_healthy
    }
    return ", ".join(sorted(texts))
