"""What a person should know before confirming a rollback; none of it forbids anything."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

import yaml
from django.urls import reverse

from dashboard.models import Deployment, Flag, Status, WorkflowRevision
from rollbacks import rosters
from rollbacks.picks import Picks


@dataclass(frozen=True)
class Caution:
    """Something a person should know before confirming; it forbids nothing."""

    title: str
    sentence: str
    diff: tuple[str, ...] = ()
    url: str = ""


def before(
    deployment: Deployment,
    current: WorkflowRevision,
    picked: Picks,
    continued: Deployment | None,
) -> Iterable[Caution]:
    """What to know before rolling back; `continued` is the earlier rollback that this one goes on
    from."""
    if current.pk != deployment.revision_id:
        by = current.created_by.label if current.created_by else "a catalogue file"
        yield Caution(
            "The workflow was edited since this deployment",
            f"Revision {deployment.revision.number} was deployed; revision {current.number} was "
            f"made by {by}. The rollback steps of the chosen revision will run.",
            _diff(deployment.revision.definition, current.definition),
        )
    settings = deployment.target.infrastructure.settings
    if deployment.infrastructure_settings != settings:
        yield Caution(
            "The infrastructure definition was edited since this deployment",
            "The rollback uses it as it is now.",
            _diff(deployment.infrastructure_settings, settings),
        )
    yield from _of_the_fleet(deployment, picked)
    latest = deployment.target.latest_deployment
    if continued:
        yield Caution(
            f"This continues {str(continued).lower()}",
            f"It {_ended(continued)}. What it has undone is only looked at again; its other steps "
            "that ended well are not run again.",
            url=reverse("deployment", args=[continued.pk]),
        )
    elif latest and latest.pk > deployment.pk:
        yield Caution(
            "Something was tried on this target since",
            f"{latest} ended {latest.get_status_display().lower()}; what runs may differ from "
            "what this deployment left.",
            url=reverse("deployment", args=[latest.pk]),
        )


def _of_the_fleet(deployment: Deployment, picked: Picks) -> Iterable[Caution]:
    where = "Auto Scaling group" if picked.from_group else "infrastructure definition"
    if unlisted := rosters.caution(deployment.target.infrastructure):
        yield Caution(
            "The Auto Scaling group could not be asked which hosts it has",
            f"{unlisted} What came or went since is not known here; what has gone is left out, and "
            "what has come is named, once the group answers.",
        )
    gone = sorted({key for pick in picked.phases for key in pick.gone})
    if gone:
        yield Caution(
            "Instances of this deployment are gone",
            f"{', '.join(gone)}: no longer in the {where}, so not rolled back.",
        )
    if picked.new:
        yield Caution(
            "Instances came after this deployment",
            f"{', '.join(picked.new)}: not deployed by it, so not rolled back.{_why_not(picked)}",
        )
    if picked.inactive:
        yield Caution(
            "Hosts of the Auto Scaling group without an active instance",
            f"{', '.join(picked.inactive)}: nothing of {deployment.target.service.name} was seen "
            "on them, so they are not touched.",
        )


def _why_not(picked: Picks) -> str:
    if not picked.from_group:
        return ""
    if picked.overlap:
        return (
            " Its phases deployed to the same instances, so new ones cannot be shared out among "
            "them."
        )
    return f" The feature flag {Flag.WINRM_ASG_ROLLBACK.value}, which is off, would take them in."


def _ended(deployment: Deployment) -> str:
    has_failed = deployment.status == Status.FAILED
    return f"{'failed' if has_failed else 'was aborted'}: {deployment.message.rstrip('.')}"


def _diff(before: object, after: object) -> tuple[str, ...]:
    old, new = (
        yaml.safe_dump(each, sort_keys=False, allow_unicode=True).splitlines()
        for each in (before, after)
    )
    lines = difflib.unified_diff(old, new, lineterm="", n=2)
    return tuple(line for line in lines if not line.startswith(("---", "+++")))
