"""Where a request comes in: is it to go wrong, who is it, and who does it."""

import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

from tests.transport import Dropped, HttpAnswer, HttpRequest, Reset

from . import api
from .access import Caller
from .autoscaler import autoscaler
from .calls import Answer, Call
from .faults import Asked, Delay, Drop, Error, Expire, Faults
from .problems import (
    Refused,
    invalid_token,
    not_authenticated,
    not_authorized,
    not_modelled,
)
from .records import User
from .routing import Routes, routes
from .state import State
from .uaa import NoToken, Uaa, form_of

_OPEN = {"/", "/v3", "/v3/info"}
_LIMIT = 20_000
assert api.__all__  # its functions are in the routes


class Front:
    """`requests`: all that was asked, in order."""

    def __init__(self, state: State, uaa: Uaa) -> None:
        self.faults = Faults()
        self.requests: list[Asked] = []
        self._state = state
        self._uaa = uaa

    def answer_api(self, request: HttpRequest) -> HttpAnswer:
        answer = self._answer(request, lambda: self._routed(request, routes, _OPEN))
        rates = {
            "X-RateLimit-Limit": str(_LIMIT),
            "X-RateLimit-Remaining": str(_LIMIT - 1),
            "X-RateLimit-Reset": str(int(time.time()) + 3600),
        }
        return replace(answer, headers={**rates, **answer.headers})

    def answer_autoscaler(self, request: HttpRequest) -> HttpAnswer:
        return self._answer(request, lambda: self._routed(request, autoscaler, set()))

    def answer_uaa(self, request: HttpRequest) -> HttpAnswer:
        return self._answer(request, lambda: self._granted(request))

    def _answer(self, request: HttpRequest, do: Callable[[], Answer]) -> HttpAnswer:
        asked = _asked(request)
        self.requests.append(asked)
        fault = self.faults.of(asked)
        try:
            self._go_wrong(fault)
            with self._state:
                answer = do()
        except Refused as refused:
            answer = Answer(refused.status, refused.document, refused.headers)
        if isinstance(fault, Drop):
            raise _lost(fault)
        return _written(answer)

    def _go_wrong(self, fault: object) -> None:
        """What happens before the request has any effect."""
        match fault:
            case Error(refused):
                raise refused
            case Drop(after_effect=False):
                raise _lost(fault)
            case Delay(seconds):
                time.sleep(seconds)
            case Expire():
                with self._state:
                    self._uaa.expire()

    def _routed(self, request: HttpRequest, known: Routes, is_open: set[str]) -> Answer:
        parts = urlsplit(request.path)
        call = Call(
            self._state,
            self._caller(request, is_optional=parts.path in is_open),
            request.method,
            parts.path,
            dict(parse_qsl(parts.query, keep_blank_values=True)),
            request.headers,
            request.body,
        )
        found = known.find(request.method, parts.path)
        if found is None:
            raise not_modelled(f"{request.method} {parts.path}")
        if request.method != "GET" and not call.caller.may_write:
            raise not_authorized()
        answering, named = found
        return answering(replace(call, parts=named))

    def _caller(self, request: HttpRequest, *, is_optional: bool) -> Caller:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            if is_optional:
                return self._nobody()
            raise not_authenticated()
        if (caller := self._uaa.caller_of(token)) is None:
            raise invalid_token()
        return caller

    def _nobody(self) -> Caller:
        return Caller(User(name="nobody"), may_write=False)

    def _granted(self, request: HttpRequest) -> Answer:
        parts = urlsplit(request.path)
        if (request.method, parts.path) != ("POST", "/oauth/token"):
            raise not_modelled(f"{request.method} {parts.path}")
        try:
            return Answer(200, self._uaa.grant(form_of(request.body), request.headers))
        except NoToken as refused:
            return Answer(refused.status, refused.document)


def _lost(fault: Drop) -> Dropped:
    return Reset() if fault.by_reset else Dropped()


def _asked(request: HttpRequest) -> Asked:
    parts = urlsplit(request.path)
    body = {}
    if request.headers.get("content-type", "").startswith("application/json"):
        try:
            body = json.loads(request.body or b"{}")
        except ValueError:
            body = {}
    return Asked(request.method, parts.path, parts.query, body)


def _written(answer: Answer) -> HttpAnswer:
    is_text = isinstance(answer.body, str)
    headers: Mapping[str, str] = {
        "Content-Type": "application/x-yaml" if is_text else "application/json; charset=utf-8",
        "X-Vcap-Request-Id": secrets.token_hex(16),
        **answer.headers,
    }
    if answer.body is None:
        return HttpAnswer(answer.status, b"", headers)
    text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
    return HttpAnswer(answer.status, text.encode(), headers)
