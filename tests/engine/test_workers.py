"""Several workers and several people at once, each with a connection of its own."""

import itertools
import threading
import time

import pytest
from django.db import OperationalError
from django.utils import timezone

from dashboard.models import Deployment, Status
from rollbacks import actions, execution, lifecycle, pulse
from rollbacks.eligibility import Refused
from rollbacks.plan import Configuration
from rollbacks.platforms.base import InstanceOutcome, OutcomeState, Stopped
from rollbacks.runtime import MACHINE
from tests.engine.faults import expire
from tests.engine.threads import at_once, begin
from tests.lab import Fleet
from tests.scene import Scene, run


def test_a_worker_whose_lease_was_taken_over_writes_nothing_and_starts_nothing(
    live_shop: Scene, fleet: Fleet
) -> None:
    live_shop.deploy("1.4.1")
    fleet.calls.clear()
    deployment = live_shop.start("1.4.2")
    inside, taken = threading.Event(), threading.Event()
    slow = threading.current_thread()

    def linger(host: str) -> None:
        if host == "web-2" and threading.current_thread() is slow:
            inside.set()
            assert taken.wait(10)
            time.sleep(2)

    def be_slow() -> None:
        nonlocal slow
        slow = threading.current_thread()
        execution.execute(deployment.pk, "slow")

    fleet.before_change = linger
    worker = begin(be_slow)
    assert inside.wait(10)
    expire(deployment)
    done = run(deployment, "quick")
    events = list(done.events.values_list("pk", flat=True))
    written = Deployment.objects.values().get(pk=deployment.pk)
    taken.set()
    worker.result(10)
    assert done.status == Status.SUCCEEDED
    assert sorted(fleet.calls) == [("apply", "Install", f"web-{number}") for number in (1, 2, 3)]
    assert Deployment.objects.values().get(pk=deployment.pk) == written
    assert list(done.events.values_list("pk", flat=True)) == events


def test_two_workers_that_are_woken_for_one_execution_work_once(
    live_shop: Scene, fleet: Fleet
) -> None:
    deployment = live_shop.start("1.4.1")
    for future in at_once(6, lambda number: run(deployment, f"worker-{number}")):
        future.result()
    done = Deployment.objects.get(pk=deployment.pk)
    assert done.status == Status.SUCCEEDED
    assert sorted(fleet.calls) == [("apply", "Install", f"web-{number}") for number in (1, 2, 3)]
    assert done.lease_epoch == 1


def test_twenty_confirmations_at_once_start_one_rollback(live_shop: Scene) -> None:
    live_shop.deploy("1.4.1")
    bad = live_shop.deploy("1.4.2")
    now = timezone.now()
    planned, _ = actions.confirmation(bad, live_shop.engineer, Configuration.CURRENT, now)
    assert planned is not None
    asked = actions.RollbackRequest(planned.fingerprint)
    futures = at_once(
        20, lambda _: actions.roll_back(bad.pk, live_shop.engineer, asked, timezone.now()).pk
    )
    assert len({future.result() for future in futures}) == 1
    assert bad.rollbacks.count() == 1
    assert bad.rollbacks.get().events.count() == 1


def test_aborts_and_ends_at_the_same_moment_wait_for_each_other(
    live_shop: Scene, fleet: Fleet
) -> None:
    """People lock the target, then the deployment; so must the worker that ends it."""
    for number in range(10):
        deployment = live_shop.start(f"1.{number}")

        def abort(deployment: Deployment = deployment) -> None:
            deadline = time.monotonic() + 0.05
            while time.monotonic() < deadline:
                try:
                    actions.abort(deployment, live_shop.engineer, timezone.now())
                except Refused:
                    continue
                return

        aborting = begin(abort)
        run(deployment)
        aborting.result(10)
        expire(deployment)
        assert run(deployment).is_finished


def test_executions_on_one_target_run_one_after_the_other(live_shop: Scene, fleet: Fleet) -> None:
    queued = [live_shop.start(f"1.{number}") for number in range(4)]
    for future in at_once(4, lambda number: run(queued[number])):
        future.result()
    while left := lifecycle.due(timezone.now()):
        for pk in left:
            execution.execute(pk, "worker")
    rows = [Deployment.objects.get(pk=each.pk) for each in queued]
    assert {row.status for row in rows} == {Status.SUCCEEDED}
    for earlier, later in itertools.pairwise(rows):
        # By the order in which it was written: times are taken before a writer's turn comes.
        ended, began = earlier.events.latest("pk"), later.events.filter(status=Status.RUNNING).get()
        assert (ended.status, ended.pk < began.pk) == (Status.SUCCEEDED, True)
        assert later.replaces == earlier


def test_targets_are_worked_on_at_the_same_time(live_shop: Scene, fleet: Fleet) -> None:
    shop = live_shop
    other = shop.another_infrastructure("other hosts", ["db-1"])
    first, second = shop.start("1.4.1"), shop.start("1.4.1", infrastructure=other)
    together = threading.Barrier(2)

    def meet(host: str) -> None:
        if host in {"web-1", "db-1"}:
            together.wait(10)  # breaks unless both are inside at once

    fleet.before_change = meet
    for future in at_once(2, lambda number: run((first, second)[number])):
        assert future.result().status == Status.SUCCEEDED


def test_a_worker_that_waited_long_for_its_claim_does_not_trust_its_lease(
    shop: Scene,
) -> None:
    """The lease counts from before the claim: a claim may wait half a minute for SQLite."""
    deployment = shop.start("1.4.1")
    lease = lifecycle.claim(deployment.pk, "worker", timezone.now())
    assert lease is not None
    beating = pulse.Pulse(lease, MACHINE, since=time.monotonic() - 11)
    with pytest.raises(Stopped):
        beating.checkpoint()


def test_what_a_host_says_is_kept_whatever_it_says(shop: Scene, fleet: Fleet) -> None:
    """Neither NUL (PostgreSQL) nor half a surrogate (everything) may end an execution."""
    deployment = shop.start("1.4.1")
    lease = lifecycle.claim(deployment.pk, "worker", timezone.now())
    assert lease is not None
    step = deployment.phases.get().steps.get()
    beating = pulse.Pulse(lease, MACHINE, since=time.monotonic())
    control = beating.control(step.pk, 0.0)
    control.log("web-1", "a\0b\udcffc\nsecond")
    control.report("web-1", InstanceOutcome(OutcomeState.FAILED, "a\0b\udcffc"))
    beating.flush()
    step.refresh_from_db()
    assert [line.text for line in step.log.all()] == ["ab?c", "second"]
    assert step.outcomes["web-1"] == {"state": "FAILED", "message": "ab?c"}


def test_reports_outlive_a_database_that_was_away(
    shop: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment = shop.start("1.4.1")
    lease = lifecycle.claim(deployment.pk, "worker", timezone.now())
    assert lease is not None
    step = deployment.phases.get().steps.get()
    beating = pulse.Pulse(lease, MACHINE, since=time.monotonic())
    control = beating.control(step.pk, 0.0)
    control.log("web-1", "first")
    control.report("web-1", InstanceOutcome(OutcomeState.RUNNING))
    with monkeypatch.context() as away:
        away.setattr(lifecycle, "fenced", _away)
        with pytest.raises(OperationalError):
            beating.flush()
    control.log("web-1", "second")
    control.report("web-1", InstanceOutcome(OutcomeState.DONE))
    beating.flush()
    step.refresh_from_db()
    assert [line.text for line in step.log.all()] == ["first", "second"]
    assert step.outcomes["web-1"]["state"] == "DONE"


def test_a_pulse_that_stumbles_keeps_beating(
    live_shop: Scene, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the lease would end, and the next worker would stumble in the same place."""
    monkeypatch.setattr(pulse, "BEAT_SECONDS", 0.02)
    stumbles = iter([ValueError("one"), ValueError("two")])
    write = pulse.Pulse.flush

    def flush(self: pulse.Pulse) -> None:
        if threading.current_thread().name == "pulse":
            for error in stumbles:
                raise error
        write(self)

    monkeypatch.setattr(pulse.Pulse, "flush", flush)
    deployment = live_shop.start("1.4.1")
    lease = lifecycle.claim(deployment.pk, "worker", timezone.now())
    assert lease is not None
    with pulse.Pulse(lease, MACHINE, since=time.monotonic()) as beating:
        control = beating.control(deployment.phases.get().steps.get().pk, 0.0)
        control.report("web-1", InstanceOutcome(OutcomeState.RUNNING))
        time.sleep(0.5)
    assert "web-1" in deployment.phases.get().steps.get().outcomes
    lifecycle.release(lease, timezone.now())


def _away(lease: lifecycle.Lease) -> None:
    raise OperationalError("server closed the connection unexpectedly")
