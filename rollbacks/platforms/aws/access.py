"""As whom we speak to AWS: sessions and clients, made once, because making one takes a while.

boto3's clients may be used by many threads at once, its sessions may not. What it logs at DEBUG
holds signatures, tokens and whole requests, so it does not.
"""

import configparser
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    Credentials,
    DeferredRefreshableCredentials,
)
from botocore.exceptions import ProfileNotFound
from botocore.loaders import create_loader

from rollbacks.platforms.aws.settings import Connector
from rollbacks.platforms.base import PlatformError, TargetRef

for _name in ("boto3", "botocore"):
    logging.getLogger(_name).setLevel(logging.WARNING)

READ_ATTEMPTS = 4
CONNECTIONS = 20  # of one client at the same time
SESSION_NAME = "lastgood"
_KEYS = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
_lock = threading.Lock()
_LOADER = create_loader()  # of the descriptions of AWS's services, each read once


@dataclass(frozen=True)
class _Way:
    """All that decides as whom we go where; `secret` is the credential's text."""

    connector: Connector
    secret: str = field(repr=False)


def reading(target: TargetRef, service: str) -> Any:
    """A client that asks again, ever more slowly, while AWS is busy or ill."""
    return _client(target, service, {"mode": "adaptive", "total_max_attempts": READ_ATTEMPTS})


def writing(target: TargetRef, service: str) -> Any:
    """A client that tries once: only who looks at the answer knows whether to try again."""
    return _client(target, service, {"total_max_attempts": 1})


def is_assumed(target: TargetRef) -> bool:
    """Whether we go there in a role that we took on ourselves."""
    return _way(target).connector.role is not None


def forget() -> None:
    """Make all anew, as after a session was ended from outside."""
    with _lock:
        _session.cache_clear()
        _made.cache_clear()


def _client(target: TargetRef, service: str, retries: Mapping[str, Any]) -> Any:
    way = _way(target)
    with _lock:
        return _made(way, service, tuple(retries.items()))


def _way(target: TargetRef) -> _Way:
    connector = Connector.model_validate(dict(target.connector))
    return _Way(connector, target.credential.value if target.credential else "")


@lru_cache(maxsize=256)
def _made(way: _Way, service: str, retries: tuple[tuple[str, Any], ...]) -> Any:
    return _client_of(_session(way), way, service, retries=dict(retries))


def _client_of(session: boto3.Session, way: _Way, service: str, **options: Any) -> Any:
    config = Config(
        connect_timeout=way.connector.connect_timeout,
        read_timeout=way.connector.request_timeout,
        max_pool_connections=CONNECTIONS,
        **options,
    )
    make: Any = session.client
    return make(service, endpoint_url=way.connector.endpoint, config=config)


@lru_cache(maxsize=64)
def _session(way: _Way) -> boto3.Session:
    given = _given(way.secret) if way.secret else {}
    connector = way.connector
    keys = {name: given[name] for name in _KEYS if name in given}
    try:
        own = _session_as(**keys, profile_name=connector.profile, region_name=connector.region)
        credentials = own.get_credentials()
    except ProfileNotFound:
        raise PlatformError(
            f"The worker has no AWS profile {connector.profile}, which the connector names.",
            permanent=True,
        ) from None
    if credentials is None:
        raise PlatformError(
            "The connector has no credential, and the worker finds none of its own: give the "
            "connector one, or let the worker run in a role.",
            permanent=True,
        )
    if connector.role is None:
        return own
    return _assuming(own, credentials, way, connector.role, given.get("external_id"))


def _session_as(**options: Any) -> boto3.Session:
    return boto3.Session(botocore_session=_core(), **options)


def _core() -> botocore.session.Session:
    core = botocore.session.Session()
    core.register_component("data_loader", _LOADER)
    return core


def _assuming(
    own: boto3.Session, credentials: Credentials, way: _Way, role: str, external_id: str | None
) -> boto3.Session:
    """A session in the role; it is taken on at the first call, and again before it ends."""

    def client(service: str, **keys: str) -> Any:
        session = _session_as(**keys, region_name=way.connector.region)
        return _client_of(session, way, service)

    fetcher = AssumeRoleCredentialFetcher(
        client,
        credentials,
        role,
        extra_args={
            "RoleSessionName": SESSION_NAME,
            **({"ExternalId": external_id} if external_id else {}),
        },
    )
    session = _core()
    session.register_component(
        "credential_provider",
        _Provider(DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")),
    )
    return boto3.Session(botocore_session=session, region_name=own.region_name)


@dataclass(frozen=True)
class _Provider:
    """What botocore asks for credentials."""

    credentials: Any

    def load_credentials(self) -> Any:
        return self.credentials


def _given(text: str) -> dict[str, str]:
    """The first profile of a credential: keys, an external id for the role, or both."""
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(text)
        found = dict(parser[parser.sections()[0]])
    except (configparser.Error, IndexError):
        raise _wrong() from None
    has_keys = [name in found for name in _KEYS[:2]]
    if any(has_keys) != all(has_keys) or not (all(has_keys) or "external_id" in found):
        raise _wrong()
    return found


def _wrong() -> PlatformError:
    # The text itself is a secret, and so is not shown.
    return PlatformError(
        "The connector's credential must be written as an AWS credentials file: a profile with "
        "aws_access_key_id and aws_secret_access_key, with external_id where the role wants one, "
        "or with external_id alone.",
        permanent=True,
    )
