"""The groups of one target: how they are named and marked. Pure.

A group belongs to a series by its tags alone. Its name protects nothing and finds nothing.
"""

import hashlib
from collections.abc import Mapping

from rollbacks.platforms import numbering
from rollbacks.platforms.ami.sizes import Sizes
from rollbacks.platforms.aws import lineage
from rollbacks.platforms.base import PlatformError, TargetRef

SIZES = "lastgood:sizes"  # what the group is to have in the end: minimum/maximum/desired
LONGEST_NAME = 255
_DIGEST = 16


def key_of(target: TargetRef) -> str:
    """The instance that a series is: the name of its groups without their number."""
    return numbering.filled(str(target.settings["group_name"]), target)


def name_of(key: str, number: int) -> str:
    """The name of one group; PlatformError where AWS has no room for it."""
    name = f"{key}__{number}"
    if len(name) > LONGEST_NAME:
        raise PlatformError(
            f"The name of the group, {name[:60]}…, would be longer than {LONGEST_NAME} characters. "
            "Give a shorter group_name in the infrastructure definition.",
            permanent=True,
        )
    return name


def mark(release: str, series: str) -> str:
    """The description of a launch template version, by which it is found again."""
    digest = hashlib.sha256(series.encode()).hexdigest()[:_DIGEST]
    return f"Lastgood {release} {digest}"[:255]


def tags_of(
    series: str, release: str, number: int, sizes: Sizes, before: Mapping[int, int]
) -> dict[str, str]:
    """What a new group is marked with; `before`: how many instances each active group had."""
    return {**lineage.tags_of(series, release, number, before), SIZES: sizes.text}
