"""Builds: a package is staged, and a droplet comes of it."""

from typing import Any

from .. import bits, documents
from .. import records as r
from ..calls import Answer, Call, describe
from ..fates import Fate
from ..flags import require_flag
from ..listing import listed
from ..problems import bad_request, is_staging, unprocessable
from ..routing import routes

Json = dict[str, Any]
_FILTERS = {"states": lambda build: build.state, "package_guids": lambda build: build.package}


@routes.on("GET", "/v3/builds")
def list_builds(call: Call) -> Answer:
    filters = {**_FILTERS, "app_guids": lambda each: each.app}
    return listed(call, call.visible(r.Build), _present_in(call), filters)


@routes.on("GET", "/v3/apps/{guid}/builds")
def list_builds_of_app(call: Call) -> Answer:
    found = call.state.of_app(r.Build, call.seen(r.App))
    return listed(call, found, _present_in(call), _FILTERS)


@routes.on("POST", "/v3/builds")
def create_build(call: Call) -> Answer:
    body = call.require_keys(
        "package",
        "lifecycle",
        "metadata",
        "staging_memory_in_mb",
        "staging_disk_in_mb",
        "staging_log_rate_limit_bytes_per_second",
    )
    package = _stageable(call, (body.get("package") or {}).get("guid"))
    app = call.state.get(r.App, package.app)
    build = r.Build(
        app=app.guid,
        package=package.guid,
        lifecycle=body.get("lifecycle") or app.lifecycle,
        created_by=call.caller.user.guid,
        memory=body.get("staging_memory_in_mb") or 1024,
        disk=body.get("staging_disk_in_mb") or 1024,
    )
    describe(build, body.get("metadata"))
    call.state.add(build)
    call.state.clock.later(call.state.timing.stage, lambda: _staged(call, build))
    return Answer(201, documents.build(call.state, build))


def _stageable(call: Call, guid: str | None) -> r.Package:
    package = call.state.find(r.Package, guid)
    space = call.state.space_of(package) if package is not None else None
    if package is None or space is None or not call.caller.can_manage_apps(call.state, space):
        raise unprocessable(
            "Unable to use package. Ensure that the package exists and you have access to it."
        )
    call.require_manager(space)
    if package.type == "docker":
        require_flag(call, "diego_docker")
    if package.state != "READY":
        raise bad_request("Cannot stage package whose state is not ready.")
    app = call.state.get(r.App, package.app)
    if any(each.state == "STAGING" for each in call.state.of_app(r.Build, app)):
        raise is_staging()
    return package


def _staged(call: Call, build: r.Build) -> None:
    package = call.state.find(r.Package, build.package)
    if package is None or call.state.find(r.App, build.app) is None:
        return
    call.state.touch(build)
    if call.state.fates.of(package.version) == Fate.FAILS_STAGING:
        build.state = "FAILED"
        build.error = "BuildpackCompileFailed - App staging failed in the buildpack compile phase"
        return
    if not _is_let_in(call, package):
        build.state = "FAILED"
        build.error = "StagingError - Staging error: unauthorized: authentication required"
        return
    droplet = call.state.add(_droplet(package))
    build.droplet, build.state = droplet.guid, "STAGED"


def _is_let_in(call: Call, package: r.Package) -> bool:
    """To the registry of its image, where that does not let in everybody."""
    registry = package.version.partition("/")[0]
    return call.state.registries.get(registry, package.login) == package.login


def _droplet(package: r.Package) -> r.Droplet:
    is_docker = package.type == "docker"
    return r.Droplet(
        app=package.app,
        package=package.guid,
        state="STAGED",
        lifecycle="docker" if is_docker else "buildpack",
        image=package.data["image"] if is_docker else None,
        checksum=None if is_docker else bits.digest(b"droplet of " + package.bits),
        process_types={"web": "/app"} if is_docker else bits.process_types_of(package.bits),
        version=package.version,
        bits=package.bits,
    )


@routes.on("GET", "/v3/builds/{guid}")
def get_build(call: Call) -> Answer:
    return Answer(body=documents.build(call.state, call.seen(r.Build)))


@routes.on("PATCH", "/v3/builds/{guid}")
def update_build(call: Call) -> Answer:
    build = call.written(r.Build)
    describe(build, call.require_keys("metadata").get("metadata"))
    return Answer(body=documents.build(call.state, call.state.touch(build)))


def _present_in(call: Call) -> Any:
    return lambda each: documents.build(call.state, each)
