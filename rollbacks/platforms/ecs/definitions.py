"""Task definitions: a revision per release, registered once after another one. Pure, but for
what says otherwise.

What a task definition holds of environment and secrets passes through here from AWS to AWS; it is
kept nowhere.
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rollbacks.platforms.aws import lineage
from rollbacks.platforms.base import PlatformError

_REGISTERED = (
    "family",
    "taskRoleArn",
    "executionRoleArn",
    "networkMode",
    "containerDefinitions",
    "volumes",
    "placementConstraints",
    "requiresCompatibilities",
    "cpu",
    "memory",
    "pidMode",
    "ipcMode",
    "proxyConfiguration",
    "inferenceAccelerators",
    "ephemeralStorage",
    "runtimePlatform",
    "enableFaultInjection",
)
_RESERVED = "aws:"


@dataclass(frozen=True)
class Definition:
    """One revision. `described` is never shown: it may hold what nobody is to read."""

    arn: str
    tags: Mapping[str, str]
    described: Mapping[str, Any] = field(repr=False)

    @property
    def family(self) -> str:
        return str(self.described["family"])

    @property
    def revision(self) -> int:
        return int(self.described["revision"])

    @property
    def is_active(self) -> bool:
        return bool(self.described["status"] == "ACTIVE")

    @property
    def release(self) -> str:
        return self.tags.get(lineage.RELEASE, "")

    @property
    def version(self) -> str:
        """What a release calls it; of somebody else's, the tag of its first image."""
        if found := self.tags.get(lineage.VERSION):
            return found
        return tag_of(str(self.described["containerDefinitions"][0]["image"]))

    @property
    def images(self) -> dict[str, str]:
        """By container."""
        return {each["name"]: each["image"] for each in self.described["containerDefinitions"]}

    @property
    def roles(self) -> list[str]:
        """The ARNs of the roles that its tasks, and the agent, take on."""
        found = (self.described.get(each) for each in ("taskRoleArn", "executionRoleArn"))
        return sorted({str(each) for each in found if each})


def short(arn: str) -> str:
    """A revision as people call it: family:revision."""
    return arn.rpartition("/")[2]


def revision_of(arn: str) -> int:
    return int(arn.rpartition(":")[2])


def repository_of(image: str) -> str:
    """An image without its tag and digest."""
    name = image.partition("@")[0]
    head, _, last = name.rpartition("/")
    return f"{head}/{last.partition(':')[0]}" if head else last.partition(":")[0]


def tag_of(image: str) -> str:
    """The image's tag, else its digest, else nothing."""
    name, _, digest = image.partition("@")
    return name.rpartition("/")[2].partition(":")[2] or digest


def taking(definition: Definition, image: str, named: Sequence[str]) -> list[str]:
    """The containers that get the image; PlatformError where nobody can tell which."""
    images = definition.images
    if unknown := [each for each in named if each not in images]:
        raise PlatformError(
            f"{short(definition.arn)} has no container {', '.join(unknown)}; it has "
            f"{', '.join(images)}.",
            permanent=True,
        )
    same = [name for name in images if repository_of(images[name]) == repository_of(image)]
    found = list(named) or same or (list(images) if len(images) == 1 else [])
    if not found:
        raise PlatformError(
            f"No container of {short(definition.arn)} uses {repository_of(image)} now: name those "
            "that get the image in the step's setting containers.",
            permanent=True,
        )
    return found


def registration(
    definition: Definition, image: str, containers: Sequence[str], ours: Mapping[str, str]
) -> dict[str, Any]:
    """The parameters of RegisterTaskDefinition: the same, with the image and our tags."""
    taken = {
        key: copy.deepcopy(definition.described[key])
        for key in _REGISTERED
        if definition.described.get(key) not in (None, "", [])
    }
    for each in taken["containerDefinitions"]:
        if each["name"] in containers:
            each["image"] = image
    others = {key: value for key, value in definition.tags.items() if not _is_reserved(key)}
    every = others | dict(ours)
    return {**taken, "tags": [{"key": key, "value": value} for key, value in every.items()]}


def _is_reserved(key: str) -> bool:
    return key.lower().startswith(_RESERVED)
