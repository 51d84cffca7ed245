"""Who may change a service's count: while we do, nothing else; afterwards whoever did before."""

from collections.abc import Mapping
from typing import Any

from rollbacks.platforms.ecs.calls import AUTOSCALING, Call
from rollbacks.platforms.ecs.scaling import ALL_SUSPENDED, Scaling, copied
from rollbacks.platforms.ecs.services import Service


def calm(call: Call, service: Service, now: Scaling | None) -> None:
    """Nothing but us changes its count; bounds, policies and schedule stay as they are.

    The bounds make room for what it has, since registering brings it between them.
    """
    if now is None or now.is_calm:
        return
    low, high = min(now.minimum, service.desired), max(now.maximum, service.desired)
    call.register_target(service.name, low, high, ALL_SUSPENDED)


def bring(call: Call, name: str, wanted: Scaling | None, now: Scaling | None) -> None:
    """The service scales by itself exactly so, or not at all."""
    if wanted is None:
        if now is not None:
            call.write(AUTOSCALING, "deregister_scalable_target", **call.scalable(name))
        return
    if now is None or not _is_same(wanted, now):
        call.register_target(name, wanted.minimum, wanted.maximum, wanted.suspended)
    _bring_policies(call, name, wanted, {} if now is None else _by_name(now))


def follow(call: Call, name: str, model: Scaling | None, suspended: Mapping[str, bool]) -> None:
    """A new service scales as the one before it, or the base service, does."""
    now = call.scalings([name]).get(name)
    if model is None:
        return
    wanted = Scaling(model.minimum, model.maximum, suspended, tuple(copied(model.policies)))
    bring(call, name, wanted, now)


def _is_same(wanted: Scaling, now: Scaling) -> bool:
    return (wanted.minimum, wanted.maximum, dict(wanted.suspended)) == (
        now.minimum,
        now.maximum,
        dict(now.suspended),
    )


def _by_name(scaling: Scaling) -> dict[str, Mapping[str, Any]]:
    return {str(each["PolicyName"]): each for each in scaling.policies}


def _bring_policies(
    call: Call, name: str, wanted: Scaling, has: Mapping[str, Mapping[str, Any]]
) -> None:
    which = call.scalable(name)
    for gone in sorted(has.keys() - _by_name(wanted).keys()):
        call.write(AUTOSCALING, "delete_scaling_policy", **which, PolicyName=gone)
    for policy, each in _by_name(wanted).items():
        if has.get(policy) != each:
            call.write(AUTOSCALING, "put_scaling_policy", **which, **each)
