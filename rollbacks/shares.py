"""Which instances each phase of a rollback takes when they came and went since the deployment.

The rule of the flag WINRM_ASG_ROLLBACK, and nothing else: pure, and in integers only.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Share(Generic[Key]):
    """What one phase takes: `own`, deployed by it, and `new`, deployed by no phase."""

    own: tuple[Key, ...] = ()
    new: tuple[Key, ...] = ()

    @property
    def every(self) -> tuple[Key, ...]:
        return self.own + self.new


def shares(deployed: Sequence[Sequence[Key]], active: Sequence[Key]) -> list[Share[Key]]:
    """What is taken for each phase, in the order in which they are undone: last first.

    `deployed`: what each phase deployed, in the order of deployment; one that two phases deployed
    belongs to the later. `active`: what is there now, in its listed order. A phase takes all of its
    own that are left, is filled up with new ones to its part of all active ones, and the phase that
    is undone last takes what remains.
    """
    phases = _each_once(deployed)
    total, present = sum(map(len, phases)), list(dict.fromkeys(active))
    old, left = {key for phase in phases for key in phase}, set(present)
    new = [key for key in present if key not in old]
    found: list[Share[Key]] = []
    for position in reversed(range(len(phases))):
        own = tuple(key for key in phases[position] if key in left)
        wanted = _part(len(present), len(phases[position]), total) - len(own)
        count = len(new) if position == 0 else max(0, wanted)
        found.append(Share(own, tuple(new[:count])))
        del new[:count]
    return found


def _part(active: int, deployed: int, total: int) -> int:
    """active x deployed / total, rounded half up."""
    return (2 * active * deployed + total) // (2 * total) if total else 0


def _each_once(deployed: Sequence[Sequence[Key]]) -> list[list[Key]]:
    taken: set[Key] = set()
    phases: list[list[Key]] = []
    for phase in reversed(deployed):
        phases.append([key for key in dict.fromkeys(phase) if key not in taken])
        taken.update(phase)
    return phases[::-1]
