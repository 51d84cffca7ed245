"""What an execution did, step by step, and what every instance showed at the end."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Prefetch

from dashboard.models import FINISHED, Deployment, LogLine, Phase, Status, Step, StepStatus

LISTED_LINES = 200


@dataclass(frozen=True)
class Outcome:
    """One instance in one step."""

    instance: str
    state: str
    message: str = ""


@dataclass(frozen=True)
class StepRow:
    """One step with its instances by urgency, and its last lines."""

    step: Step
    waiting: Sequence[str]
    lines: Sequence[LogLine]

    @property
    def outcomes(self) -> dict[str, list[Outcome]]:
        """By urgency: what is wrong, what is at work, what is over."""
        groups: dict[str, list[Outcome]] = {"problems": [], "running": [], "over": []}
        for instance, told in sorted(self.step.outcomes.items()):
            state = told.get("state", "UNKNOWN")
            group = _URGENCY.get(state, "problems")
            groups[group].append(Outcome(instance, state, told.get("message", "")))
        return groups

    @property
    def progress(self) -> str:
        """Such as "12 done, 3 running, 15 waiting"; empty where nothing was told."""
        told = self.step.outcomes.values()
        counts = Counter(each.get("state", "UNKNOWN").lower() for each in told)
        if self.waiting and self.step.outcomes:
            counts["waiting"] = len(self.waiting)
        order = ("failed", "unknown", "running", "done", "unchanged", "gone", "waiting")
        return ", ".join(f"{counts[name]} {name}" for name in order if counts[name])


_URGENCY = {"RUNNING": "running", "DONE": "over", "UNCHANGED": "over", "GONE": "over"}


def unknown(phases: Sequence["PhaseRow"]) -> list[str]:
    """The instances of which it is being found out what became of them."""
    steps = (row.step for phase in phases for row in phase.steps)
    at_work = (step for step in steps if step.status == StepStatus.RUNNING)
    return sorted(
        key
        for step in at_work
        for key, told in step.outcomes.items()
        if told.get("state") == "UNKNOWN"
    )


@dataclass(frozen=True)
class PhaseRow:
    phase: Phase
    steps: list[StepRow]


def journal(deployment: Deployment) -> list[PhaseRow]:
    """The phases and steps in order, each step with its last lines."""
    lines = LogLine.objects.order_by("-pk")[:LISTED_LINES]
    steps = Step.objects.prefetch_related(Prefetch("log", lines, to_attr="newest_lines"))
    phases = deployment.phases.prefetch_related(Prefetch("steps", steps))
    return [
        PhaseRow(phase, [_step_row(phase, step) for step in phase.steps.all()]) for phase in phases
    ]


def _step_row(phase: Phase, step: Step) -> StepRow:
    is_at_work = step.status in (StepStatus.QUEUED, StepStatus.RUNNING)
    keys = phase.instances or () if is_at_work else ()
    waiting = [key for key in keys if key not in step.outcomes]
    return StepRow(step, waiting, step.__dict__["newest_lines"][::-1])


@dataclass(frozen=True)
class Verification:
    """What every instance showed at the end, what is wrong first."""

    problems: list[Mapping[str, object]]
    others: list[Mapping[str, object]]

    @property
    def counts(self) -> list[tuple[str, str]]:
        """Each verdict with how often, such as ("ROLLED_BACK", "30 rolled back")."""
        found = Counter(str(each.get("verdict")) for each in (*self.problems, *self.others))
        return [
            (verdict, f"{count} {verdict.replace('_', ' ').lower()}")
            for verdict, count in found.items()
        ]


def verification(deployment: Deployment) -> Verification | None:
    """The evidence of a finished or paused execution, if there is some."""
    instances = (deployment.after or {}).get("instances")
    if not instances or deployment.status not in (*FINISHED, Status.PAUSED):
        return None
    wrong = [each for each in instances if each.get("verdict") in ("DIFFERENT", "UNKNOWN")]
    return Verification(wrong, [each for each in instances if each not in wrong])
