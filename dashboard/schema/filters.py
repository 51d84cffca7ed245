"""How lists are narrowed: the field's filters, each a name with an operator and values."""

from datetime import datetime
from enum import Enum
from typing import TypeVar

import strawberry
from django.db.models import F, Model, Q, QuerySet

from accounts.api import key_of
from dashboard.models import Deployment
from dashboard.schema.nodes import ExecutionStatus

Thing = TypeVar("Thing", bound=Model)


@strawberry.enum
class IdOperator(Enum):
    EQUALS = "EQUALS"
    IN = "IN"
    NOT_IN = "NOT_IN"


@strawberry.enum
class TimeOperator(Enum):
    AFTER = "gt"
    BEFORE = "lt"


@strawberry.input(description="EQUALS and IN both mean: one of the values.")
class IdFilter:
    operator: IdOperator
    values: list[str]

    def on(self, name: str) -> Q:
        chosen = Q(**{f"{name}__in": [key_of(each) for each in self.values]})
        return ~chosen if self.operator == IdOperator.NOT_IN else chosen


@strawberry.input
class StatusFilter:
    operator: IdOperator
    values: list[ExecutionStatus]

    def on(self, name: str) -> Q:
        chosen = Q(**{f"{name}__in": [each.value for each in self.values]})
        return ~chosen if self.operator == IdOperator.NOT_IN else chosen


@strawberry.input
class TimeFilter:
    operator: TimeOperator
    value: datetime

    def on(self, name: str) -> Q:
        return Q(**{f"{name}__{self.operator.value}": self.value})


@strawberry.input(description="What is left out narrows nothing.")
class ApplicationsFilter:
    application: IdFilter | None = None


@strawberry.input(description="What is left out narrows nothing.")
class ExecutionFilter:
    application: IdFilter | None = None
    service: IdFilter | None = None
    environment: IdFilter | None = None
    workflow: IdFilter | None = None
    execution: IdFilter | None = None
    status: StatusFilter | None = None
    start_time: TimeFilter | None = None
    is_current: bool | None = strawberry.field(
        default=None, description="Only what runs now, or only what does not. Lastgood's own."
    )


_COLUMNS = {
    "application": "target__service__application",
    "service": "target__service",
    "environment": "target__infrastructure__environment",
    "workflow": "workflow",
    "execution": "pk",
    "status": "status",
    "start_time": "started_at",
}


def narrowed(
    deployments: QuerySet[Deployment], filters: list[ExecutionFilter] | None
) -> QuerySet[Deployment]:
    """Those that pass all of the filters."""
    for each in filters or ():
        for name, column in _COLUMNS.items():
            if chosen := getattr(each, name):
                deployments = deployments.filter(chosen.on(column))
        if each.is_current is not None:
            current = Q(target__current_deployment=F("pk"))
            deployments = deployments.filter(current if each.is_current else ~current)
    return deployments


def of_applications(
    things: QuerySet[Thing], filters: list[ApplicationsFilter] | None
) -> QuerySet[Thing]:
    """Those of the applications that pass all of the filters."""
    given = [each.application for each in filters or () if each.application]
    return things.filter(*(each.on("application") for each in given))
