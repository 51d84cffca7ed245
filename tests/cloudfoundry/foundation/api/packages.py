"""Packages: what an app is made of, as bits or as an image."""

from typing import Any

from .. import bits, documents
from .. import records as r
from ..calls import Answer, Call, describe
from ..flags import require_flag
from ..jobs import accepted
from ..listing import listed
from ..problems import Refused, error, unprocessable
from ..routing import routes

Json = dict[str, Any]
FILTERS = {"types": lambda package: package.type, "states": lambda package: package.state}


@routes.on("GET", "/v3/packages")
def list_packages(call: Call) -> Answer:
    filters = {**FILTERS, "app_guids": lambda each: each.app}
    filters["space_guids"] = lambda each: call.state.space_of(each).guid
    return listed(call, call.visible(r.Package), _present_in(call), filters)


@routes.on("GET", "/v3/apps/{guid}/packages")
def list_packages_of_app(call: Call) -> Answer:
    found = call.state.of_app(r.Package, call.seen(r.App))
    return listed(call, found, _present_in(call), FILTERS)


@routes.on("POST", "/v3/packages")
def create_package(call: Call) -> Answer:
    body = call.require_keys("type", "relationships", "data", "metadata")
    app = writable_app(call)
    kind, data = body.get("type"), body.get("data") or {}
    if kind not in ("bits", "docker"):
        raise unprocessable("Type must be one of 'bits, docker'")
    if kind == "docker" and not data.get("image"):
        raise unprocessable("Data Image required")
    _require_same_lifecycle(app, kind)
    package = _docker(app, data) if kind == "docker" else _bits(app)
    describe(package, body.get("metadata"))
    return Answer(201, documents.package(call.state, call.state.add(package)))


def writable_app(call: Call) -> r.App:
    """The one that the body names."""
    app = call.state.find(r.App, call.related("app"))
    if app is None or not call.can_see(app):
        raise unprocessable("App is invalid. Ensure it exists and you have access to it.")
    call.require_writer(call.state.space_of(app))
    return app


def _require_same_lifecycle(app: r.App, kind: str) -> None:
    is_docker = app.lifecycle["type"] == "docker"
    if kind == "docker" and not is_docker:
        raise unprocessable("Cannot create Docker package for a buildpack app.")
    if kind == "bits" and is_docker:
        raise unprocessable("Cannot create bits package for a Docker app.")


def _docker(app: r.App, data: Json) -> r.Package:
    user = data.get("username")
    shown = {"image": data["image"], "username": user, "password": "***" if user else None}
    return r.Package(
        app=app.guid,
        type="docker",
        state="READY",
        data=shown,
        version=data["image"],
        login=(user, data.get("password")),
    )


def _bits(app: r.App) -> r.Package:
    data = {"error": None, "checksum": {"type": "sha256", "value": None}}
    return r.Package(app=app.guid, type="bits", state="AWAITING_UPLOAD", data=data)


@routes.on("GET", "/v3/packages/{guid}")
def get_package(call: Call) -> Answer:
    return Answer(body=documents.package(call.state, call.seen(r.Package)))


@routes.on("PATCH", "/v3/packages/{guid}")
def update_package(call: Call) -> Answer:
    package = call.written(r.Package)
    describe(package, call.require_keys("metadata").get("metadata"))
    return Answer(body=documents.package(call.state, call.state.touch(package)))


@routes.on("DELETE", "/v3/packages/{guid}")
def delete_package(call: Call) -> Answer:
    package, state = call.written(r.Package), call.state
    return accepted(state, "package.delete", lambda: state.remove(package), None)


@routes.on("POST", "/v3/packages/{guid}/upload")
def upload_package(call: Call) -> Answer:
    require_flag(call, "app_bits_upload")
    package = call.written(r.Package)
    if package.type != "bits":
        raise unprocessable("Package type must be bits.")
    if package.state != "AWAITING_UPLOAD":
        detail = "Bits may be uploaded only once. Create a new package to upload different bits."
        raise Refused(400, [error(150004, "CF-PackageBitsAlreadyUploaded", detail)])
    package.bits = bits.uploaded(call)
    package.state = "PROCESSING_UPLOAD"
    call.state.clock.later(call.state.timing.process_upload, lambda: _processed(call, package))
    return Answer(body=documents.package(call.state, call.state.touch(package)))


def _processed(call: Call, package: r.Package) -> None:
    call.state.touch(package)
    if not bits.is_archive(package.bits):
        package.state = "FAILED"
        package.data["error"] = "The app upload is invalid: not a ZIP archive"
        return
    package.version = bits.version_of(package.bits)
    package.data["checksum"]["value"] = bits.digest(package.bits)
    package.state = "READY"


def _present_in(call: Call) -> Any:
    return lambda each: documents.package(call.state, each)
