"""Several Windows hosts, and what a connector and an infrastructure say of them."""

import copy
import ssl
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rollbacks.platforms.base import Secret, TargetRef
from rollbacks.platforms.winrm.settings import Connector, Infrastructure
from tests.certificates import Authority
from tests.ports import LOOPBACK, free_port
from tests.winrm.host.logins import Logins, Principal
from tests.winrm.host.server import Listener, Pages
from tests.winrm.host.shells import Shells
from tests.winrm.host.windows import Windows

USER, PASSWORD = "deployer", "Corr3ct-h0rse"
AUTHORITY = Authority()


@dataclass
class Host:
    """`production` and `stage`: ports on which its IIS answers."""

    name: str
    windows: Windows
    shells: Shells
    logins: Logins
    listener: Listener
    production: int
    stage: int

    @property
    def document(self) -> dict[str, Any]:
        """As an infrastructure names it."""
        ports = {"production": str(self.production), "stage": str(self.stage)}
        where = {"address": LOOPBACK, "port": self.listener.port}
        return {"name": self.name, **where, "variables": ports}


class Fleet:
    """So many hosts, web-1 and up, that trust and are trusted by one authority."""

    def __init__(self, count: int, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.authority = directory / "authority.pem"
        self.authority.write_text(AUTHORITY.pem)
        self._running = ExitStack()
        self.image: Host | None = None
        self.hosts = {f"web-{n}": self._host(f"web-{n}") for n in range(1, count + 1)}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._running.close()
        faults = [fault for host in self.hosts.values() for fault in host.listener.faults]
        assert not faults, f"a host met what it does not know: {faults}"

    @property
    def connector(self) -> dict[str, Any]:
        return {"user": USER, "authentication": "basic", "ca_certificates": str(self.authority)}

    def infrastructure(self, **settings: Any) -> dict[str, Any]:
        return {"hosts": [host.document for host in self.hosts.values()], **settings}

    def target(
        self, settings: dict[str, Any], secret: str | None = PASSWORD, **connector: Any
    ) -> TargetRef:
        return TargetRef(
            application="Shop",
            service="storefront",
            environment="production",
            infrastructure="web hosts",
            connector=Connector.model_validate({**self.connector, **connector}).model_dump(),
            settings=Infrastructure.model_validate(self.infrastructure(**settings)).model_dump(),
            credential=Secret(secret) if secret is not None else None,
        )

    def add(self, name: str, address: str, port: int) -> None:
        """One more, at an address of its own; `image`: whose disk and settings it begins with."""
        self.hosts[name] = self._host(name, address, port)
        if self.image is not None:
            vars(self.hosts[name].windows).update(vars(copy.deepcopy(self.image.windows)))

    def remove(self, name: str) -> None:
        """It is there no more."""
        self.hosts.pop(name).listener.close()

    def _host(self, name: str, address: str = LOOPBACK, port: int = 0) -> Host:
        pair = AUTHORITY.vouch(name, address)
        file = self.directory / f"{name}.pem"
        file.write_text(pair.pem)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        context.load_verify_locations(cadata=AUTHORITY.pem)
        context.verify_mode = ssl.CERT_OPTIONAL
        windows = Windows()
        logins = Logins(str(self.directory / f"{name}.ntlm"), pair.der)
        logins.add(USER, PASSWORD)
        logins.principals["robot"] = Principal("robot")
        shells = Shells(windows)
        listener = Listener(shells, logins, context, port or free_port(), address)
        self._running.callback(listener.close)
        host = Host(name, windows, shells, logins, listener, free_port(), free_port())
        for port in (host.production, host.stage):
            self._running.callback(Pages(windows, port).close)
        return host
