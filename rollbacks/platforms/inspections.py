"""What hosts say of a step before it begins, put together; for every platform that has hosts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rollbacks.platforms import everywhere
from rollbacks.platforms.base import Difference, Inspection, PlatformError


@dataclass(frozen=True)
class Said:
    """Of one host."""

    difference: Difference | None = None
    warning: str = ""
    problem: str = ""


def summed(
    names: Sequence[str],
    said: Mapping[str, Said],
    faults: Mapping[str, PlatformError],
    *,
    each_by_itself: bool = False,
) -> Inspection:
    """A host that gives no answer now may by then; what lasts is a problem. Raises PlatformError
    where none has given any, but may.

    `each_by_itself`: one that cannot be entered does not hold up those that can.
    """
    if faults and not said and not any(fault.permanent for fault in faults.values()):
        raise everywhere.summed(faults)
    every = [said[name] for name in names if name in said]
    in_order = {name: faults[name] for name in names if name in faults}
    holds_up = not (each_by_itself and said)
    lasting = {name: fault for name, fault in in_order.items() if holds_up and fault.permanent}
    passing = {name: fault for name, fault in in_order.items() if name not in lasting}
    return Inspection(
        tuple(each.difference for each in every if each.difference),
        (*(each.warning for each in every if each.warning), *everywhere.sentences(passing)),
        (*(each.problem for each in every if each.problem), *everywhere.sentences(lasting)),
    )
