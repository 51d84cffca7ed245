"""What AWS says of a step of a series before it begins: rights, differences, who else acts."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rollbacks.platforms.aws import balancing
from rollbacks.platforms.aws.rights import inspected
from rollbacks.platforms.base import Difference, Inspection, PlatformError, StepSpec, TargetRef
from rollbacks.platforms.differences import lines
from rollbacks.platforms.ecs import (
    checks,
    dns,
    releases,
    rights,
    routing,
    scaling,
    series,
    services,
)
from rollbacks.platforms.ecs.calls import Looks
from rollbacks.platforms.ecs.definitions import Definition, short, taking
from rollbacks.platforms.ecs.services import Service
from rollbacks.platforms.ecs.states import GONE, State, state_of, states_in

Captured = Mapping[str, Any]


def of_rights(target: TargetRef, spec: StepSpec) -> Inspection:
    """Of a step whose service is still to be made: whether it may do what it takes."""
    return _series_rights(Looks(target), spec, (), is_undo=False)


def of_setup(target: TargetRef, spec: StepSpec) -> Inspection:
    """Of a step that makes a service: whether all is there that it is made from."""
    looks = Looks(target)
    if problems := tuple(checks.of_cluster(looks)):
        return Inspection(problems=problems)
    base = looks.one(series.base_of(target))
    model = looks.definition(spec.settings["task_definition"] or base.definition)
    allowed = _series_rights(looks, spec, [model], is_undo=False)
    if allowed.problems:
        return allowed
    active = [each for each in looks.services() if each.is_active]
    image = spec.artifact.location if spec.artifact else ""
    problems = (
        *checks.of_service(looks, base),
        *checks.of_places(looks, [base]),
        *checks.of_base(base),
        *checks.of_definition(looks, model),
    )
    try:
        taken = taking(model, image, spec.settings["containers"])
    except PlatformError as error:
        return Inspection(problems=(*problems, str(error)))
    count = releases.desired_of(spec.settings, active)
    now = {each: model.images[each] for each in taken}
    made = (*lines(now, dict.fromkeys(taken, image)), f"+tasks: {count}")
    return Inspection(
        (Difference(looks.key, "new service", made),),
        (*allowed.warnings, *_unheard(looks, [*active, base]), *who_else(active)),
        problems,
    )


def of_undo(target: TargetRef, spec: StepSpec, captured: Captured) -> Inspection:
    """Of the way back: what differs now from what was captured, and whether it can come back."""
    looks = Looks(target)
    if problems := tuple(checks.of_cluster(looks)):
        return Inspection(problems=problems)
    allowed = _series_rights(looks, spec, (), is_undo=True)
    if allowed.problems:
        return allowed
    found = {each.name: each for each in looks.services()}
    was = states_in(captured)
    there = [found[name] for name in was if name in found]
    new = services.of_release(found.values(), spec.release)
    old = [each for each in there if each != new]
    problems = (
        *(
            f"{name} was deleted by somebody; it cannot be brought back as it was"
            for name in was
            if name not in found and name != captured.get("new")
        ),
        *(
            text
            for each in old
            for text in checks.of_revision(looks, each.name, was[each.name].definition)
        ),
        *checks.of_places(looks, old),
    )
    differences = [_difference(looks, each, was[each.name]) for each in there]
    if new is not None and new not in there:
        differences.append(_difference(looks, new, GONE))
    differences += _routes(looks, captured)
    drift = (
        f"{each.name} runs {short(each.definition)}, not {short(was[each.name].definition)}: "
        "somebody has changed it since"
        for each in old
        if each.definition != was[each.name].definition
    )
    return Inspection(
        tuple(each for each in differences if each.lines),
        (*allowed.warnings, *drift, *who_else(there)),
        problems,
    )


def _series_rights(
    looks: Looks, spec: StepSpec, models: Iterable[Definition], *, is_undo: bool
) -> Inspection:
    wanted = list(models)
    account = rights.Account(looks.api.caller, str(looks.target.connector["region"]), looks.cluster)
    needs = rights.of_series(
        account,
        spec.kind,
        looks.target.settings,
        looks.key,
        [each.family for each in wanted],
        sorted({role for each in wanted for role in each.roles}),
        is_undo=is_undo,
    )
    return inspected(looks.api, needs)


def _difference(looks: Looks, service: Service, was: State) -> Difference:
    now = state_of(service, looks.scalings([service.name]).get(service.name))
    if was is GONE:
        was = State(0, now.definition, now.color, settings=now.settings)
    return Difference(looks.key, service.name, lines(now.as_json, was.as_json))


def _routes(looks: Looks, captured: Captured) -> list[Difference]:
    found = []
    if "listeners" in captured:
        now = routing.listeners_of(looks)
        for arn, actions in captured["listeners"].items():
            what = f"listener {balancing.short(arn)}"
            found.append(Difference(looks.key, what, lines(now.get(arn), actions)))
    if "records" in captured:
        records = dns.records_of(looks)
        found.append(Difference(looks.key, "records", lines(records, captured["records"])))
    return found


def who_else(found: Iterable[Service]) -> Iterator[str]:
    """Who else changes these services now."""
    for service in found:
        if stack := service.tags.get("aws:cloudformation:stack-name"):
            yield (
                f"The CloudFormation stack {stack} manages {service.name}: its next update brings "
                "back what it declares. Revert there, too."
            )
        if len(service.deployments) > 1 or service.primary.get("rolloutState") == "IN_PROGRESS":
            yield f"A deployment of {service.name} to {short(service.definition)} is in progress"


def _unheard(looks: Looks, found: Iterable[Service]) -> Iterator[str]:
    """What of auto scaling a new service does not get."""
    for name, each in looks.scalings(one.name for one in found).items():
        for policy in each.policies:
            if scaling.is_by_step(policy):
                yield (
                    f"The alarms of {policy['PolicyName']} of {name} do not act on the new "
                    "service: name its new policy in them"
                )
            elif scaling.is_per_target(policy):
                yield f"{policy['PolicyName']} of {name} counts the requests of one target group"
