"""What would make a step fail, asked of AWS beforehand: images, other managers."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rollbacks.platforms.ami import refreshes, templates, versions
from rollbacks.platforms.ami.calls import Looks
from rollbacks.platforms.ami.groups import Group, Template
from rollbacks.platforms.ami.versions import EC2
from rollbacks.platforms.base import PlatformError

_MANAGERS = {
    "aws:cloudformation:stack-name": "The CloudFormation stack",
    "elasticbeanstalk:environment-name": "The Elastic Beanstalk environment",
    "eks:nodegroup-name": "The EKS node group",
}
_AVAILABLE = "available"
_NOT_AN_ID = "resolve:"  # a parameter that EC2 looks up when it starts an instance


def managers_of(group: Group) -> Iterator[str]:
    """Who says that the group is theirs."""
    for tag, who in _MANAGERS.items():
        if name := group.tags.get(tag):
            yield (
                f"{who} {name} manages {group.name}: its next update brings back what it declares. "
                "Revert there, too."
            )


def refreshes_of(looks: Looks, group: Group) -> Iterator[str]:
    """Whether somebody is replacing the group's instances."""
    found = refreshes.latest(looks, group.name)
    if found is not None and refreshes.is_in_progress(found):
        yield f"An instance refresh of {group.name} is in progress ({found['Status']})"


def types_of(base: Group, source: Mapping[str, Any]) -> list[str]:
    """The instance types that a group may start; none where they are chosen by requirements."""
    mixed = (base.described.get("MixedInstancesPolicy") or {}).get("LaunchTemplate") or {}
    overrides = mixed.get("Overrides") or ()
    if overrides:
        return [each["InstanceType"] for each in overrides if "InstanceType" in each]
    own = source["LaunchTemplateData"].get("InstanceType")
    return [own] if own else []


def of_image(looks: Looks, image: str, types: Sequence[str]) -> Iterator[str]:
    """An AMI that is not there, not available, or of another architecture than the instances."""
    if not image or image.startswith(_NOT_AN_ID):
        return
    found = _images(looks, [image]).get(image)
    if found is None:
        yield f"The AMI {image} is not there, or this account may not use it"
    elif found["State"] != _AVAILABLE:
        yield f"The AMI {image} is {found['State']}, not available"
    elif types and (architecture := found.get("Architecture")):
        yield from _of_architecture(looks, image, architecture, types)


def _of_architecture(
    looks: Looks, image: str, architecture: str, types: Sequence[str]
) -> Iterator[str]:
    found = looks.api.pages(
        EC2, "describe_instance_types", "InstanceTypes", InstanceTypes=sorted(set(types))
    )
    for each in found:
        supported = each["ProcessorInfo"]["SupportedArchitectures"]
        if architecture not in supported:
            yield (
                f"The AMI {image} is of the architecture {architecture}, which "
                f"{each['InstanceType']} does not run ({', '.join(supported)})"
            )


def of_origins(looks: Looks, found: Iterable[Group]) -> Iterator[str]:
    """What new instances of these groups would start from, and is gone."""
    images: dict[str, list[str]] = {}
    for group in found:
        try:
            image = _image_of(looks, templates.template_of(group))
        except PlatformError as error:
            if not error.permanent:
                raise
            yield f"{group.name} cannot start an instance: {error}"
            continue
        if image:
            images.setdefault(image, []).append(group.name)
    there = _images(looks, sorted(images)) if images else {}
    for image, names in images.items():
        if image not in there or there[image]["State"] != _AVAILABLE:
            yield (
                f"The AMI {image}, from which {', '.join(names)} starts its instances, is not "
                "available any more"
            )


def of_origin(looks: Looks, name: str, template: Template) -> Iterator[str]:
    """Why no instance could be started from this version any more."""
    try:
        image = _image_of(looks, template)
    except PlatformError as error:
        if not error.permanent:
            raise
        yield f"{name} cannot start an instance as before: {error}"
        return
    yield from of_image(looks, image, ())


def _image_of(looks: Looks, template: Template) -> str:
    """Empty where EC2 looks it up when it starts an instance."""
    image = str(versions.resolved(looks, template)["LaunchTemplateData"].get("ImageId", ""))
    return "" if image.startswith(_NOT_AN_ID) else image


def _images(looks: Looks, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Those that are there; asked by a filter, since one unknown id would refuse them all."""
    found = looks.api.read(
        EC2, "describe_images", Filters=[{"Name": "image-id", "Values": list(ids)}]
    )["Images"]
    return {each["ImageId"]: each for each in found}
