"""Records as the API shows them."""

from typing import Any

from . import records as r
from .state import State

Json = dict[str, Any]
HIDDEN = "[PRIVATE DATA HIDDEN IN LISTS]"
REDACTED = "***"


def base(state: State, record: r.Record) -> Json:
    return {
        "guid": record.guid,
        "created_at": state.clock.spelled(record.created),
        "updated_at": state.clock.spelled(record.updated),
    }


def metadata(record: r.Record) -> Json:
    return {"metadata": {"labels": dict(record.labels), "annotations": dict(record.annotations)}}


def link(state: State, path: str, method: str | None = None) -> Json:
    return {"href": f"{state.url}/v3/{path}"} | ({"method": method} if method else {})


def to_one(**guids: str | None) -> Json:
    """Relationships; None is one that is not there."""
    related = {
        name: {"data": {"guid": guid} if guid is not None else None} for name, guid in guids.items()
    }
    return {"relationships": related}


def app(state: State, record: r.App) -> Json:
    here = f"apps/{record.guid}"
    related = to_one(space=record.space)
    related["relationships"]["current_droplet"] = {"data": {"guid": record.droplet}}
    below = ("environment_variables", "processes", "packages", "droplets", "tasks", "features")
    links = {name: link(state, f"{here}/{name}") for name in (*below, "revisions")}
    actions = ("start", "stop", "clear_buildpack_cache")
    return {
        **base(state, record),
        "name": record.name,
        "state": record.state,
        "lifecycle": record.lifecycle,
        **related,
        **metadata(record),
        "links": {
            "self": link(state, here),
            "space": link(state, f"spaces/{record.space}"),
            **links,
            "current_droplet": link(state, f"{here}/droplets/current"),
            "deployed_revisions": link(state, f"{here}/revisions/deployed"),
            **{each: link(state, f"{here}/actions/{each}", "POST") for each in actions},
        },
    }


def process(state: State, record: r.Process, *, is_open: bool = True) -> Json:
    """`is_open`: whether the command is shown; lists and those without the right do not see it."""
    here = f"processes/{record.guid}"
    command = record.command
    if command is None:
        owner = state.get(r.App, record.app)
        droplet = state.find(r.Droplet, owner.droplet)
        command = droplet.process_types.get(record.type) if droplet else None
    related = to_one(app=record.app, revision=record.revision)
    if record.revision is None:
        related["relationships"]["revision"] = None
    return {
        **base(state, record),
        "version": record.version,
        "type": record.type,
        "command": command if is_open or command is None else HIDDEN,
        "user": record.user or "vcap",
        "instances": record.instances,
        "memory_in_mb": record.memory,
        "disk_in_mb": record.disk,
        "log_rate_limit_in_bytes_per_second": record.log_rate,
        "health_check": record.health_check,
        "readiness_health_check": record.readiness_check,
        **related,
        **metadata(record),
        "links": {
            "self": link(state, here),
            "scale": link(state, f"{here}/actions/scale", "POST"),
            "app": link(state, f"apps/{record.app}"),
            "space": link(state, f"spaces/{state.space_of(record).guid}"),
            "stats": link(state, f"{here}/stats"),
            "process_instances": link(state, f"{here}/process_instances"),
        },
    }


def package(state: State, record: r.Package) -> Json:
    here = f"packages/{record.guid}"
    links = {"self": link(state, here), "app": link(state, f"apps/{record.app}")}
    if record.type == "bits":
        links["upload"] = link(state, f"{here}/upload", "POST")
        links["download"] = link(state, f"{here}/download")
    return {
        **base(state, record),
        "type": record.type,
        "data": record.data,
        "state": record.state,
        **to_one(app=record.app),
        **metadata(record),
        "links": links,
    }


def build(state: State, record: r.Build) -> Json:
    droplet = state.find(r.Droplet, record.droplet)
    is_final = droplet is not None and droplet.state in ("STAGED", "FAILED", "EXPIRED")
    links = {
        "self": link(state, f"builds/{record.guid}"),
        "app": link(state, f"apps/{record.app}"),
    }
    if is_final:
        links["droplet"] = link(state, f"droplets/{record.droplet}")
    return {
        **base(state, record),
        "state": record.state,
        "staging_memory_in_mb": record.memory,
        "staging_disk_in_mb": record.disk,
        "staging_log_rate_limit_bytes_per_second": -1,
        "error": record.error,
        "lifecycle": record.lifecycle,
        "package": {"guid": record.package},
        "droplet": {"guid": record.droplet} if is_final else None,
        "created_by": {"guid": record.created_by, "name": None, "email": None},
        **to_one(app=record.app),
        **metadata(record),
        "links": links,
    }


def droplet(state: State, record: r.Droplet, *, is_open: bool = True) -> Json:
    here = f"droplets/{record.guid}"
    checksum = {"type": "sha256", "value": record.checksum} if record.checksum else None
    is_docker = record.lifecycle == "docker"
    types = dict(record.process_types)
    if not is_open:
        types = {"redacted_message": HIDDEN}
    links = {
        "self": link(state, here),
        "app": link(state, f"apps/{record.app}"),
        "assign_current_droplet": link(
            state, f"apps/{record.app}/relationships/current_droplet", "PATCH"
        ),
    }
    if record.package:
        links["package"] = link(state, f"packages/{record.package}")
    if record.state == "AWAITING_UPLOAD":
        links["upload"] = link(state, f"{here}/upload", "POST")
    if record.state == "STAGED" and not is_docker:
        links["download"] = link(state, f"{here}/download")
    return {
        **base(state, record),
        "state": record.state,
        "error": record.error,
        "lifecycle": {"type": record.lifecycle, "data": {}},
        "checksum": checksum,
        "buildpacks": None if is_docker else [_BUILDPACK],
        "stack": None if is_docker else "cflinuxfs4",
        "image": record.image,
        "execution_metadata": "" if is_open else HIDDEN,
        "process_types": types,
        **to_one(app=record.app),
        **metadata(record),
        "links": links,
    }


_BUILDPACK = {
    "name": "binary_buildpack",
    "detect_output": "binary",
    "buildpack_name": "binary",
    "version": "1.1.11",
}


def route(state: State, record: r.Route) -> Json:
    here = f"routes/{record.guid}"
    options = {} if record.options is None else {"options": record.options}
    return {
        **base(state, record),
        "protocol": "http",
        "host": record.host,
        "path": record.path,
        "port": None,
        "url": state.url_of(record),
        "destinations": [destination(state, each) for each in record.destinations],
        **options,
        **metadata(record),
        **to_one(space=record.space, domain=record.domain),
        "links": {
            "self": link(state, here),
            "space": link(state, f"spaces/{record.space}"),
            "destinations": link(state, f"{here}/destinations"),
            "domain": link(state, f"domains/{record.domain}"),
        },
    }


def destination(state: State, held: r.Destination) -> Json:
    return {
        "guid": held.guid,
        "app": {"guid": held.app, "process": {"type": held.process_type}},
        "weight": held.weight,
        "port": held.port if held.port is not None else 8080,
        "protocol": held.protocol,
        "created_at": state.clock.spelled(held.created),
        "updated_at": state.clock.spelled(held.created),
    }


def job(state: State, record: r.Job) -> Json:
    links = {"self": link(state, f"jobs/{record.guid}")}
    if record.resource is not None:
        kind, guid = record.resource
        links[kind] = link(state, f"{kind}s/{guid}")
    return {
        **base(state, record),
        "operation": record.operation,
        "state": record.state,
        "errors": record.errors,
        "warnings": [],
        "links": links,
    }
