"""Holds what the instances saw against the journal. Pure: no database, no clock, no chance.

Each rule yields a sentence for everything that breaks it. Those about what was done are here,
those about what was said of it in `verdicts`.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise

from dashboard.models import ACTIVE, Status, StepStatus
from rollbacks.simulation import verdicts
from rollbacks.simulation.records import Evidence, ExecutionRecord
from rollbacks.simulation.scheduler import SECOND
from rollbacks.simulation.world import Call, Verb

ABORT_IS_NOTICED_WITHIN = 2 * SECOND
# Between asking for the right and beginning the step, a worker that is not held up does nothing.
RIGHT_IS_NOTICED_WITHIN = SECOND // 10

Rule = Callable[[Evidence], Iterator[str]]


def violations(evidence: Evidence) -> list[str]:
    """Every sentence of every rule; none if all is as it should be."""
    return [sentence for rule in RULES for sentence in rule(evidence)]


def _effects(evidence: Evidence) -> Iterator[tuple[ExecutionRecord, Call]]:
    for execution in evidence.executions:
        for call in evidence.effects(execution):
            yield execution, call


def each_effect_once(evidence: Evidence) -> Iterator[str]:
    """A step changes an instance once, however often it is called."""
    done = Counter((call.step, call.instance, call.verb) for _, call in _effects(evidence))
    for (step, instance, verb), count in done.items():
        if count > 1:
            yield f"{instance} was changed {count} times by {verb} of step {step}."


def steps_in_order(evidence: Evidence) -> Iterator[str]:
    """Phases and steps as in the journal."""
    for execution in evidence.executions:
        places = [evidence.steps[call.step].place for call in evidence.effects(execution)]
        for earlier, later in pairwise(places):
            if later < earlier:
                yield f"{execution}: step {later} changed something after step {earlier} had."


def phases_last_first(evidence: Evidence) -> Iterator[str]:
    """What was done last is undone first."""
    for execution in evidence.executions:
        undone = [
            evidence.steps[step.undoes].place
            for step in execution.steps
            if step.undoes is not None and step.undoes in evidence.steps
        ]
        for earlier, later in pairwise(undone):
            if later >= earlier:
                yield f"{execution} undoes {later} after {earlier}, which was done before it."


def no_way_past_a_failure(evidence: Evidence) -> Iterator[str]:
    """After a step that failed, nothing further is changed in that direction."""
    for execution, call in _effects(evidence):
        step = evidence.steps[call.step]
        for other in execution.steps:
            is_ahead = other.direction == step.direction and other.place < step.place
            if is_ahead and other.status == StepStatus.FAILED:
                yield f"{execution}: step {step.place} went on after step {other.place} had failed."


def only_at_work(evidence: Evidence) -> Iterator[str]:
    """Nothing is changed by a step that the journal does not say is at work."""
    for execution, call in _effects(evidence):
        if call.step_status != StepStatus.RUNNING:
            yield (
                f"{execution} changed {call.instance} in a step "
                f"that the journal called {call.step_status}."
            )


def no_older_epoch(evidence: Evidence) -> Iterator[str]:
    """Once a newer worker has claimed it, an older one changes nothing."""
    newest: dict[int, int] = {}
    for call in evidence.calls:
        seen = max(newest.get(call.deployment, 0), call.lease_epoch)
        newest[call.deployment] = max(seen, call.epoch)
        if call.has_effect and call.epoch < seen:
            yield (
                f"{call.worker} changed {call.instance} with epoch {call.epoch} "
                f"when there was epoch {seen} (execution {call.deployment})."
            )


def one_worker_per_epoch(evidence: Evidence) -> Iterator[str]:
    """Each claim raises the epoch."""
    workers: dict[tuple[int, int], str] = {}
    for call in evidence.calls:
        first = workers.setdefault((call.deployment, call.epoch), call.worker)
        if call.worker != first:
            yield f"{call.worker} and {first} both work with epoch {call.epoch}."


def nothing_after_the_lease(evidence: Evidence) -> Iterator[str]:
    """Whoever was paused past the end of the lease changes nothing."""
    for execution, call in _effects(evidence):
        if call.at > call.lease_until:
            late = (call.at - call.lease_until) / SECOND
            yield f"{call.worker} changed {call.instance} of {execution} {late:.3f} s too late."


def nothing_written_by_the_superseded(evidence: Evidence) -> Iterator[str]:
    """Once a newer worker has claimed it, an older one writes nothing."""
    for write in evidence.writes:
        if write.epoch < write.newest:
            yield (
                f"{write.worker} wrote to the journal of {write.deployment} with epoch "
                f"{write.epoch} when there was epoch {write.newest}."
            )


def one_at_a_time(evidence: Evidence) -> Iterator[str]:
    """An execution changes its target between its beginning and its end, when no other one does."""
    for execution, call in _effects(evidence):
        if not _is_within(execution, call.at):
            yield f"{execution} changed {call.instance} outside its time."
        for other in evidence.executions:
            is_other = other.pk != execution.pk and other.target == execution.target
            if is_other and _is_within(other, call.at):
                yield f"{execution} changed {call.instance} while {other} held the target."


def _is_within(execution: ExecutionRecord, moment: int) -> bool:
    began = execution.began_at
    is_over = execution.status not in ACTIVE and moment > execution.ended_at
    return began is not None and began <= moment and not is_over


def captured_before_changed(evidence: Evidence) -> Iterator[str]:
    """What a step keeps to return to is what was there before it changed anything."""
    seen: set[tuple[int, str]] = set()
    for execution, call in _effects(evidence):
        if call.verb != Verb.APPLY or (call.step, call.instance) in seen:
            continue
        seen.add((call.step, call.instance))
        kept = (evidence.steps[call.step].captured or {}).get(call.instance)
        if kept != call.before:
            yield f"{execution} keeps {kept!r} of {call.instance}, where {call.before!r} was."


def nothing_after_an_abort(evidence: Evidence) -> Iterator[str]:
    """No changing call begins later than two seconds after an abort, by a worker that runs."""
    for execution, call in _effects(evidence):
        aborted = next((e.at for e in execution.events if e.status == Status.ABORTING), None)
        if aborted is None:
            continue
        if call.at > max(aborted, call.undisturbed_since) + ABORT_IS_NOTICED_WITHIN:
            late = (call.at - aborted) / SECOND
            yield f"{execution} changed {call.instance} {late:.3f} s after it was aborted."


def nothing_without_the_right(evidence: Evidence) -> Iterator[str]:
    """No step begins once the person responsible has lost the right."""
    for execution, call in _effects(evidence):
        began = evidence.steps[call.step].started_at
        if began is None:
            continue
        lost = _lost_before(evidence, execution.responsible_at(began), began)
        if lost is None:
            continue
        # Whoever began it may have been held up since it asked, and lost; another then went on.
        held_up = max((each for each in evidence.disturbances if each <= began), default=0)
        if began > max(lost, held_up) + RIGHT_IS_NOTICED_WITHIN:
            yield f"{execution} began a step on {call.instance} without the right."


def _lost_before(evidence: Evidence, person: str, moment: int) -> int | None:
    """When the person lost the right, if it was so at that moment."""
    changes = [each for each in evidence.rights if each.person == person and each.at <= moment]
    return changes[-1].at if changes and not changes[-1].is_held else None


def no_confirmed_rollback_is_lost(evidence: Evidence) -> Iterator[str]:
    """What a person was told is under way is there, and is what was asked for."""
    for told in evidence.confirmations:
        found = evidence.execution(told.rollback)
        if found is None or found.rolls_back != told.deployment:
            yield f"{told.person} was told of rollback {told.rollback}, and it is not there."


def one_rollback_of_a_deployment(evidence: Evidence) -> Iterator[str]:
    """Two who confirm at once get one rollback."""
    rollbacks = [each for each in evidence.executions if each.rolls_back]
    for earlier, later in pairwise(rollbacks):
        if earlier.rolls_back == later.rolls_back and not (
            earlier.status in {Status.FAILED, Status.ABORTED} and earlier.ended_at < later.asked_at
        ):
            yield f"{later} was started though {earlier} was there."


RULES: tuple[Rule, ...] = (
    each_effect_once,
    steps_in_order,
    phases_last_first,
    no_way_past_a_failure,
    only_at_work,
    no_older_epoch,
    one_worker_per_epoch,
    nothing_after_the_lease,
    nothing_written_by_the_superseded,
    one_at_a_time,
    captured_before_changed,
    nothing_after_an_abort,
    nothing_without_the_right,
    no_confirmed_rollback_is_lost,
    one_rollback_of_a_deployment,
    *verdicts.RULES,
)
