r"""A drive of a Windows host: names differ in more than case, and a directory has a parent."""

import io
import zipfile
from dataclasses import dataclass, field


class Refused(Exception):
    """What a cmdlet or .NET would throw."""


def parent_of(path: str) -> str:
    """As GetDirectoryName: of a drive's root there is none."""
    head, _, tail = path.rpartition("\\")
    if not tail or not head:
        return ""
    return f"{head}\\" if head.endswith(":") else head


@dataclass
class Disk:
    """`files` and `directories` by their paths in lower case, with the path as it was written."""

    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    directories: dict[str, str] = field(default_factory=lambda: {"c:\\": "C:\\"})

    def has_file(self, path: str) -> bool:
        return path.lower() in self.files

    def has_directory(self, path: str) -> bool:
        return path.lower() in self.directories

    def make(self, path: str) -> None:
        """The directory, and those above it."""
        if path and not self.has_directory(path):
            self.make(parent_of(path))
            self.directories[path.lower()] = path

    def write(self, path: str, content: bytes) -> None:
        if not self.has_directory(parent_of(path)):
            raise Refused(f"Could not find a part of the path '{path}'.")
        self.files[path.lower()] = (path, content)

    def read(self, path: str) -> bytes:
        if not self.has_file(path):
            raise Refused(f"Could not find file '{path}'.")
        return self.files[path.lower()][1]

    def delete_file(self, path: str) -> None:
        """As File.Delete: one that is not there is gone already, a place that is not there not."""
        if not self.has_directory(parent_of(path)):
            raise Refused(f"Could not find a part of the path '{path}'.")
        self.files.pop(path.lower(), None)

    def below(self, path: str) -> list[str]:
        """Everything in the directory, at any depth."""
        start = path.rstrip("\\").lower() + "\\"
        return [
            key
            for key in (*self.files, *self.directories)
            if key.startswith(start) and key != start
        ]

    def delete_directory(self, path: str) -> None:
        for key in [*self.below(path), path.lower()]:
            self.files.pop(key, None)
            self.directories.pop(key, None)

    def move(self, path: str, to: str) -> None:
        """A directory; what it is to become may not be there."""
        if not self.has_directory(path) or self.has_directory(to):
            raise Refused(f"Could not move '{path}' to '{to}'.")
        self.make(to)
        for key in self.below(path):
            rest = key[len(path) :]
            if key in self.files:
                written, content = self.files[key]
                self.files[to.lower() + rest] = (to + written[len(path) :], content)
            else:
                self.directories[to.lower() + rest] = to + self.directories[key][len(path) :]
        self.delete_directory(path)

    def extract(self, archive: bytes, to: str) -> None:
        self.make(to)
        try:
            with zipfile.ZipFile(io.BytesIO(archive)) as opened:
                for entry in opened.infolist():
                    name = entry.filename.replace("/", "\\")
                    if name.endswith("\\"):
                        self.make(f"{to}\\{name.rstrip(chr(92))}")
                        continue
                    self.make(parent_of(f"{to}\\{name}"))
                    self.write(f"{to}\\{name}", opened.read(entry))
        except zipfile.BadZipFile:
            raise Refused("End of Central Directory record could not be found.") from None

    def tree(self, path: str) -> dict[str, bytes | None]:
        """What is there and below, by path as written; None is a directory."""
        keys = [path.lower(), *self.below(path)]
        found: dict[str, bytes | None] = {}
        for key in sorted(keys):
            if key in self.files:
                written, content = self.files[key]
                found[written] = content
            elif key in self.directories:
                found[self.directories[key]] = None
        return found
