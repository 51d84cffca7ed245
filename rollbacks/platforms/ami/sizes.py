"""How many instances a group has, and how many old and new ones have at a share of the way. Pure.

Counts are instances.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from rollbacks.platforms import shares


@dataclass(frozen=True)
class Sizes:
    """Of one group, as Amazon EC2 Auto Scaling calls them."""

    minimum: int
    maximum: int
    desired: int

    @classmethod
    def of(cls, described: Mapping[str, Any]) -> Self:
        """As DescribeAutoScalingGroups tells them."""
        return cls(described["MinSize"], described["MaxSize"], described["DesiredCapacity"])

    @classmethod
    def parsed(cls, text: str) -> Self:
        """Of `text`; ValueError where it is none."""
        minimum, maximum, desired = (int(part) for part in text.split("/"))
        return cls(minimum, maximum, desired)

    @property
    def text(self) -> str:
        return f"{self.minimum}/{self.maximum}/{self.desired}"

    @property
    def parameters(self) -> dict[str, int]:
        """For CreateAutoScalingGroup and UpdateAutoScalingGroup, which check them as one."""
        return {
            "MinSize": self.minimum,
            "MaxSize": self.maximum,
            "DesiredCapacity": self.desired,
        }

    def with_desired(self, desired: int) -> "Sizes":
        """So many instances now, with room for fewer."""
        return Sizes(min(self.minimum, desired), max(self.maximum, desired), desired)


FIRST = Sizes(minimum=0, maximum=10, desired=6)
NONE = Sizes(0, 0, 0)


def wanted(instances: str, sizes: Sizes) -> int:
    """How many instances the new group is to have: a number, or a percentage of the desired."""
    return min(shares.of(sizes.desired, instances), sizes.maximum)


def is_whole(count: int, sizes: Sizes) -> bool:
    """Whether a new group with so many instances needs no old one beside it."""
    return count >= sizes.desired


def kept(recorded: Sequence[int], count: int, sizes: Sizes) -> list[int]:
    """How many instances each old group keeps while the new one has `count`; newest first."""
    return shares.kept(recorded, count, sizes.desired)
