"""What the network, TLS, WinRM and PowerShell complain about, as a person should hear it.

Nothing of a request is ever repeated: it may hold a secret.
"""

import socket
import ssl
from xml.etree.ElementTree import ParseError

import requests
from pypsrp.exceptions import (
    AuthenticationError,
    WinRMError,
    WinRMTransportError,
    WSManFaultError,
)
from requests_credssp.exceptions import AuthenticationException, NTStatusException
from spnego.exceptions import SpnegoError

from rollbacks.platforms.base import PlatformError
from rollbacks.platforms.winrm import kerberos
from rollbacks.platforms.winrm.access import Access
from rollbacks.platforms.winrm.places import Place

_LOGINS = (
    AuthenticationError, SpnegoError, AuthenticationException, NTStatusException,
    *kerberos.REFUSALS,
)  # fmt: skip
TROUBLES = (
    *_LOGINS, requests.RequestException, WinRMError, ParseError, OSError, ImportError, ValueError,
    AttributeError, KeyError, TypeError, IndexError,
)  # fmt: skip
HUNG = requests.Timeout
ACCESS_DENIED = 5
OPERATION_TIMED_OUT = 0x80338029
TOO_MANY_SHELLS = (0x803381A6, 0x803381A7, 0x803381AA)
_SAID = 300


def translated(error: BaseException, place: Place, access: Access) -> PlatformError:
    """What became of it, and what to do; permanent where trying again cannot help."""
    if isinstance(error, WSManFaultError):
        return _of_fault(error, place, access)
    if isinstance(error, _LOGINS):
        return _of_login(error, place, access)
    if isinstance(error, WinRMTransportError):
        return _of_answer(int(error.code), place, access)
    if isinstance(error, requests.RequestException | OSError):
        return _of_network(error, place, access)
    return PlatformError(
        f"the answer of {place.where} is not of WinRM, or cut short ({type(error).__name__})"
    )


def _of_network(error: BaseException, place: Place, access: Access) -> PlatformError:
    causes = _causes(error)
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return PlatformError(
                f"the certificate of {place.where} is not trusted ({cause.verify_message}); "
                "nothing was sent. Name the authority that signed it as ca_certificates of the "
                "connector, or give the host a certificate for this address",
                permanent=True,
            )
        if isinstance(cause, socket.gaierror):
            return PlatformError(f"the name {place.address} could not be resolved")
        if isinstance(cause, ConnectionRefusedError):
            return PlatformError(
                f"{place.where} refused the connection; is its HTTPS listener on "
                "(winrm quickconfig -transport:https)?"
            )
    if isinstance(error, requests.ConnectTimeout):
        seconds = access.connector.connect_timeout
        return PlatformError(f"no answer from {place.where} within {seconds:g} s")
    if isinstance(error, requests.TooManyRedirects):
        return PlatformError(f"{place.where} sends elsewhere; it is not WinRM", permanent=True)
    if isinstance(error, requests.Timeout | TimeoutError):
        return PlatformError(f"no answer from {place.where}")
    return PlatformError(f"the connection to {place.where} was lost ({_words(causes[-1])})")


def _of_login(error: Exception, place: Place, access: Access) -> PlatformError:
    way = access.connector.authentication
    if "actual: " in str(error):
        return PlatformError(
            f"{place.where} does not offer {way}; enable it there "
            f"(WSMan:\\localhost\\Service\\Auth), or choose another authentication",
            permanent=True,
        )
    return kerberos.refusal(error, place, access.who) or PlatformError(
        f"{place.where} does not let {access.who} in with {way}: check the user and the "
        "connector's credential, and that the host allows this way",
        permanent=True,
    )


def _of_answer(code: int, place: Place, access: Access) -> PlatformError:
    if code == 403:
        return _denied(place, access)
    if code == 404:
        return PlatformError(f"{place.where} has no WinRM (404 for /wsman)", permanent=True)
    return PlatformError(f"{place.where} answered {code}")


def _of_fault(error: WSManFaultError, place: Place, access: Access) -> PlatformError:
    if error.code == ACCESS_DENIED:
        return _denied(place, access)
    if error.code in TOO_MANY_SHELLS:
        return PlatformError(f"{place.where} has too many sessions of {access.who} at the moment")
    said = str(error.reason or error.provider_fault or "no reason given")[:_SAID]
    return PlatformError(f"{place.where} broke the session off: {said} ({_code(error.code)})")


def _denied(place: Place, access: Access) -> PlatformError:
    return PlatformError(
        f"{place.where} denies {access.who} PowerShell: make the user an administrator there",
        permanent=True,
    )


def _code(code: object) -> str:
    return f"0x{code:08X}" if isinstance(code, int) else str(code)[:60]


def _causes(error: BaseException) -> list[BaseException]:
    """The error, and what it came from: urllib3 keeps it as a reason or an argument."""
    found: list[BaseException] = []
    ahead: list[object] = [error]
    while ahead and len(found) < 20:
        each = ahead.pop(0)
        if isinstance(each, BaseException) and each not in found:
            found.append(each)
            ahead += [getattr(each, "reason", None), *each.args, each.__cause__, each.__context__]
    return found


def _words(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return str(error.strerror)[:_SAID]
    return type(error).__name__
