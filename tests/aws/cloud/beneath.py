"""moto, underneath: asked in this process, without a network, for one account of its own.

Its state is the process's: what keeps two clouds apart is that each has another account. An answer
costs as much as a dozen of ours, so what was read is remembered until anything changes there.
"""

import copy
import functools
import io
import os
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

# moto would read thousands of public AMIs, for seconds; a test makes its own.
os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ClientError
from moto.core import responses
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.test import run_wsgi_app

from tests.transport import HttpAnswer, HttpRequest

from .clients import client
from .refusals import Refused, not_modelled
from .wire import environment

Json = dict[str, Any]
_ANYBODY = {"AWS_ACCESS_KEY_ID": "beneath", "AWS_SECRET_ACCESS_KEY": "beneath"}
_READS = ("describe", "list", "get")


class _Application(DomainDispatcherApplication):
    """moto's, but for what it finds out anew with each request: by listing its own directories."""

    def __init__(self) -> None:
        super().__init__(create_backend_app)
        self._backends: dict[str | None, Any] = {}

    def get_backend_for_host(self, host: str | None) -> Any:
        if host not in self._backends:
            self._backends[host] = super().get_backend_for_host(host)
        return self._backends[host]


_application = _Application()
_methods: Any = functools.cache(responses.method_names_from_class)
responses.method_names_from_class = _methods


class Beneath:
    """Not thread-safe, as moto is not: the cloud's lock is held by whoever asks."""

    def __init__(self, account: str, region: str) -> None:
        self._account = account
        self._region = region
        self._clients: dict[str, Any] = {}
        self._remembered: dict[str, Json] = {}

    def look_again(self) -> None:
        """Something has changed there."""
        self._remembered.clear()

    def pass_on(self, http: HttpRequest, action: str) -> HttpAnswer:
        """A client's request as it is."""
        self._before(action)
        return self._answer(http)

    def _before(self, action: str) -> None:
        if not action.lower().startswith(_READS):
            self.look_again()

    def _answer(self, http: HttpRequest) -> HttpAnswer:
        headers = {**http.headers, "x-moto-account-id": self._account}
        request = HttpRequest(http.method, http.path, headers, http.body)
        try:
            content, status, answered = run_wsgi_app(_application, environment(request), True)
        except NotImplementedError as error:
            raise not_modelled(str(error)) from error
        wanted = {"Content-Type", "Location"}
        kept = {key: value for key, value in answered.items() if key in wanted}
        return HttpAnswer(int(status.split()[0]), b"".join(content), kept)

    def ask(self, service: str, action: str, /, **parameters: Any) -> Json:
        """Raises Refused where moto does; `action` is spelled as Python does."""
        self._before(action)
        question = f"{service} {action} {sorted(parameters.items())}"
        if question not in self._remembered:
            self._remembered[question] = self._asked(service, action, parameters)
        return copy.deepcopy(self._remembered[question])

    def _asked(self, service: str, action: str, parameters: Mapping[str, Any]) -> Json:
        if service not in self._clients:
            self._clients[service] = self._client(service)
        try:
            answer: Json = getattr(self._clients[service], action)(**parameters)
        except ClientError as error:
            said = error.response["Error"]
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            raise Refused(said["Code"], said["Message"], status) from error
        answer.pop("ResponseMetadata", None)
        return answer

    def _client(self, service: str) -> Any:
        made = client(service, self._region, "http://beneath", _ANYBODY)
        made.meta.events.register("before-send", self._send)
        return made

    def _send(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        parts = urlsplit(request.url)
        body = request.body or b""
        headers = {
            key.lower(): value.decode() if isinstance(value, bytes) else str(value)
            for key, value in request.headers.items()
        }
        content = body.encode() if isinstance(body, str) else bytes(body)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        answer = self._answer(HttpRequest(request.method, path, headers, content))
        return AWSResponse(request.url, answer.status, dict(answer.headers), _Raw(answer.body))


class _Raw(io.BytesIO):
    """What botocore reads an answer from."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()
