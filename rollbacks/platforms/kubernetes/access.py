"""What it takes to speak to a cluster: where it is, whom to trust, and who we are.

Out of a kubeconfig, a token with a certificate authority, or the pod the worker runs in.
Certificates are verified, always. Source: the kubeconfig format, kubernetes.io/docs/reference.
"""

import base64
import binascii
import os
import ssl
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import yaml

from rollbacks.platforms.base import PlatformError, TargetRef
from rollbacks.platforms.kubernetes import plugins
from rollbacks.platforms.kubernetes.settings import Connector

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
NOTHING = "an empty file is no certificate, and must not mean: trust as the system does"


@dataclass(frozen=True)
class Access:
    """`trust` holds the client's certificate, too, where there is one; `headers` say who we are.

    `forget`: to be told that the cluster does not accept this; whether reading again may help.
    """

    server: str
    trust: ssl.SSLContext = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    server_name: str | None = None
    proxy: str | None = field(default=None, repr=False)
    connect_timeout: float = 10
    request_timeout: float = 30
    forget: Callable[[], bool] = lambda: False


def access_to(target: TargetRef) -> Access:
    """Read what the connector names; PlatformError says what of it is wrong."""
    connector = Connector.model_validate(dict(target.connector))
    if connector.in_cluster:
        return _in_cluster(connector)
    if target.credential is None:
        raise PlatformError(
            "The connector has no credential: give a kubeconfig or a token, or in_cluster.",
            permanent=True,
        )
    if connector.server is not None:
        return _by_token(connector, target.credential.value)
    return _by_kubeconfig(connector, target.credential.value)


def _in_cluster(connector: Connector) -> Access:
    host = os.environ.get("KUBERNETES_SERVICE_HOST")
    port = os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    if not host:
        raise PlatformError(
            "The connector says in_cluster, but this worker does not run in a pod.", permanent=True
        )
    try:
        token = (SERVICE_ACCOUNT / "token").read_text()
        trust = _trust((SERVICE_ACCOUNT / "ca.crt").read_text() or NOTHING)
    except OSError as error:
        raise PlatformError(
            f"The pod's service account cannot be read: {error.strerror}.", permanent=True
        ) from None
    address = f"[{host}]" if ":" in host else host
    return _access(connector, f"https://{address}:{port}", trust, _bearer(token))


def _by_token(connector: Connector, token: str) -> Access:
    authority = connector.certificate_authority or ""
    try:
        trust = _trust(Path(authority).read_text() or NOTHING)
    except (OSError, UnicodeDecodeError) as error:
        what = getattr(error, "strerror", None) or "it is not text"
        raise PlatformError(
            f"The worker cannot read the certificate authority {authority}: {what}.", permanent=True
        ) from None
    return _access(connector, connector.server or "", trust, _bearer(token))


def _by_kubeconfig(connector: Connector, text: str) -> Access:
    context, cluster, user = _chosen(_document(text), connector.context)
    server = cluster.get("server")
    if not isinstance(server, str) or not server.startswith("https://"):
        raise _wrong(f"the cluster of {context} has no server that begins with https://")
    if cluster.get("insecure-skip-tls-verify"):
        raise _wrong(f"the cluster of {context} skips verifying certificates; give its authority")
    if impersonated := sorted(name for name in user if name == "as" or name.startswith("as-")):
        raise _wrong(
            f"the user of {context} impersonates somebody ({', '.join(impersonated)}), which "
            "Lastgood does not: give that account's own credential"
        )
    trust = _trust(_pem(cluster, "certificate-authority"))
    plugin = user.get("exec")
    if plugin is not None and not isinstance(plugin, dict):
        raise _wrong(f"the exec plugin of {context} is no object")
    said = plugins.credential(plugin, cluster) if plugin else {}
    certificate = said.get("clientCertificateData") or _pem(user, "client-certificate")
    key = said.get("clientKeyData") or _pem(user, "client-key")
    if certificate and key:
        _identify(trust, certificate, key)
    headers = _headers(user, said)
    if not headers and not (certificate and key):
        raise _wrong(f"the user of {context} has no token, certificate, password or exec plugin")
    proxy = cluster.get("proxy-url") or None
    if proxy is not None and not str(proxy).startswith(("http://", "https://")):
        raise _wrong(f"the proxy-url of {context} must begin with http:// or https://")
    access = _access(connector, server, trust, headers, cluster.get("tls-server-name"), proxy)
    return replace(access, forget=partial(plugins.forget, plugin, cluster)) if plugin else access


def _document(text: str) -> Mapping[str, Any]:
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError:
        document = None
    if not isinstance(document, dict):
        # The text itself is a secret, and so is not shown.
        raise _wrong("it is not YAML; for a token, the connector needs a server")
    return document


def _chosen(
    document: Mapping[str, Any], name: str | None
) -> tuple[str, Mapping[str, Any], Mapping[str, Any]]:
    chosen = name or document.get("current-context")
    if not chosen:
        raise _wrong("it has no current context; let the connector name one")
    context = _named(document, "contexts", "context", str(chosen))
    cluster = _named(document, "clusters", "cluster", str(context.get("cluster")))
    return str(chosen), cluster, _named(document, "users", "user", str(context.get("user")))


def _named(document: Mapping[str, Any], many: str, one: str, name: str) -> Mapping[str, Any]:
    found_many = document.get(many)
    for each in found_many if isinstance(found_many, list) else ():
        if isinstance(each, dict) and each.get("name") == name and isinstance(each.get(one), dict):
            found: Mapping[str, Any] = each[one]
            return found
    raise _wrong(f"it has no {one} named {name}")


def _pem(part: Mapping[str, Any], field_name: str) -> str:
    """The text in `…-data`, or in the file; empty where there is neither."""
    try:
        if data := part.get(f"{field_name}-data"):
            return base64.b64decode(str(data), validate=True).decode()
        if path := part.get(field_name):
            return Path(str(path)).read_text() or NOTHING
    except (OSError, ValueError, binascii.Error) as error:
        what = getattr(error, "strerror", None) or "it cannot be decoded"
        raise _wrong(f"its {field_name}: {what}") from None
    return ""


def _headers(user: Mapping[str, Any], said: Mapping[str, Any]) -> Mapping[str, str]:
    if token := said.get("token") or user.get("token"):
        return _bearer(str(token))
    if path := user.get("tokenFile"):
        try:
            return _bearer(Path(str(path)).read_text())
        except (OSError, UnicodeDecodeError):
            raise _wrong(f"its tokenFile {path} cannot be read") from None
    if "username" in user and "password" in user:
        pair = f"{user['username']}:{user['password']}".encode()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
    if "auth-provider" in user:
        raise _wrong("auth-provider is no longer a way; use an exec plugin")
    return {}


def _bearer(token: str) -> Mapping[str, str]:
    stripped = token.strip()
    if not stripped or not stripped.isascii() or any(char.isspace() for char in stripped):
        raise PlatformError("The connector's credential is no token.", permanent=True)
    return {"Authorization": f"Bearer {stripped}"}


def _trust(authority: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cadata=authority or None)
    except (ssl.SSLError, ValueError):
        raise PlatformError(
            "The cluster's certificate authority is no PEM certificate.", permanent=True
        ) from None


def _identify(trust: ssl.SSLContext, certificate: str, key: str) -> None:
    """Add the client's certificate; Python reads it from a file only, which is gone at once."""
    with tempfile.TemporaryDirectory() as directory:  # readable by this user only
        path = Path(directory, "client.pem")
        path.write_text(f"{certificate}\n{key}\n")
        try:
            # Without a password given, OpenSSL would ask for one at the worker's terminal.
            trust.load_cert_chain(path, password="")
        except ssl.SSLError:
            raise _wrong(
                "its client certificate and key do not fit, or the key has a passphrase"
            ) from None


def _access(
    connector: Connector,
    server: str,
    trust: ssl.SSLContext,
    headers: Mapping[str, str],
    server_name: str | None = None,
    proxy: str | None = None,
) -> Access:
    try:
        httpx.URL(server)
    except httpx.InvalidURL:
        raise PlatformError(f"{server} is no address of a cluster.", permanent=True) from None
    return Access(
        server.rstrip("/"),
        trust,
        headers,
        server_name,
        proxy,
        connector.connect_timeout,
        connector.request_timeout,
    )


def _wrong(what: str) -> PlatformError:
    return PlatformError(f"The connector's kubeconfig cannot be used: {what}.", permanent=True)
