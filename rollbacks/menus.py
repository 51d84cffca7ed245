"""Which actions a deployment offers to whom; a disabled one says why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from accounts.models import User
from dashboard.models import Deployment, Status
from rollbacks import continuing, decisions, eligibility, rights
from rollbacks.eligibility import Code, Refusal
from rollbacks.strategies import UNDOING


@dataclass(frozen=True)
class Item:
    """One entry. `method`: dialog (opens one), post, or link; `reason`: why it is disabled."""

    label: str
    url: str
    method: str
    reason: str = ""
    is_destructive: bool = False

    @property
    def is_enabled(self) -> bool:
        return not self.reason


def of_panel(deployment: Deployment, actor: User, now: datetime) -> list[Item]:
    """The ⋮ menu beside the current deployment."""
    view = Item("View deployment", reverse("deployment", args=[deployment.pk]), "link")
    return [*_rollback(deployment, actor, now), *_rerun(deployment, actor, now), view]


def of_page(deployment: Deployment, actor: User, now: datetime) -> list[Item]:
    """The buttons of a deployment's own page."""
    if deployment.is_active:
        decide = _decide(deployment, actor)
        return [*(decide or _resume(deployment, actor)), *_abort(deployment, actor)]
    back = deployment.rolls_back
    again: list[Item] = []
    if back is not None and deployment.status != Status.SUCCEEDED:
        is_continued = continuing.unfinished(back) == deployment
        label = "Continue rollback" if is_continued else "Roll back again"
        again = _rollback(back, actor, now, label)
    if back is None:
        again = [*_rollback(deployment, actor, now), *_rerun(deployment, actor, now)]
    return again


def _rollback(
    deployment: Deployment, actor: User, now: datetime, label: str = "Rollback Deployment"
) -> list[Item]:
    """Hidden without the right; only the current deployment offers it (reference 1.4)."""
    allowed, _ = rights.to_roll_back(actor, deployment)
    if not allowed or deployment.target.current_deployment_id != deployment.pk:
        return []
    found = [each for each in eligibility.refusals(deployment, now) if each.code != Code.FROZEN]
    url = reverse("rollback", args=[deployment.pk])
    return [Item(label, url, "dialog", _reason(found), is_destructive=True)]


def _rerun(deployment: Deployment, actor: User, now: datetime) -> list[Item]:
    allowed, _ = rights.to_execute(actor, deployment.target.infrastructure.environment)
    if not allowed:
        return []
    url = reverse("rerun", args=[deployment.pk])
    return [Item("Rerun", url, "post", _reason(eligibility.rerun_refusals(deployment, now)))]


def _abort(deployment: Deployment, actor: User) -> list[Item]:
    allowed, _ = rights.to_abort(actor, deployment)
    if not allowed:
        return []
    reason = "It is being aborted." if deployment.status == Status.ABORTING else ""
    url = reverse("abort", args=[deployment.pk])
    return [Item("Abort", url, "post", reason, is_destructive=True)]


def _decide(deployment: Deployment, actor: User) -> list[Item]:
    """What can follow a failed step, each to those who may choose it."""
    return [
        Item(
            choice.label,
            reverse("decide", args=[deployment.pk, choice.action.value]),
            "post",
            is_destructive=choice.action in UNDOING,
        )
        for choice in decisions.choices(deployment)
        if rights.to_decide(actor, deployment, choice.action)[0]
    ]


def _resume(deployment: Deployment, actor: User) -> list[Item]:
    allowed, _ = rights.to_work_on(actor, deployment)
    if not allowed or deployment.status != Status.PAUSED or decisions.undecided(deployment):
        return []
    return [Item("Resume", reverse("resume", args=[deployment.pk]), "post")]


def _reason(refusals: Sequence[Refusal]) -> str:
    return refusals[0].sentence if refusals else ""
