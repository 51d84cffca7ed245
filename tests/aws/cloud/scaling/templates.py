"""What instances are launched from: versions of launch templates."""

from ..asked import Asked, Json
from ..refusals import Refused, not_modelled
from ..world import World
from .records import Template, refused

LAUNCH = ("LaunchTemplate", "LaunchConfigurationName", "MixedInstancesPolicy")


def resolve(world: World, settings: Json) -> Template:
    """What `settings` mean now: $Latest and $Default become numbers. Raises Refused."""
    if settings.get("LaunchConfigurationName"):
        raise not_modelled("launch configurations")
    if not (found := specification(settings)):
        raise refused(
            "Valid requests must contain either LaunchTemplate, LaunchConfigurationName, "
            "InstanceId or MixedInstancesPolicy parameter."
        )
    key = "LaunchTemplateId" if found.get("LaunchTemplateId") else "LaunchTemplateName"
    version = found.get("Version") or "$Default"
    try:
        versions = world.beneath.ask(
            "ec2",
            "describe_launch_template_versions",
            Versions=[version],
            **{key: found[key]},
        )["LaunchTemplateVersions"]
    except Refused as error:
        raise _no_template(found[key]) from error
    if not versions:
        raise _no_template(found[key])
    data = versions[0]["LaunchTemplateData"]
    return Template(
        versions[0]["LaunchTemplateId"],
        versions[0]["LaunchTemplateName"],
        str(versions[0]["VersionNumber"]),
        data.get("ImageId", ""),
        data.get("InstanceType", "t3.micro"),
    )


def specification(settings: Json) -> Json:
    """The launch template that settings name, wherever they do."""
    if found := settings.get("LaunchTemplate"):
        return dict(found)
    mixed = settings.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {})
    return dict(mixed.get("LaunchTemplateSpecification", {}))


def require_launch(asked: Asked, template: Template) -> None:
    """Who names a launch template must be allowed to run what it says.

    https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-launch-template-permissions.html
    """
    try:
        asked.require("ec2:RunInstances", "*")
    except Refused as error:
        message = f"You are not authorized to use launch template: {template.name}"
        raise Refused("AccessDenied", message, 403) from error


def _no_template(name: str) -> Refused:
    return refused(
        "You must use a valid fully-formed launch template. The specified launch template, "
        f"with template ID or name {name}, does not exist."
    )
