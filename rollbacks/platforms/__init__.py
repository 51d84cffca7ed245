"""The platforms by name; the rest of Lastgood reaches them through here."""

from collections.abc import Mapping

from rollbacks.platforms.ami import Ami
from rollbacks.platforms.anywhere import Wait
from rollbacks.platforms.base import Platform, PlatformError, Step
from rollbacks.platforms.ecs import Ecs
from rollbacks.platforms.everywhere import staying
from rollbacks.platforms.kubernetes import Kubernetes
from rollbacks.platforms.pcf import CloudFoundry
from rollbacks.platforms.ssh import Ssh
from rollbacks.platforms.winrm import Winrm

__all__ = ["ANYWHERE", "PLATFORMS", "platform_of", "staying", "steps_of"]

PLATFORMS: Mapping[str, Platform] = {
    platform.name: platform
    for platform in (Ami(), CloudFoundry(), Ecs(), Kubernetes(), Ssh(), Winrm())
}
ANYWHERE: Mapping[str, Step] = {step.kind: step for step in (Wait(),)}


def platform_of(deployment_type: str) -> Platform:
    """The platform; PlatformError where this release cannot act on it."""
    try:
        return PLATFORMS[deployment_type]
    except KeyError:
        raise PlatformError(
            f"This release of Lastgood cannot act on {deployment_type}; "
            f"it can on {', '.join(PLATFORMS)}.",
            permanent=True,
        ) from None


def steps_of(deployment_type: str) -> Mapping[str, Step]:
    """Every kind of step a workflow on this platform may use."""
    return {**ANYWHERE, **platform_of(deployment_type).steps}
