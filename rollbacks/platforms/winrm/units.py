"""What serves a release on a host: a directory of IIS, or a Windows service; pure.

Both are looked at, given another path, and restarted, by a call each.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from rollbacks.platforms.winrm.scripts import Call

SERVICE_SECONDS = 60  # for a Windows service to stop, and to start
_TWICE = 2 * SERVICE_SECONDS + 30


class Unit(ABC):
    """Something with a path that leads into a release."""

    @property
    @abstractmethod
    def title(self) -> str:
        """What people call it."""

    @property
    @abstractmethod
    def what(self) -> str:
        """What is switched, for a person."""

    @abstractmethod
    def path_in(self, directory: str) -> str:
        """What its path is when it serves the release in this directory."""

    @abstractmethod
    def look(self) -> Call: ...

    @abstractmethod
    def switch(self, path: str, folder: str, release: str) -> Call: ...

    @abstractmethod
    def restart(self, pool: str, folder: str, release: str, *, runs: bool) -> Call: ...


@dataclass(frozen=True)
class Directory(Unit):
    """A virtual directory of an application of a site; `/` and `/` is the site itself."""

    site: str
    application: str = "/"
    virtual: str = "/"

    @property
    def title(self) -> str:
        if self.virtual != "/":
            return f"the virtual directory {self.site}{self.virtual}"
        if self.application != "/":
            return f"the application {self.site}{self.application}"
        return f"the site {self.site}"

    @property
    def what(self) -> str:
        return "physical path"

    def path_in(self, directory: str) -> str:
        return directory

    def look(self) -> Call:
        return Call("look_iis", self._named)

    def switch(self, path: str, folder: str, release: str) -> Call:
        where = {"Path": path, "Folder": folder, "Release": release}
        return Call("switch_iis", {**self._named, **where})

    def restart(self, pool: str, folder: str, release: str, *, runs: bool) -> Call:
        where = {"Folder": folder, "Release": release}
        return Call("restart_pool", {"Pool": pool, "Runs": runs, **where})

    @property
    def _named(self) -> dict[str, str]:
        return {
            "Site": self.site,
            "Application": self.application,
            "VirtualDirectory": self.virtual,
        }


@dataclass(frozen=True)
class WindowsService(Unit):
    """`executable`: a path inside of a release; `arguments` follow it as they are."""

    name: str
    executable: str
    arguments: str = ""

    @property
    def title(self) -> str:
        return f"the Windows service {self.name}"

    @property
    def what(self) -> str:
        return "binary path"

    def path_in(self, directory: str) -> str:
        return f'"{directory}\\{self.executable}" {self.arguments}'.rstrip()

    def look(self) -> Call:
        return Call("look_service", {"Name": self.name})

    def switch(self, path: str, folder: str, release: str) -> Call:
        where = {"Path": path, "Folder": folder, "Release": release}
        return Call("switch_service", {"Name": self.name, **where})

    def restart(self, pool: str, folder: str, release: str, *, runs: bool) -> Call:
        where = {"Folder": folder, "Release": release}
        much = {"Runs": runs, "Seconds": SERVICE_SECONDS}
        return Call("restart_service", {"Name": self.name, **much, **where}, seconds=_TWICE)

    def set(self, mode: str, *, runs: bool) -> Call:
        """Its start mode, and whether it runs."""
        much = {"Runs": runs, "Seconds": SERVICE_SECONDS}
        return Call("set_service", {"Name": self.name, "Mode": mode, **much}, seconds=_TWICE)


def swap(first: Directory, firsts: str, second: Directory, seconds: str) -> Call:
    """Both sites' bindings, as JSON."""
    return Call(
        "swap_bindings",
        {
            "First": first.site,
            "FirstBindings": firsts,
            "Second": second.site,
            "SecondBindings": seconds,
        },
    )
