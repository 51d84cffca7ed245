"""`make bench`: 100 rollbacks at once, 20 steps each: what Lastgood adds to the platform's time.

All in one process on hosts that are a dictionary, each change of which takes about five seconds.
In a database of its own, which is thrown away; LASTGOOD_DATABASE_URL says on which server,
which must allow 220 connections: each execution has one, and its pulse another.
"""

import random
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from statistics import quantiles

from django.db import connection

from dashboard.models import Deployment, Status, Step, Workflow
from dashboard.operating import counts
from rollbacks import execution
from tests.engine.conftest import fleet, live_shop
from tests.engine.threads import begin
from tests.lab import Fleet
from tests.scene import Scene, revise

__all__ = ["fleet", "live_shop"]

ROLLBACKS, STEPS, SECONDS = 100, 20, (4.0, 6.0)


def test_a_hundred_rollbacks_at_once_lose_no_lease(live_shop: Scene, fleet: Fleet) -> None:
    bad = [deployed(live_shop, number) for number in range(ROLLBACKS)]
    rollbacks = [live_shop.confirm(each) for each in bad]
    chance = random.Random(1)
    takes = {host: chance.uniform(*SECONDS) for host in fleet.runs}
    fleet.before_change = lambda host: time.sleep(takes[host])
    lost, began, used = leases_lost(), time.monotonic(), time.process_time()
    workers = [
        begin(lambda pk=each.pk: execution.execute(pk, f"worker {pk}")) for each in rollbacks
    ]  # type: ignore[misc]
    for worker in workers:
        worker.result(1200)
    wall, cpu = time.monotonic() - began, time.process_time() - used
    ends = Deployment.objects.filter(pk__in=[each.pk for each in rollbacks])
    assert set(ends.values_list("status", "lease_epoch")) == {(Status.SUCCEEDED, 1)}
    assert leases_lost() == lost
    report([over for each in rollbacks for over in added(each, takes)], wall, cpu)


def deployed(shop: Scene, number: int) -> Deployment:
    """On a target of its own, in as many steps as its rollback will take; something ran before."""
    hosts = [f"t{number}-{host}" for host in range(STEPS)]
    infrastructure = shop.another_infrastructure(f"hosts of {number}", hosts)
    workflow = Workflow.objects.create(
        application=shop.service.application,
        name=f"Deploy {number}",
        workflow_type="CANARY",
        service=shop.service,
    )
    install = {"name": "Install", "kind": "lab.install"}
    revise(workflow, {"phases": [{"name": "All", "steps": [install]}]})
    shop.deploy("1.4.1", workflow=workflow, infrastructure=infrastructure)
    phases = [{"name": host, "select": {"hosts": [host]}, "steps": [install]} for host in hosts]
    revise(workflow, {"phases": phases})
    return shop.deploy("1.4.2", workflow=workflow, infrastructure=infrastructure)


def added(rollback: Deployment, takes: dict[str, float]) -> Iterator[float]:
    """From the end of each step to the end of the next, without the platform's part; in seconds."""
    steps = Step.objects.filter(phase__deployment=rollback).select_related("phase")
    for earlier, later in pairwise(steps.order_by("phase__position")):
        [host] = later.phase.instances or ()
        assert earlier.finished_at
        assert later.finished_at
        yield (later.finished_at - earlier.finished_at).total_seconds() - takes[host]


def leases_lost() -> float:
    return sum(
        sample.value
        for metric in counts.LEASES_LOST.collect()
        for sample in metric.samples
        if sample.name.endswith("_total")
    )


def report(seconds: list[float], wall: float, cpu: float) -> None:
    cuts = quantiles(seconds, n=100, method="inclusive")
    title = f"{ROLLBACKS} rollbacks at once, {STEPS} steps each, on {connection.vendor}"
    shown = ", ".join(f"p{each} {cuts[each - 1] * 1000:.0f}" for each in (50, 95, 99))
    sys.stdout.write(
        f"\n{title}\n  added to each step in ms: {shown}, most {max(seconds) * 1000:.0f}\n"
        f"  {len(seconds)} steps in {wall:.0f} s, of which {cpu:.0f} s of a core were ours\n"
    )
