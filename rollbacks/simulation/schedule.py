"""One schedule: everything that happens from one seed, and what the auditor says of it."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial
from random import Random

from rollbacks import execution, platforms
from rollbacks.simulation import auditor, scene
from rollbacks.simulation.broker import Broker, taking_hints
from rollbacks.simulation.database import Shelf
from rollbacks.simulation.faults import Faults, Rates
from rollbacks.simulation.people import People, Script
from rollbacks.simulation.platform import Simulated
from rollbacks.simulation.points import Chronicle, points
from rollbacks.simulation.records import Evidence, executions
from rollbacks.simulation.scene import Shape, Start
from rollbacks.simulation.scheduler import SECOND, Entry, Process, Scheduler
from rollbacks.simulation.threads import SimulatedRuntime
from rollbacks.simulation.workers import Workers
from rollbacks.simulation.world import Confirmation, World

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
        self._worlds: dict[tuple[Shape, Start], World] = {}

    def run(self, seed: int) -> Outcome:
        """Everything that happens from this seed; the same every time."""
        chance = Random(seed)  # noqa: S311
        shape, script = chance.choice(scene.SHAPES), Script.drawn(chance)
        world = self.prepared(shape, script.start)
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
        return _evidence(shape, world, chronicle, scheduler, has_settled)

    def prepared(self, shape: Shape, start: Start) -> World:
        """The world at this start, and the database as of then."""
        if (shape, start) not in self._worlds:
            self._worlds[shape, start] = self._made(shape, start)
            self._shelf.keep((shape, start))
        self._shelf.bring((shape, start))
        return deepcopy(self._worlds[shape, start])

    def _made(self, shape: Shape, start: Start) -> World:
        earlier = {Start.SECOND_ASKED: Start.FIRST, Start.SECOND: Start.SECOND_ASKED,
                   Start.ROLLBACK_ASKED: Start.SECOND}.get(start)  # fmt: skip
        world = self.prepared(shape, earlier) if earlier else World(scene.nothing_yet(shape))
        scheduler = Scheduler(Random(0), self._shelf.enter)  # noqa: S311
        scheduler.time = [*Start].index(start) * 60 * SECOND
        faults = Faults(scheduler, Rates())
        broker = Broker(scheduler, faults, lambda task, argument: None)
        platform = Simulated(world, scheduler, faults, self._shelf.rows)
        with _quiet(), _platform(platform), taking_hints(broker):
            if start == Start.FIRST:
                self._bring_people()
                scene.declare(shape)
                self._work(scene.deploy("1", scene.ENGINEER, scheduler.now()), scheduler, world)
            elif start == Start.SECOND_ASKED:
                scene.deploy("2", scene.ENGINEER, scheduler.now())
            elif start == Start.SECOND:
                self._work(2, scheduler, world)
            else:
                rollback = scene.roll_back(2, scene.ENGINEER, scheduler.now)
                told = Confirmation(scheduler.time, scene.ENGINEER, 2, rollback)
                world.confirmations.append(told)
        return world

    def _bring_people(self) -> None:
        if not self._shelf.bring("people"):
            self._shelf.bring("empty")
            scene.declare_people()
            self._shelf.keep("people")

    def _work(self, deployment: int, scheduler: Scheduler, world: World) -> None:
        """Let a worker do it, without a fault."""
        worker = Process("worker-0")
        runtime = SimulatedRuntime(scheduler, worker)
        work = partial(execution.execute, deployment, worker.name, runtime)
        task = scheduler.begin(worker, "execute", work)
        task.deployment = deployment
        with points(self._shelf, scheduler, Faults(scheduler, Rates()), world):
            scheduler.run(lambda: task.is_done, seconds=600)


def _evidence(
    shape: Shape, world: World, chronicle: Chronicle, scheduler: Scheduler, has_settled: bool
) -> Evidence:
    return Evidence(
        initial=scene.nothing_yet(shape),
        calls=tuple(world.calls),
        executions=tuple(executions(chronicle)),
        looks=tuple(world.looks),
        writes=tuple(world.writes),
        rights=tuple(world.rights),
        confirmations=tuple(world.confirmations),
        disturbances=tuple(scheduler.disturbances),
        surprises=tuple(scheduler.surprises),
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
