"""The services of one target: how they are named. Pure."""

import re

from rollbacks.platforms import numbering
from rollbacks.platforms.base import PlatformError, TargetRef

DESIRED = "lastgood:desired"  # how many tasks the service is to have in the end
SUSPENDED = "lastgood:suspended"  # which scaling the service before it had suspended
LONGEST_NAME = 255
_OWN = "{service}"
_NAME = re.compile(r"[a-zA-Z0-9_-]+")


def keys_of(target: TargetRef) -> tuple[str, ...]:
    """The instances: the series, or each service that is updated in place."""
    if target.settings["base_service"]:
        return (key_of(target),)
    names = target.settings["services"] or [_OWN]
    return tuple(_checked(numbering.filled(each, target)) for each in names)


def key_of(target: TargetRef) -> str:
    """The instance that a series is: the name of its services without their number."""
    return _checked(numbering.filled(str(target.settings["service_name"]), target))


def base_of(target: TargetRef) -> str:
    """The name of the base service; PlatformError where the infrastructure names none."""
    if not target.settings["base_service"]:
        raise PlatformError(
            f"The infrastructure definition {target.infrastructure} names no base_service, after "
            "which the service of a release could be made.",
            permanent=True,
        )
    return _checked(numbering.filled(str(target.settings["base_service"]), target))


def name_of(key: str, number: int) -> str:
    """The name of one service; PlatformError where ECS has no room for it."""
    name = f"{key}__{number}"
    if len(name) > LONGEST_NAME:
        raise PlatformError(
            f"The name of the service, {name[:60]}…, would be longer than {LONGEST_NAME} "
            "characters. Give a shorter service_name in the infrastructure definition.",
            permanent=True,
        )
    return name


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise PlatformError(
            f"ECS takes no service name {name}: only letters, digits, - and _. Change it in the "
            "infrastructure definition.",
            permanent=True,
        )
    return name
