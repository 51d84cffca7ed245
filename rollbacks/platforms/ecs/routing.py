"""Blue/green with a load balancer: which target groups the two listeners send to."""

from collections.abc import Mapping

from rollbacks.platforms.aws import balancing
from rollbacks.platforms.aws.balancing import Actions
from rollbacks.platforms.base import PlatformError
from rollbacks.platforms.ecs.calls import Call, Looks

bring = balancing.bring_actions
swapped = balancing.swapped


def listeners_of(looks: Looks) -> dict[str, Actions]:
    """What production and test do, by ARN, in this order."""
    named: Mapping[str, str] = looks.target.settings["listeners"]
    return {arn: balancing.actions_of(looks, arn) for arn in (named["production"], named["test"])}


def groups_in(listeners: Mapping[str, Actions]) -> tuple[str, str]:
    """The target group that serves, and the one that waits; PlatformError unless there is one of
    each."""
    production, test = (_only(arn, actions) for arn, actions in listeners.items())
    if production == test:
        raise PlatformError(
            f"Production and test send to the same target group, {balancing.short(test)}: nobody "
            "can say where a new service could wait. Let them send to two.",
            permanent=True,
        )
    return production, test


def _only(arn: str, actions: Actions) -> str:
    found = [group for group, weight in balancing.forwarded(actions).items() if weight]
    if len(found) != 1:
        raise PlatformError(
            f"{arn} sends to {len(found)} target groups; it must be one.", permanent=True
        )
    return found[0]


def swap(call: Call, captured: Mapping[str, Actions]) -> None:
    """Production first: nobody is to be without a service for the test's sake."""
    one, other = groups_in(captured)
    for arn, actions in captured.items():
        bring(call, arn, swapped(actions, one, other))
