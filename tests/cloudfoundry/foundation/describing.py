"""All of a space as plain data, so that a test can say that it is as it was before.

Without moments, jobs, revisions, droplets that are not current, and what else only grows.
"""

from typing import Any

from . import records as r
from .state import State

Json = dict[str, Any]


def everything(state: State, space: r.Space) -> Json:
    """By names where people give them; an app's GUID stays, a destination's need not."""
    apps = [each for each in state.all(r.App) if each.space == space.guid]
    routes = [each for each in state.all(r.Route) if each.space == space.guid]
    services = [each for each in state.all(r.ServiceInstance) if each.space == space.guid]
    return {
        "apps": {each.name: _app(state, each) for each in apps},
        "routes": {state.url_of(each): _route(state, each) for each in routes},
        "services": {each.name: _service(each) for each in services},
    }


def _app(state: State, app: r.App) -> Json:
    droplet = state.find(r.Droplet, app.droplet)
    bindings = state.of_app(r.Binding, app)
    sidecars = state.of_app(r.Sidecar, app)
    return {
        "guid": app.guid,
        "state": app.state,
        "lifecycle": app.lifecycle,
        "droplet": app.droplet,
        "version": droplet.version if droplet else None,
        "environment": dict(app.environment),
        "features": dict(app.features),
        "processes": [_process(state, each) for each in state.processes(app)],
        "sidecars": {each.name: _sidecar(each) for each in sidecars},
        "bindings": sorted(state.get(r.ServiceInstance, each.service).name for each in bindings),
        "policy": state.policies.get(app.guid),
        **_metadata(app),
    }


def _process(state: State, process: r.Process) -> Json:
    runs = state.find(r.Droplet, process.droplet)
    return {
        "type": process.type,
        "command": process.command,
        "user": process.user,
        "instances": process.instances,
        "memory": process.memory,
        "disk": process.disk,
        "log_rate": process.log_rate,
        "health_check": _copy(process.health_check),
        "readiness_check": _copy(process.readiness_check),
        "runs": runs.version if runs else None,
        **_metadata(process),
    }


def _copy(check: Json) -> Json:
    return {"type": check["type"], **check["data"]}


def _sidecar(sidecar: r.Sidecar) -> Json:
    types = sorted(sidecar.process_types)
    return {"command": sidecar.command, "process_types": types, "memory": sidecar.memory}


def _route(state: State, route: r.Route) -> Json:
    to = [
        {
            "app": state.get(r.App, each.app).name,
            "process": each.process_type,
            "port": each.port,
            "weight": each.weight,
            "protocol": each.protocol,
        }
        for each in route.destinations
    ]
    sorted_to = sorted(to, key=lambda each: (each["app"], each["process"], each["port"] or 0))
    return {
        "guid": route.guid,
        "destinations": sorted_to,
        "options": route.options,
        **_metadata(route),
    }


def _service(service: r.ServiceInstance) -> Json:
    return {
        "guid": service.guid,
        "credentials": dict(service.credentials),
        "tags": list(service.tags),
        "syslog_drain_url": service.syslog_drain_url,
        "route_service_url": service.route_service_url,
    }


def _metadata(record: r.Record) -> Json:
    return {"labels": dict(record.labels), "annotations": dict(record.annotations)}
