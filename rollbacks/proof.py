"""The look after an execution: what each instance shows, and the sentence that says so."""

import logging
from collections.abc import Collection, Iterator
from typing import Any

from dashboard.models import Deployment, Direction, Phase, Step, StepStatus
from rollbacks import observation, rosters, specs
from rollbacks.platforms.base import Observation, PlatformError
from rollbacks.verdicts import Verdict, judged

log = logging.getLogger(__name__)

Judged = dict[str, Any]  # {"instances": [{key, identity, version, …, expected, verdict}]}


def look(
    deployment: Deployment, *, back: bool, begun_only: bool = False
) -> tuple[Observation | None, Judged]:
    """What is seen now (None: nothing could be), and the same with a verdict for each instance.

    `back`: every touched instance must show what it showed before the deployment that is undone
    (for a failed deployment: itself) began; otherwise, the version that was deployed.
    `begun_only`: what the execution did not come to counts as untouched.
    """
    undone = deployment.rolls_back or deployment
    planned = {key for direction in Direction for key in instances(deployment, direction)}
    seen = _seen(deployment, planned)
    evidence = judged(
        seen or Observation(()),
        touched=instances(
            deployment, Direction.BACK if back else Direction.FORWARD, begun_only=begun_only
        ),
        kept=_kept(deployment) if back else (),
        planned=planned,
        before=undone.before if back else None,
        version=specs.version_of(deployment),
        new={key for phase in deployment.phases.all() for key in phase.newcomers},
        earlier=specs.version_of(undone.replaces),
        gone=_gone(deployment, planned),
    )
    return seen, evidence


def _gone(deployment: Deployment, planned: Collection[str]) -> list[str]:
    try:
        return specs.gone(deployment, planned)
    except PlatformError:
        return []


def _seen(deployment: Deployment, planned: Collection[str]) -> Observation | None:
    try:
        return observation.observe(
            deployment.target, besides=planned, goes_back=deployment.is_rollback
        )
    except PlatformError as error:
        log.warning("Deployment %s: nothing could be seen (%s).", deployment.pk, error)
    except Exception:
        # A fault of ours in looking leaves unknown what runs; it must not keep an end from coming.
        log.exception("Deployment %s: the look failed.", deployment.pk)
    return None


def _kept(deployment: Deployment) -> set[str]:
    """Where phases of a failed deployment stay deployed, because only a later one is undone."""
    undone = deployment.phases.filter(direction=Direction.BACK)
    stays = deployment.phases.filter(
        direction=Direction.FORWARD, is_undoable=True, steps__captured__isnull=False
    ).exclude(pk__in=undone.values("undoes"))
    return {key for phase in stays.distinct() for key in phase.instances or ()} if undone else set()


def instances(
    deployment: Deployment, direction: Direction, *, begun_only: bool = False
) -> set[str]:
    """The instances an execution is about, in one direction; or only those it has come to."""
    phases = Phase.objects.filter(deployment=deployment, direction=direction)
    if begun_only:
        phases = phases.filter(steps__attempts__gt=0).distinct()
    return {key for phase in phases for key in phase.instances or ()}


def having(after: Judged, verdict: Verdict) -> list[str]:
    """The keys of the instances with this verdict."""
    return [each["key"] for each in after["instances"] if each["verdict"] == verdict]


def sentence(deployment: Deployment, after: Judged) -> str:
    """What makes a success one, and what it is one in spite of."""
    ignored = Step.objects.filter(phase__deployment=deployment, status=StepStatus.IGNORED)
    names = [step.name for step in ignored.order_by("phase__position", "position")]
    in_spite = f" Failed and ignored: {', '.join(names)}." if names else ""
    return "".join(
        [_seen_sentence(deployment, after), in_spite, *_not_rolled_back(deployment, after)]
    )


def _not_rolled_back(deployment: Deployment, after: Judged) -> Iterator[str]:
    """Who is left with what was undone, as far as that is known."""
    if deployment.rolls_back is None:
        return
    undone = specs.version_of(deployment.rolls_back)
    left = [
        each["key"]
        for each in after["instances"]
        if each["verdict"] == Verdict.UNTOUCHED and each["version"] == undone
    ]
    if left:
        yield f" Still on {undone}, and not part of this rollback: {', '.join(left)}."
    if gone := having(after, Verdict.GONE):
        yield f" Gone meanwhile, so skipped: {', '.join(gone)}."
    if unlisted := rosters.caution(deployment.target.infrastructure):
        yield f" {unlisted} What came since is not known."


def _seen_sentence(deployment: Deployment, after: Judged) -> str:
    if deployment.rolls_back_id is not None:
        count = len(having(after, Verdict.ROLLED_BACK))
        if not count:
            return f"No instance of deployment {deployment.rolls_back_id} was left to roll back."
        seen = "the instance" if count == 1 else f"all {count} instances"
        return f"Seen on {seen}: as before deployment {deployment.rolls_back_id}."
    shown = len(having(after, Verdict.DEPLOYED))
    wanted = len(instances(deployment, Direction.FORWARD))
    return f"Seen on {shown} of {wanted} instances: {specs.version_of(deployment) or 'deployed'}."


def undone(deployment: Deployment) -> str:
    """What a failed deployment that was undone has left; what captured nothing changed nothing."""
    captured = Step.objects.filter(phase__deployment=deployment, captured__isnull=False)
    if captured.exists():
        return "The instances are as they were before."
    return "Nothing was touched."


def is_shown_everywhere(deployment: Deployment, after: Judged) -> bool:
    """Whether every instance a deployment is about shows its version."""
    return set(having(after, Verdict.DEPLOYED)) == instances(deployment, Direction.FORWARD)


def left_at(deployment: Deployment, after: Judged, *, is_inherited: bool) -> str:
    """Where an aborted execution left each instance it had begun on.

    A worker that died may not have reported what it did last, so whatever it had come to and does
    not show what it showed before counts as well. `is_inherited`: whoever aborts has begun nothing
    itself; then all that a dead one was at counts, for a script may have run without showing.
    """
    steps = Step.objects.filter(phase__deployment=deployment).select_related("phase")
    reported = {key for step in steps for key in step.outcomes}
    if is_inherited:
        reported |= {key for step in steps if _may_have_acted(step) for key in _keys(step)}
    begun = {
        key for direction in Direction for key in instances(deployment, direction, begun_only=True)
    }
    before = observation.identities(deployment.before)
    left = [
        f"{each['key']} at {_shown(each)}"
        for each in after["instances"]
        if each["key"] in reported
        or (each["key"] in begun and _has_changed(each, before.get(each["key"])))
    ]
    return f"Left as they are: {', '.join(left)}." if left else "No instance was touched."


def _may_have_acted(step: Step) -> bool:
    """Whether it was being worked on, and not only captured."""
    return step.status == StepStatus.RUNNING and bool(step.undoes_id or step.captured is not None)


def _keys(step: Step) -> list[str]:
    return step.phase.instances or []


def _has_changed(each: dict[str, Any], before: str | None) -> bool:
    return before is None or each["identity"] != before


def _shown(each: dict[str, Any]) -> str:
    if each["verdict"] == Verdict.GONE:
        return "nothing, being gone"
    if each["identity"] is None:
        return "an unknown version (no answer)"
    return each["version"] or "nothing of ours"
