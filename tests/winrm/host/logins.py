"""Who is at the other end: basic, Negotiate with NTLM or Kerberos, CredSSP, or a certificate.

Kerberos needs its libraries (gssapi, krb5) and the key of the host in KRB5_KTNAME.
"""

import base64
import os
import ssl
from dataclasses import dataclass, field
from typing import Any

import spnego
from cryptography.hazmat.primitives import hashes
from pypsrp.encryption import WinRMEncryption
from spnego.channel_bindings import GssChannelBindings
from spnego.exceptions import SpnegoError

MUTUAL = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"


@dataclass(frozen=True)
class Principal:
    """`may_enter`: whether WinRM lets it make a session."""

    name: str
    is_administrator: bool = True
    may_enter: bool = True


@dataclass
class Logins:
    """`offers`: what WWW-Authenticate says; `ntlm`: a file of names and passwords for pyspnego;
    `spoken`: the protocol of each login that came to its end."""

    ntlm: str
    certificate: bytes
    offers: tuple[str, ...] = ("Negotiate", 'Basic realm="WSMAN"', "CredSSP")
    passwords: dict[str, str] = field(default_factory=dict)
    principals: dict[str, Principal] = field(default_factory=dict)
    spoken: list[str] = field(default_factory=list)

    def add(self, name: str, password: str, **rights: bool) -> None:
        self.passwords[name] = password
        self.principals[name] = Principal(name, **rights)
        with open(self.ntlm, "a") as file:
            file.write(f":{name}:{password}\n")


@dataclass
class Login:
    """Of one connection, as NTLM is. `farewell`: WWW-Authenticate of the answer that lets in."""

    logins: Logins
    principal: Principal | None = None
    context: Any = None
    farewell: list[str] = field(default_factory=list)

    def heard(self, header: str, socket: ssl.SSLSocket) -> list[str]:
        """WWW-Authenticate of a refusal; empty where we know now who it is."""
        kind, _, token = header.partition(" ")
        if kind == MUTUAL:
            self._by_certificate(socket)
        elif kind == "Basic":
            self._by_password(token)
        elif kind in ("Negotiate", "CredSSP"):
            return self._by_steps(kind, base64.b64decode(token))
        return [] if self.principal else list(self.logins.offers)

    def encryption(self) -> WinRMEncryption:
        return WinRMEncryption(self.context, WinRMEncryption.SPNEGO)

    def _by_certificate(self, socket: ssl.SSLSocket) -> None:
        shown: Any = socket.getpeercert() or {}
        names = {value for part in shown.get("subject", ()) for _, value in part}
        self.principal = next(
            (each for each in self.logins.principals.values() if each.name in names), None
        )

    def _by_password(self, token: str) -> None:
        name, _, password = base64.b64decode(token).decode().partition(":")
        is_right = self.logins.passwords.get(name) == password
        self.principal = self.logins.principals[name] if is_right else None

    def _by_steps(self, kind: str, token: bytes) -> list[str]:
        """CredSSP speaks TLS of its own inside, and hands the password over at its end."""
        if self.context is None:
            os.environ["NTLM_USER_FILE"] = self.logins.ntlm
            bound = {"channel_bindings": _bindings(self.logins.certificate)}
            self.context = spnego.server(
                protocol=kind.lower(),
                options=spnego.NegotiateOptions.wrapping_winrm,
                **(bound if kind == "Negotiate" else {}),
            )
        try:
            back = self.context.step(token)
        except SpnegoError:
            self.context = None
            return list(self.logins.offers)
        if not self.context.complete:
            return [f"{kind} {base64.b64encode(back).decode()}"]
        if back:
            self.farewell = [f"{kind} {base64.b64encode(back).decode()}"]
        self.logins.spoken.append(self.context.negotiated_protocol)
        self.principal = self.logins.principals.get(self.context.client_principal.strip("\\"))
        return []


def _bindings(certificate: bytes) -> GssChannelBindings:
    """That both ends talk of the same TLS connection."""
    digest = hashes.Hash(hashes.SHA256())
    digest.update(certificate)
    return GssChannelBindings(application_data=b"tls-server-end-point:" + digest.finalize())
