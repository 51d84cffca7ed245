"""Feature flags: what the operators of a foundation let nobody do, or nobody but administrators.

Source: v3-apidocs.cloudfoundry.org, Feature Flags; which of them bind administrators, too, is in
cloud_controller_ng, app/models/runtime/feature_flag.rb and app/controllers/v3/routes_controller.rb.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rollbacks.platforms.pcf.calls import Looks


@dataclass(frozen=True)
class Flag:
    """`lacks`: what is not possible without it."""

    name: str
    lacks: str
    binds_admins: bool = False


SCALING = Flag("app_scaling", "apps cannot be scaled")
BITS = Flag("app_bits_upload", "packages cannot be uploaded")
ROUTES = Flag("route_creation", "routes cannot be made")
DOCKER = Flag("diego_docker", "Docker images do not run", binds_admins=True)


def off(looks: Looks, needed: Iterable[Flag]) -> Iterator[str]:
    """A sentence for each that is off; one that the foundation does not know stands for nothing."""
    for flag in needed:
        if looks.api.person.is_admin and not flag.binds_admins:
            continue
        found = looks.api.find(f"/v3/feature_flags/{flag.name}")
        if found is not None and not found["enabled"]:
            words = found.get("custom_error_message") or ""
            said = f" ({words})" if words else ""
            yield (
                f"On this foundation {flag.lacks}{said}: an administrator has to enable the "
                f"feature flag {flag.name}"
            )
