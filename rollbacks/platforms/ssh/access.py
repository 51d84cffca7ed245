"""What it takes to enter hosts: who we are and whom we trust, read once for all of a call."""

import hashlib
import logging
import os
import socket
from dataclasses import dataclass, field, replace
from pathlib import Path

import asyncssh

from rollbacks.platforms import credentials
from rollbacks.platforms.base import PlatformError, Secret, TargetRef
from rollbacks.platforms.ssh.become import Become
from rollbacks.platforms.ssh.settings import Connector, Jump

# At INFO asyncssh logs whole commands, and with them the values of variables.
logging.getLogger("asyncssh").setLevel(logging.WARNING)

AGENT_SECONDS = 5.0


@dataclass(frozen=True)
class Identity:
    """As whom: a user, with a key of ours and maybe its certificate, or with those of an agent."""

    user: str
    key: asyncssh.SSHKey | None = field(repr=False)
    certificate: asyncssh.SSHCertificate | None = field(repr=False)
    agent: str | None
    known_hosts: asyncssh.SSHKnownHosts = field(repr=False)

    @property
    def proof(self) -> str:
        """What it shows, for a person."""
        if self.agent:
            return "a key of the agent"
        return "the connector's certificate" if self.certificate else "the connector's key"

    def pairs(self) -> list[asyncssh.SSHKeyPair]:
        """To show to one host: what a host makes us sign with is kept in them."""
        if self.key is None:
            return []
        if self.certificate is None:
            return list(asyncssh.load_keypairs(self.key))
        both = asyncssh.load_keypairs([(self.key, self.certificate)])
        return [pair for pair in both if pair.has_cert]


@dataclass(frozen=True)
class Hop:
    """A host on the way."""

    address: str
    port: int
    identity: Identity


@dataclass(frozen=True)
class Access:
    """`hops`: what is gone through, the first one first; `become`: as whom commands run; `mark`:
    differs where anything of it does, also what the files hold that the connector names."""

    identity: Identity
    hops: tuple[Hop, ...]
    become: Become | None
    connect_timeout: float
    command_timeout: float
    concurrency: int
    mark: str = field(repr=False)


def access_to(target: TargetRef) -> Access:
    """Read credentials, certificates and known hosts; PlatformError says which is wrong."""
    connector = Connector.model_validate(dict(target.connector))
    identity = Identity(
        connector.user,
        *_proof(target.credential, connector.certificate, connector.agent),
        _known_hosts(connector.known_hosts),
    )
    return Access(
        identity=identity,
        hops=tuple(_hop(jump, identity) for jump in connector.jumps),
        become=_become(connector),
        connect_timeout=connector.connect_timeout,
        command_timeout=connector.command_timeout,
        concurrency=connector.concurrency,
        mark=_mark(target, connector),
    )


def _mark(target: TargetRef, connector: Connector) -> str:
    paths = [connector.known_hosts, connector.certificate]
    paths += [each for jump in connector.jumps for each in (jump.known_hosts, jump.certificate)]
    secrets = [target.credential, *(credentials.resolve(each) for each in _references(connector))]
    said = hashlib.sha256(connector.model_dump_json().encode())
    for text in (each.value.encode() for each in secrets if each):
        said.update(hashlib.sha256(text).digest())
    try:
        for path in filter(None, paths):
            said.update(hashlib.sha256(Path(path).read_bytes()).digest())
    except OSError:  # changed just now
        return os.urandom(16).hex()
    return said.hexdigest()


def _references(connector: Connector) -> list[str]:
    own = [connector.sudo.password] if connector.sudo else []
    return [each for each in (*own, *(jump.credential for jump in connector.jumps)) if each]


def _hop(jump: Jump, behind: Identity) -> Hop:
    identity = replace(behind, user=jump.user or behind.user)
    if jump.credential:
        proof = _proof(credentials.resolve(jump.credential), jump.certificate, None)
        identity = Identity(identity.user, *proof, identity.known_hosts)
    if jump.known_hosts:
        identity = replace(identity, known_hosts=_known_hosts(jump.known_hosts))
    return Hop(jump.address, jump.port, identity)


def _become(connector: Connector) -> Become | None:
    if connector.sudo is None:
        return None
    secret = credentials.resolve(connector.sudo.password or "")
    password = None if secret is None else secret.value.rstrip("\r\n")
    if password is not None and (not password or "\n" in password or "\0" in password):
        raise PlatformError("The password for sudo must be on one line, alone.", permanent=True)
    return Become(connector.sudo.user, password)


def _proof(
    secret: Secret | None, certificate: str | None, agent: str | None
) -> tuple[asyncssh.SSHKey | None, asyncssh.SSHCertificate | None, str | None]:
    """The key with its certificate, or the agent."""
    if agent is not None:
        _require_agent(agent)
        return None, None, agent
    if secret is None:
        raise PlatformError(
            "The connector has no credential; SSH needs a private key, or an agent.",
            permanent=True,
        )
    try:
        key = asyncssh.import_private_key(secret.value)
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError, ValueError):
        raise PlatformError(
            "The connector's credential is no private key that can be used: it must be in PEM or "
            "OpenSSH format, without a passphrase.",
            permanent=True,
        ) from None
    return key, _certificate(key, certificate) if certificate else None, None


def _certificate(key: asyncssh.SSHKey, path: str) -> asyncssh.SSHCertificate:
    try:
        certificate = asyncssh.read_certificate(path)
    except OSError as error:
        why = str(error.strerror)
    except (asyncssh.KeyImportError, ValueError):
        why = "it is no OpenSSH certificate"
    else:
        if certificate.key.public_data == key.public_data:
            return certificate
        why = "it is of another key than the connector's"
    raise PlatformError(f"The worker cannot use the certificate {path}: {why}.", permanent=True)


def _require_agent(path: str) -> None:
    try:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(AGENT_SECONDS)
            probe.connect(path)
    except OSError as error:
        raise PlatformError(
            f"The worker cannot reach the SSH agent {path}: {error.strerror or error}."
        ) from None


def _known_hosts(path: str) -> asyncssh.SSHKnownHosts:
    try:
        return asyncssh.read_known_hosts(path)
    except OSError as error:
        why = error.strerror
    except ValueError:
        why = "a line in it is malformed"
    raise PlatformError(f"The worker cannot read the known hosts {path}: {why}.", permanent=True)
