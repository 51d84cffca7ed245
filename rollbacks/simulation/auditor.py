"""Holds what the hosts saw against the journal. Pure: no database, no clock, no chance.

Each rule yields a sentence for everything that breaks it.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise

from dashboard.models import ACTIVE, Status, StepStatus
from rollbacks.lifecycle import TRANSITIONS
from rollbacks.observation import Verdict
from rollbacks.simulation.records import Evidence, ExecutionRecord
from rollbacks.simulation.scheduler import SECOND
from rollbacks.simulation.world import Call, Parts, Verb, identity, replayed, version

ABORT_IS_NOTICED_WITHIN = 2 * SECOND
# Between asking for the right and beginning the step, a worker that is not held up does nothing.
RIGHT_IS_NOTICED_WITHIN = SECOND // 10

Rule = Callable[[Evidence], Iterator[str]]


def violations(evidence: Evidence) -> list[str]:
    """Every sentence of every rule; none if all is as it should be."""
    return [sentence for rule in RULES for sentence in rule(evidence)]


def each_effect_once(evidence: Evidence) -> Iterator[str]:
    """A step changes a part of a host once, however often it is called."""
    done = Counter(
        (call.deployment, call.step, call.instance, call.verb)
        for call in evidence.calls
        if call.has_effect
    )
    for (deployment, step, host, verb), count in done.items():
        if count > 1:
            yield f"{host} was changed {count} times by {verb} of step {step} ({deployment})."


def effects_in_order(evidence: Evidence) -> Iterator[str]:
    """Phases and steps as in the journal; none before the one ahead of it has succeeded."""
    for execution in evidence.executions:
        places = [evidence.steps[call.step].place for call in evidence.effects(execution)]
        for earlier, later in pairwise(places):
            if later < earlier:
                yield f"{execution}: step {later} changed something after step {earlier} had."


def back_in_reverse(evidence: Evidence) -> Iterator[str]:
    """What was done last is undone first: R2 before R1."""
    for execution in evidence.executions:
        undone = [
            evidence.steps[step.undoes].place
            for step in execution.steps
            if step.undoes is not None and step.undoes in evidence.steps
        ]
        for earlier, later in pairwise(undone):
            if later >= earlier:
                yield f"{execution} undoes {later} after {earlier}, which was done before it."


def no_stale_epoch(evidence: Evidence) -> Iterator[str]:
    """Once a newer worker was seen, an older one changes nothing."""
    newest: dict[int, int] = {}
    for call in evidence.calls:
        seen = newest.setdefault(call.deployment, call.epoch)
        if call.has_effect and call.epoch < seen:
            yield (
                f"{call.worker} changed {call.instance} with epoch {call.epoch} "
                f"after epoch {seen} was seen (execution {call.deployment})."
            )
        newest[call.deployment] = max(seen, call.epoch)


def one_at_a_time(evidence: Evidence) -> Iterator[str]:
    """An execution changes its target between its beginning and its end, when no other one does."""
    begun = [each for each in evidence.executions if each.began_at is not None]
    for execution in begun:
        for call in evidence.effects(execution):
            if not _is_within(execution, call.at):
                yield f"{execution} changed {call.instance} outside its time."
            elif any(
                other.pk != execution.pk
                and other.target == execution.target
                and _is_within(other, call.at)
                for other in begun
            ):
                yield f"{execution} changed {call.instance} while another one held the target."


def _is_within(execution: ExecutionRecord, moment: int) -> bool:
    began = execution.began_at
    is_over = execution.status not in ACTIVE and moment > execution.ended_at
    return began is not None and began <= moment and not is_over


def statuses_by_the_table(evidence: Evidence) -> Iterator[str]:
    """Each event follows from the one before, and the last one is the status."""
    for execution in evidence.executions:
        story = [event.status for event in execution.events]
        if not story or story[0] != Status.QUEUED:
            yield f"{execution} was not queued first."
        for earlier, later in pairwise(story):
            if later not in TRANSITIONS[earlier]:
                yield f"{execution} went from {earlier} to {later}."
        if story and story[-1] != execution.status:
            yield f"{execution} is {execution.status}, but its last event is {story[-1]}."


def captured_before_changed(evidence: Evidence) -> Iterator[str]:
    """What a step keeps to return to is what was there before it changed anything."""
    for execution in evidence.executions:
        first: dict[tuple[int, str], Call] = {}
        for call in evidence.effects(execution):
            if call.verb == Verb.APPLY:
                first.setdefault((call.step, call.instance), call)
        for (step, host), call in first.items():
            kept = (evidence.steps[step].captured or {}).get(host)
            if kept != call.before:
                yield f"{execution} keeps {kept!r} of {host}, where {call.before!r} was."


def nothing_after_an_abort(evidence: Evidence) -> Iterator[str]:
    """No changing call begins later than two seconds after an abort, by a worker that runs."""
    for execution in evidence.executions:
        aborted = next((e.at for e in execution.events if e.status == Status.ABORTING), None)
        for call in evidence.effects(execution) if aborted is not None else ():
            if call.at > max(aborted or 0, call.undisturbed_since) + ABORT_IS_NOTICED_WITHIN:
                yield f"{execution} changed {call.instance} long after it was aborted."


def nothing_without_the_right(evidence: Evidence) -> Iterator[str]:
    """No step begins once the person responsible has lost the right."""
    for execution in evidence.executions:
        for call in evidence.effects(execution):
            began = evidence.steps[call.step].started_at
            if began is None or call.verb == Verb.CAPTURE:
                yield f"{execution} changed {call.instance} in a step that had not begun."
            elif lost := _lost_before(evidence, execution, began):
                noticed = max(lost, call.undisturbed_since) + RIGHT_IS_NOTICED_WITHIN
                if began > noticed:
                    yield f"{execution} began a step on {call.instance} without the right."


def _lost_before(evidence: Evidence, execution: ExecutionRecord, moment: int) -> int | None:
    """When the person responsible lost the right, if it was so at that moment."""
    changes = [
        each for each in evidence.rights
        if each.person == execution.responsible and each.at <= moment
    ]  # fmt: skip
    return changes[-1].at if changes and not changes[-1].is_held else None


def verdicts_are_true(evidence: Evidence) -> Iterator[str]:
    """Every host has one verdict, and it says what the host ran when the execution ended."""
    for execution in evidence.executions:
        if execution.after is None:
            continue
        said = execution.after["instances"]
        if sorted(each["key"] for each in said) != sorted(evidence.initial):
            yield f"{execution} has not one verdict for each host."
        truth = replayed(evidence.initial, evidence.calls, _looked_until(execution))
        for each in said:
            yield from _judged_falsely(evidence, execution, each, truth[each["key"]])


def _looked_until(execution: ExecutionRecord) -> int:
    """To the end of it; what pauses and goes on looks again before it ends."""
    return execution.ended_at


def _judged_falsely(
    evidence: Evidence, execution: ExecutionRecord, each: dict[str, str], parts: Parts
) -> Iterator[str]:
    verdict, host = each["verdict"], each["key"]
    if each["identity"] is not None and each["identity"] != identity(parts):
        yield f"{execution} says {host} runs {each['identity']}; it runs {identity(parts)}."
    if (each["identity"] is None) != (verdict == Verdict.UNKNOWN) and verdict != Verdict.UNTOUCHED:
        yield f"{execution}: {host} is {verdict}, though {'not ' * (not each['identity'])}seen."
    if verdict == Verdict.ROLLED_BACK and parts != _before(evidence, execution)[host]:
        yield f"{execution}: {host} is not as before, and {verdict} is its verdict."
    if verdict == Verdict.DEPLOYED and version(parts) != execution.version:
        yield f"{execution}: {host} runs {version(parts)}, and {verdict} is its verdict."


def _before(evidence: Evidence, execution: ExecutionRecord) -> dict[str, dict[str, str]]:
    """What ran before the deployment that is undone (of a deployment: itself) began."""
    undone = evidence.execution(execution.rolls_back) if execution.rolls_back else execution
    return replayed(evidence.initial, evidence.calls, undone.began_at or 0)


def success_is_true(evidence: Evidence) -> Iterator[str]:
    """A rollback that succeeded left the world as it was; a deployment brought its version."""
    for execution in evidence.executions:
        is_undone = execution.code == "ROLLED_BACK"
        if execution.status != Status.SUCCEEDED and not is_undone:
            continue
        truth = replayed(evidence.initial, evidence.calls, execution.ended_at)
        if any(step.status not in _CLOSED for step in execution.steps):
            yield f"{execution} ended with steps left open."
        if execution.rolls_back or is_undone:
            if truth != _before(evidence, execution):
                yield f"{execution} is {execution.code}, and the world is not as before."
        elif execution.code == "VERIFIED":
            yield from _not_brought(execution, truth)


_CLOSED = {StepStatus.SUCCEEDED, StepStatus.SKIPPED, StepStatus.FAILED, StepStatus.ABORTED}


def _not_brought(execution: ExecutionRecord, truth: dict[str, dict[str, str]]) -> Iterator[str]:
    hosts = {key for step in execution.steps for key in step.instances}
    for host in sorted(hosts):
        if version(truth[host]) != execution.version:
            yield f"{execution} succeeded, and {host} runs {version(truth[host])}."


def nobody_else_is_to_blame(evidence: Evidence) -> Iterator[str]:
    """Nobody else touches these hosts, so a rollback that did all its steps is as before."""
    for execution in evidence.executions:
        if execution.code in {"VERIFICATION_FAILED", "INTERNAL_ERROR"}:
            yield f"{execution} is {execution.code}: {execution.message}"


def failure_has_a_reason(evidence: Evidence) -> Iterator[str]:
    """What failed, failed at a step; what was aborted, somebody aborted."""
    for execution in evidence.executions:
        steps = {step.status for step in execution.steps}
        if execution.code in {"STEP_FAILED", "ROLLED_BACK"} and StepStatus.FAILED not in steps:
            yield f"{execution} is {execution.code}, and no step failed."
        story = {event.code for event in execution.events}
        if execution.status == Status.ABORTED and "ABORTED_BY" not in story:
            yield f"{execution} was aborted by nobody."


def aborted_goes_no_further(evidence: Evidence) -> Iterator[str]:
    """An abort runs no rollback step that was not already being run, and ends nothing else."""
    for execution in evidence.executions:
        story = [event.status for event in execution.events]
        if Status.ABORTING in story and story[-1] not in {Status.ABORTING, Status.ABORTED}:
            yield f"{execution} was aborted and is {story[-1]}."


def touched_is_told(evidence: Evidence) -> Iterator[str]:
    """The end of an aborted execution names every host it changed."""
    for execution in evidence.executions:
        if execution.status != Status.ABORTED:
            continue
        for host in sorted({call.instance for call in evidence.effects(execution)}):
            if f"{host} at" not in execution.message:
                yield f"{execution} changed {host} and does not say so: {execution.message}"


def nothing_is_stuck(evidence: Evidence) -> Iterator[str]:
    """When nothing goes wrong any more, everything comes to its end."""
    if not evidence.has_settled:
        yield "Not everything came to its end."
    for execution in evidence.executions:
        if execution.status in ACTIVE:
            yield f"{execution} is stuck {execution.status} {execution.code}."


def nothing_broke(evidence: Evidence) -> Iterator[str]:
    """No exception but those of a database that was away left a worker or a request."""
    yield from evidence.surprises


RULES: tuple[Rule, ...] = (
    each_effect_once,
    effects_in_order,
    back_in_reverse,
    no_stale_epoch,
    one_at_a_time,
    statuses_by_the_table,
    captured_before_changed,
    nothing_after_an_abort,
    nothing_without_the_right,
    verdicts_are_true,
    success_is_true,
    nobody_else_is_to_blame,
    failure_has_a_reason,
    aborted_goes_no_further,
    touched_is_told,
    nothing_is_stuck,
    nothing_broke,
)
