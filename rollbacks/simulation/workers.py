"""Worker processes: they take hints, sweep now and then, die, end when asked, are started again."""

from functools import partial

from dashboard.models import Target
from rollbacks import execution, observation, sweep
from rollbacks.simulation.faults import Faults
from rollbacks.simulation.scheduler import Process, Scheduler
from rollbacks.simulation.threads import SimulatedRuntime

AT_ONCE = 4
GRACE_SECONDS = 20.0


class Workers:
    """So many processes as there should be."""

    def __init__(self, scheduler: Scheduler, faults: Faults, count: int) -> None:
        self._scheduler = scheduler
        self._faults = faults
        self._hints = 0
        self._processes = [self._started(number, 1) for number in range(1, count + 1)]

    def _started(self, number: int, life: int) -> Process:
        process = Process(f"worker-{number}.{life}")
        self._scheduler.begin(process, "sweep", partial(self._sweep, process))
        return process

    def restart_the_dead(self) -> None:
        """Whatever looks after processes notices within seconds."""
        for index, process in enumerate(self._processes):
            if not process.is_alive and self._scheduler.chance.random() < 0.5:
                life = int(process.name.partition(".")[2])
                self._processes[index] = self._started(index + 1, life + 1)

    def ask_one_to_end(self) -> None:
        """As at an upgrade: it gives back what it works on; after a while it is killed."""
        process = self._scheduler.chance.choice(self._processes)
        if process.is_alive:
            self._scheduler.note(f"{process.name} is ASKED TO END")
            process.is_leaving = True
            self._scheduler.later(GRACE_SECONDS, lambda: self._scheduler.kill(process))

    def take(self, task: str, argument: int) -> None:
        """A hint has come: one of those that live and have a thread to spare takes it."""
        able = [each for each in self._processes if _is_able(each)]
        if not able:
            self._scheduler.note(f"hint {task} {argument} finds nobody")
            return
        process = self._scheduler.chance.choice(able)
        self._hints += 1
        work = {"execute": self._execute, "sync": self._sync}[task]
        begun = self._scheduler.begin(
            process, f"hint {self._hints} {task} {argument}", partial(work, argument, process)
        )
        begun.deployment = argument if task == "execute" else 0

    def _execute(self, deployment_id: int, process: Process) -> None:
        runtime = SimulatedRuntime(self._scheduler, process)
        execution.execute(deployment_id, process.name, runtime)

    def _sync(self, target_id: int, process: Process) -> None:
        target = Target.objects.select_related("service__application").get(pk=target_id)
        observation.sync(target, self._scheduler.now())

    def _sweep(self, process: Process) -> None:
        sweeper = sweep.Sweeper()
        while not process.is_leaving:
            self._scheduler.sleep(self._faults.between(3, 15))
            try:
                sweeper.sweep(self._scheduler.now())
            except Exception as error:
                # As rollbacks.sweep does: it tries again in a moment.
                self._scheduler.note(f"the sweep failed: {error}")


def _is_able(process: Process) -> bool:
    return process.is_alive and not process.is_leaving and len(process.tasks) < 2 * AT_ONCE
