"""What runs where: services, their targets, and what is being done to them."""

import hashlib
from collections.abc import Iterable, Sequence
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

from accounts import policy
from accounts.models import User
from accounts.vocabulary import Right
from dashboard.models import ACTIVE, Deployment, Environment, Instance, Service, Status, Target

LISTED_INSTANCES = 100


@dataclass(frozen=True)
class Health:
    """How many instances there are, by what they last said; `strays` run another version.

    One that has members counts as those, so that there may be fewer `rows`. `incomplete` are those
    that are unhealthy though no member of theirs is.
    """

    rows: int = 0
    total: int = 0
    healthy: int = 0
    unhealthy: int = 0
    strays: int = 0
    incomplete: int = 0

    @property
    def unknown(self) -> int:
        return self.total - self.healthy - self.unhealthy

    @property
    def is_good(self) -> bool:
        return self.healthy == self.total and not self.is_bad

    @property
    def is_bad(self) -> bool:
        return bool(self.unhealthy or self.strays or self.incomplete)


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
    counts = (
        Instance.objects.filter(target__in=[target.pk for target in targets])
        .order_by()
        .values("target")
        .annotate(
            rows=Count("pk"),
            total=Sum("size"),
            well=Sum(_told(True, "healthy")),
            ill=Sum(_told(False, "unhealthy")),
            astray=Sum(_ASTRAY),
            incomplete=Count("pk", filter=Q(is_healthy=False, unhealthy=0)),
        )
    )
    return {
        row["target"]: Health(
            row["rows"], row["total"], row["well"], row["ill"], row["astray"], row["incomplete"]
        )
        for row in counts
    }


def _told(is_healthy: bool, members: str) -> Case:
    """As how many that are so an instance counts."""
    return Case(
        When(**{f"{members}__isnull": False}, then=F(members)),
        When(is_healthy=is_healthy, then=Value(1)),
        default=Value(0),
        output_field=IntegerField(),
    )


_ASTRAY = Case(
    When(version=F("target__current_deployment__artifact__version"), then=F("strays")),
    default=F("size"),
    output_field=IntegerField(),
)
