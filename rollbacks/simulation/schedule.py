"""One schedule: everything that happens from one seed, and what the auditor says of it."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial
from random import Random

from dashboard.models import Artifact, Infrastructure, Workflow
from rollbacks import actions, execution, platforms
from rollbacks.simulation import auditor, scene
from rollbacks.simulation.broker import Broker, taking_hints
from rollbacks.simulation.database import Shelf
from rollbacks.simulation.faults import Faults, Rates
from rollbacks.simulation.people import People, Script
from rollbacks.simulation.platform import Simulated
from rollbacks.simulation.points import Chronicle, points
from rollbacks.simulation.records import Evidence, executions
from rollbacks.simulation.scene import Shape
from rollbacks.simulation.scheduler import SECOND, Entry, Process, Scheduler
from rollbacks.simulation.threads import SimulatedRuntime
from rollbacks.simulation.workers import Workers
from rollbacks.simulation.world import World

BEGINS_AT = 300 * SECOND
ENDS_WITHIN = 3600.0


@dataclass(frozen=True)
class Outcome:
    """What came of a seed: what went wrong how often, and what should not have."""

    seed: int
    violations: list[str]
    faults: Mapping[str, int]
    trace: list[Entry] = field(repr=False)
    evidence: Evidence = field(repr=False)

    @property
    def story(self) -> str:
        """Everything that happened, a line each, and then what was wrong with it."""
        wrong = [f"VIOLATION: {sentence}" for sentence in self.violations]
        return "\n".join([*map(str, self.trace), *(wrong or ["No violation."])])


class Simulator:
    """Runs schedules one after the other on a laboratory's database."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._worlds: dict[tuple[Shape, str], World] = {}

    def run(self, seed: int) -> Outcome:
        """Everything that happens from this seed; the same every time."""
        chance = Random(seed)  # noqa: S311
        shape, script = Shape.drawn(chance), Script.drawn(chance)
        world = self._prepared(shape, "2" if script.is_deployed else "1")
        scheduler = Scheduler(chance, self._shelf.enter)
        scheduler.time = BEGINS_AT
        faults = Faults(scheduler, Rates.drawn(chance))
        for line in (f"seed {seed}", f"{shape}", f"{script}", f"faults: {faults.rates}"):
            scheduler.note(line)
        with _quiet(), _platform(Simulated(world, scheduler, faults, self._shelf.rows)):
            evidence = self._play(scheduler, faults, world, shape, script)
        happened = {**faults.happened, **script.happenings()}
        wrong = auditor.violations(evidence)
        return Outcome(seed, wrong, happened, scheduler.trace, evidence)

    def _play(
        self, scheduler: Scheduler, faults: Faults, world: World, shape: Shape, script: Script
    ) -> Evidence:
        """Until nothing is left to do, or time is over."""
        workers = Workers(scheduler, faults, scheduler.chance.randint(1, 3))
        people = People(scheduler, faults, world, workers, self._shelf.rows, script)
        with taking_hints(Broker(scheduler, faults, workers.take)):
            with points(self._shelf, scheduler, faults, world) as chronicle:
                people.begin()
                has_settled = scheduler.run(lambda: people.is_over, seconds=ENDS_WITHIN)
            scheduler.kill_all()
        return _evidence(shape, world, chronicle, scheduler.surprises, has_settled)

    def _prepared(self, shape: Shape, version: str) -> World:
        """The world once this version was deployed without a fault, and the database as of then."""
        if (shape, version) not in self._worlds:
            if version == "1":
                world = World(scene.nothing_yet(shape))
                self._bring_people()
            else:
                world = self._prepared(shape, "1")
            self._deploy(shape, version, world)
            self._worlds[shape, version] = world
            self._shelf.keep((shape, version))
        self._shelf.bring((shape, version))
        return deepcopy(self._worlds[shape, version])

    def _bring_people(self) -> None:
        if not self._shelf.bring("people"):
            self._shelf.bring("empty")
            scene.declare_people()
            self._shelf.keep("people")

    def _deploy(self, shape: Shape, version: str, world: World) -> None:
        scheduler = Scheduler(Random(0), self._shelf.enter)  # noqa: S311
        scheduler.time = int(version) * 60 * SECOND
        faults = Faults(scheduler, Rates())
        broker = Broker(scheduler, faults, lambda task, argument: None)
        platform = Simulated(world, scheduler, faults, self._shelf.rows)
        worker = Process("worker-0")
        with _quiet(), _platform(platform), taking_hints(broker):
            if version == "1":
                scene.declare(shape)
            deployment = actions.execute(
                Workflow.objects.get(),
                Infrastructure.objects.get(),
                Artifact.objects.get(version=version),
                {},
                scene.person(scene.ENGINEER),
                scheduler.now(),
            )
            runtime = SimulatedRuntime(scheduler, worker)
            work = partial(execution.execute, deployment.pk, worker.name, runtime)
            task = scheduler.begin(worker, "execute", work)
            with points(self._shelf, scheduler, faults, world):
                task.deployment = deployment.pk
                scheduler.run(lambda: task.is_done, seconds=600)


def _evidence(
    shape: Shape, world: World, chronicle: Chronicle, surprises: list[str], has_settled: bool
) -> Evidence:
    return Evidence(
        initial=scene.nothing_yet(shape),
        calls=tuple(world.calls),
        executions=tuple(executions(chronicle)),
        looks=tuple(world.looks),
        writes=tuple(world.writes),
        rights=tuple(world.rights),
        confirmations=tuple(world.confirmations),
        surprises=tuple(surprises),
        has_settled=has_settled,
    )


@contextmanager
def _platform(simulated: Simulated) -> Iterator[None]:
    """The simulated platform stands where SSH stood."""
    usual = platforms.PLATFORMS
    platforms.PLATFORMS = {**usual, simulated.name: simulated}
    try:
        yield
    finally:
        platforms.PLATFORMS = usual


@contextmanager
def _quiet() -> Iterator[None]:
    """The story tells what happens; the log of hundreds of workers in trouble would not."""
    usual = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(usual)
