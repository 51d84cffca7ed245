"""Steps to try the pure parts with."""

from collections.abc import Mapping, Sequence
from typing import Any

from rollbacks.platforms.base import ArtifactRef, StepSpec

IMAGE = "registry.example:5000/shop/web"


def spec(
    manifests: str,
    *,
    variables: Mapping[str, str] | None = None,
    instances: Sequence[str] = ("Deployment/storefront",),
    checksum: str = "",
    location: str = f"{IMAGE}:2",
    **settings: Any,
) -> StepSpec:
    """Deployment 12 of version 2."""
    return StepSpec(
        name="Rollout",
        kind="k8s.rollout",
        settings={"manifests": manifests, "take_ownership": False, **settings},
        variables=variables or {},
        artifact=ArtifactRef("2", location, checksum, "DOCKER_IMAGE"),
        instances=tuple(instances),
        release="12-2",
    )
