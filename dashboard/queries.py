"""What the pages show, each page in a fixed number of queries. Reads only.

Everything starts from `visible_to(actor)`: what the actor may not see is not there.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import (
    Case,
    Count,
    F,
    IntegerField,
    Model,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from accounts import policy
from accounts.models import User
from accounts.vocabulary import Right
from dashboard.models import (
    ACTIVE,
    FINISHED,
    Deployment,
    Environment,
    Instance,
    LogLine,
    Phase,
    Service,
    Status,
    Step,
    StepStatus,
    Target,
)

PAGE = 50
RECENT = 10
LISTED_INSTANCES = 100
LISTED_LINES = 200


@dataclass(frozen=True)
class Health:
    """How many instances there are, by what they last said; `strays` run another version."""

    total: int = 0
    healthy: int = 0
    unhealthy: int = 0
    strays: int = 0

    @property
    def unknown(self) -> int:
        return self.total - self.healthy - self.unhealthy

    @property
    def is_good(self) -> bool:
        return self.healthy == self.total and not self.strays


@dataclass(frozen=True)
class TargetRow:
    """One target: what runs there, what is being done to it, and what went wrong last."""

    target: Target
    health: Health
    active: Sequence[Deployment] = ()

    @property
    def environment(self) -> Environment:
        return self.target.infrastructure.environment

    @property
    def current(self) -> Deployment | None:
        return self.target.current_deployment

    @property
    def shown(self) -> Deployment | None:
        """What the ⋮ menu is about: what runs, or else what was tried."""
        return self.target.current_deployment or self.target.latest_deployment

    @property
    def failed(self) -> Deployment | None:
        """The newest execution, if it ended without success after the current one."""
        latest = self.target.latest_deployment
        ended_badly = latest and latest.status in (Status.FAILED, Status.ABORTED)
        return latest if ended_badly else None

    @property
    def is_partly_unseen(self) -> bool:
        """The last look succeeded, but not for every instance."""
        return bool(self.target.sync_error) and self.target.synced_at == self.target.sync_tried_at


@dataclass(frozen=True)
class ServiceRow:
    """One service, with its targets by the type of their environment."""

    service: Service
    production: list[TargetRow] = field(default_factory=list)
    non_production: list[TargetRow] = field(default_factory=list)


def services(actor: User, text: str) -> QuerySet[Service]:
    """The services whose own or whose application's name contains the text."""
    found = Service.objects.visible_to(actor).select_related("application")
    if text:
        found = found.filter(Q(name__icontains=text) | Q(application__name__icontains=text))
    return found


def service_rows(shown: Iterable[Service], actor: User) -> list[ServiceRow]:
    """The services with everything that runs of them where the actor may look."""
    rows = {service.pk: ServiceRow(service) for service in shown}
    for row in _target_rows(_targets(actor).filter(service__in=rows)):
        of_service = rows[row.target.service_id]
        side = of_service.production if row.environment.is_production else of_service.non_production
        side.append(row)
    return list(rows.values())


def panel(service: Service, actor: User) -> list[TargetRow]:
    """The rows of Current Deployment Status, production first, with their instances."""
    problems_first = Case(
        When(is_healthy=False, then=Value(0)),
        When(is_healthy=None, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    listed = Instance.objects.order_by(problems_first, "key")[:LISTED_INSTANCES]
    targets = _targets(actor).filter(service=service)
    return _target_rows(targets.prefetch_related(Prefetch("instances", listed, to_attr="listed")))


def panel_version(service_id: int, actor: User) -> str:
    """Changes with anything the panel shows, in one query; empty where there is no target."""
    active = (
        Deployment.objects.filter(target=OuterRef("pk"), status__in=ACTIVE)
        .order_by()
        .values("target")
        .annotate(versions=Sum("version"))
        .values("versions")
    )
    rows = (
        Target.objects.visible_to(actor)
        .filter(service=service_id, service__in=Service.objects.visible_to(actor))
        .order_by("pk")
        .values_list(
            "pk",
            "current_deployment",
            "latest_deployment",
            "latest_deployment__version",
            "synced_at",
            "sync_tried_at",
            Subquery(active),
        )
    )
    content = repr(list(rows))
    return hashlib.sha256(content.encode()).hexdigest()[:16] if content != "[]" else ""


def may_execute(service: Service, actor: User) -> bool:
    """Whether the actor may execute a workflow somewhere in the service's application."""
    environments = policy.environment_ids(actor, Right.EXECUTE_WORKFLOW)
    return Environment.objects.filter(
        pk__in=environments, application=service.application_id
    ).exists()


def _targets(actor: User) -> QuerySet[Target]:
    """Targets with everything a row shows of them, production first."""
    active = Deployment.objects.filter(status__in=ACTIVE).order_by("pk")
    return (
        Target.objects.visible_to(actor)
        .select_related(
            "service",
            "infrastructure__environment",
            "current_deployment__artifact",
            "current_deployment__workflow",
            "current_deployment__started_by",
            "current_deployment__rolls_back__artifact",
            "latest_deployment__artifact",
            "latest_deployment__started_by",
            "latest_deployment__rolls_back__artifact",
        )
        .prefetch_related(
            Prefetch(
                "deployments",
                active.select_related("artifact", "started_by", "rolls_back__artifact"),
                to_attr="active",
            )
        )
        .order_by(
            "-infrastructure__environment__environment_type",
            "infrastructure__environment__name",
            "infrastructure__name",
        )
    )


def _target_rows(targets: QuerySet[Target]) -> list[TargetRow]:
    found = list(targets)
    health = _health(found)
    return [
        TargetRow(target, health.get(target.pk, Health()), target.__dict__["active"])
        for target in found
    ]


def _health(targets: Sequence[Model]) -> dict[int, Health]:
    running = F("target__current_deployment__artifact__version")
    counts = (
        Instance.objects.filter(target__in=[target.pk for target in targets])
        .order_by()
        .values("target")
        .annotate(
            total=Count("pk"),
            healthy=Count("pk", filter=Q(is_healthy=True)),
            unhealthy=Count("pk", filter=Q(is_healthy=False)),
            strays=Count("pk", filter=~Q(version=running)),
        )
    )
    return {
        row["target"]: Health(row["total"], row["healthy"], row["unhealthy"], row["strays"])
        for row in counts
    }


@dataclass(frozen=True)
class Filters:
    """What a list of deployments is narrowed to; nonsense in an address narrows nothing."""

    service: int | None = None
    environment: int | None = None
    status: str = ""
    before: int | None = None
    after: int | None = None

    @classmethod
    def read(cls, query: Mapping[str, str]) -> "Filters":
        def number(name: str) -> int | None:
            text = query.get(name, "")
            return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None

        status = query.get("status", "")
        known = status in Status.values or status == "ACTIVE"
        return cls(
            number("service"),
            number("environment"),
            status if known else "",
            number("before"),
            number("after"),
        )

    @property
    def is_narrow(self) -> bool:
        return bool(self.service or self.environment or self.status)


@dataclass(frozen=True)
class DeploymentPage:
    """Up to 50 deployments, newest first; `older` and `newer` are where to go on from."""

    rows: list[Deployment]
    older: int | None
    newer: int | None


def deployments(actor: User, filters: Filters) -> DeploymentPage:
    """A page of the deployments the actor may see; by key, so that new ones shift nothing."""
    found = _listed(actor)
    if filters.service:
        found = found.filter(target__service=filters.service)
    if filters.environment:
        found = found.filter(target__infrastructure__environment=filters.environment)
    if filters.status:
        found = found.filter(status__in=ACTIVE if filters.status == "ACTIVE" else [filters.status])
    if filters.after:
        rows = list(found.filter(pk__gt=filters.after).order_by("pk")[: PAGE + 1])
        has_newer, has_older = len(rows) > PAGE, True
        rows = rows[PAGE - 1 :: -1] if has_newer else rows[::-1]
    else:
        rows = list((found.filter(pk__lt=filters.before) if filters.before else found)[: PAGE + 1])
        has_newer, has_older = bool(filters.before), len(rows) > PAGE
        rows = rows[:PAGE]
    return DeploymentPage(
        rows,
        rows[-1].pk if rows and has_older else None,
        rows[0].pk if rows and has_newer else None,
    )


def recent_deployments(service: Service, actor: User) -> list[Deployment]:
    """The newest deployments of the service."""
    return list(_listed(actor).filter(target__service=service)[:RECENT])


def filter_choices(actor: User) -> dict[str, object]:
    """What the filters of a list of deployments offer."""
    return {
        "services": Service.objects.visible_to(actor).select_related("application"),
        "environments": Environment.objects.visible_to(actor).select_related("application"),
        "statuses": [("ACTIVE", "In progress"), *Status.choices],
    }


def _listed(actor: User) -> QuerySet[Deployment]:
    return Deployment.objects.visible_to(actor).with_names().prefetch_related("rollbacks")


def rollback_state(deployment: Deployment) -> str:
    """The badge of a deployment that was or is being rolled back; from the newest rollback."""
    rollback = max(deployment.rollbacks.all(), key=lambda each: each.pk, default=None)
    if rollback is None:
        return ""
    if rollback.is_active:
        return "ROLLING_BACK"
    return "WAS_ROLLED_BACK" if rollback.status == Status.SUCCEEDED else "ROLLBACK_FAILED"


def is_live(deployment: Deployment) -> bool:
    """Whether its page has more to tell: it runs, or its rollback does."""
    return deployment.is_active or rollback_state(deployment) == "ROLLING_BACK"


def deployment(actor: User) -> QuerySet[Deployment]:
    """Deployments with everything a page about one of them shows but its journal."""
    return (
        Deployment.objects.visible_to(actor)
        .with_names()
        .select_related("revision", "replaces__artifact", "resumed_by")
        .prefetch_related(
            Prefetch("rollbacks", Deployment.objects.order_by("-pk").select_related("started_by")),
            "events__actor",
        )
    )


def deployment_version(deployment_id: int, actor: User) -> str:
    """Changes with anything the page shows of it and of its rollbacks, in one query."""
    rollbacks = (
        Deployment.objects.filter(rolls_back=OuterRef("pk"))
        .order_by()
        .values("rolls_back")
        .annotate(versions=Sum("version"))
        .values("versions")
    )
    rows = Deployment.objects.visible_to(actor).filter(pk=deployment_id)
    found = rows.annotate(others=Coalesce(Subquery(rollbacks), 0)).values_list("version", "others")
    return "".join(f"{version}-{others}" for version, others in found)


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
        order = ("failed", "unknown", "running", "done", "unchanged", "waiting")
        return ", ".join(f"{counts[name]} {name}" for name in order if counts[name])


_URGENCY = {"RUNNING": "running", "DONE": "over", "UNCHANGED": "over"}


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
