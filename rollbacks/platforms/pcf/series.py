"""The apps of one target: how they are named and marked. Pure.

An app belongs to a series by its label alone; a predecessor is known by its GUID. A name protects
nothing and finds nothing.
"""

import hashlib

from rollbacks.platforms import numbering
from rollbacks.platforms.base import PlatformError, TargetRef

SERIES = "lastgood-series"  # the label
# The annotations.
RELEASE = "lastgood-release"
VERSION = "lastgood-version"
NUMBER = "lastgood-number"
BEFORE = "lastgood-before"  # instances of each app that had any when this one was made, as JSON
DESIRED = "lastgood-desired"  # instances that this one is to have in the end, as JSON
ROUTES = "lastgood-routes"  # where everybody is to be sent to it, as JSON
RESIZE = "lastgood-resize"
POLICY = "lastgood-policy"  # by which the app before scaled by itself, as JSON
LONGEST_NAME = 255
LONGEST_ANNOTATION = 5_000
_DIGEST = 32


def label_of(target: TargetRef) -> str:
    """The value of the label that all apps of the target have, and nothing else."""
    return hashlib.sha256(numbering.whole_name(target).encode()).hexdigest()[:_DIGEST]


def key_of(target: TargetRef) -> str:
    """The instance that a series is: the name of its apps without their number."""
    return numbering.filled(str(target.settings["app_name"]), target)


def name_of(key: str, number: int) -> str:
    """The name of one app; PlatformError where Cloud Foundry has no room for it."""
    name = f"{key}__{number}"
    if len(name) > LONGEST_NAME:
        raise PlatformError(
            f"The name of the app, {name[:60]}…, would be longer than {LONGEST_NAME} characters. "
            "Give a shorter app_name in the infrastructure definition.",
            permanent=True,
        )
    return name


def require_short(what: str, text: str) -> str:
    """The text, where an annotation has room for it; else PlatformError."""
    if len(text) > LONGEST_ANNOTATION:
        raise PlatformError(
            f"{what} takes {len(text)} characters; an app has room for {LONGEST_ANNOTATION}.",
            permanent=True,
        )
    return text
