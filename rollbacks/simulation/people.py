"""What people do in a schedule: deploy, roll back, and get in each other's way."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime
from functools import partial
from random import Random

from accounts.models import User
from accounts.policy import Denied
from dashboard.models import ACTIVE, Deployment, Status
from rollbacks import actions, decisions, lifecycle, tasks
from rollbacks.eligibility import Refused
from rollbacks.simulation import scene
from rollbacks.simulation.database import Rows
from rollbacks.simulation.faults import Faults
from rollbacks.simulation.scene import COLLEAGUE, ENGINEER, Start
from rollbacks.simulation.scheduler import Process, Scheduler
from rollbacks.simulation.workers import Workers
from rollbacks.simulation.world import Confirmation, RightsChange, Verb, World

LOOKS_EVERY = 2.5
CONFIRMS = 2


@dataclass(frozen=True)
class Script:
    """What happens, and when (seconds). `start`: what was done before anything goes wrong;
    `is_rolled_back`: once the second deployment has succeeded it is rolled back."""

    start: Start
    is_rolled_back: bool
    ends: float
    aborts_at: float | None
    aborts_again_at: float | None
    loses_rights_at: float | None
    gets_them_back_after: float
    third_at: float | None
    ends_a_worker_at: float | None
    is_confirmed_twice: bool
    breaks: Verb | None
    mended_after: float

    @classmethod
    def drawn(cls, chance: Random) -> "Script":
        def sometimes(often: float) -> float | None:
            # Most executions take a few seconds; a crash makes them longer.
            return chance.expovariate(1 / 5) if chance.random() < often else None

        start = chance.choices([*Start], weights=(15, 30, 15, 40))[0]
        return cls(
            start=start,
            is_rolled_back=start in (Start.SECOND, Start.ROLLBACK_ASKED) or chance.random() < 0.2,
            ends=chance.uniform(10, 40),
            aborts_at=sometimes(0.25),
            aborts_again_at=sometimes(0.05),
            loses_rights_at=sometimes(0.25),
            gets_them_back_after=chance.uniform(1, 40),
            third_at=sometimes(0.2),
            ends_a_worker_at=sometimes(0.15),
            is_confirmed_twice=chance.random() < 0.25,
            breaks=chance.choice((Verb.APPLY, Verb.APPLY, Verb.UNDO))
            if chance.random() < 0.4
            else None,
            mended_after=chance.uniform(1, 40),
        )

    def happenings(self) -> dict[str, int]:
        """What is counted in a summary."""
        found = {
            "abort": self.aborts_at,
            "right revoked": self.loses_rights_at,
            "another deployment": self.third_at,
            "worker asked to end": self.ends_a_worker_at,
            "confirmed by two at once": self.is_confirmed_twice and self.is_rolled_back,
            "instance that refuses": self.breaks,
        }
        return {name: 1 for name, value in found.items() if value}

    def __str__(self) -> str:
        drawn = {each.name: getattr(self, each.name) for each in fields(self)}
        return ", ".join(
            f"{name} {value:.1f}" if isinstance(value, float) else f"{name} {value}"
            for name, value in drawn.items()
            if value not in (None, False)
        )


class People:
    """They look every few seconds and do what is to be done; each request is a process."""

    def __init__(
        self,
        scheduler: Scheduler,
        faults: Faults,
        world: World,
        workers: Workers,
        rows: Rows,
        script: Script,
    ) -> None:
        self._scheduler = scheduler
        self._faults = faults
        self._world = world
        self._workers = workers
        self._rows = rows
        self._script = script
        self._requests: list[Process] = []
        self._confirmed = 0
        self._last_status: dict[int, str] = {}
        self._settles = False
        self.is_over = False

    def begin(self) -> None:
        script, later = self._script, self._scheduler.later
        if script.breaks is not None:
            self._break_something(script.breaks)
        if script.start in (Start.SECOND_ASKED, Start.ROLLBACK_ASKED):
            tasks.hint(max(row[0] for row in self._rows.deployments()))
            self._confirmed = 0 if script.is_confirmed_twice else 1
        later(0, self._look)
        plans: list[tuple[float | None, Callable[[], None]]] = [
            (script.aborts_at, self._abort_one),
            (script.aborts_again_at, self._abort_one),
            (script.third_at, partial(self._deploy, "3", COLLEAGUE)),
            (script.ends_a_worker_at, self._workers.ask_one_to_end),
            (script.loses_rights_at, partial(self._set_rights, held=False)),
            (script.ends, self._settle),
        ]
        for moment, do in plans:
            if moment is not None:
                later(moment, do)
        if script.loses_rights_at is not None:
            back_at = script.loses_rights_at + script.gets_them_back_after
            later(back_at, partial(self._set_rights, held=True))

    def _settle(self) -> None:
        """From here on nothing goes wrong, and what was taken away is given back."""
        self._scheduler.note("everything settles")
        self._settles = True
        self._faults.stop()
        self._world.heal()
        self._set_rights(held=True)

    def _break_something(self, verb: Verb) -> None:
        chance = self._scheduler.chance
        key = chance.choice(sorted(self._world.instances))
        part = chance.choice(sorted(self._world.instances[key]))
        broken = (verb, key, part)
        self._world.broken.add(broken)
        self._scheduler.note(f"{key} will refuse to {verb} {part}")
        self._scheduler.later(self._script.mended_after, lambda: self._world.broken.discard(broken))

    def _look(self) -> None:
        """What people see on their pages, and what they do about it."""
        self._workers.restart_the_dead()
        rows = self._rows.deployments()
        for pk, status, code, _ in rows:
            if self._last_status.get(pk) != status:
                self._last_status[pk] = status
                self._scheduler.note(f"deployment {pk}: {status} {code}")
        if not any(process.is_alive and process.tasks for process in self._requests):
            self._act(rows)
        if not self.is_over:
            self._scheduler.later(LOOKS_EVERY, self._look)

    def _act(self, rows: list[tuple[int, str, str, int | None]]) -> None:
        second = next((row for row in rows if row[0] > 1), None)
        paused = [row for row in rows if row[1] == Status.PAUSED]
        if second is None:
            self._deploy("2", ENGINEER)
        elif paused:
            self._resume_perhaps(*paused[0][::2])
        elif self._may_confirm(second[1]):
            self._confirm(second[0])
        elif self._settles:
            self.is_over = not any(row[1] in ACTIVE for row in rows)

    def _may_confirm(self, status: str) -> bool:
        return (
            self._script.is_rolled_back
            and status == Status.SUCCEEDED
            and self._confirmed < CONFIRMS
        )

    def _request(self, who: str, what: str, do: Callable[[], object]) -> None:
        process = Process(f"{who}'s request {len(self._requests) + 1}")
        self._requests.append(process)
        self._scheduler.note(f"{who} asks: {what}")
        self._scheduler.begin(process, what, partial(self._asking, do))

    def _asking(self, do: Callable[[], object]) -> None:
        try:
            do()
        except (Denied, Refused, actions.PlanChanged) as error:
            self._scheduler.note(f"refused: {error}")

    def _deploy(self, version: str, who: str) -> None:
        now = self._scheduler.now
        self._request(who, f"deploy {version}", lambda: scene.deploy(version, who, now()))

    def _confirm(self, deployment_id: int) -> None:
        self._confirmed += 1
        people = [ENGINEER, COLLEAGUE] if self._script.is_confirmed_twice else [ENGINEER]
        for who in people:
            self._request(
                who, f"roll back {deployment_id}", partial(self._roll_back, deployment_id, who)
            )

    def _roll_back(self, deployment_id: int, who: str) -> None:
        rollback = scene.roll_back(deployment_id, who, self._scheduler.now)
        self._scheduler.note(f"is told: rollback {rollback} of deployment {deployment_id}")
        self._world.confirmations.append(
            Confirmation(self._scheduler.time, who, deployment_id, rollback)
        )

    def _abort_one(self) -> None:
        newest = max((row[0] for row in self._rows.deployments() if row[1] in ACTIVE), default=None)
        if newest is not None:
            who = self._scheduler.chance.choice((ENGINEER, COLLEAGUE))
            self._request(who, f"abort {newest}", partial(self._on_row, actions.abort, newest, who))

    def _resume_perhaps(self, deployment_id: int, code: str) -> None:
        """What waits for a decision may also wait until its time is over."""
        if self._scheduler.chance.random() > (1 if self._settles else 0.3):
            return
        who = self._scheduler.chance.choice((ENGINEER, COLLEAGUE))
        waits = code == lifecycle.MANUAL_INTERVENTION
        do = partial(self._on_row, self._decide if waits else actions.resume, deployment_id, who)
        self._request(who, f"{'decide on' if waits else 'resume'} {deployment_id}", do)

    def _decide(self, deployment: Deployment, actor: User, now: datetime) -> None:
        choices = decisions.choices(deployment)
        if choices:
            choice = self._scheduler.chance.choice(choices)
            self._scheduler.note(choice.label)
            actions.decide(deployment, choice.action, actor, now)

    def _on_row(self, do: Callable[..., None], deployment_id: int, who: str) -> None:
        deployment = Deployment.objects.get(pk=deployment_id)
        do(deployment, scene.person(who), self._scheduler.now())

    def _set_rights(self, *, held: bool) -> None:
        """Nobody's request, so that it happens at one moment, which the auditor must know."""
        was_held = next((each.is_held for each in reversed(self._world.rights)), True)
        if was_held != held:
            scene.set_rights(ENGINEER, held=held)
            self._scheduler.time += 1
            self._world.rights.append(RightsChange(self._scheduler.time, ENGINEER, held))
            self._scheduler.note(f"{ENGINEER} {'has the right again' if held else 'MAY NO MORE'}")
