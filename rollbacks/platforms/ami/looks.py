"""What runs: the groups of a series that have instances, and who is sent to them."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rollbacks.platforms.ami import series, templates, troubles
from rollbacks.platforms.ami.calls import Looks
from rollbacks.platforms.ami.groups import Group, Machine, capacity_of
from rollbacks.platforms.aws import balancing
from rollbacks.platforms.aws.balancing import Health
from rollbacks.platforms.base import (
    Member,
    Observation,
    ObservedInstance,
    PlatformError,
    TargetRef,
)

_DIGEST = 20


def observed(target: TargetRef, instances: Sequence[str]) -> Observation:
    """Raises PlatformError only where nothing at all could be learned."""
    key = series.key_of(target)
    if unknown := [each for each in instances if each != key]:
        raise PlatformError(
            f"{', '.join(unknown)}: no such groups in {target.infrastructure}.", permanent=True
        )
    looks = Looks(target)
    found = looks.groups()
    try:
        return Observation((_seen(looks, found),))
    except PlatformError as fault:
        return Observation((ObservedInstance(key, None, message=f"{key}: {fault}"),))


def _seen(looks: Looks, found: Sequence[Group]) -> ObservedInstance:
    active = [each for each in found if each.is_active]
    if not active:
        return ObservedInstance(looks.key, "", message="No group has instances.", members=())
    rule = looks.target.settings["listener_rule"]
    weights = balancing.weights(balancing.actions_of(looks, rule)) if rule else {}
    arns = sorted({arn for group in active for arn in group.target_groups})
    health = {arn: balancing.health_in(looks, arn) for arn in arns}
    policies = {group.name: looks.policies(group.name) for group in active}
    members = [member for group in active for member in _members(group, health)]
    ill = [text for group in active if (text := _ill(group, health))]
    trouble = [text for group in active if ill and (text := troubles.of_group(looks, group.name))]
    serving = _serving(looks.target.settings, active, weights)
    return ObservedInstance(
        key=looks.key,
        identity=_identity(serving.version, active, policies, weights),
        version=serving.version,
        is_healthy=not ill,
        message="; ".join([*ill, *trouble, *_beside(active, serving)]),
        members=tuple(members),
    )


def _serving(
    settings: Mapping[str, Any], active: Sequence[Group], weights: Mapping[str, int]
) -> Group:
    """The newest of those that somebody is sent to; the newest of all where nobody is."""
    arns = {arn for arn, weight in weights.items() if weight} or set(settings["target_groups"])
    return next((each for each in active if arns & set(each.target_groups)), active[0])


def _identity(
    version: str,
    active: Iterable[Group],
    policies: Mapping[str, Any],
    weights: Mapping[str, int],
) -> str:
    """What exactly runs: equal for two looks between which nothing was changed."""
    every = [_declared(each, policies[each.name]) for each in active]
    text = json.dumps([every, weights], sort_keys=True)
    return f"{version}:{hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]}"


def _declared(group: Group, policies: Sequence[Any]) -> dict[str, Any]:
    """How many instances it has is no part of it where its own policies say that."""
    has_own_count = policies and not group.is_calm
    return {
        "name": group.name,
        "from": group.described.get("MixedInstancesPolicy")
        or group.described.get("LaunchTemplate")
        or group.described.get("LaunchConfigurationName"),
        "runs": sorted({str(each.template) for each in group.staying}),
        "minimum": group.sizes.minimum,
        "maximum": group.sizes.maximum,
        "desired": None if has_own_count else group.sizes.desired,
        "target_groups": group.target_groups,
        "suspended": group.suspended,
        "policies": policies,
    }


def _members(group: Group, health: Mapping[str, Mapping[str, Health]]) -> list[Member]:
    """While they are replaced, some are not of the version that the group is of."""
    runs = templates.launched_by(group.described)
    is_floating = runs is not None and runs.version.startswith("$")
    return [
        Member(
            each.own_id,
            group.version if each.template in (runs, None) or is_floating else "",
            None if each.is_leaving else _is_well(each, group, health),
            _state(each, group, health),
        )
        for each in sorted(group.machines, key=lambda each: each.own_id)
    ]


def _is_well(machine: Machine, group: Group, health: Mapping[str, Mapping[str, Health]]) -> bool:
    """In service, and healthy in every target group that its group is attached to."""
    told = [health[arn].get(machine.own_id) for arn in group.target_groups]
    return machine.is_in_service and all(each is not None and each.is_healthy for each in told)


def _state(machine: Machine, group: Group, health: Mapping[str, Mapping[str, Health]]) -> str:
    if not machine.is_in_service:
        return machine.state if machine.is_healthy else f"{machine.state}, unhealthy"
    told = {balancing.short(arn): health[arn].get(machine.own_id) for arn in group.target_groups}
    return ", ".join(
        f"{name}: {each.reason or each.state}" if each else f"not in {name}"
        for name, each in told.items()
        if each is None or not each.is_healthy
    )


def _ill(group: Group, health: Mapping[str, Mapping[str, Health]]) -> str:
    well = [each for each in group.staying if _is_well(each, group, health)]
    if capacity_of(well) >= group.sizes.desired:
        return ""
    return f"{group.name}: {capacity_of(well)} of {group.sizes.desired} instances are well"


def _beside(active: Sequence[Group], serving: Group) -> list[str]:
    return [
        f"{each.name} has {each.sizes.desired} instances of {each.version or 'no known version'}"
        for each in active
        if each is not serving
    ]
