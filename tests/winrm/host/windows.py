# ruff: noqa: N803, N806 - parameters are called as in the scripts
"""A Windows host without the network: IIS, services and files, and what our scripts do to them.

One method for each script. It does what the PowerShell text says, step by step, by its own means.
"""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from tests.winrm.host.disk import Disk, Refused, parent_of


@dataclass
class Pool:
    """`loaded`: the physical paths that its worker process has read, by site and application."""

    state: str = "Started"
    loaded: dict[tuple[str, str, str], str] = field(default_factory=dict)
    recycled: int = 0


@dataclass
class Site:
    """`paths`: physical paths by application and virtual directory."""

    bindings: list[dict[str, Any]]
    pool: str
    paths: dict[tuple[str, str], str]
    state: str = "Started"


@dataclass
class Service:
    """`running`: the binary path that was started."""

    path: str
    state: str = "Stopped"
    mode: str = "Manual"
    running: str = ""
    starts: int = 0


@dataclass
class Windows:
    """`held`: a directory that some process keeps files of, by path and how often it is in use."""

    disk: Disk = field(default_factory=Disk)
    has_iis: bool = True
    sites: dict[str, Site] = field(default_factory=dict)
    pools: dict[str, Pool] = field(default_factory=dict)
    services: dict[str, Service] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)

    def add_site(self, name: str, path: str, *bindings: str) -> None:
        """A site with a pool of its own; a binding is `http *:80:`."""
        self.disk.make(path)
        self.pools[f"{name} pool"] = Pool()
        split = [each.split(" ", 1) for each in bindings]
        self.sites[name] = Site(
            [{"protocol": p, "information": i, "flags": int(p == "https")} for p, i in split],
            f"{name} pool",
            {("/", "/"): path},
        )
        self.load(f"{name} pool")

    def add_service(self, name: str, program: str, *, runs: bool) -> None:
        self.disk.make(parent_of(program))
        self.disk.write(program, b"as installed")
        self.services[name] = Service(f'"{program}"')
        if runs:
            self.services[name].mode = "Auto"
            self._start(self.services[name])

    def served(self, port: int, application: str = "/", virtual: str = "/") -> tuple[int, str]:
        """What IIS answers on that port: a status, and the page as the worker process has it."""
        for name, site in self.sites.items():
            if any(f":{port}:" in each["information"] for each in site.bindings):
                pool = self.pools[site.pool]
                if site.state != "Started" or pool.state != "Started":
                    return 503, ""
                directory = pool.loaded.get((name, application, virtual), "")
                page = f"{directory}\\index.html"
                if not self.disk.has_file(page):
                    return 404, ""
                text = self.disk.read(page).decode()
                return (500 if "broken" in text else 200), text
        return 400, ""

    def look_iis(
        self,
        principal: Any,
        Site: str,
        Application: str,
        VirtualDirectory: str,
    ) -> str:
        answer: dict[str, Any] = {
            "administrator": principal.is_administrator, "module": self.has_iis, "missing": "",
            "path": "", "pool": "", "state": "", "pool_state": "", "bindings": [],
        }  # fmt: skip
        if not principal.is_administrator or not self.has_iis:
            return json.dumps(answer)
        site = self.sites.get(Site)
        if site is None:
            answer["missing"] = "site"
        elif not any(application == Application for application, _ in site.paths):
            answer["missing"] = "application"
        elif (Application, VirtualDirectory) not in site.paths:
            answer["missing"] = "virtual directory"
        else:
            answer |= {
                "path": site.paths[Application, VirtualDirectory], "pool": site.pool,
                "state": site.state, "pool_state": self.pools[site.pool].state,
                "bindings": site.bindings,
            }  # fmt: skip
        return json.dumps(answer)

    def look_service(self, principal: Any, Name: str) -> str:
        found = self.services.get(Name)
        answer = {"missing": "Windows service", "path": "", "state": "", "mode": ""}
        if found:
            answer = {"missing": "", "path": found.path, "state": found.state, "mode": found.mode}
        return json.dumps({"administrator": principal.is_administrator, **answer})

    def look_folder(self, principal: Any, Folder: str, Release: str, Wanted: str) -> str:
        levels, place = 0, Folder
        while place and not self.disk.has_directory(place):
            levels, place = levels + 1, parent_of(place)
        ours = f"{Folder}\\.{Release}@"
        path = Wanted.replace("%SystemDrive%", "C:")
        upload = f"{ours}upload"
        return json.dumps(
            {
                "levels": levels,
                "release": self.disk.has_directory(f"{Folder}\\{Release}"),
                "uploaded": len(self.disk.read(upload)) if self.disk.has_file(upload) else 0,
                "partial": self.disk.has_directory(f"{ours}partial"),
                "restart": self.disk.has_file(f"{ours}restart"),
                "check": self.disk.has_file(f"{ours}check"),
                "wanted": self.disk.has_directory(path) or self.disk.has_file(path),
            }
        )

    def receive(
        self,
        principal: Any,
        Folder: str,
        Release: str,
        Offset: int,
        Data: bytes,
    ) -> None:
        self.disk.make(Folder)
        file = f"{Folder}\\.{Release}@upload"
        there = self.disk.read(file) if self.disk.has_file(file) else b""
        if len(there) < Offset:
            raise Refused("what was uploaded before is not there any more")
        self.disk.write(file, there[:Offset] + Data)

    def unpack(self, principal: Any, Folder: str, Release: str, Checksum: str) -> None:
        target, ours = f"{Folder}\\{Release}", f"{Folder}\\.{Release}@"
        if self.disk.has_directory(target):
            return
        content = self.disk.read(f"{ours}upload")
        if hashlib.sha256(content).hexdigest().lower() != Checksum.lower():
            self.disk.delete_file(f"{ours}upload")
            raise Refused("the checksum of what arrived is not that of the artifact")
        self.disk.delete_directory(f"{ours}partial")
        self.disk.extract(content, f"{ours}partial")
        self.disk.move(f"{ours}partial", target)
        self.disk.delete_file(f"{ours}upload")

    def switch_iis(
        self,
        principal: Any,
        Site: str,
        Application: str,
        VirtualDirectory: str,
        Path: str,
        Folder: str,
        Release: str,
    ) -> None:
        self._mark_switched(Folder, Release)
        self.sites[Site].paths[Application, VirtualDirectory] = Path

    def restart_pool(
        self,
        principal: Any,
        Pool: str,
        Runs: bool,
        Folder: str,
        Release: str,
    ) -> None:
        pool = self.pools[Pool]
        pool.state = "Started" if Runs else "Stopped"
        pool.recycled += Runs
        self.load(Pool)
        self._mark_restarted(Folder, Release)

    def switch_service(
        self,
        principal: Any,
        Name: str,
        Path: str,
        Folder: str,
        Release: str,
    ) -> None:
        self._service(Name)
        self._mark_switched(Folder, Release)
        self.services[Name].path = Path

    def restart_service(
        self,
        principal: Any,
        Name: str,
        Runs: bool,
        Seconds: int,
        Folder: str,
        Release: str,
    ) -> None:
        service = self._service(Name)
        service.state, service.running = "Stopped", ""
        if Runs:
            self._start(service)
        self._mark_restarted(Folder, Release)

    def swap_bindings(
        self,
        principal: Any,
        First: str,
        FirstBindings: str,
        Second: str,
        SecondBindings: str,
    ) -> None:
        for name in (First, Second):
            if name not in self.sites:
                raise Refused("there is no such site")
        self.sites[First].bindings = json.loads(FirstBindings)
        self.sites[Second].bindings = json.loads(SecondBindings)

    def set_service(
        self,
        principal: Any,
        Name: str,
        Mode: str,
        Runs: bool,
        Seconds: int,
    ) -> None:
        service = self._service(Name)
        if Mode not in ("Auto", "Manual", "Disabled"):
            raise Refused("Windows refused the start mode: ChangeStartMode gave 21")
        service.mode = Mode
        if Runs and service.state != "Running":
            self._start(service)
        elif not Runs:
            service.state, service.running = "Stopped", ""

    def settle(self, principal: Any, Folder: str, Release: str) -> None:
        ours = f"{Folder}\\.{Release}@"
        self.disk.delete_directory(f"{ours}partial")
        for rest in ("upload", "restart", "check"):
            if self.disk.has_file(ours + rest):
                self.disk.delete_file(ours + rest)

    def remove(self, principal: Any, Folder: str, Release: str, Levels: int) -> None:
        target, partial = f"{Folder}\\{Release}", f"{Folder}\\.{Release}@partial"
        self.disk.delete_directory(partial)
        if self.held.get(target, 0) > 0:
            self.held[target] -= 1
            raise Refused(f"Access to the path '{target}' is denied.")
        if self.disk.has_directory(target):
            self.disk.move(target, partial)
            self.disk.delete_directory(partial)
        self.settle(principal, Folder, Release)
        place = Folder
        while Levels > 0 and self.disk.has_directory(place) and not self.disk.below(place):
            self.disk.delete_directory(place)
            place, Levels = parent_of(place), Levels - 1

    def _mark_switched(self, folder: str, release: str) -> None:
        self.disk.make(folder)
        self.disk.write(f"{folder}\\.{release}@restart", b"")
        self.disk.delete_file(f"{folder}\\.{release}@check")

    def _mark_restarted(self, folder: str, release: str) -> None:
        self.disk.write(f"{folder}\\.{release}@check", b"")
        self.disk.delete_file(f"{folder}\\.{release}@restart")

    def load(self, pool: str) -> None:
        """A fresh worker process reads what is configured."""
        self.pools[pool].loaded = {
            (name, *where): path
            for name, site in self.sites.items()
            for where, path in site.paths.items()
            if site.pool == pool
        }

    def _service(self, name: str) -> Service:
        if name not in self.services:
            raise Refused("there is no such Windows service")
        return self.services[name]

    def _start(self, service: Service) -> None:
        program = service.path.split('"')[1]
        if not self.disk.has_file(program) or b"broken" in self.disk.read(program):
            raise Refused("Cannot start service on computer '.'.")
        service.state, service.running = "Running", service.path
        service.starts += 1
