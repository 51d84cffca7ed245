"""What AWS says of a step before it begins: rights, exact differences, who else acts."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rollbacks.platforms import numbering
from rollbacks.platforms.ami import checks, groups, policies, rights, series, templates, versions
from rollbacks.platforms.ami.calls import Looks
from rollbacks.platforms.ami.groups import Group, State, Template, states_in
from rollbacks.platforms.ami.releases import sizes_of
from rollbacks.platforms.aws import balancing
from rollbacks.platforms.aws.rights import ANYTHING, inspected
from rollbacks.platforms.base import (
    Difference,
    Inspection,
    StepSpec,
    TargetRef,
)
from rollbacks.platforms.differences import lines


def of_rights(target: TargetRef, spec: StepSpec) -> Inspection:
    """Of a step whose group is still to be made: whether it may do what it takes."""
    return _of_rights(Looks(target), spec, is_undo=False)


def of_setup(target: TargetRef, spec: StepSpec, arns: Iterable[str]) -> Inspection:
    """Of a step that makes a group: whether all is there that it is made from."""
    looks = Looks(target)
    allowed = _of_rights(looks, spec, is_undo=False)
    if allowed.problems:
        return allowed
    base, active = looks.base(), [each for each in looks.groups() if each.is_active]
    source = versions.resolved(looks, templates.template_of(base))
    image = spec.artifact.location if spec.artifact else ""
    problems = [
        *templates.unsupported(base),
        *balancing.missing(looks, arns, "instance", "instances"),
        *checks.of_image(looks, image, checks.types_of(base, source)),
    ]
    warnings = [
        *allowed.warnings,
        *templates.left_behind(base),
        *_unheard(looks, base),
        *_who_else(looks, active),
    ]
    return Inspection(
        (_made(looks, spec, source, image, active),), tuple(warnings), tuple(problems)
    )


def of_undo(
    target: TargetRef, spec: StepSpec, captured: Mapping[str, Any], *, deletes: bool = False
) -> Inspection:
    """Of the way back: what differs now from what was captured, and whether it can come back."""
    looks = Looks(target)
    allowed = _of_rights(looks, spec, is_undo=True)
    if allowed.problems:
        return allowed
    found = {each.name: each for each in looks.groups()}
    was = states_in(captured)
    there = [found[name] for name in was if name in found and not found[name].is_ending]
    gone = [
        f"{name} was deleted by somebody; it cannot be brought back as it was"
        for name in was
        if name not in {captured.get("new"), *(each.name for each in there)}
    ]
    differences = [_difference(looks, each, was[each.name]) for each in there]
    new = groups.of_release(found.values(), spec.release)
    if new is not None and deletes:
        differences.append(_difference(looks, new, None))
    differences += _weights(looks, captured)
    old = [each for each in there if each != new]
    return Inspection(
        tuple(each for each in differences if each.lines),
        (*allowed.warnings, *_who_else(looks, old), *(_exempt(new) if new else ())),
        (*gone, *checks.of_origins(looks, old)),
    )


def of_refresh_back(target: TargetRef, spec: StepSpec, captured: Mapping[str, Any]) -> Inspection:
    """Of the way back of a group whose instances were replaced."""
    looks = Looks(target)
    allowed = _of_rights(looks, spec, is_undo=True)
    if allowed.problems:
        return allowed
    was = captured["refreshed"]
    group = next((each for each in looks.groups() if each.name == was["name"]), None)
    if group is None or group.is_ending:
        return Inspection(
            problems=(f"{was['name']} was deleted by somebody; its instances cannot come back",)
        )
    wanted = Template(was["template"]["id"], was["template"]["version"])
    now = templates.template_of(group)
    difference = Difference(
        looks.key,
        f"instances of {group.name}",
        lines(
            {
                "template": now.own_id,
                "version": now.version,
                "release": group.version,
                **groups.state_of(group, looks.policies(group.name)).as_json,
            },
            {
                "template": wanted.own_id,
                "version": wanted.version,
                "release": was["version"],
                **captured["groups"][group.name],
            },
        ),
    )
    return Inspection(
        (difference,) if difference.lines else (),
        (*allowed.warnings, *_who_else(looks, [group])),
        tuple(checks.of_origin(looks, group.name, wanted)),
    )


def _of_rights(looks: Looks, spec: StepSpec, *, is_undo: bool) -> Inspection:
    """First whether it may look: what it acts upon is known only then."""
    settings = {**looks.target.settings, **spec.settings}
    actions = rights.of_step(spec.kind, settings, is_undo=is_undo)
    allowed = inspected(looks.api, rights.Things().needs(actions))
    if allowed.problems or allowed.warnings:
        return allowed
    needs = _things(looks, settings).needs(actions)
    return inspected(looks.api, {arn: needs[arn] for arn in needs if arn != ANYTHING})


def _things(looks: Looks, settings: Mapping[str, Any]) -> rights.Things:
    """The groups there are, the one that the next deployment would make, and where from."""
    found = looks.groups()
    number = numbering.next_number(each.number for each in found)
    new = series.name_of(looks.key, number)
    template = templates.template_of(looks.base()).own_id
    return rights.Things(
        groups=(
            looks.api.arn("autoscaling", f"autoScalingGroup:*:autoScalingGroupName/{new}"),
            *(str(each.described["AutoScalingGroupARN"]) for each in found if each.is_active),
        ),
        template=looks.api.arn("ec2", f"launch-template/{template}"),
        rule=settings.get("listener_rule"),
    )


def _unheard(looks: Looks, base: Group) -> Iterator[str]:
    described = looks.described_policies(base.name)
    if names := ", ".join(policies.unheard(described)):
        yield (
            f"The alarms of these policies of the base group do not act on the new group: {names}"
        )
    if names := ", ".join(
        str(each["PolicyName"]) for each in described if policies.is_per_target(each)
    ):
        yield f"These policies of the base group count requests of one target group: {names}"


def _who_else(looks: Looks, found: Iterable[Group]) -> Iterator[str]:
    """Who else changes these groups, and what of them stands still."""
    for group in found:
        yield from checks.managers_of(group)
        still = [each for each in group.suspended if each not in groups.ACTS_BY_ITSELF]
        if still:
            yield f"{group.name}: suspended processes: {', '.join(still)}"
        yield from _exempt(group)
        yield from checks.refreshes_of(looks, group)


def _exempt(group: Group) -> Iterator[str]:
    if group.is_exempt:
        yield f"Some instances of {group.name} are protected from scale-in, and will stay"


def _made(
    looks: Looks,
    spec: StepSpec,
    source: Mapping[str, Any],
    image: str,
    active: Sequence[Group],
) -> Difference:
    was = source["LaunchTemplateData"].get("ImageId", "")
    lines = [f"-ImageId: {was}", f"+ImageId: {image}"] if was != image else [f" ImageId: {image}"]
    sizes = sizes_of(spec.settings, active)
    return Difference(looks.key, "new group", (*lines, f"+minimum/maximum/desired: {sizes.text}"))


def _difference(looks: Looks, group: Group, was: State | None) -> Difference:
    now = groups.state_of(group, looks.policies(group.name))
    return Difference(looks.key, group.name, lines(now.as_json, was.as_json if was else None))


def _weights(looks: Looks, captured: Mapping[str, Any]) -> list[Difference]:
    if "actions" not in captured:
        return []
    now = balancing.actions_of(looks, str(looks.target.settings["listener_rule"]))
    return [Difference(looks.key, "listener rule", lines(now, captured["actions"]))]
