"""The launch template versions that releases start from: made after the base group's, and deleted.

They are versions of the base group's own template. Which version the base group itself starts
from is read once, at capture, and never changed.
"""

from collections.abc import Mapping
from typing import Any

from rollbacks.platforms.ami import series
from rollbacks.platforms.ami.calls import Call, Looks
from rollbacks.platforms.ami.groups import Template
from rollbacks.platforms.aws import lineage
from rollbacks.platforms.base import ArtifactRef, PlatformError

EC2 = "ec2"


def resolved(looks: Looks, template: Template) -> dict[str, Any]:
    """The version that $Latest, $Default or a number stands for; PlatformError where it is gone."""
    found = looks.api.read(
        EC2,
        "describe_launch_template_versions",
        LaunchTemplateId=template.own_id,
        Versions=[template.version],
    )["LaunchTemplateVersions"]
    if not found:
        raise PlatformError(
            f"The launch template {template.own_id} has no version {template.version}, which the "
            "base group starts from.",
            permanent=True,
        )
    version: dict[str, Any] = found[0]
    return version


def of_release(call: Call, source: Mapping[str, Any], release: str) -> str | None:
    """The number of the version that this release has brought, if it has."""
    wanted = series.mark(release, call.series)
    found = call.api.pages(
        EC2,
        "describe_launch_template_versions",
        "LaunchTemplateVersions",
        LaunchTemplateId=source["id"],
        MinVersion=source["version"],
    )
    numbers = (each["VersionNumber"] for each in found if each.get("VersionDescription") == wanted)
    number = next(numbers, None)
    return None if number is None else str(number)


def brought(call: Call, source: Mapping[str, Any], artifact: ArtifactRef) -> str:
    """The number of the release's version, which is made unless it is there.

    `source`: id and version of what the base group started from at capture.
    """
    number = of_release(call, source, call.spec.release)
    if number is not None:
        return number
    made = call.write(
        EC2,
        "create_launch_template_version",
        ClientToken=lineage.token(call.spec.release, call.series),
        LaunchTemplateId=source["id"],
        SourceVersion=source["version"],
        VersionDescription=series.mark(call.spec.release, call.series),
        LaunchTemplateData={"ImageId": artifact.location},
    )
    return str(made["LaunchTemplateVersion"]["VersionNumber"])


def remove(call: Call, source: Mapping[str, Any], release: str) -> None:
    """Delete the version that this release has brought, if it is there."""
    number = of_release(call, source, release)
    if number is not None:
        call.write(
            EC2,
            "delete_launch_template_versions",
            LaunchTemplateId=source["id"],
            Versions=[number],
        )
