"""As whom Cloud Foundry pulls an image from a private registry.

A package is given it once; Cloud Foundry keeps it, and pulls with it whenever an instance starts.
It goes only to packages of that registry's images, and is part of no capture and no message.
"""

import yaml

from rollbacks.platforms import credentials
from rollbacks.platforms.base import PlatformError, TargetRef

HUB = "docker.io"  # of images that name no registry
_FIELDS = {"username", "password"}


def registry_of(image: str) -> str:
    first, slash, _ = image.partition("/")
    is_host = bool(slash) and ("." in first or ":" in first or first == "localhost")
    return first if is_host else HUB


def login_for(target: TargetRef, image: str) -> dict[str, str]:
    """User and password as a package takes them; empty where the connector names none. `image`:
    empty where there is none. Raises PlatformError."""
    for each in target.connector.get("registries") or ():
        if image and each["registry"] == registry_of(image):
            return _given(str(each["registry"]), str(each["credential"]))
    return {}


def _given(registry: str, reference: str) -> dict[str, str]:
    try:
        secret = credentials.resolve(reference)
        found = yaml.safe_load(secret.value) if secret else None
    except (PlatformError, yaml.YAMLError):
        found = None
    if not isinstance(found, dict) or set(found) != _FIELDS:
        raise PlatformError(
            f"For the registry {registry} the worker finds no user at {reference}: it must hold "
            "two lines, username and password, each written like `username: puller`.",
            permanent=True,
        )
    return {str(key): str(each) for key, each in found.items()}
