"""Who calls: users, roles and the sessions of roles, known by access key and signature."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from secrets import token_urlsafe

from tests.transport import HttpRequest

from .policies import EVERYTHING, Statement
from .refusals import Refused
from .services import Dialect
from .signing import is_signed_with
from .world import World, now, token


@dataclass(frozen=True)
class Principal:
    """Somebody who proved who they are; `source` is the user or role whose policies count."""

    arn: str
    source: str
    user_id: str
    statements: tuple[Statement, ...]
    is_observed: bool = True  # the test's own look does not count among the requests


@dataclass(frozen=True)
class Role:
    name: str
    arn: str
    statements: tuple[Statement, ...]
    trusted: tuple[str, ...]  # ARNs that may assume it; the account's root: everybody in it
    external_id: str = ""


@dataclass(frozen=True)
class Key:
    """What a client signs with. Those of a session have a token, and end."""

    access_key: str
    secret: str
    principal: Principal
    token: str = ""
    ends_at: datetime | None = None


@dataclass
class Identities:
    world: World
    roles: dict[str, Role] = field(default_factory=dict)
    users: dict[str, Principal] = field(default_factory=dict)
    _keys: dict[str, Key] = field(default_factory=dict)

    def administrator(self, is_observed: bool) -> Key:
        return self.user("administrator", EVERYTHING, is_observed)

    def user(self, name: str, statements: tuple[Statement, ...], is_observed: bool = True) -> Key:
        arn = f"arn:aws:iam::{self.world.account}:user/{name}"
        user_id = f"AIDA{token(16).upper()}"
        principal = Principal(arn, arn, user_id, statements, is_observed)
        self.users[arn] = principal
        return self._key(principal)

    def role(self, name: str, statements: tuple[Statement, ...], external_id: str = "") -> Role:
        arn = f"arn:aws:iam::{self.world.account}:role/{name}"
        root = f"arn:aws:iam::{self.world.account}:root"
        self.roles[arn] = Role(name, arn, statements, (root,), external_id)
        return self.roles[arn]

    def session(self, role: Role, name: str, seconds: int) -> Key:
        arn = f"arn:aws:sts::{self.world.account}:assumed-role/{role.name}/{name}"
        user_id = f"AROA{token(16).upper()}:{name}"
        principal = Principal(arn, role.arn, user_id, role.statements)
        return self._key(principal, token_urlsafe(120), now() + timedelta(seconds=seconds))

    def end_sessions(self) -> None:
        """Every session that there is now has ended."""
        for each in self._keys.values():
            if each.ends_at is not None:
                self._keys[each.access_key] = Key(
                    each.access_key, each.secret, each.principal, each.token, now()
                )

    def statements(self, arn: str) -> tuple[Statement, ...] | None:
        """Of a user or a role."""
        holder = self.users.get(arn) or self.roles.get(arn)
        return None if holder is None else holder.statements

    def authenticate(self, http: HttpRequest, access_key: str, dialect: Dialect) -> Principal:
        """Raises Refused for somebody unknown, a wrong secret, or a session that has ended."""
        key = self._keys.get(access_key)
        if key is None or http.headers.get("x-amz-security-token", "") != key.token:
            raise _unknown(dialect)
        if not is_signed_with(http, key.secret):
            raise _badly_signed(dialect)
        if key.ends_at is not None and key.ends_at <= now():
            raise _ended(dialect)
        return key.principal

    def _key(self, principal: Principal, session: str = "", ends_at: datetime | None = None) -> Key:
        access_key = f"{'ASIA' if session else 'AKIA'}{token(16).upper()}"
        key = Key(access_key, token_urlsafe(30), principal, session, ends_at)
        self._keys[access_key] = key
        return key


_TOKEN = "The security token included in the request is {}"


def _unknown(dialect: Dialect) -> Refused:
    if dialect.name == "ec2":
        return _ec2_failure()
    if dialect.is_json:
        return Refused("UnrecognizedClientException", f"{_TOKEN.format('invalid')}.")
    return Refused("InvalidClientTokenId", f"{_TOKEN.format('invalid')}.", 403)


def _badly_signed(dialect: Dialect) -> Refused:
    if dialect.name == "ec2":
        return _ec2_failure()
    message = (
        "The request signature we calculated does not match the signature you provided. Check "
        "your AWS Secret Access Key and signing method. Consult the service documentation for "
        "details."
    )
    if dialect.is_json:
        return Refused("InvalidSignatureException", message)
    return Refused("SignatureDoesNotMatch", message, 403)


def _ended(dialect: Dialect) -> Refused:
    if dialect.name == "ec2":
        return Refused("RequestExpired", "Request has expired.")
    if dialect.is_json:
        return Refused("ExpiredTokenException", _TOKEN.format("expired"))
    return Refused("ExpiredToken", _TOKEN.format("expired"), 403)


def _ec2_failure() -> Refused:
    message = "AWS was not able to validate the provided access credentials"
    return Refused("AuthFailure", message, 401)
