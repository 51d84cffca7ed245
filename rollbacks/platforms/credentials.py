"""Turns a credential reference into a secret, in the worker and only for the length of a call."""

import os
from pathlib import Path
from typing import Annotated

from pydantic import Field

from rollbacks.platforms.base import PlatformError, Secret

# Where the worker finds a secret; never the secret itself.
Reference = Annotated[str, Field(pattern=r"^(file:/[^\x00]+|env:[A-Za-z_][A-Za-z0-9_]*)$")]


def resolve(reference: str) -> Secret | None:
    """The secret behind `file:/absolute/path` or `env:NAME`; None for an empty reference."""
    kind, _, where = reference.partition(":")
    if not reference:
        return None
    if kind == "env":
        value = os.environ.get(where)
        if value is None:
            raise PlatformError(
                f"The worker has no environment variable {where}, which the connector names "
                "as its credential. Set it and start the worker again.",
                permanent=True,
            )
        return Secret(value)
    if kind == "file":
        try:
            return Secret(Path(where).read_text())
        except (OSError, UnicodeDecodeError) as error:
            raise PlatformError(
                f"The worker cannot read the connector's credential file {where}: "
                f"{getattr(error, 'strerror', None) or 'it is not text'}.",
                permanent=True,
            ) from None
    raise PlatformError(
        "The connector's credential must be a reference: file:/absolute/path or env:NAME.",
        permanent=True,
    )
