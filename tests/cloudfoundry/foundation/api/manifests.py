"""Manifests applied to a space, and apps as manifests."""

import re
from typing import Any

from .. import changes, destinations, manifests
from .. import records as r
from ..calls import Answer, Call, describe
from ..flags import require_flag
from ..jobs import accepted
from ..problems import Refused, bad_request, unprocessable
from ..routing import routes
from ..variables import merged
from .apps import make_app
from .processes import change_process
from .routes import find_route, make_route
from .services import bind
from .sidecars import change_sidecar, put_sidecar

Json = dict[str, Any]


@routes.on("GET", "/v3/apps/{guid}/manifest")
def get_manifest(call: Call) -> Answer:
    app = call.seen(r.App)
    call.require_secrets(app)
    return Answer(body=manifests.written(call.state, app))


@routes.on("POST", "/v3/spaces/{guid}/actions/apply_manifest")
def apply_manifest(call: Call) -> Answer:
    """Apps that are missing come into being at once, the rest is a job."""
    space = call.written(r.Space)
    if "yaml" not in call.headers.get("content-type", ""):
        raise bad_request("Content-Type must be yaml")
    applications = manifests.read(call.content)
    apps = [_skeleton(call, space, each) for each in applications]

    def apply() -> None:
        for app, wanted in zip(apps, applications, strict=True):
            try:
                _apply(call, app, wanted)
            except Refused as refused:
                raise unprocessable(f"For application '{app.name}': {refused}") from None

    return accepted(call.state, "space.apply_manifest", apply, ("space", space.guid))


def _skeleton(call: Call, space: r.Space, wanted: Json) -> r.App:
    for app in call.state.all(r.App):
        if (app.space, app.name) == (space.guid, wanted["name"]):
            return app
    kind = "docker" if wanted.get("docker") or wanted.get("lifecycle") == "docker" else "buildpack"
    lifecycle = {"type": kind, "data": {}}
    return make_app(call, space, {"name": wanted["name"], "lifecycle": lifecycle})


def _apply(call: Call, app: r.App, wanted: Json) -> None:
    app.features |= wanted.get("features") or {}
    for type_, told in manifests.processes_of(wanted).items():
        _apply_process(call, app, type_, told)
    _apply_sidecars(call, app, wanted)
    _apply_lifecycle(app, wanted)
    describe(app, wanted.get("metadata"))
    _apply_routes(call, app, wanted)
    app.environment = merged(app.environment, wanted.get("env") or {})
    _apply_services(call, app, wanted)
    call.state.touch(app)


def _apply_lifecycle(app: r.App, wanted: Json) -> None:
    if app.lifecycle["type"] == "docker":
        return
    told = {"buildpacks": [wanted["buildpack"]]} if wanted.get("buildpack") else {}
    told |= {key: wanted[key] for key in ("buildpacks", "stack") if wanted.get(key)}
    app.lifecycle["data"].update(told)


def _apply_process(call: Call, app: r.App, type_: str, told: Json) -> None:
    process = call.state.process(app, type_) or changes.new_process(call.state, app, type_)
    change_process(process, manifests.update_of(told))
    memory, disk = process.memory, process.disk
    if "memory" in told:
        memory = manifests.megabytes(told["memory"], "Memory")
    if (said := told.get("disk_quota", told.get("disk-quota"))) is not None:
        disk = manifests.megabytes(said, "Disk quota")
    log_rate = process.log_rate
    if (said := told.get("log-rate-limit-per-second")) is not None:
        log_rate = manifests.octets(said, "Log rate limit per second")
    instances = told.get("instances", process.instances)
    changes.scale(call.state, process, instances, memory, disk, log_rate)


def _apply_sidecars(call: Call, app: r.App, wanted: Json) -> None:
    held = {each.name: each for each in call.state.of_app(r.Sidecar, app)}
    for told in wanted.get("sidecars") or []:
        body = {key: value for key, value in told.items() if key != "memory"}
        if "memory" in told:
            body["memory_in_mb"] = manifests.megabytes(told["memory"], "Memory")
        if (sidecar := held.get(told["name"])) is not None:
            change_sidecar(sidecar, body)
        else:
            put_sidecar(call, app, body)


def _apply_routes(call: Call, app: r.App, wanted: Json) -> None:
    """What is mapped stays mapped, unless there is to be no route at all."""
    mapped = [route for route in call.state.all(r.Route) if _is_to(route, app)]
    if wanted.get("no-route"):
        for route in mapped:
            route.destinations = [each for each in route.destinations if each.app != app.guid]
        return
    told = [each["route"] for each in wanted.get("routes") or []]
    if not told and not mapped and (wanted.get("default-route") or wanted.get("random-route")):
        suffix = f"-{r.new_guid()[:8]}" if wanted.get("random-route") else ""
        told = [f"{app.name}{suffix}.{call.state.all(r.Domain)[0].name}"]
    for url in told:
        route = _route(call, app, url)
        destinations.insert(call.state, route, [_to(app)])


def _is_to(route: r.Route, app: r.App) -> bool:
    return any(each.app == app.guid for each in route.destinations)


def _to(app: r.App) -> r.Destination:
    return r.Destination(app=app.guid)


def _route(call: Call, app: r.App, url: str) -> r.Route:
    found = re.fullmatch(r"(?:https?://)?([^/]+)(/.*)?", url)
    if found is None:
        raise unprocessable(f"The route '{url}' is not a properly formed URL")
    name, path = found[1], found[2] or ""
    domains = {each.name: each for each in call.state.all(r.Domain)}
    host, _, rest = name.partition(".")
    domain, host = (domains[name], "") if name in domains else (domains.get(rest), host)
    if domain is None:
        raise unprocessable(f"The route '{url}' did not match any existing domains.")
    route = find_route(call, domain, host, path)
    space = call.state.space_of(app)
    if route is None:
        require_flag(call, "route_creation")
        return make_route(call, space, domain, {"host": host, "path": path})
    if route.space != space.guid:
        raise unprocessable("Routes cannot be mapped to destinations in different spaces")
    return route


def _apply_services(call: Call, app: r.App, wanted: Json) -> None:
    services = {
        each.name: each for each in call.state.all(r.ServiceInstance) if each.space == app.space
    }
    bound = {each.service for each in call.state.of_app(r.Binding, app)}
    for told in wanted.get("services") or []:
        name = told if isinstance(told, str) else told["name"]
        if (service := services.get(name)) is None:
            raise unprocessable(f"Service instance '{name}' not found")
        if service.guid not in bound:
            bind(call, app, service, None if isinstance(told, str) else told.get("binding_name"))
