"""Deployments and rollbacks: lists of them, and one with what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import OuterRef, Prefetch, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from accounts.models import User
from dashboard.models import ACTIVE, Deployment, Environment, Service, Status

PAGE = 50
RECENT = 10


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
