"""What pauses an execution, and who lets it go on."""

from collections.abc import Callable

import pytest
from django.db import OperationalError
from django.utils import timezone

from accounts import grants
from accounts.models import User
from accounts.policy import Denied
from accounts.vocabulary import AccountPermission, Action
from dashboard.models import Deployment, Status
from rollbacks import actions, lifecycle
from rollbacks.eligibility import Refused
from tests.engine.faults import finish, work
from tests.lab import Fleet
from tests.scene import Scene, group, person, run, verdicts


def leave_group(user: User) -> None:
    user.groups.clear()


def deactivate(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def lose_row(user: User) -> None:
    rows = user.groups.get().usergroup.app_permissions
    rows.all().delete()
    grants.materialise(group=user.groups.get().usergroup)


def lose_account_permission(user: User) -> None:
    group = user.groups.get().usergroup
    group.account_permissions = []
    group.save()


@pytest.mark.parametrize("lose", [leave_group, deactivate, lose_row, lose_account_permission])
def test_a_right_lost_in_mid_rollback_pauses_it_before_the_next_step(
    canary: Scene, fleet: Fleet, lose: Callable[[User], None]
) -> None:
    canary.deploy("1.4.1")
    first = dict(fleet.runs)
    bad = canary.deploy("1.4.2")
    left = dict(fleet.runs)
    colleague = person(
        "colleague",
        group(
            "On call",
            Action.ROLLBACK_WORKFLOW,
            account=[AccountPermission.MANAGE_APPLICATIONS],
        ),
    )
    fleet.after_change = lambda host: lose(canary.engineer)
    paused = canary.roll_back(bad)
    assert (paused.status, paused.code) == (Status.PAUSED, "RIGHT_LOST")
    assert "engineer may no longer do this" in paused.message
    assert fleet.runs == {**left, "web-3": first["web-3"]}
    for nobody in (canary.engineer, canary.viewer, canary.stranger, canary.former):
        with pytest.raises(Denied):
            actions.resume(paused, User.objects.get(pk=nobody.pk), timezone.now())
    fleet.after_change = lambda host: None
    actions.resume(paused, colleague, timezone.now())
    done = run(paused)
    assert done.status == Status.SUCCEEDED, done.message
    assert done.responsible == colleague
    assert fleet.runs == first


def test_a_right_lost_before_the_first_step_touches_nothing(shop: Scene, fleet: Fleet) -> None:
    shop.deploy("1.4.1")
    bad = shop.deploy("1.4.2")
    rollback = shop.confirm(bad)
    left = dict(fleet.runs)
    deactivate(shop.engineer)
    paused = run(rollback)
    assert (paused.status, paused.code) == (Status.PAUSED, "RIGHT_LOST")
    assert fleet.runs == left


def test_an_error_of_our_own_pauses_and_resuming_finishes(shop: Scene, fleet: Fleet) -> None:
    shop.deploy("1.4.1")
    first = dict(fleet.runs)
    bad = shop.deploy("1.4.2")

    def stumble(host: str) -> None:
        if host == "web-2":
            raise ValueError("a fault in the platform's code")

    fleet.before_change = stumble
    paused = shop.roll_back(bad)
    assert (paused.status, paused.code) == (Status.PAUSED, "INTERNAL_ERROR")
    assert "ValueError" in paused.message
    fleet.before_change = lambda host: None
    actions.resume(paused, shop.engineer, timezone.now())
    assert run(paused).status == Status.SUCCEEDED
    assert fleet.runs == first


def test_a_database_that_was_away_for_a_moment_pauses_nothing(shop: Scene, fleet: Fleet) -> None:
    """Its restart is nobody's decision to make: the next worker goes on."""
    deployment = shop.start("1.4.1")

    def away(host: str) -> None:
        fleet.before_change = lambda host: None
        raise OperationalError("server closed the connection unexpectedly")

    fleet.before_change = away
    with pytest.raises(OperationalError):
        work(deployment)
    assert Deployment.objects.get(pk=deployment.pk).status == Status.RUNNING
    assert finish(deployment).status == Status.SUCCEEDED


@pytest.mark.parametrize("status", [Status.QUEUED, Status.RUNNING, Status.SUCCEEDED])
def test_only_what_is_paused_is_resumed(shop: Scene, status: Status) -> None:
    deployment = shop.start("1.4.1")
    now = timezone.now()
    if status == Status.RUNNING:
        lifecycle.claim(deployment.pk, "worker", now)
    elif status == Status.SUCCEEDED:
        run(deployment)
    events = deployment.events.count()
    with pytest.raises(Refused):
        actions.resume(deployment, shop.engineer, now)
    assert Deployment.objects.get(pk=deployment.pk).status == status
    assert deployment.events.count() == events


def test_a_passing_fault_is_tried_again_until_the_time_of_the_step_is_over(
    shop: Scene, fleet: Fleet
) -> None:
    shop.deploy("1.4.1")
    bad = shop.deploy("1.4.2")
    rollback = shop.confirm(bad)
    step = rollback.phases.get().steps.get()
    step.timeout = 0.3
    step.save()

    def falls_silent(host: str) -> None:
        fleet.silent.add("web-3")

    fleet.before_change = falls_silent
    failed = run(rollback)
    assert (failed.status, failed.code) == (Status.FAILED, "STEP_FAILED")
    assert "web-3 did not answer (gave up after 0.3 s)" in failed.message
    assert len([verb for verb, _ in fleet.specs if verb == "undo"]) > 2
    assert verdicts(failed) == {"web-1": "ROLLED_BACK", "web-2": "ROLLED_BACK", "web-3": "UNKNOWN"}


def test_a_passing_fault_that_passes_is_none(shop: Scene, fleet: Fleet) -> None:
    shop.deploy("1.4.1")
    bad = shop.deploy("1.4.2")
    fleet.silent.add("web-3")
    rollback = shop.confirm(bad)
    looks = 0

    def recover(label: str) -> None:
        nonlocal looks
        looks += label == "undo"
        if looks == 3:
            fleet.silent.clear()

    fleet.point = recover
    done = run(rollback)
    assert done.status == Status.SUCCEEDED, done.message
    assert looks == 3
