"""Every rule of the auditor sees the one thing wrong in a history that is right but for that."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from dashboard.models import Direction, Status, StepStatus
from rollbacks.simulation import auditor, verdicts
from rollbacks.simulation.records import EventRecord, Evidence, ExecutionRecord, StepRecord
from rollbacks.simulation.scheduler import SECOND
from rollbacks.simulation.world import Call, Confirmation, Look, RightsChange, Verb, Write, identity

OLD, NEW = {"files": "1-1"}, {"files": "2-2"}
HOSTS = ("web-1", "web-2")


def _step(pk: int, place: tuple[int, int], instance: str, **fields: Any) -> StepRecord:
    made = StepRecord(
        pk, place, Direction.FORWARD, (instance,), StepStatus.SUCCEEDED, started_at=_at(pk)
    )
    return replace(made, **fields)


def _call(step: int, instance: str, **fields: Any) -> Call:
    is_back = step > 10
    made = Call(
        at=_at(step) + SECOND // 2,
        worker="worker-1",
        deployment=2 if is_back else 1,
        epoch=1,
        step=step,
        instance=instance,
        verb=Verb.UNDO if is_back else Verb.APPLY,
        part="files",
        before=(NEW if is_back else OLD)["files"],
        after=(OLD if is_back else NEW)["files"],
        has_effect=True,
        lease_epoch=1,
        lease_until=_at(step) + 10 * SECOND,
        step_status=StepStatus.RUNNING,
    )
    return replace(made, **fields)


def _at(step: int) -> int:
    return step * SECOND


def _after(parts: dict[str, str], verdict: str) -> dict[str, Any]:
    seen = {"identity": identity(parts), "verdict": verdict}
    return {"instances": [{"key": key, **seen} for key in HOSTS]}


def _events(begin: int, *more: EventRecord) -> tuple[EventRecord, ...]:
    queued = EventRecord(_at(begin) - 10, Status.QUEUED, actor="engineer")
    running = EventRecord(_at(begin) - 5, Status.RUNNING)
    done = EventRecord(_at(begin + 8), Status.SUCCEEDED, "VERIFIED", "Seen on all 2 instances.")
    return (queued, running, *(more or (done,)))


DEPLOYMENT = ExecutionRecord(
    pk=1,
    target=1,
    status=Status.SUCCEEDED,
    version="2",
    code="VERIFIED",
    after=_after(NEW, "DEPLOYED"),
    events=_events(1),
    steps=(
        _step(1, (0, 0), "web-1", captured={"web-1": "1-1"}),
        _step(2, (1, 0), "web-2", captured={"web-2": "1-1"}),
    ),
)
ROLLBACK = ExecutionRecord(
    pk=2,
    target=1,
    status=Status.SUCCEEDED,
    version="1",
    rolls_back=1,
    code="VERIFIED",
    after=_after(OLD, "ROLLED_BACK"),
    events=_events(11),
    steps=(
        _step(11, (0, 0), "web-2", direction=Direction.BACK, undoes=2),
        _step(12, (1, 0), "web-1", direction=Direction.BACK, undoes=1),
    ),
)
CALLS = (_call(1, "web-1"), _call(2, "web-2"), _call(11, "web-2"), _call(12, "web-1"))
RIGHT = Evidence(
    initial=dict.fromkeys(HOSTS, OLD),
    calls=CALLS,
    executions=(DEPLOYMENT, ROLLBACK),
    looks=(Look(_at(8), 1, 1), Look(_at(18), 2, 1)),
    writes=(Write(_at(3), "worker-1", 1, 1, 1),),
    confirmations=(Confirmation(_at(10), "engineer", 1, 2),),
)
ABORT = EventRecord(_at(9), Status.ABORTING, "ABORTED_BY", "Aborted by engineer.")
ABORTED = EventRecord(_at(19), Status.ABORTED, "ABORTED", "Aborted by engineer.")


def _with(**fields: Any) -> Evidence:
    return replace(RIGHT, **fields)


def _but_call(number: int, **fields: Any) -> Evidence:
    calls = list(CALLS)
    calls[number] = replace(calls[number], **fields)
    return _with(calls=tuple(calls))


def _but_rollback(**fields: Any) -> Evidence:
    return _with(executions=(DEPLOYMENT, replace(ROLLBACK, **fields)))


def _but_step(number: int, **fields: Any) -> Evidence:
    steps = list(ROLLBACK.steps)
    steps[number] = replace(steps[number], **fields)
    return _but_rollback(steps=tuple(steps))


def _partial(*calls: Call) -> Evidence:
    """Its second phase failed and was undone; the first stays deployed."""
    first, second = DEPLOYMENT.steps
    undo = replace(ROLLBACK.steps[0], place=(2, 0))
    message = "Go: exit status 1. The second phase was rolled back."
    failed = EventRecord(_at(15), Status.FAILED, "PHASE_ROLLED_BACK", message)
    verdicts_of = {"web-1": (NEW, "DEPLOYED"), "web-2": (OLD, "ROLLED_BACK")}
    after = [
        {"key": key, "identity": identity(parts), "verdict": verdict}
        for key, (parts, verdict) in verdicts_of.items()
    ]
    execution = replace(
        DEPLOYMENT, status=Status.FAILED, code=failed.code, message=message,
        after={"instances": after}, events=_events(1, failed),
        steps=(first, replace(second, status=StepStatus.FAILED), undo),
    )  # fmt: skip
    return replace(RIGHT, executions=(execution,), calls=calls, confirmations=())


def _undone(*steps: StepRecord) -> Evidence:
    """It failed and was undone, by these steps, and nobody looked afterwards."""
    message = "Set files: web-1 did not answer. Nothing was touched."
    failed = EventRecord(_at(9), Status.FAILED, "ROLLED_BACK", message)
    execution = replace(
        DEPLOYMENT, status=Status.FAILED, code=failed.code, message=message, after=None,
        events=_events(1, failed), steps=steps,
    )  # fmt: skip
    return _with(executions=(execution,), calls=(), looks=RIGHT.looks[:1], confirmations=())


NOTHING_CAPTURED = _step(1, (0, 0), "web-1", status=StepStatus.FAILED)
CAPTURED = replace(NOTHING_CAPTURED, captured={"web-1": "1-1"})
UNDONE = replace(CALLS[2], deployment=1)
UNDONE_TOO = replace(CALLS[3], deployment=1, step=11)


def test_what_is_right_breaks_no_rule() -> None:
    assert auditor.violations(RIGHT) == []
    assert auditor.violations(_partial(*CALLS[:2], UNDONE)) == []
    assert auditor.violations(_undone(NOTHING_CAPTURED)) == []


WRONG: list[tuple[Callable[..., Any], Evidence]] = [
    (auditor.each_effect_once, _with(calls=(*CALLS, CALLS[-1]))),
    (auditor.steps_in_order, _with(calls=(CALLS[1], CALLS[0], *CALLS[2:]))),
    (auditor.phases_last_first, _but_rollback(steps=ROLLBACK.steps[::-1])),
    (auditor.no_way_past_a_failure, _but_step(0, status=StepStatus.FAILED)),
    (auditor.only_at_work, _but_call(2, step_status=StepStatus.QUEUED)),
    (auditor.only_at_work, _but_call(3, step_status=StepStatus.SUCCEEDED)),
    (auditor.no_older_epoch, _but_call(2, epoch=2)),
    (auditor.no_older_epoch, _but_call(3, lease_epoch=2)),
    (auditor.one_worker_per_epoch, _but_call(3, worker="worker-2")),
    (auditor.nothing_after_the_lease, _but_call(3, lease_until=CALLS[3].at - 1)),
    (
        auditor.nothing_written_by_the_superseded,
        _with(writes=(Write(_at(3), "worker-1", 1, epoch=1, newest=2),)),
    ),
    (auditor.one_at_a_time, _but_call(2, at=ROLLBACK.events[1].at - 1)),
    (auditor.one_at_a_time, _but_call(1, at=ROLLBACK.ended_at + 1)),
    (auditor.one_at_a_time, _but_call(0, at=CALLS[3].at)),
    (auditor.captured_before_changed, _but_call(0, before="0-0")),
    (
        auditor.nothing_after_an_abort,
        _but_rollback(status=Status.ABORTED, events=_events(11, ABORT, ABORTED)),
    ),
    (
        auditor.nothing_without_the_right,
        _with(rights=(RightsChange(_at(10), "engineer", is_held=False),)),
    ),
    (auditor.no_confirmed_rollback_is_lost, _with(executions=(DEPLOYMENT,), calls=CALLS[:2])),
    (
        auditor.one_rollback_of_a_deployment,
        _with(executions=(DEPLOYMENT, ROLLBACK, replace(ROLLBACK, pk=3))),
    ),
    (verdicts.statuses_by_the_table, _but_rollback(events=ROLLBACK.events[::2])),
    (verdicts.statuses_by_the_table, _but_rollback(status=Status.FAILED)),
    (verdicts.statuses_by_the_table, _but_rollback(events=ROLLBACK.events[1:])),
    (
        verdicts.every_rest_has_a_reason,
        _but_rollback(events=_events(11, EventRecord(_at(19), Status.PAUSED, "UNVERIFIED"))),
    ),
    (verdicts.verdicts_are_true, _but_rollback(after=_after(NEW, "ROLLED_BACK"))),
    (verdicts.verdicts_are_true, _but_rollback(after={"instances": []})),
    (verdicts.verdicts_are_true, _with(calls=CALLS[:3])),
    (verdicts.success_is_true, _with(calls=CALLS[:3])),
    (verdicts.success_is_true, _with(calls=CALLS[:1], executions=(DEPLOYMENT,))),
    (verdicts.success_is_true, _partial(*CALLS[:2])),
    (verdicts.success_is_true, _partial(*CALLS[:2], UNDONE, UNDONE_TOO)),
    (verdicts.success_was_seen, _with(looks=RIGHT.looks[:1])),
    (verdicts.success_was_seen, _with(looks=(RIGHT.looks[0], Look(_at(11), 2, 1)))),
    (
        verdicts.success_was_seen,
        _undone(CAPTURED, _step(2, (1, 0), "web-1", direction=Direction.BACK, undoes=1)),
    ),
    (verdicts.steps_are_closed, _but_step(1, status=StepStatus.RUNNING)),
    (verdicts.steps_are_closed, _but_step(1, status=StepStatus.SKIPPED)),
    (verdicts.nobody_else_is_to_blame, _but_rollback(code="INTERNAL_ERROR")),
    (verdicts.nobody_else_is_to_blame, _but_rollback(code="VERIFICATION_FAILED")),
    (verdicts.each_retry_is_told, _but_step(0, retries=1)),
    (verdicts.failure_has_a_cause, _but_rollback(status=Status.FAILED, code="STEP_FAILED")),
    (verdicts.failure_has_a_cause, _but_rollback(status=Status.ABORTED)),
    (verdicts.touched_is_told, _but_rollback(status=Status.ABORTED, message="web-1 at 1.")),
    (verdicts.nothing_is_stuck, _but_rollback(status=Status.RUNNING)),
    (verdicts.nothing_is_stuck, _with(has_settled=False)),
    (verdicts.nothing_broke, _with(surprises=("worker-1 broke",))),
]


@pytest.mark.parametrize(
    ("rule", "evidence"),
    [pytest.param(*each, id=f"{each[0].__name__}-{n}") for n, each in enumerate(WRONG)],
)
def test_what_is_wrong_is_seen_by(rule: auditor.Rule, evidence: Evidence) -> None:
    assert list(rule(evidence))
    assert auditor.violations(evidence)


def test_every_rule_has_a_history_that_breaks_it() -> None:
    assert {rule for rule, _ in WRONG} == set(auditor.RULES)


def test_a_worker_that_was_paused_when_the_abort_came_is_given_time_to_notice() -> None:
    late = replace(CALLS[3], undisturbed_since=CALLS[3].at - SECOND)
    calls = (*CALLS[:2], replace(CALLS[2], at=_at(9)), late)
    aborted = replace(ROLLBACK, status=Status.ABORTED, events=_events(11, ABORT, ABORTED))
    evidence = _with(calls=calls, executions=(DEPLOYMENT, aborted))
    assert list(auditor.nothing_after_an_abort(evidence)) == []


def test_who_resumed_it_needs_the_right_and_who_began_it_no_longer_does() -> None:
    lost = (RightsChange(_at(10), "engineer", is_held=False),)
    paused = EventRecord(_at(10) + 2, Status.PAUSED, "RIGHT_LOST", "Not now.")
    resumed = EventRecord(_at(10) + 3, Status.RUNNING, "RESUMED", "By a colleague.", 0, "colleague")
    resumed_events = (*ROLLBACK.events[:2], paused, resumed, ROLLBACK.events[2])
    others = replace(ROLLBACK, events=resumed_events)
    evidence = _with(executions=(DEPLOYMENT, others), rights=lost)
    assert list(auditor.nothing_without_the_right(evidence)) == []


def test_a_step_that_is_begun_by_who_was_held_up_since_asking_is_given_time_to_notice() -> None:
    lost = (RightsChange(_at(10), "engineer", is_held=False),)
    woke = tuple(step.started_at for step in ROLLBACK.steps if step.started_at)
    assert list(auditor.nothing_without_the_right(_with(rights=lost))) != []
    assert not list(auditor.nothing_without_the_right(_with(rights=lost, disturbances=woke)))
    earlier = tuple(each - SECOND for each in woke)
    assert list(auditor.nothing_without_the_right(_with(rights=lost, disturbances=earlier)))


def test_where_a_failure_was_ignored_a_phase_that_stays_need_not_be_whole() -> None:
    evidence = _partial(CALLS[1], UNDONE)
    assert list(verdicts.success_is_true(evidence))
    [execution] = evidence.executions
    first, *others = execution.steps
    steps = (replace(first, status=StepStatus.IGNORED), *others)
    ignored = replace(evidence, executions=(replace(execution, steps=steps),))
    assert list(verdicts.success_is_true(ignored)) == []


def test_a_failed_rollback_may_be_started_again() -> None:
    failed = replace(ROLLBACK, pk=2, status=Status.FAILED)
    later = tuple(replace(event, at=event.at + _at(20)) for event in ROLLBACK.events)
    evidence = _with(executions=(DEPLOYMENT, failed, replace(ROLLBACK, pk=3, events=later)))
    assert list(auditor.one_rollback_of_a_deployment(evidence)) == []
