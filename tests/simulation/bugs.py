"""Bugs that an engine like this one could have, each as a patch, and the rule that must see it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from django.db import transaction
from django.db.models import QuerySet

from dashboard.models import Deployment, Direction, Phase, Step, StepStatus
from rollbacks import actions, eligibility, journal, lifecycle, plan, proof
from rollbacks import verdicts as looks
from rollbacks.attempts import Attempts
from rollbacks.execution import Execution
from rollbacks.failures import StepFailed
from rollbacks.platforms.base import Observation, ObservedInstance, Stopped
from rollbacks.pulse import Pulse
from rollbacks.simulation import auditor, verdicts
from rollbacks.simulation.database import Shelf

Patch = pytest.MonkeyPatch
Bug = Callable[[Patch], None]


def the_fence_is_dropped(patch: Patch) -> None:
    @contextmanager
    def fenced(lease: lifecycle.Lease) -> Iterator[None]:
        with transaction.atomic():
            yield

    patch.setattr(lifecycle, "fenced", fenced)


def the_end_of_the_lease_is_not_checked(patch: Patch) -> None:
    def checkpoint(self: Pulse) -> None:
        if self._stop_reason:
            raise Stopped(self._stop_reason)

    patch.setattr(Pulse, "checkpoint", checkpoint)


def a_successor_captures_again(patch: Patch) -> None:
    prepared = Attempts._prepared

    def forgetful(self: Attempts, step: Step, *others: Any) -> Any:
        step.captured = None
        return prepared(self, step, *others)

    patch.setattr(Attempts, "_prepared", forgetful)


def two_steps_are_swapped(patch: Patch) -> None:
    steps = Execution._steps

    def swapped(self: Execution, direction: Direction) -> Iterator[Step]:
        found = list(steps(self, direction))
        yield from sorted(found, key=lambda step: (step.phase.position, -step.position))

    patch.setattr(Execution, "_steps", swapped)


def phases_are_not_reversed(patch: Patch) -> None:
    forward_phases = plan._forward_phases

    def unreversed(deployment: Deployment) -> list[Phase]:
        return forward_phases(deployment)[::-1]

    patch.setattr(plan, "_forward_phases", unreversed)


def a_hint_is_taken_for_the_truth(patch: Patch) -> None:
    def nothing_is_due(now: datetime) -> list[int]:
        return []

    patch.setattr(lifecycle, "due", nothing_is_due)


def an_abort_is_noticed_only_at_the_end_of_a_step(patch: Patch) -> None:
    patch.setattr(Pulse, "_notice", lambda self, status: None)


def success_needs_no_look(patch: Patch) -> None:
    look = proof.look

    def believe(deployment: Deployment, *, back: bool, begun_only: bool = False) -> Any:
        if not back:
            return look(deployment, back=back, begun_only=begun_only)
        before = (deployment.rolls_back or deployment).before or {}
        seen = Observation(
            tuple(
                ObservedInstance(each["key"], each["identity"], each["version"], is_healthy=True)
                for each in before["instances"]
            )
        )
        touched = proof.instances(deployment, Direction.BACK, begun_only=begun_only)
        return None, looks.judged(seen, touched=touched, before=before)

    patch.setattr(proof, "look", believe)


def the_right_is_not_asked_again(patch: Patch) -> None:
    def refresh(self: Execution) -> None:
        self.deployment.refresh_from_db(fields=["status"])
        self._require_not_aborted()

    patch.setattr(Execution, "_require_right", refresh)


def a_claim_does_not_raise_the_epoch(patch: Patch) -> None:
    claim = lifecycle.claim

    def tame(deployment_id: int, owner: str, now: datetime) -> lifecycle.Lease | None:
        lease = claim(deployment_id, owner, now)
        if lease is None or lease.epoch == 1:
            return lease
        Deployment.objects.filter(pk=deployment_id).update(lease_epoch=lease.epoch - 1)
        return replace(lease, epoch=lease.epoch - 1)

    patch.setattr(lifecycle, "claim", tame)


def a_double_submit_makes_two_rollbacks(patch: Patch) -> None:
    bring = Shelf.bring

    def unguarded(self: Shelf, name: object) -> bool:
        is_there = bring(self, name)
        self.connection.connection.execute("DROP INDEX IF EXISTS one_rollback_of_a_deployment")
        return is_there

    patch.setattr(Shelf, "bring", unguarded)
    patch.setattr(actions, "_running_rollback", lambda deployment_id: None)
    patch.setattr(eligibility, "_of_its_target", lambda deployment: iter(()))


def a_lease_is_taken_while_it_lasts(patch: Patch) -> None:
    def everything(now: datetime) -> QuerySet[Deployment]:
        return Deployment.objects.filter(status__in=lifecycle.WORKED_ON)

    patch.setattr(lifecycle, "_orphaned", everything)


def a_failed_step_goes_on_to_the_next(patch: Patch) -> None:
    def run_steps(self: Execution, direction: Direction) -> None:
        for step in self._steps(direction):
            try:
                self._run_step(step)
            except StepFailed:
                continue

    patch.setattr(Execution, "_run_steps", run_steps)


def the_outcome_is_written_before_it_happened(patch: Patch) -> None:
    until_done = Attempts.until_done

    def rash(self: Attempts, step: Step, control: Any, deadline: float) -> None:
        journal.write_step(self.lease, step.pk, status=StepStatus.SUCCEEDED)
        until_done(self, step, control, deadline)

    patch.setattr(Attempts, "until_done", rash)


BUGS: dict[Bug, auditor.Rule] = {
    the_fence_is_dropped: auditor.nothing_written_by_the_superseded,
    the_end_of_the_lease_is_not_checked: auditor.nothing_after_the_lease,
    a_successor_captures_again: auditor.captured_before_changed,
    two_steps_are_swapped: auditor.steps_in_order,
    phases_are_not_reversed: auditor.phases_last_first,
    a_hint_is_taken_for_the_truth: verdicts.nothing_is_stuck,
    an_abort_is_noticed_only_at_the_end_of_a_step: auditor.nothing_after_an_abort,
    success_needs_no_look: verdicts.success_was_seen,
    the_right_is_not_asked_again: auditor.nothing_without_the_right,
    a_claim_does_not_raise_the_epoch: auditor.one_worker_per_epoch,
    a_double_submit_makes_two_rollbacks: auditor.one_rollback_of_a_deployment,
    a_lease_is_taken_while_it_lasts: auditor.no_older_epoch,
    a_failed_step_goes_on_to_the_next: auditor.no_way_past_a_failure,
    the_outcome_is_written_before_it_happened: auditor.only_at_work,
}
