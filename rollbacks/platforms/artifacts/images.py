"""What an image is called when it is to be exactly one."""

from rollbacks.platforms.base import ArtifactRef


def image_of(artifact: ArtifactRef) -> str:
    """The image by digest, where the artifact has one, else by tag."""
    if artifact.checksum and "@" not in artifact.location:
        return f"{artifact.location}@{artifact.checksum}"
    return artifact.location
