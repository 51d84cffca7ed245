"""Which instances each phase of a rollback is about: those it deployed, and perhaps newer ones."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from dashboard.models import Deployment, FeatureFlag, Flag, Instance, Phase
from rollbacks import rosters
from rollbacks.platforms.base import OutcomeState
from rollbacks.shares import shares

_REACHED = (OutcomeState.DONE, OutcomeState.UNCHANGED)


@dataclass(frozen=True)
class Pick:
    """Of one phase. `newcomers`: those of `instances` that came since; `gone`: not there now."""

    instances: tuple[str, ...]
    newcomers: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


@dataclass(frozen=True)
class Picks:
    """`phases`: in the order in which they are undone. `new`: came since, and stay as they are.

    `inactive`: in the group, but without an active instance of the service. `overlap`: phases have
    deployed to the same instances, so that new ones cannot be shared out among them. `from_group`:
    hosts come and go by themselves.
    """

    phases: Sequence[Pick]
    new: tuple[str, ...] = ()
    inactive: tuple[str, ...] = ()
    overlap: bool = False
    from_group: bool = False


def picks(deployment: Deployment, recorded: Sequence[Phase], everything: Sequence[str]) -> Picks:
    """`recorded`: the deployment's phases, last first; `everything`: what is there now, listed."""
    from_group = rosters.has_one(deployment.target.infrastructure)
    deployed = [deployed_by(phase) for phase in recorded]
    overlap = len({key for keys in deployed for key in keys}) < sum(map(len, deployed))
    is_on = from_group and FeatureFlag.is_switched_on(Flag.WINRM_ASG_ROLLBACK)
    if not is_on or overlap:
        found = _as_deployed(deployed, everything)
        return replace(found, from_group=from_group, overlap=is_on and overlap)
    active = _active(deployment, everything)
    shared = shares(deployed[::-1], active)
    there = set(everything)
    return Picks(
        [
            Pick(share.every, share.new, tuple(key for key in keys if key not in there))
            for share, keys in zip(shared, deployed, strict=True)
        ],
        inactive=tuple(key for key in everything if key not in set(active)),
        from_group=True,
    )


def deployed_by(phase: Phase) -> tuple[str, ...]:
    """What it deployed to: not those that had gone before it came to them."""
    outcomes = [step.outcomes for step in phase.steps.all()]
    return tuple(key for key in phase.instances or () if not _was_missed(key, outcomes))


def _was_missed(key: str, outcomes: Iterable[dict[str, dict[str, str]]]) -> bool:
    states = [each[key]["state"] for each in outcomes if key in each]
    return OutcomeState.GONE in states and not any(state in _REACHED for state in states)


def _as_deployed(deployed: Sequence[Sequence[str]], everything: Sequence[str]) -> Picks:
    there, old = set(everything), {key for keys in deployed for key in keys}
    return Picks(
        [
            Pick(
                tuple(key for key in keys if key in there),
                gone=tuple(key for key in keys if key not in there),
            )
            for keys in deployed
        ],
        new=tuple(key for key in everything if key not in old),
    )


def _active(deployment: Deployment, everything: Sequence[str]) -> list[str]:
    """Those of which it is on record that they run some version of the service."""
    records = Instance.objects.filter(target=deployment.target_id).exclude(version="")
    running = set(records.values_list("key", flat=True))
    return [key for key in everything if key in running]
