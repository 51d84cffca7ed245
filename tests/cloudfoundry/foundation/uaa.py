"""UAA: tokens for users and clients, that end, and that can be renewed or not."""

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from . import records as r
from .access import Caller
from .state import State

Json = dict[str, Any]
_SCOPES = ("cloud_controller.read", "cloud_controller.write", "openid")


class NoToken(Exception):
    """UAA refuses, in its own words."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.document = {"error": error, "error_description": description}


@dataclass
class _Account:
    user: r.User
    secret: str
    scopes: tuple[str, ...] = _SCOPES


@dataclass
class _Token:
    account: _Account
    ends: float


@dataclass
class Uaa:
    """`rotates`: a refresh token is good for one use; `refuses_refresh`: none is good for any."""

    state: State
    rotates: bool = False
    refuses_refresh: bool = False
    _people: dict[str, _Account] = field(default_factory=dict)
    _clients: dict[str, _Account] = field(default_factory=dict)
    _access: dict[str, _Token] = field(default_factory=dict)
    _refresh: dict[str, _Token] = field(default_factory=dict)

    def enter(self, user: r.User, secret: str, *, is_client: bool, may_write: bool = True) -> None:
        scopes = _SCOPES if may_write else ("cloud_controller.read", "openid")
        scopes += ("cloud_controller.admin",) if user.is_admin else ()
        accounts = self._clients if is_client else self._people
        accounts[user.name] = _Account(user, secret, scopes)

    def change_secret(self, name: str, secret: str) -> None:
        (self._people.get(name) or self._clients[name]).secret = secret

    def caller_of(self, token: str) -> Caller | None:
        """None for a token that has ended, or that is not one."""
        found = self._access.get(token)
        if found is None or found.ends <= self.state.clock.now:
            return None
        return Caller(found.account.user, "cloud_controller.write" in found.account.scopes)

    def expire(self) -> None:
        """Every access token has ended."""
        self._access.clear()

    def grant(self, form: Mapping[str, str], headers: Mapping[str, str]) -> Json:
        """What `/oauth/token` answers; raises NoToken."""
        client, secret = _client(form, headers)
        match form.get("grant_type"):
            case "password":
                self._require_public(client, secret)
                return self._granted(self._person(form), with_refresh=True)
            case "client_credentials":
                account = self._clients.get(client)
                if account is None or account.secret != secret:
                    raise NoToken(401, "invalid_client", "Bad credentials")
                return self._granted(account, with_refresh=False)
            case "refresh_token":
                self._require_public(client, secret)
                return self._refreshed(form.get("refresh_token", ""))
            case other:
                raise NoToken(400, "unsupported_grant_type", f"Unsupported grant type: {other}")

    def _require_public(self, client: str, secret: str) -> None:
        if (client, secret) != ("cf", ""):
            raise NoToken(401, "invalid_client", "Bad credentials")

    def _person(self, form: Mapping[str, str]) -> _Account:
        account = self._people.get(form.get("username", ""))
        if account is None or account.secret != form.get("password"):
            raise NoToken(401, "unauthorized", "Bad credentials")
        return account

    def _refreshed(self, token: str) -> Json:
        found = self._refresh.get(token)
        if found is None or self.refuses_refresh or found.ends <= self.state.clock.now:
            said = "The token expired, was revoked, or the token ID is incorrect."
            raise NoToken(401, "invalid_token", said)
        if self.rotates:
            del self._refresh[token]
            return self._granted(found.account, with_refresh=True)
        return {**self._granted(found.account, with_refresh=False), "refresh_token": token}

    def _granted(self, account: _Account, *, with_refresh: bool) -> Json:
        timing, now = self.state.timing, self.state.clock.now
        access = _spelled(account, timing.access_token)
        self._access[access] = _Token(account, now + timing.access_token)
        granted = {
            "access_token": access,
            "token_type": "bearer",
            "expires_in": max(0, int(timing.access_token)),
            "scope": " ".join(account.scopes),
            "jti": secrets.token_hex(16),
        }
        if with_refresh:
            refresh = f"{secrets.token_hex(16)}-r"
            self._refresh[refresh] = _Token(account, now + timing.refresh_token)
            granted["refresh_token"] = refresh
        return granted


def form_of(content: bytes) -> dict[str, str]:
    return {key: values[0] for key, values in parse_qs(content.decode(), True).items()}


def _client(form: Mapping[str, str], headers: Mapping[str, str]) -> tuple[str, str]:
    scheme, _, rest = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        name, _, secret = base64.b64decode(rest).decode().partition(":")
        return name, secret
    return form.get("client_id", ""), form.get("client_secret", "")


def _spelled(account: _Account, seconds: float) -> str:
    """Shaped as a JWT; nobody but us can read more out of it than out of a real one."""
    claims = {
        "jti": secrets.token_hex(16),
        "user_id": account.user.guid,
        "user_name": account.user.name,
        "scope": list(account.scopes),
        "expires_in": int(seconds),
    }
    parts = ({"alg": "HS256", "typ": "JWT"}, claims, {"signed": secrets.token_hex(8)})
    return ".".join(
        base64.urlsafe_b64encode(json.dumps(each).encode()).decode().rstrip("=") for each in parts
    )
