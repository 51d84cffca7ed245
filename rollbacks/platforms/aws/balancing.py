"""Elastic Load Balancing: whether targets are healthy, and where listeners and rules send to."""

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from rollbacks.platforms.aws.api import Api
from rollbacks.platforms.base import PlatformError

ELB = "elbv2"
WHOLE = 100
_HEALTHY = "healthy"
_DRAINING = "draining"
_RULE = ":listener-rule/"


class Looks(Protocol):
    """Whoever may ask about an account."""

    api: Api


class Call(Looks, Protocol):
    """Whoever may also change something there."""

    def write(self, service: str, operation: str, /, **parameters: Any) -> Mapping[str, Any]: ...


@dataclass(frozen=True)
class Health:
    """Of one target, by the checks of its target group."""

    state: str
    reason: str = ""

    @property
    def is_healthy(self) -> bool:
        return self.state == _HEALTHY


def short(arn: str) -> str:
    """A target group as people call it."""
    return arn.split("/")[1] if arn.count("/") > 1 else arn


def health_in(looks: Looks, arn: str) -> dict[str, Health]:
    """Every target of the target group, by the id of its instance, in one request."""
    return {own_id: health for (own_id, _), health in health_by_port(looks, arn).items()}


def health_by_port(looks: Looks, arn: str) -> dict[tuple[str, int], Health]:
    """Every target of the target group, by its id and port, in one request."""
    found = looks.api.read(ELB, "describe_target_health", TargetGroupArn=arn)
    every = ((each["Target"], each["TargetHealth"]) for each in found[_DESCRIPTIONS])
    return {
        (target["Id"], int(target["Port"])): Health(
            told["State"], told.get("Description") or told.get("Reason") or ""
        )
        for target, told in every
        if told["State"] != _DRAINING
    }


_DESCRIPTIONS = "TargetHealthDescriptions"


def target_groups(looks: Looks, arns: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Those that are there, by ARN."""
    wanted = sorted(set(arns))
    if not wanted:
        return {}
    found = looks.api.pages(ELB, "describe_target_groups", "TargetGroups", TargetGroupArns=wanted)
    return {each["TargetGroupArn"]: each for each in found}


def missing(looks: Looks, arns: Iterable[str], kind: str, takes: str) -> Iterator[str]:
    """Those that are not there, that nobody sends anything to (there nothing gets healthy), or
    that are not of this kind; `takes`: what such a target group takes, for a person."""
    wanted = list(arns)
    try:
        found = target_groups(looks, wanted)
    except PlatformError as error:
        if not error.permanent:
            raise
        yield f"The target groups cannot be read: {error}"
        return
    for arn in wanted:
        if arn not in found:
            yield f"The target group {short(arn)} is not there"
        elif not found[arn].get("LoadBalancerArns"):
            yield (
                f"No load balancer uses the target group {short(arn)}: its targets are never "
                "healthy"
            )
        elif found[arn].get("TargetType", "instance") != kind:
            yield f"The target group {short(arn)} does not take {takes}"


Actions = list[dict[str, Any]]


def actions_of(looks: Looks, arn: str) -> Actions:
    """What the listener or the rule does, as it is told to; PlatformError where there is none."""
    if _RULE in arn:
        return _of_rule(looks, arn)
    found = looks.api.read(ELB, "describe_listeners", ListenerArns=[arn])["Listeners"]
    if not found:
        raise PlatformError(
            f"The listener {arn} of the infrastructure definition is not there.", permanent=True
        )
    return [_as_taken(each) for each in found[0]["DefaultActions"]]


def _of_rule(looks: Looks, rule: str) -> Actions:
    found = looks.api.read(ELB, "describe_rules", RuleArns=[rule])["Rules"]
    if not found:
        raise PlatformError(
            f"The listener rule {rule} of the infrastructure definition is not there.",
            permanent=True,
        )
    if found[0].get("IsDefault"):
        raise PlatformError(
            f"{rule} is the listener's default rule, which cannot be changed; name another.",
            permanent=True,
        )
    return [_as_taken(each) for each in found[0]["Actions"]]


def _as_taken(action: Mapping[str, Any]) -> dict[str, Any]:
    """AWS tells no client secret, and keeps the one it has if it is asked to."""
    taken = copy.deepcopy(dict(action))
    if "AuthenticateOidcConfig" in taken:
        taken["AuthenticateOidcConfig"].pop("ClientSecret", None)
        taken["AuthenticateOidcConfig"]["UseExistingClientSecret"] = True
    if len((taken.get("ForwardConfig") or {}).get("TargetGroups") or ()) > 1:
        taken.pop("TargetGroupArn", None)
    return taken


def weights(actions: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """By target group; PlatformError unless there are two that share what comes."""
    found = forwarded(actions)
    if len(found) != 2:
        raise PlatformError(
            f"The listener rule forwards to {len(found)} target groups; it takes two, one with the "
            "weight 0, to shift traffic from the other.",
            permanent=True,
        )
    return found


def forwarded(actions: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """The weight of each target group that the actions forward to."""
    found: dict[str, int] = {}
    for action in actions:
        groups = (action.get("ForwardConfig") or {}).get("TargetGroups") or ()
        found |= {each["TargetGroupArn"]: int(each.get("Weight", 1)) for each in groups}
        if not groups and action.get("TargetGroupArn"):
            found[action["TargetGroupArn"]] = 1
    return found


def idle_in(actions: Sequence[Mapping[str, Any]]) -> str:
    """The target group that gets nothing; PlatformError unless there is one."""
    found = [arn for arn, weight in weights(actions).items() if not weight]
    if len(found) != 1:
        raise PlatformError(
            "Both target groups of the listener rule get traffic, or neither: nobody can say "
            "which of them is free for the new release. Set the weight of one to 0.",
            permanent=True,
        )
    return found[0]


def weighed(actions: Sequence[Mapping[str, Any]], new: str, weight: int) -> Actions:
    """The same with this weight for the new group's target group, and the rest for the other."""
    changed = copy.deepcopy([dict(each) for each in actions])
    for action in changed:
        for each in (action.get("ForwardConfig") or {}).get("TargetGroups") or ():
            is_new = each["TargetGroupArn"] == new
            each["Weight"] = weight if is_new else WHOLE - weight
    return changed


def swapped(actions: Actions, one: str, other: str) -> Actions:
    """The same, but each of the two target groups in the place of the other."""
    instead = {one: other, other: one}
    changed = copy.deepcopy(actions)
    for action in changed:
        places: list[dict[str, Any]] = [
            action,
            *((action.get("ForwardConfig") or {}).get("TargetGroups") or ()),
        ]
        for each in places:
            if each.get("TargetGroupArn") in instead:
                each["TargetGroupArn"] = instead[each["TargetGroupArn"]]
    return changed


def bring_actions(call: Call, arn: str, wanted: Actions) -> None:
    """The listener or the rule does exactly this."""
    if actions_of(call, arn) == wanted:
        return
    if _RULE in arn:
        call.write(ELB, "modify_rule", RuleArn=arn, Actions=wanted)
    else:
        call.write(ELB, "modify_listener", ListenerArn=arn, DefaultActions=wanted)
