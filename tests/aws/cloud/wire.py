"""From bytes to an action with its parameters, and from a result or a refusal back to bytes.

moto's readers and writers of AWS's protocols do the work; they follow botocore's own models.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from botocore.utils import parse_timestamp
from moto.core.model import OperationModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model
from werkzeug.exceptions import HTTPException
from werkzeug.test import EnvironBuilder

from tests.transport import HttpAnswer, HttpRequest

from .refusals import Refused, not_modelled
from .services import BY_SIGNATURE, Dialect

Json = dict[str, Any]


@dataclass(frozen=True)
class Scope:
    """What a request's signature says: who, where, which service."""

    access_key: str
    date: str
    region: str
    dialect: Dialect


@dataclass(frozen=True)
class Incoming:
    """A request that was understood."""

    http: HttpRequest
    dialect: Dialect
    operation: OperationModel
    protocol: str
    parameters: Json

    @property
    def action(self) -> str:
        return str(self.operation.name)


def scope(http: HttpRequest) -> Scope:
    """Raises Refused for what is not signed, or for a service that nothing here knows."""
    _, _, rest = http.headers.get("authorization", "").partition("Credential=")
    parts = rest.partition(",")[0].split("/")
    if len(parts) != 5:
        raise Refused("MissingAuthenticationToken", "Missing Authentication Token", 403)
    access_key, date, region, signs_as, _ = parts
    if signs_as not in BY_SIGNATURE:
        raise not_modelled(f"the service {signs_as}")
    return Scope(access_key, date, region, BY_SIGNATURE[signs_as])


def environment(http: HttpRequest) -> dict[str, Any]:
    """As WSGI passes a request."""
    parts = urlsplit(http.path)
    made = EnvironBuilder(
        path=parts.path,
        query_string=parts.query,
        method=http.method,
        headers=list(http.headers.items()),
        data=http.body,
    ).get_environ()
    made["RAW_URI"] = http.path
    return made


def read(http: HttpRequest, dialect: Dialect) -> Incoming:
    """Raises Refused for an action that the service does not have."""
    request = Request(environment(http))
    model = get_service_model(dialect.name)
    protocol = determine_request_protocol(model, request.content_type)
    name, url_parameters = _action(request, dialect, protocol)
    version = request.values.get("Version", model.api_version)
    if name not in model.operation_names or version != model.api_version:
        raise not_modelled(f"{dialect.name} {name} (version {version})")
    operation = model.operation_model(name)
    parser = PROTOCOL_PARSERS[protocol](operation, timestamp_parser=parse_timestamp)
    values: Any = {
        "method": request.method,
        "values": request.values,
        "headers": request.headers,
        "body": http.body,
        "url_path": request.path,
        "url_params": url_parameters,
    }
    return Incoming(http, dialect, operation, protocol, parser.parse(values))


def _action(request: Request, dialect: Dialect, protocol: str) -> tuple[str, Json]:
    if target := request.headers.get("X-Amz-Target"):
        return target.rpartition(".")[2], {}
    if protocol in {"query", "ec2"}:
        return str(request.values.get("Action", "")), {}
    try:
        operation, found = get_service_router(dialect.name).match(request)
    except HTTPException as error:
        raise not_modelled(f"{dialect.name} {request.method} {request.path}") from error
    return str(operation.name), dict(found)


def result(incoming: Incoming, found: Mapping[str, Any]) -> HttpAnswer:
    serializer = get_serializer_class(incoming.dialect.name, incoming.protocol)
    written = serializer(incoming.operation).serialize(found)
    body = written["body"]
    content = body.encode() if isinstance(body, str) else b"".join([body])
    return HttpAnswer(written["status_code"], content, dict(written["headers"]))


def error(refused: Refused, dialect: Dialect | None, is_json: bool) -> HttpAnswer:
    """How each protocol spells an error."""
    if is_json:
        content = json.dumps({"__type": refused.code, "message": refused.message})
        headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-errortype": refused.code}
        return HttpAnswer(refused.status, content.encode(), headers)
    code, message = escape(refused.code), escape(refused.message)
    if dialect and dialect.name == "ec2":
        inner = f"<Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
        content = f"<Response>{inner}<RequestID>none</RequestID></Response>"
    else:
        kind = "Sender" if refused.status < 500 else "Receiver"
        inner = f"<Type>{kind}</Type><Code>{code}</Code><Message>{message}</Message>"
        content = (
            f"<ErrorResponse><Error>{inner}</Error><RequestId>none</RequestId></ErrorResponse>"
        )
    return HttpAnswer(refused.status, content.encode(), {"Content-Type": "text/xml"})


def speaks_json(http: HttpRequest) -> bool:
    return "x-amz-target" in http.headers
