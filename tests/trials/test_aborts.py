"""Aborts at any moment of running rollbacks, with workers that live and workers that die.

LASTGOOD_TEST_ABORTS says how many there are (on SQLite a fifth), LASTGOOD_TEST_SEED which ones.
"""

import os
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import pytest
from django.db import connection
from django.utils import timezone

from dashboard.models import Deployment, Infrastructure, Status, Workflow
from rollbacks import actions, execution
from rollbacks.eligibility import Refused
from tests.engine import faults
from tests.engine.threads import begin
from tests.lab import Fleet
from tests.scene import Scene, revise

ABORTS = int(os.environ.get("LASTGOOD_TEST_ABORTS", "40"))
SEED = int(os.environ.get("LASTGOOD_TEST_SEED", "1"))
TARGETS, PHASES, EACH = 20, 2, 6  # a step takes longer than what was promised
PROMISED_SECONDS = 2.0
POINTS = 50  # nearly as many as a rollback passes that nobody aborts


@dataclass
class Target:
    """Hosts of their own, and the deployment on them that is to be undone."""

    shop: Scene
    fleet: Fleet
    workflow: Workflow
    infrastructure: Infrastructure
    hosts: list[str]
    deployment: Deployment = field(init=False)
    good: dict[str, str] = field(init=False)
    bad: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self._deploy("1.4.1")
        self.good = self.runs()
        self.deploy()

    def deploy(self) -> None:
        """What is bad, perhaps again."""
        self.deployment = self._deploy("1.4.2")
        self.bad = self.runs()

    def runs(self) -> dict[str, str]:
        return {host: self.fleet.runs[host] for host in self.hosts}

    def _deploy(self, version: str) -> Deployment:
        where = {"workflow": self.workflow, "infrastructure": self.infrastructure}
        return self.shop.deploy(version, **where)


@dataclass
class Trial:
    """One rollback, at which of its points it is aborted, and at which its worker dies (0: not)."""

    target: Target
    aborted_at_point: int
    dies_at_point: int
    passed: list[str] = field(default_factory=list)
    changes: dict[str, float] = field(default_factory=dict)
    has_come: threading.Event = field(default_factory=threading.Event)
    aborted_at: float | None = None
    ended: Deployment = field(init=False)
    before: dict[str, str] = field(init=False)
    left: dict[str, str] = field(init=False)

    @property
    def late(self) -> float:
        """The last change, in seconds after the abort."""
        last = max(self.changes.values(), default=0.0)
        return last - self.aborted_at if self.aborted_at else 0.0

    def point(self, label: str) -> None:
        self.passed.append(label)
        if len(self.passed) == self.aborted_at_point:
            self.has_come.set()
        if len(self.passed) == self.dies_at_point:
            raise faults.Crash(label)

    def __str__(self) -> str:
        who = self.ended.pk if hasattr(self, "ended") else "?"
        return (
            f"seed {SEED}, rollback {who}, aborted at point {self.aborted_at_point}, worker died "
            f"at {self.dies_at_point}, {len(self.passed)} passed"
        )


class Workers:
    """Threads that work as workers do, each for the trial it was begun for."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool = pool
        self._own = threading.local()

    def point(self, label: str) -> None:
        """Every labelled point; the pulse and the people pass them too, and have no trial."""
        if self._trial:
            self._trial.point(label)

    @property
    def _trial(self) -> Trial | None:
        return getattr(self._own, "trial", None)

    def before_change(self, host: str) -> None:
        self.point("before a change of a host")
        time.sleep(random.uniform(0, 0.8) if self._trial else 0)

    def after_change(self, host: str) -> None:
        if self._trial:
            self._trial.changes[host] = time.monotonic()
        self.point("after a change of a host")

    def begin(self, pk: int, trial: Trial) -> "Future[None]":
        return self._pool.submit(self._work, pk, trial)

    def _work(self, pk: int, trial: Trial) -> None:
        self._own.trial = trial
        try:
            with suppress(faults.Crash):
                execution.execute(pk, threading.current_thread().name)
        finally:
            self._own.trial = None
            connection.close()


@contextmanager
def clock() -> Iterator[list[float]]:
    """By how much a thread of this process wakes too late at worst: the machine's part."""
    late, ending = [0.0], threading.Event()

    def watch() -> None:
        while not ending.is_set():
            began = time.monotonic()
            time.sleep(0.02)
            late[0] = max(late[0], time.monotonic() - began - 0.02)

    watching = begin(watch)
    try:
        yield late
    finally:
        ending.set()
        watching.result(10)


def target(shop: Scene, fleet: Fleet, number: int) -> Target:
    """So many phases of so many hosts each."""
    hosts = [f"t{number}-{host}" for host in range(PHASES * EACH)]
    infrastructure = shop.another_infrastructure(f"hosts of {number}", hosts)
    workflow = Workflow.objects.create(
        application=shop.service.application,
        name=f"Deploy {number}",
        workflow_type="CANARY",
        service=shop.service,
    )
    phases = [
        {
            "name": f"Batch {phase}",
            "select": {"hosts": hosts[phase * EACH : (phase + 1) * EACH]},
            "steps": [{"name": "Install", "kind": "lab.install"}],
        }
        for phase in range(PHASES)
    ]
    revise(workflow, {"phases": phases})
    return Target(shop, fleet, workflow, infrastructure, hosts)


def drawn(targets: list[Target], count: int) -> list[list[Trial]]:
    """For each target its trials, one after the other; the worker of each second one dies."""
    chance = random.Random(SEED)
    queues: list[list[Trial]] = [[] for _ in targets]
    for number in range(count):
        place, aborted_at = number % len(targets), chance.randint(1, POINTS)
        dies_at = max(1, aborted_at + chance.randint(-6, 6)) if number % 2 else 0
        queues[place].append(Trial(targets[place], aborted_at, dies_at))
    return queues


def undergo(shop: Scene, workers: Workers, trial: Trial) -> None:
    """Begin the rollback, abort it at its point, and let workers come until it has ended."""
    target = trial.target
    trial.before = target.bad
    rollback = shop.confirm(target.deployment)
    worker = workers.begin(rollback.pk, trial)
    while not trial.has_come.wait(0.1) and not worker.done():
        pass
    with suppress(Refused):  # it had ended
        actions.abort(rollback, shop.engineer, timezone.now())
        trial.aborted_at = time.monotonic()
    deadline = time.monotonic() + 60
    while not Deployment.objects.get(pk=rollback.pk).is_finished:
        assert time.monotonic() < deadline, f"{trial} did not end"
        if worker.done():
            worker.result()  # it may die, and nothing else
            faults.expire(rollback)
            worker = workers.begin(rollback.pk, trial)
        time.sleep(0.2)
    trial.ended = Deployment.objects.get(pk=rollback.pk)
    trial.left = target.runs()
    worker.result(30)
    if trial.ended.status == Status.ABORTED:
        target.fleet.runs.update(target.bad)  # it may be rolled back once more
    else:
        target.deploy()


def told(message: str) -> dict[str, str]:
    """What the message says each instance was left at."""
    _, _, listed = message.rstrip(".").partition("Left as they are: ")
    return dict(each.split(" at ", 1) for each in listed.split(", ") if each)  # type: ignore[misc]


def judge(trial: Trial, held_up: float) -> None:
    """What was promised of an abort."""
    if trial.aborted_at is None:
        assert trial.ended.status == Status.SUCCEEDED, trial
        assert trial.left == trial.target.good, trial
        return
    assert trial.late < PROMISED_SECONDS + held_up, f"{trial}: a change {trial.late:.2f} s late"
    assert trial.ended.status == Status.ABORTED, trial
    named = told(trial.ended.message)
    truth = {host: trial.left[host].partition("-")[2] for host in named}
    assert named == truth, f"{trial}: {trial.ended.message}"
    # Of what a dead worker was at, it cannot be known where it had come to: all of that is named.
    has_died = trial.dies_at_point > 0
    is_told = (
        named.keys() >= trial.changes.keys() if has_died else named.keys() == trial.changes.keys()
    )
    assert is_told, f"{trial}: {trial.ended.message}"
    changed = {host for host, runs in trial.left.items() if runs != trial.before[host]}
    assert changed == set(trial.changes), trial


def test_an_abort_at_any_moment_stops_within_two_seconds_and_tells_the_truth(
    live_shop: Scene, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = ABORTS if connection.vendor == "postgresql" else ABORTS // 5
    targets = [target(live_shop, fleet, number) for number in range(min(TARGETS, count // 2 or 1))]
    queues = drawn(targets, count)

    with ThreadPoolExecutor(2 * len(targets)) as pool, clock() as held_up:
        workers = Workers(pool)
        faults.mark_writes(monkeypatch, workers.point)
        fleet.point, fleet.before_change = workers.point, workers.before_change
        fleet.after_change = workers.after_change

        def undergo_all(queue: list[Trial]) -> None:
            for trial in queue:
                undergo(live_shop, workers, trial)

        people = [begin(lambda queue=queue: undergo_all(queue)) for queue in queues]  # type: ignore[misc]
        for person in people:
            person.result(60 + count)
    trials = [trial for queue in queues for trial in queue]
    for trial in trials:
        judge(trial, held_up[0])
    ends, late = Counter(trial.ended.status for trial in trials), max(each.late for each in trials)
    said = f"seed {SEED}: {dict(ends)}, last change {late:.2f} s after, held up {held_up[0]:.2f} s"
    sys.stdout.write(said + "\n")
    assert ends[Status.ABORTED] > count / 2, said
