"""The applications, environments and services that a row of permissions can name."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

from django.apps import apps
from django.db.models import Q

from accounts import policy
from accounts.models import User
from accounts.rows import Row

Choice = tuple[int, str]


@dataclass(frozen=True)
class Choices:
    """(id, name), in the order of the names."""

    applications: list[Choice]
    environments: list[Choice]
    services: list[Choice]

    @classmethod
    def offered(cls, actor: User, rows: Iterable[Row]) -> Self:
        """What the actor sees, and what the rows name already; in three queries."""
        rows = list(rows)
        seen = policy.application_ids(actor)
        named = [pk for row in rows for pk in row.applications or ()]
        return cls(
            _choices("Application", Q(pk__in=seen) | Q(pk__in=named)),
            _choices("Environment", Q(application__in=seen) | _named(rows, "environments")),
            _choices("Service", Q(application__in=seen) | _named(rows, "services")),
        )


def nameable(actor: User, model: str, pks: Iterable[int], rows: Iterable[Row]) -> set[int]:
    """Which of these the actor may name: what they see, and what the rows name already."""
    seen, wanted = policy.application_ids(actor), set(pks)
    visible = Q(pk__in=seen) if model == "Application" else Q(application__in=seen)
    named = {pk for row in rows for pk in getattr(row, f"{model.lower()}s") or ()}
    found = apps.get_model("dashboard", model).objects.filter(visible, pk__in=wanted).order_by()
    return set(found.values_list("pk", flat=True)) | (wanted & named)


def _named(rows: Iterable[Row], name: str) -> Q:
    return Q(pk__in=[pk for row in rows for pk in getattr(row, name)])


def _choices(model: str, chosen: Q) -> list[Choice]:
    found: Any = apps.get_model("dashboard", model).objects.filter(chosen)
    if model != "Application":
        found = found.select_related("application")
    return [(each.pk, str(each)) for each in found]
