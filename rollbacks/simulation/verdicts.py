"""The auditor's rules about what is said: statuses, outcomes, reasons. Pure, as `auditor` is."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

from dashboard.models import ACTIVE, Direction, Status, StepStatus
from rollbacks.journal import RETRYING
from rollbacks.lifecycle import TRANSITIONS
from rollbacks.simulation.records import EventRecord, Evidence, ExecutionRecord
from rollbacks.simulation.world import Parts, identity, replayed, version
from rollbacks.verdicts import Verdict

_OPEN = {StepStatus.QUEUED, StepStatus.RUNNING}
_PASSED = {StepStatus.SUCCEEDED, StepStatus.IGNORED}


def statuses_by_the_table(evidence: Evidence) -> Iterator[str]:
    """Each event follows from the one before, and the last one is the status."""
    for execution in evidence.executions:
        story = [event.status for event in execution.events if event.code != RETRYING]
        if not story or story[0] != Status.QUEUED:
            yield f"{execution} was not queued first."
        for earlier, later in pairwise(story):
            if later not in TRANSITIONS[earlier]:
                yield f"{execution} went from {earlier} to {later}."
        if story and story[-1] != execution.status:
            yield f"{execution} is {execution.status}, but its last event is {story[-1]}."


def every_rest_has_a_reason(evidence: Evidence) -> Iterator[str]:
    """What pauses or ends has a code and a sentence."""
    for execution in evidence.executions:
        for event in execution.events:
            if _is_at_rest(event) and not (event.code and event.message):
                yield f"{execution} is {event.status} and does not say why."


def _is_at_rest(event: EventRecord) -> bool:
    return event.status == Status.PAUSED or event.status not in ACTIVE


def verdicts_are_true(evidence: Evidence) -> Iterator[str]:
    """Every instance has one verdict, and it says what the instance ran at the end."""
    for execution in evidence.executions:
        if execution.after is None:
            continue
        said = execution.after["instances"]
        if sorted(each["key"] for each in said) != sorted(evidence.initial):
            yield f"{execution} has not one verdict for each instance."
        truth = replayed(evidence.initial, evidence.calls, execution.ended_at)
        for each in said:
            yield from _judged_falsely(evidence, execution, each, truth[each["key"]])


def _judged_falsely(
    evidence: Evidence, execution: ExecutionRecord, each: dict[str, Any], parts: Parts
) -> Iterator[str]:
    verdict, key = each["verdict"], each["key"]
    if each["identity"] is not None and each["identity"] != identity(parts):
        yield f"{execution} says {key} runs {each['identity']}; it runs {identity(parts)}."
    if each["identity"] is None and verdict not in {Verdict.UNKNOWN, Verdict.UNTOUCHED}:
        yield f"{execution}: {key} is {verdict}, though not seen."
    if verdict == Verdict.ROLLED_BACK and parts != _before(evidence, execution)[key]:
        yield f"{execution}: {key} is not as before, and {verdict} is its verdict."
    if verdict == Verdict.DEPLOYED and version(parts) != execution.version:
        yield f"{execution}: {key} runs {version(parts)}, and {verdict} is its verdict."


def _before(evidence: Evidence, execution: ExecutionRecord) -> dict[str, dict[str, str]]:
    """What ran before the deployment that is undone (of a deployment: itself) began."""
    undone = evidence.execution(execution.rolls_back) if execution.rolls_back else execution
    began = undone.began_at if undone else None
    return replayed(evidence.initial, evidence.calls, began or 0)


def success_is_true(evidence: Evidence) -> Iterator[str]:
    """A rollback that succeeded left the world as it was; a deployment brought its version."""
    for execution in evidence.executions:
        truth = replayed(evidence.initial, evidence.calls, execution.ended_at)
        if _is_back(execution):
            if truth != _before(evidence, execution):
                yield f"{execution} is {execution.code}, and the world is not as before."
        elif execution.status == Status.SUCCEEDED and not _has_ignored(execution):
            yield from _not_brought(execution, truth)
        elif execution.code == "PHASE_ROLLED_BACK":
            yield from _not_taken_back(evidence, execution, truth)


def _has_ignored(execution: ExecutionRecord) -> bool:
    return any(step.status == StepStatus.IGNORED for step in execution.steps)


def _not_taken_back(
    evidence: Evidence, execution: ExecutionRecord, truth: dict[str, dict[str, str]]
) -> Iterator[str]:
    """Where only the phase that failed was, it is as before; elsewhere is what was deployed."""
    undone = [step for step in execution.steps if step.direction == Direction.BACK]
    phases = {evidence.steps[step.undoes].place[0] for step in undone if step.undoes is not None}
    stays = {
        key
        for step in execution.steps
        if step.direction == Direction.FORWARD
        and step.captured is not None
        and step.place[0] not in phases
        for key in step.instances
    }
    before = _before(evidence, execution)
    for key in sorted({key for step in undone for key in step.instances} - stays):
        if truth[key] != before[key]:
            yield f"{execution} is {execution.code}, and {key} is not as before."
    ignored = {
        key
        for step in execution.steps
        if step.status == StepStatus.IGNORED
        for key in step.instances
    }
    for key in sorted(stays - ignored):
        if version(truth[key]) != execution.version:
            yield f"{execution} is {execution.code}, and {key} runs {version(truth[key])}."


def _is_back(execution: ExecutionRecord) -> bool:
    is_rollback = execution.rolls_back and execution.status == Status.SUCCEEDED
    return bool(is_rollback) or execution.code == "ROLLED_BACK"


def _not_brought(execution: ExecutionRecord, truth: dict[str, dict[str, str]]) -> Iterator[str]:
    for key in sorted({key for step in execution.steps for key in step.instances}):
        if version(truth[key]) != execution.version:
            yield f"{execution} succeeded, and {key} runs {version(truth[key])}."


def success_was_seen(evidence: Evidence) -> Iterator[str]:
    """Only a look after the last change, by the execution itself, makes a success one.

    But for what failed before it had captured anything: it has nothing to show.
    """
    for execution in evidence.executions:
        is_success = _is_back(execution) or execution.code == "VERIFIED"
        if not is_success or _has_nothing_to_undo(evidence, execution):
            continue
        changed = max((call.at for call in evidence.effects(execution)), default=0)
        began = max(changed, execution.began_at or 0)
        looks = [
            look for look in evidence.looks
            if look.deployment == execution.pk and began < look.at <= execution.ended_at
        ]  # fmt: skip
        # The first look is the one before anything is touched.
        if len(looks) < (1 if changed else 2):
            yield f"{execution} is {execution.code}, and nobody looked."


def _has_nothing_to_undo(evidence: Evidence, execution: ExecutionRecord) -> bool:
    is_undone = any(step.direction == Direction.BACK for step in execution.steps)
    return execution.code == "ROLLED_BACK" and not is_undone and not evidence.effects(execution)


def steps_are_closed(evidence: Evidence) -> Iterator[str]:
    """Nothing is left open in the journal of what has ended, and a success did every step."""
    for execution in evidence.executions:
        statuses = {step.status for step in execution.steps}
        if execution.status not in ACTIVE and statuses & _OPEN:
            yield f"{execution} ended with steps left open."
        if execution.status == Status.SUCCEEDED and not statuses <= _PASSED:
            yield f"{execution} succeeded, and its steps are {', '.join(sorted(statuses))}."


def nobody_else_is_to_blame(evidence: Evidence) -> Iterator[str]:
    """Nobody else touches these instances, so a rollback that did all its steps is as before."""
    for execution in evidence.executions:
        is_ours = execution.code == "VERIFICATION_FAILED" and not _has_ignored(execution)
        if is_ours or execution.code == "INTERNAL_ERROR":
            yield f"{execution} is {execution.code}: {execution.message}"


_FAILED = {"STEP_FAILED", "ROLLED_BACK", "PHASE_ROLLED_BACK"}


def each_retry_is_told(evidence: Evidence) -> Iterator[str]:
    """A retry is counted and told in one; none is lost or done twice by a crash."""
    for execution in evidence.executions:
        told = [e for e in execution.events if e.code == RETRYING or e.message.startswith("Retry ")]
        counted = sum(step.retries for step in execution.steps)
        if len(told) != counted:
            yield f"{execution} counts {counted} retries and tells {len(told)}."


def failure_has_a_cause(evidence: Evidence) -> Iterator[str]:
    """What failed, failed at a step; what was aborted, somebody aborted."""
    for execution in evidence.executions:
        steps = {step.status for step in execution.steps}
        if execution.code in _FAILED and StepStatus.FAILED not in steps:
            yield f"{execution} is {execution.code}, and no step failed."
        if execution.status == Status.ABORTED and "ABORTED_BY" not in {
            event.code for event in execution.events
        }:
            yield f"{execution} was aborted by nobody."


def touched_is_told(evidence: Evidence) -> Iterator[str]:
    """The end of an aborted execution names every instance it changed."""
    for execution in evidence.executions:
        if execution.status == Status.ABORTED:
            for key in sorted({call.instance for call in evidence.effects(execution)}):
                if f"{key} at" not in execution.message:
                    yield f"{execution} changed {key} and does not say so: {execution.message}"


def nothing_is_stuck(evidence: Evidence) -> Iterator[str]:
    """Once nothing goes wrong any more, everything comes to rest."""
    if not evidence.has_settled:
        yield "Not everything came to rest."
    for execution in evidence.executions:
        if execution.status in ACTIVE and execution.status != Status.PAUSED:
            yield f"{execution} is stuck {execution.status} {execution.code}."


def nothing_broke(evidence: Evidence) -> Iterator[str]:
    """No exception but those of a database that was away left a worker or a request."""
    yield from evidence.surprises


RULES: tuple[Callable[[Evidence], Iterator[str]], ...] = (
    statuses_by_the_table,
    every_rest_has_a_reason,
    verdicts_are_true,
    success_is_true,
    success_was_seen,
    steps_are_closed,
    nobody_else_is_to_blame,
    each_retry_is_told,
    failure_has_a_cause,
    touched_is_told,
    nothing_is_stuck,
    nothing_broke,
)
