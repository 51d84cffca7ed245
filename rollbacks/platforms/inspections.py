"""What hosts say of a step before it begins, put together; for every platform that has hosts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from rollbacks.platforms import everywhere
from rollbacks.platforms.artifacts.payload import require_available
from rollbacks.platforms.base import ArtifactRef, Difference, Inspection, PlatformError


@dataclass(frozen=True)
class Lost:
    """`what` would be returned to and is not there any more; `release`: whose it is, if ours."""

    what: str
    release: str


@dataclass(frozen=True)
class Said:
    """Of one host."""

    difference: Difference | None = None
    warning: str = ""
    problem: str = ""
    lost: Lost | None = None


def summed(
    names: Sequence[str],
    said: Mapping[str, Said],
    faults: Mapping[str, PlatformError],
    *,
    earlier: Mapping[str, ArtifactRef] = MappingProxyType({}),
    each_by_itself: bool = False,
) -> Inspection:
    """A host that gives no answer now may by then; what lasts is a problem. Raises PlatformError
    where none has given any, but may.

    `earlier`: what is lost is sent again by it, so it must be there to be had. `each_by_itself`:
    one that cannot be entered does not hold up those that can.
    """
    if faults and not said and not any(fault.permanent for fault in faults.values()):
        raise everywhere.summed(faults)
    every = [said[name] for name in names if name in said]
    in_order = {name: faults[name] for name in names if name in faults}
    holds_up = not (each_by_itself and said)
    lasting = {name: fault for name, fault in in_order.items() if holds_up and fault.permanent}
    passing = {name: fault for name, fault in in_order.items() if name not in lasting}
    lost = {name: said[name].lost for name in names if name in said}
    sent, missed = _fates({name: each for name, each in lost.items() if each}, earlier)
    return Inspection(
        tuple(each.difference for each in every if each.difference),
        tuple(
            [each.warning for each in every if each.warning]
            + everywhere.sentences(sent)
            + everywhere.sentences(passing)
        ),
        tuple(
            [each.problem for each in every if each.problem]
            + everywhere.sentences(missed)
            + everywhere.sentences(lasting)
        ),
    )


def _fates(
    lost: Mapping[str, Lost], earlier: Mapping[str, ArtifactRef]
) -> tuple[dict[str, str], dict[str, str]]:
    """What will be sent again, and what cannot be, by host; each artifact is asked for once."""
    sent: dict[str, str] = {}
    missed: dict[str, str] = {}
    releases = {each.release for each in lost.values()}
    faults = {name: _fault(earlier[name]) for name in releases if name in earlier}
    for name, each in lost.items():
        gone = f"{each.what} is gone"
        if each.release not in faults:
            missed[name] = f"{gone}; deploy that version again"
        elif (fault := faults[each.release]) and fault.permanent:
            missed[name] = f"{gone} and cannot be sent again: {fault}"
        else:
            sent[name] = f"{gone}; it will be sent again" + (f", but now: {fault}" if fault else "")
    return sent, missed


def _fault(artifact: ArtifactRef) -> PlatformError | None:
    try:
        require_available(artifact)
    except PlatformError as fault:
        return fault
    return None
