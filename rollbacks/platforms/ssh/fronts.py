"""What stands in front of the two groups of hosts, and sends everybody to one of them.

It is always looked at, before it is switched and afterwards; never switched blindly.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rollbacks.platforms.base import (
    Control,
    Inspection,
    PlatformError,
    Running,
    StepSpec,
    TargetRef,
)
from rollbacks.platforms.ssh.calls import Faults
from rollbacks.platforms.ssh.settings import COLORS, SwapSettings


@dataclass(frozen=True)
class Shown:
    """The color that each part of a front sends to, and why others could not be asked."""

    colors: Mapping[str, str]
    faults: Faults

    @property
    def text(self) -> str:
        """For a person."""
        if len(set(self.colors.values())) == 1:
            return f"{next(iter(self.colors.values()))} serves"
        return ", ".join(f"{name} sends to {color}" for name, color in self.colors.items())


@dataclass(frozen=True)
class Switch:
    """Where to, and all that it takes; `kept`: what `keep` said, where it is to be as it was."""

    color: str
    spec: StepSpec
    settings: SwapSettings
    control: Control
    kept: Any = None


class Front(ABC):
    """Something that sends to one of the two."""

    def __init__(self, target: TargetRef) -> None:
        self.target = target

    @abstractmethod
    def look(self, control: Control | None) -> Shown:
        """Where it sends to now. Raises PlatformError where nothing could be learned."""

    @abstractmethod
    def keep(self) -> Any:
        """Beside its color all that is needed to bring it back exactly, as JSON."""

    @abstractmethod
    def bring(self, switch: Switch) -> Faults | Running:
        """Make it send there, and see that it does and that all is well behind it."""

    def inspect(self) -> Inspection:
        """What would keep it from being switched. Raises PlatformError."""
        return Inspection()

    def serving(self, control: Control | None) -> str:
        """The color that serves everybody; PlatformError where it is not known, or not one."""
        shown = self.look(control)
        for fault in shown.faults.values():
            raise fault
        colors = set(shown.colors.values())
        if len(colors) != 1:
            raise PlatformError(
                f"{shown.text}: nobody can say which color waits. Let all send to one.",
                permanent=True,
            )
        return colors.pop()

    def require_waiting(self, color: str, control: Control | None, then: str) -> None:
        """Nobody is sent to the color; PlatformError says what to do: `then`."""
        shown = self.look(control)
        for fault in shown.faults.values():
            raise fault
        if sends := [name for name, each in shown.colors.items() if each == color]:
            raise PlatformError(
                f"{', '.join(sends)} sends people to {color}; nothing was changed there. {then}",
                permanent=True,
            )


def other(color: str) -> str:
    """The other one of the two."""
    return COLORS[1 - COLORS.index(color)]
