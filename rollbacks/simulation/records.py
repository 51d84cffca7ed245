"""What the journal says of each execution, as plain values: the auditor reads no database."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from dashboard.models import Deployment, Direction, Event, Status, Step, StepStatus
from rollbacks.simulation.scheduler import since_beginning
from rollbacks.simulation.world import Call, Confirmation, Look, Parts, RightsChange, Write


@dataclass(frozen=True)
class EventRecord:
    """One change of status; `at` is when it was committed."""

    at: int
    status: Status
    code: str = ""
    message: str = ""
    epoch: int = 0
    actor: str = ""


@dataclass(frozen=True)
class StepRecord:
    """A step with what its phase says of it; `place` orders all steps of an execution."""

    pk: int
    place: tuple[int, int]
    direction: Direction
    instances: tuple[str, ...]
    status: StepStatus
    captured: Mapping[str, str] | None = None
    undoes: int | None = None
    started_at: int | None = None
    retries: int = 0


@dataclass(frozen=True)
class ExecutionRecord:
    """One deployment or rollback, by its primary key."""

    pk: int
    target: int
    status: Status
    version: str
    rolls_back: int | None = None
    code: str = ""
    message: str = ""
    after: Mapping[str, Any] | None = None
    events: tuple[EventRecord, ...] = ()
    steps: tuple[StepRecord, ...] = ()

    @property
    def asked_at(self) -> int:
        return self.events[0].at

    @property
    def began_at(self) -> int | None:
        return next((each.at for each in self.events if each.status == Status.RUNNING), None)

    @property
    def ended_at(self) -> int:
        return self.events[-1].at

    def responsible_at(self, moment: int) -> str:
        """On whose behalf it ran then: who had resumed it last, or else who had asked for it."""
        asked = [
            each.actor for each in self.events
            if each.actor and each.at <= moment and each.status in {Status.QUEUED, Status.RUNNING}
        ]  # fmt: skip
        return asked[-1] if asked else ""

    def __str__(self) -> str:
        return f"{'Rollback' if self.rolls_back else 'Deployment'} {self.pk}"


@dataclass(frozen=True)
class Evidence:
    """Everything there is to judge a schedule by."""

    initial: Mapping[str, Parts]
    calls: tuple[Call, ...]
    executions: tuple[ExecutionRecord, ...]
    looks: tuple[Look, ...] = ()
    writes: tuple[Write, ...] = ()
    rights: tuple[RightsChange, ...] = ()
    confirmations: tuple[Confirmation, ...] = ()
    disturbances: tuple[int, ...] = ()
    surprises: tuple[str, ...] = ()
    has_settled: bool = True
    steps: Mapping[int, StepRecord] = field(init=False)

    def __post_init__(self) -> None:
        found = {step.pk: step for execution in self.executions for step in execution.steps}
        object.__setattr__(self, "steps", found)

    def execution(self, pk: int) -> ExecutionRecord | None:
        return next((each for each in self.executions if each.pk == pk), None)

    def effects(self, execution: ExecutionRecord) -> list[Call]:
        """The calls of this execution that changed something, in order."""
        return [call for call in self.calls if call.has_effect and call.deployment == execution.pk]


def executions(chronicle: Mapping[int, int]) -> Iterator[ExecutionRecord]:
    """Every execution there is, out of the database; `chronicle` knows when events were written.

    An event itself tells the time that was read before, perhaps by a process that then slept.
    """
    events, steps = _events(chronicle), _steps()
    rows = Deployment.objects.order_by("pk").values(
        "pk", "target", "status", "artifact__version", "rolls_back", "code", "message", "after"
    )  # fmt: skip
    for row in rows:
        yield ExecutionRecord(
            pk=row["pk"],
            target=row["target"],
            status=Status(row["status"]),
            version=row["artifact__version"] or "",
            rolls_back=row["rolls_back"],
            code=row["code"],
            message=row["message"],
            after=row["after"],
            events=tuple(events[row["pk"]]),
            steps=tuple(steps[row["pk"]]),
        )


def _events(chronicle: Mapping[int, int]) -> Mapping[int, list[EventRecord]]:
    found: dict[int, list[EventRecord]] = defaultdict(list)
    for row in Event.objects.order_by("pk").values(
        "pk", "deployment", "at", "status", "code", "message", "epoch", "actor__username"
    ):
        at = chronicle.get(row["pk"]) or since_beginning(row["at"])
        event = EventRecord(
            at,
            Status(row["status"]),
            row["code"],
            row["message"],
            row["epoch"],
            row["actor__username"] or "",
        )
        found[row["deployment"]].append(event)
    return found


def _steps() -> Mapping[int, list[StepRecord]]:
    found: dict[int, list[StepRecord]] = defaultdict(list)
    rows = Step.objects.order_by("phase__position", "position").values(
        "pk", "phase__deployment", "phase__position", "position", "phase__direction",
        "phase__instances", "status", "captured", "undoes", "started_at", "retries",
    )  # fmt: skip
    for row in rows:
        began = row["started_at"]
        record = StepRecord(
            pk=row["pk"],
            place=(row["phase__position"], row["position"]),
            direction=Direction(row["phase__direction"]),
            instances=tuple(row["phase__instances"] or ()),
            status=StepStatus(row["status"]),
            captured=row["captured"],
            undoes=row["undoes"],
            started_at=since_beginning(began) if began else None,
            retries=row["retries"],
        )
        found[row["phase__deployment"]].append(record)
    return found
