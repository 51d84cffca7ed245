"""Manifests: what one says of an app, and an app as one."""

import re
from typing import Any

import yaml

from . import records as r
from .problems import unprocessable, unreadable
from .state import State

Json = dict[str, Any]
_UNITS = {"B": 0, "K": 10, "KB": 10, "M": 20, "MB": 20, "G": 30, "GB": 30, "T": 40, "TB": 40}
_CHECKS = {
    "health-check-type": ("health_check", "type"),
    "health-check-http-endpoint": ("health_check", "endpoint"),
    "health-check-invocation-timeout": ("health_check", "invocation_timeout"),
    "health-check-interval": ("health_check", "interval"),
    "timeout": ("health_check", "timeout"),
    "readiness-health-check-type": ("readiness_health_check", "type"),
    "readiness-health-check-http-endpoint": ("readiness_health_check", "endpoint"),
    "readiness-health-check-invocation-timeout": (
        "readiness_health_check",
        "invocation_timeout",
    ),
    "readiness-health-check-interval": ("readiness_health_check", "interval"),
}
_OF_PROCESSES = {
    *_CHECKS,
    "command",
    "user",
    "instances",
    "memory",
    "disk_quota",
    "disk-quota",
    "log-rate-limit-per-second",
}


def read(content: bytes) -> list[Json]:
    """The applications that it names."""
    try:
        found = yaml.safe_load(content)
    except (yaml.YAMLError, UnicodeDecodeError):
        raise unreadable("invalid request body") from None
    if not isinstance(found, dict):
        raise unreadable("invalid request body")
    if found.get("version") not in (None, 1):
        raise unprocessable(
            "Unsupported manifest schema version. Currently supported versions: [1]."
        )
    apps = found.get("applications")
    if not apps:
        raise unprocessable("Cannot parse manifest with no 'applications' field.")
    if lost := [index for index, each in enumerate(apps) if not each.get("name")]:
        raise unprocessable(f"For application at index {lost[0]}: Name must not be empty")
    return list(apps)


def processes_of(app: Json) -> dict[str, Json]:
    """By type; what stands at the top is of the web process, unless that is named, too."""
    found = {each["type"]: dict(each) for each in app.get("processes") or []}
    top = {key: value for key, value in app.items() if key in _OF_PROCESSES}
    if top and r.WEB not in found:
        found = {r.WEB: top, **found}
    return found


def update_of(process: Json) -> Json:
    """What a process is told beside its size, as the API's own document."""
    body: Json = {key: process[key] for key in ("command", "user") if key in process}
    for key, (check, field) in _CHECKS.items():
        if key in process:
            held = body.setdefault(check, {})
            value = process[key]
            if field == "type":
                held["type"] = "process" if value == "none" else value
            else:
                held.setdefault("data", {})[field] = value
    return body


def megabytes(said: Any, name: str) -> int:
    return octets(said, name) >> 20


def octets(said: Any, name: str) -> int:
    """Bytes; what has no limit is -1."""
    if str(said) in ("-1", "0"):
        return int(said)
    found = re.fullmatch(r"(\d+) ?([KMGT]?B?)", str(said).strip().upper())
    if found is None or found[2] not in _UNITS:
        raise unprocessable(f"{name} must use a supported unit: B, K, KB, M, MB, G, GB, T, or TB")
    return int(found[1]) << _UNITS[found[2]]


def _spelled(size: int) -> str | int:
    """With the largest unit that leaves no rest."""
    if size == -1:
        return size
    shift = next(each for each in (40, 30, 20, 10, 0) if size % (1 << each) == 0)
    return f"{size >> shift}{dict(zip((40, 30, 20, 10, 0), 'TGMKB', strict=True))[shift]}"


def written(state: State, app: r.App) -> str:
    """The app as a manifest."""
    document: Json = {"name": app.name}
    if app.environment:
        document["env"] = dict(app.environment)
    document |= _lifecycle(state, app)
    if app.labels or app.annotations:
        held = {"labels": dict(app.labels), "annotations": dict(app.annotations)}
        document["metadata"] = {key: value for key, value in held.items() if value}
    bindings = [
        state.get(r.ServiceInstance, each.service).name for each in state.of_app(r.Binding, app)
    ]
    parts = {
        "routes": _routes(state, app),
        "services": sorted(bindings),
        "sidecars": [_sidecar(each) for each in state.of_app(r.Sidecar, app)],
        "processes": [_process(each) for each in state.processes(app)],
    }
    document |= {key: value for key, value in parts.items() if value}
    return yaml.safe_dump({"applications": [document]}, sort_keys=False)


def _lifecycle(state: State, app: r.App) -> Json:
    data = app.lifecycle["data"]
    if app.lifecycle["type"] != "docker":
        held = {"stack": data["stack"]}
        buildpacks = {"buildpacks": data["buildpacks"]} if data["buildpacks"] else {}
        return {"lifecycle": app.lifecycle["type"], **buildpacks, **held}
    droplet = state.find(r.Droplet, app.droplet)
    image = {"docker": {"image": droplet.image}} if droplet else {}
    return {"lifecycle": "docker", **image}


def _routes(state: State, app: r.App) -> list[Json]:
    found = [
        {"route": state.url_of(route), "protocol": each.protocol}
        for route in state.all(r.Route)
        for each in route.destinations
        if each.app == app.guid
    ]
    return sorted(found, key=lambda each: str(each["route"]))


def _sidecar(sidecar: r.Sidecar) -> Json:
    memory = {"memory": f"{sidecar.memory}M"} if sidecar.memory else {}
    types = list(sidecar.process_types)
    return {"name": sidecar.name, "process_types": types, "command": sidecar.command, **memory}


def _process(process: r.Process) -> Json:
    found: Json = {
        "type": process.type,
        "instances": process.instances,
        "memory": f"{process.memory}M",
        "disk_quota": f"{process.disk}M",
        "log-rate-limit-per-second": _spelled(process.log_rate),
        "command": process.command,
        "user": process.user,
    }
    for key, (check, field) in _CHECKS.items():
        held = process.health_check if check == "health_check" else process.readiness_check
        found[key] = held["type"] if field == "type" else held["data"].get(field)
    return {key: value for key, value in found.items() if value is not None}
