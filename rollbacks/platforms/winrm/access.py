"""What it takes to enter hosts: who we are and whom we trust, read once for all of a call."""

import os
import ssl
import tempfile
from dataclasses import dataclass, field
from typing import Any

from pypsrp.wsman import NAMESPACES, WSMan, WSManAction

from rollbacks.platforms.base import PlatformError, TargetRef
from rollbacks.platforms.winrm.kerberos import require_kerberos
from rollbacks.platforms.winrm.places import Place
from rollbacks.platforms.winrm.settings import Connector
from rollbacks.platforms.winrm.sockets import Adapter, Guard, guard_trusting

OPERATION_SECONDS = 10  # a host that has nothing to say yet says so, and is asked again
READ_SECONDS = OPERATION_SECONDS + 15


@dataclass(frozen=True)
class Access:
    """`secret`: a password, or a certificate with its key; None: the worker's Kerberos ticket."""

    connector: Connector
    secret: str | None = field(repr=False)

    @property
    def who(self) -> str:
        return self.connector.user or f"the connector's {self.connector.authentication} identity"


def access_to(target: TargetRef) -> Access:
    """Read the credential; PlatformError says what is wrong with it."""
    connector = Connector.model_validate(dict(target.connector))
    secret = target.credential.value if target.credential else None
    if secret is None and connector.authentication != "kerberos":
        what = "a certificate with its key" if _is_certificate(connector) else "a password"
        raise PlatformError(
            f"The connector has no credential; WinRM with {connector.authentication} needs {what}.",
            permanent=True,
        )
    if secret is not None and not _is_certificate(connector):
        secret = secret.rstrip("\r\n")
        if not secret or "\n" in secret:
            raise PlatformError(
                "The connector's credential must be the password alone, on one line.",
                permanent=True,
            )
    if connector.authentication == "kerberos":
        require_kerberos()
    access = Access(connector, secret)
    guard_for(access)
    return access


def guard_for(access: Access) -> Guard:
    """The TLS side of a conversation with a host."""
    path = access.connector.ca_certificates
    try:
        guard = guard_trusting(path)
    except ssl.SSLError:
        why = "it holds no certificate in PEM format"
    except OSError as error:
        why = str(error.strerror)
    else:
        if _is_certificate(access.connector):
            _show_certificate(guard, access.secret or "")
        return guard
    raise PlatformError(f"The worker cannot read the certificates {path}: {why}.", permanent=True)


def wsman_to(place: Place, access: Access, guard: Guard) -> WSMan:
    """The library's client; nothing of the worker's own account is used, as proxies or .netrc."""
    connector = access.connector
    authentication = "basic" if _is_certificate(connector) else connector.authentication
    client = _WSMan(
        place.address,
        port=place.port,
        username=connector.user,
        password=access.secret,
        ssl=True,
        auth=authentication,
        encryption="always" if connector.encrypt_messages else "auto",
        connection_timeout=max(1, round(connector.connect_timeout)),
        read_timeout=READ_SECONDS,
        operation_timeout=OPERATION_SECONDS,
        no_proxy=True,
    )
    client.transport.session = _session(client.transport, guard, connector)
    return client


class _WSMan(WSMan):
    def receive(self, resource_uri: str, resource: Any, *more: Any, **options: Any) -> Any:
        """Once: a host that hangs is asked again by a later call, not here for minutes."""
        names = ("option_set", "selector_set", "timeout")
        named = {**dict(zip(names, more, strict=False)), **options}
        answer = self.invoke(WSManAction.RECEIVE, resource_uri, resource, **named)
        return answer.find("s:Body", namespaces=NAMESPACES)


def _session(transport: Any, guard: Guard, connector: Connector) -> Any:
    if _is_certificate(connector):
        transport.username, transport.password = "", ""
    session = transport._build_session()
    session.trust_env = False
    session.verify = True
    session.max_redirects = 0
    session.adapters.clear()
    session.mount("https://", Adapter(guard))
    if _is_certificate(connector):
        session.auth = _by_certificate
    return session


def _by_certificate(request: Any) -> Any:
    request.headers["Authorization"] = (
        "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"
    )
    return request


def _show_certificate(guard: Guard, pem: str) -> None:
    """ssl reads files only: this one is for nobody else's eyes, and gone at once."""
    try:
        with tempfile.NamedTemporaryFile("w") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(pem)
            file.flush()
            guard.load_cert_chain(file.name, password=lambda: b"")
    except (OSError, ValueError):
        raise PlatformError(
            "The connector's credential is no certificate that can be used: it must hold the "
            "certificate and its private key in PEM format, without a passphrase.",
            permanent=True,
        ) from None
    guard.post_handshake_auth = True  # IIS and WinRM ask for it after the first request


def _is_certificate(connector: Connector) -> bool:
    return connector.authentication == "certificate"
