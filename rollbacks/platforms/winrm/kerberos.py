"""Kerberos on the worker: whether its libraries are there, and what its refusals mean.

The libraries need a compiler, so a worker may be without them. What they say themselves is not
repeated: a person needs to hear what to do.
"""

import importlib

from rollbacks.platforms.base import PlatformError
from rollbacks.platforms.winrm.places import Place


def require_kerberos() -> None:
    """Raises PlatformError where a library is missing, or does not fit the worker's system."""
    try:
        for library in ("krb5", "gssapi"):
            importlib.import_module(library)
    except ImportError:
        raise PlatformError(
            "The worker has no Kerberos: install its headers (libkrb5-dev) and "
            "`pip install pypsrp[kerberos]`, and start the worker again.",
            permanent=True,
        ) from None


def _own_error() -> tuple[type[Exception], ...]:
    try:
        return (importlib.import_module("krb5").Krb5Error,)
    except ImportError:
        return ()


# pyspnego wraps what GSSAPI raises, but not what comes up while a password becomes a ticket.
REFUSALS = _own_error()


def refusal(error: BaseException, place: Place, who: str) -> PlatformError | None:
    """What Kerberos refused; None where the error is not of Kerberos, or says nothing more."""
    why = _REASONS.get(_code(error))
    if why is None:
        return None
    service = f"host/{place.address}"
    said = why.format(service=service)
    return PlatformError(
        f"{place.where} cannot be entered by {who} with Kerberos: {said}",
        permanent=why not in _PASSING,
    )


def _code(error: BaseException) -> int:
    """Of krb5 as a signed number, as its headers have it; GSSAPI keeps it without a sign."""
    within = getattr(error, "base_error", None)
    if getattr(within, "maj_code", 0) == _CREDENTIALS_EXPIRED:
        return _TICKET_EXPIRED
    code: int = getattr(error, "err_code", 0) or getattr(within, "min_code", 0)
    return code - 2**32 if code >= 2**31 else code


_CREDENTIALS_EXPIRED = 11 << 16
_TICKET_EXPIRED = -1765328352
_NO_ACCOUNT = "the account is locked, disabled or expired"
_WRONG = "the password is wrong; check the connector's credential"
_NO_TICKET = (
    "the worker has no ticket; get one for the worker's user (kinit; KRB5CCNAME says where it is), "
    "or give the connector a credential"
)
_NO_REALM = (
    "the worker does not know the realm; write the user as name@REALM in capitals, and see that "
    "the worker's krb5.conf or DNS name its servers"
)
_NO_CENTER = "no server of the realm answers the worker"
_REASONS = {
    -1765328378: "the realm knows no such user; write it as name@REALM in capitals",
    -1765328383: _NO_ACCOUNT,
    -1765328366: _NO_ACCOUNT,
    -1765328361: "the password has expired; give the user a new one",
    -1765328360: _WRONG,
    -1765328353: _WRONG,
    -1765328377: (
        "the realm knows no service {service}; let the host's address be the name that it has in "
        "the domain, or register this one (setspn)"
    ),
    _TICKET_EXPIRED: "the worker's ticket has expired; renew it (kinit)",
    -1765328347: "the clocks of the worker and the realm differ by too much; set them right",
    -1765328243: _NO_TICKET,
    -1765328189: _NO_TICKET,
    -1765328228: _NO_CENTER,
    -1765328230: _NO_REALM,
    -1765328160: _NO_REALM,
}
_PASSING = (_NO_CENTER,)
