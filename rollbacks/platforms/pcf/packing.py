"""Packs an artifact as the bits that Cloud Foundry stages."""

import zipfile
from collections.abc import Callable
from typing import BinaryIO

from rollbacks.platforms.artifacts.archives import contents
from rollbacks.platforms.artifacts.zips import add


def repack(archive: BinaryIO, out: BinaryIO, checkpoint: Callable[[], None]) -> None:
    """Write the ZIP of a ZIP, JAR or TAR; raises UnsafeArchive, and whatever the checkpoint
    raises."""
    with contents(archive) as members, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for member in members:
            checkpoint()
            if member.name:
                add(packed, member, checkpoint)
