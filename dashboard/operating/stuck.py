"""Executions that nobody works on and nobody is about to. There must be none, ever."""

from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import Case, CharField, Count, Exists, F, OuterRef, Q, Subquery, Value, When

from dashboard.models import ACTIVE, HOLDING, Deployment, Event, Status

PATIENCE = timedelta(seconds=30)


class Reason(StrEnum):
    NOT_TAKEN = "NOT_TAKEN"
    WAITS_FOR_NOTHING = "WAITS_FOR_NOTHING"
    UNEXPLAINED = "UNEXPLAINED"
    UNTOLD = "UNTOLD"


def stuck(now: datetime) -> dict[Reason, int]:
    """How many, by reason, in one query; reasons that nothing has are 0.

    NOT_TAKEN: a worker should have taken it 30 s ago. WAITS_FOR_NOTHING: queued behind nothing
    that is ahead of it. UNEXPLAINED: paused without a reason. UNTOLD: its last event is not its
    status. A paused execution with a reason waits for a person, so it is not stuck.
    """
    rows = Deployment.objects.filter(status__in=ACTIVE).annotate(told=_last_told())
    reasons = rows.annotate(reason=_reason(now - PATIENCE)).exclude(reason="").order_by()
    found = dict(reasons.values_list("reason").annotate(Count("pk")))
    return {reason: found.get(reason.value, 0) for reason in Reason}


def _last_told() -> Subquery:
    events = Event.objects.filter(deployment=OuterRef("pk")).order_by("-pk")
    return Subquery(events.values("status")[:1])


def _reason(long_ago: datetime) -> Case:
    others = Deployment.objects.filter(target=OuterRef("target"))
    has_ahead = Exists(others.filter(status__in=ACTIVE, pk__lt=OuterRef("pk")))
    is_queued = Q(status=Status.QUEUED)
    was_free = Q(~Exists(others.filter(Q(status__in=HOLDING) | Q(finished_at__gte=long_ago))))
    has_no_worker = Q(lease_until__lt=long_ago) | Q(lease_until__isnull=True)
    changed_lately = Exists(Event.objects.filter(deployment=OuterRef("pk"), at__gte=long_ago))
    cases = {
        Reason.UNEXPLAINED: Q(status=Status.PAUSED) & (Q(code="") | Q(message="")),
        Reason.UNTOLD: ~is_queued & (Q(told__isnull=True) | ~Q(told=F("status"))),
        Reason.WAITS_FOR_NOTHING: is_queued
        & ~Q(has_ahead)
        & Q(Exists(others.filter(status__in=HOLDING))),
        Reason.NOT_TAKEN: (is_queued & Q(created_at__lt=long_ago) & ~Q(has_ahead) & was_free)
        | (Q(status__in=(Status.RUNNING, Status.ABORTING)) & has_no_worker & ~Q(changed_lately))
        | Q(status=Status.PAUSED, decision_due_at__lt=long_ago),
    }
    whens = [When(condition, then=Value(reason.value)) for reason, condition in cases.items()]
    return Case(*whens, default=Value(""), output_field=CharField())
