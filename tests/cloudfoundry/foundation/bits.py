"""What clients upload: the file in a form, and what a ZIP of an app says of itself."""

import io
import re
import zipfile
from hashlib import sha256

from .calls import Call
from .problems import unprocessable


def uploaded(call: Call) -> bytes:
    """The form's field `bits`."""
    boundary = re.search(r'boundary="?([^";]+)', call.headers.get("content-type", ""))
    parts = call.content.split(b"--" + boundary[1].encode()) if boundary else []
    for part in parts:
        head, _, content = part.partition(b"\r\n\r\n")
        if b'name="bits"' in head:
            return content.removesuffix(b"\r\n")
    raise unprocessable("Upload must include either resources or bits")


def digest(content: bytes) -> str:
    return sha256(content).hexdigest()


def is_archive(content: bytes) -> bool:
    return zipfile.is_zipfile(io.BytesIO(content))


def version_of(content: bytes) -> str:
    """What its file VERSION says, or its digest."""
    return _read(content, "VERSION").strip() or digest(content)


def process_types_of(content: bytes) -> dict[str, str]:
    """As its Procfile says, or a web process."""
    lines = re.findall(r"^([\w-]+):\s*(.+)$", _read(content, "Procfile"), re.MULTILINE)
    return dict(lines) or {"web": "./run"}


def _read(content: bytes, name: str) -> str:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        try:
            return archive.read(name).decode()
        except KeyError:
            return ""
