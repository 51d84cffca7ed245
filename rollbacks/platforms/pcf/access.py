"""As whom we speak to a foundation: one HTTP client and one token for all calls of a connector.

Certificates are verified, always. A token is renewed before it ends, and when it is refused; its
claims are read only to learn who we are. No message of here holds a credential or a token.
"""

import base64
import binascii
import json
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import yaml

from rollbacks.platforms.base import PlatformError, TargetRef
from rollbacks.platforms.pcf import answers
from rollbacks.platforms.pcf.settings import Connector

AGENT = "lastgood"
PUBLIC_CLIENT = "cf"  # of people who sign in with a password; it has no secret
LONGEST_MARGIN_SECONDS = 60.0
SHARE_LEFT = 0.2  # of a token's life: then the next one is asked for
ADMIN, WRITE = "cloud_controller.admin", "cloud_controller.write"
_PAIRS = (("username", "password"), ("client_id", "client_secret"))


@dataclass(frozen=True)
class _Way:
    """All that decides as whom we go where; `secret` is the credential's text."""

    connector: Connector
    secret: str = field(repr=False)


_lock = threading.Lock()
_sessions: dict[_Way, "Session"] = {}


@dataclass(frozen=True)
class Person:
    """Who a token says that we are."""

    name: str
    guid: str
    is_admin: bool = False
    may_write: bool = True


@dataclass(frozen=True)
class _Token:
    access: str = field(repr=False)
    refresh: str = field(repr=False)
    ends: float  # by the monotonic clock, some time before it really does


def session_of(target: TargetRef) -> "Session":
    """The connector's session, made once. Raises PlatformError."""
    connector = Connector.model_validate(dict(target.connector))
    way = _Way(connector, target.credential.value if target.credential else "")
    with _lock:
        if way not in _sessions:
            _sessions[way] = Session(connector, _given(way.secret))
        return _sessions[way]


def forget() -> None:
    """Close all connections, and make all anew."""
    with _lock:
        while _sessions:
            _, session = _sessions.popitem()
            session.client.close()


class Session:
    """Thread-safe. `api`: without a slash at its end."""

    def __init__(self, connector: Connector, given: Mapping[str, str]) -> None:
        self.api = connector.api.rstrip("/")
        self._given = given
        self._lock = threading.Lock()
        self._token: _Token | None = None
        self._login = ""
        self.was_let_in = False
        self.client = httpx.Client(
            verify=_trust(connector),
            headers={"User-Agent": AGENT},
            timeout=httpx.Timeout(connector.request_timeout, connect=connector.connect_timeout),
        )

    def token(self, refused: str = "") -> str:
        """One that is good for now; another where `refused` is the one we have. Raises
        PlatformError."""
        with self._lock:
            have = self._token
            if have is None or have.access == refused or have.ends <= time.monotonic():
                self._token = None  # whatever happens now, it is used no more
                self._token = have = self._granted(have.refresh if have else "")
            return have.access

    @property
    def person(self) -> Person:
        """Raises PlatformError."""
        claims = _claims(self.token())
        guid = str(claims.get("user_id") or claims.get("client_id") or claims.get("sub") or "")
        name = str(claims.get("user_name") or claims.get("client_id") or guid)
        scopes = claims.get("scope")
        if not isinstance(scopes, list):
            return Person(name, guid)
        return Person(name, guid, ADMIN in scopes, ADMIN in scopes or WRITE in scopes)

    def _granted(self, refresh: str) -> _Token:
        """By the refresh token where that is still good, else by signing in."""
        if refresh:
            try:
                return self._asked({"grant_type": "refresh_token", "refresh_token": refresh})
            except answers.Refused:
                pass
        return self._asked(self._sign_in())

    def _sign_in(self) -> dict[str, str]:
        if "username" not in self._given:
            return {"grant_type": "client_credentials"}
        form = {key: self._given[key] for key in ("username", "password")}
        if origin := self._given.get("origin"):
            form["login_hint"] = json.dumps({"origin": origin})
        return {"grant_type": "password", **form}

    def _asked(self, form: Mapping[str, str]) -> _Token:
        client = self._given.get("client_id", PUBLIC_CLIENT)
        try:
            answer = self.client.post(
                f"{self._where()}/oauth/token",
                data=dict(form),
                auth=(client, self._given.get("client_secret", "")),
                headers={"Accept": "application/json"},
            )
        except httpx.HTTPError as error:
            raise answers.unanswered("the request for a token", error, is_write=False) from None
        if not answer.is_success:
            raise _not_let_in(answer)
        return _token_in(answers.read(answer), form.get("refresh_token", ""))

    def _where(self) -> str:
        """Of the UAA, as the API says."""
        if not self._login:
            try:
                answer = self.client.get(f"{self.api}/", headers={"Accept": "application/json"})
            except httpx.HTTPError as error:
                raise answers.unanswered("the root of the API", error, is_write=False) from None
            links = answers.read(answer).get("links") or {}
            login = str((links.get("login") or links.get("uaa") or {}).get("href") or "")
            if not answer.is_success or not login.startswith("https://"):
                raise PlatformError(
                    f"{self.api} does not say where tokens are had: is it the API of a foundation?",
                    permanent=answer.status_code < answers.SERVER_FAULT,
                )
            self._login = login.rstrip("/")
        return self._login


def _token_in(document: Mapping[str, Any], refresh: str) -> _Token:
    access = document.get("access_token")
    if not isinstance(access, str) or not access:
        raise PlatformError("The UAA's answer holds no token.", permanent=True)
    life = float(document.get("expires_in") or 0)
    margin = min(LONGEST_MARGIN_SECONDS, life * SHARE_LEFT)
    kept = str(document.get("refresh_token") or refresh)
    return _Token(access, kept, time.monotonic() + life - margin)


def _not_let_in(answer: httpx.Response) -> PlatformError:
    fault = answers.refusal("the request for a token", answer, is_write=False, now=time.time())
    if answer.status_code in (httpx.codes.BAD_REQUEST, httpx.codes.UNAUTHORIZED):
        return answers.Refused(
            "The UAA does not accept the connector's credential. Check its user and password, or "
            "its client and secret."
        )
    return fault


def _claims(token: str) -> dict[str, Any]:
    """Nothing where the token is no JWT."""
    try:
        part = token.split(".")[1]
        found = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (IndexError, ValueError, binascii.Error):
        return {}
    return found if isinstance(found, dict) else {}


def _trust(connector: Connector) -> ssl.SSLContext:
    if connector.certificate_authority is None:
        return ssl.create_default_context()
    try:
        return ssl.create_default_context(cafile=connector.certificate_authority)
    except (OSError, ssl.SSLError) as error:
        what = getattr(error, "strerror", None) or "it holds no certificate"
        raise PlatformError(
            "The worker cannot read the certificate authority "
            f"{connector.certificate_authority}: {what}.",
            permanent=True,
        ) from None


def _given(text: str) -> dict[str, str]:
    """The credential's fields; the text itself is a secret, and so is not shown."""
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError:
        found = None
    known = {name for pair in _PAIRS for name in pair} | {"origin"}
    if isinstance(found, dict) and set(found) <= known:
        given = {str(key): str(each) for key, each in found.items()}
        whole = [all(name in given for name in pair) for pair in _PAIRS]
        begun = [any(name in given for name in pair) for pair in _PAIRS]
        if any(whole) and whole == begun:
            return given
    raise PlatformError(
        "The connector's credential must be two lines: username and password, or client_id and "
        "client_secret, each written like `username: deployer`.",
        permanent=True,
    )
