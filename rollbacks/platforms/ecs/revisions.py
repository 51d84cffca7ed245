"""The task definition revision that a release brings: registered once, and found again by its tags.

RegisterTaskDefinition takes no client token, so whoever comes after a lost answer looks first.
"""

from collections.abc import Mapping
from typing import Any

from rollbacks.platforms import numbering
from rollbacks.platforms.aws import lineage
from rollbacks.platforms.base import PlatformError
from rollbacks.platforms.ecs.calls import ECS, Call, Looks
from rollbacks.platforms.ecs.definitions import Definition, registration, revision_of, taking


def source_of(looks: Looks, settings: Mapping[str, Any], current: str) -> dict[str, Any]:
    """What a capture keeps: the revision to go by, and the newest one there is in its family."""
    source = looks.definition(settings["task_definition"] or current)
    newest = next(looks.revisions(source.family), source.arn)
    return {"arn": source.arn, "newest": max(source.revision, revision_of(newest))}


def brought(call: Call, source: Mapping[str, Any]) -> str:
    """The ARN of the release's revision, which is registered unless it is there."""
    model = call.definition(source["arn"])
    found = _found(call, model, source["newest"])
    if found is not None:
        return found
    if call.spec.artifact is None:
        raise PlatformError("The deployment has no artifact: an image is needed.", permanent=True)
    image = call.spec.artifact.location
    containers = taking(model, image, call.spec.settings["containers"])
    made = call.write(
        ECS,
        "register_task_definition",
        **registration(model, image, containers, _tags(call, model)),
    )
    return str(made["taskDefinition"]["taskDefinitionArn"])


def _tags(call: Call, model: Definition) -> dict[str, str]:
    release = call.spec.release
    return {
        lineage.SERIES: call.series,
        lineage.RELEASE: release,
        lineage.VERSION: numbering.version_of(release),
        SOURCE: model.arn.rpartition("/")[2],
    }


SOURCE = "lastgood:source"  # family:revision that it was registered after


def _found(call: Call, model: Definition, newest: int) -> str | None:
    wanted = _tags(call, model)
    for arn in call.revisions(model.family):
        if revision_of(arn) <= newest:
            return None
        tags = call.definition(arn).tags
        if all(tags.get(key) == value for key, value in wanted.items()):
            return arn
    return None
