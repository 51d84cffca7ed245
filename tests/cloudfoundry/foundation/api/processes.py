"""Processes: how many instances of what size, and how each of them fares."""

from typing import Any

from .. import changes, diego, documents
from .. import records as r
from ..calls import Answer, Call, describe
from ..fates import Look
from ..flags import require_flag
from ..listing import listed
from ..problems import missing, unprocessable
from ..routing import routes

Json = dict[str, Any]
_FILTERS = {
    "types": lambda process: process.type,
    "app_guids": lambda process: process.app,
}
_MEGABYTE = 1024 * 1024


@routes.on("GET", "/v3/processes")
def list_processes(call: Call) -> Answer:
    filters = {
        **_FILTERS,
        "space_guids": lambda each: call.state.space_of(each).guid,
        "organization_guids": lambda each: call.state.space_of(each).org,
    }
    return listed(call, call.visible(r.Process), _in_lists(call), filters)


@routes.on("GET", "/v3/apps/{guid}/processes")
def list_processes_of_app(call: Call) -> Answer:
    found = call.state.processes(call.seen(r.App))
    return listed(call, found, _in_lists(call), {"types": _FILTERS["types"]})


def _in_lists(call: Call) -> Any:
    return lambda each: documents.process(call.state, each, is_open=False)


@routes.on("GET", "/v3/processes/{guid}")
@routes.on("GET", "/v3/apps/{guid}/processes/{type}")
def get_process(call: Call) -> Answer:
    return _shown(call, _process(call))


@routes.on("PATCH", "/v3/processes/{guid}")
@routes.on("PATCH", "/v3/apps/{guid}/processes/{type}")
def update_process(call: Call) -> Answer:
    process = _managed(call)
    body = call.require_keys(
        "command", "user", "health_check", "readiness_health_check", "metadata"
    )
    change_process(process, body)
    return _shown(call, call.state.touch(process))


def change_process(process: r.Process, body: Json) -> None:
    """What takes effect with the next start."""
    if "command" in body:
        process.command = body["command"]
    if "user" in body:
        process.user = body["user"]
    for name in ("health_check", "readiness_health_check"):
        if (given := body.get(name)) is not None:
            held = process.health_check if name == "health_check" else process.readiness_check
            held["type"] = given.get("type", held["type"])
            held["data"] = {**held["data"], **(given.get("data") or {})}
            if held["type"] != "http":
                held["data"].pop("endpoint", None)
    describe(process, body.get("metadata"))


@routes.on("POST", "/v3/processes/{guid}/actions/scale")
@routes.on("POST", "/v3/apps/{guid}/processes/{type}/actions/scale")
def scale_process(call: Call) -> Answer:
    require_flag(call, "app_scaling")
    process = _managed(call)
    body = call.require_keys(
        "instances", "memory_in_mb", "disk_in_mb", "log_rate_limit_in_bytes_per_second"
    )
    for name, value in body.items():
        _require_number(name, value)
    changes.scale(
        call.state,
        process,
        body.get("instances", process.instances),
        body.get("memory_in_mb", process.memory),
        body.get("disk_in_mb", process.disk),
        body.get("log_rate_limit_in_bytes_per_second", process.log_rate),
    )
    return _shown(call, process, 202)


def _require_number(name: str, value: Any) -> None:
    label = name.replace("_", " ").capitalize().replace(" mb", " MB")
    if not isinstance(value, int) or isinstance(value, bool):
        raise unprocessable(f"{label} is not a number")
    least = {"instances": 0, "log_rate_limit_in_bytes_per_second": -1}.get(name, 1)
    if value < least:
        raise unprocessable(f"{label} must be greater than or equal to {least}")


@routes.on("GET", "/v3/processes/{guid}/stats")
@routes.on("GET", "/v3/apps/{guid}/processes/{type}/stats")
def get_stats(call: Call) -> Answer:
    process = _process(call)
    if call.state.get(r.App, process.app).state == "STOPPED":
        return Answer(body={"resources": [_down(process, n) for n in range(process.instances)]})
    seen = diego.seen(call.state, process)
    return Answer(body={"resources": [_stats(call, process, each) for each in seen]})


def _stats(call: Call, process: r.Process, seen: diego.Seen) -> Json:
    if seen.look.state == "DOWN":
        return _down(process, seen.instance.index, seen.look)
    usage = {"time": call.state.clock.spelled(call.state.clock.now), "cpu": 0.01}
    usage |= {"cpu_entitlement": None, "mem": 47_000_000, "disk": 66_000_000, "log_rate": 0}
    ports = {"external": 61_000 + seen.instance.index, "internal": 8080}
    return {
        "type": process.type,
        "index": seen.instance.index,
        "instance_guid": _life_of(seen),
        "state": seen.look.state,
        "routable": seen.look.is_routable,
        "usage": usage if seen.look.state == "RUNNING" else {},
        "host": "10.0.1.2",
        "instance_internal_ip": "10.255.1.2",
        "instance_ports": [
            {**ports, "external_tls_proxy_port": None, "internal_tls_proxy_port": None}
        ],
        "uptime": int(seen.look.since),
        "mem_quota": process.memory * _MEGABYTE,
        "disk_quota": process.disk * _MEGABYTE,
        "log_rate_limit": process.log_rate,
        "fds_quota": 16384,
        "isolation_segment": None,
        "details": seen.look.details,
    }


def _life_of(seen: diego.Seen) -> str:
    """An instance that is started again after a crash is another one for Diego."""
    guid, crashes = seen.instance.guid, seen.look.crashes
    return guid if not crashes else f"{guid[:-4]}{crashes:04}"


def _down(process: r.Process, index: int, look: Look | None = None) -> Json:
    return {
        "type": process.type,
        "index": index,
        "state": "DOWN",
        "routable": False,
        "uptime": int(look.since) if look else 0,
        "isolation_segment": None,
        "details": look.details if look else None,
    }


@routes.on("GET", "/v3/processes/{guid}/process_instances")
@routes.on("GET", "/v3/apps/{guid}/processes/{type}/process_instances")
def list_instances(call: Call) -> Answer:
    process = _process(call)
    found = [
        {
            "index": each.instance.index,
            "state": each.look.state,
            "since": None if each.look.state == "DOWN" else int(each.look.since),
        }
        for each in diego.seen(call.state, process)
    ]
    here = f"processes/{process.guid}"
    links = {
        "self": documents.link(call.state, f"{here}/process_instances"),
        "process": documents.link(call.state, here),
    }
    return Answer(body={"resources": found, "links": links})


@routes.on("DELETE", "/v3/processes/{guid}/instances/{index}")
@routes.on("DELETE", "/v3/apps/{guid}/processes/{type}/instances/{index}")
def terminate_instance(call: Call) -> Answer:
    process, index = _managed(call), call.parts["index"]
    if not index.isdigit() or not diego.replace(call.state, process, int(index)):
        raise missing("Instance")
    return Answer(204)


def _process(call: Call) -> r.Process:
    if "type" not in call.parts:
        return call.seen(r.Process)
    found = call.state.process(call.seen(r.App), call.parts["type"])
    if found is None:
        raise missing("Process")
    return found


def _managed(call: Call) -> r.Process:
    process = _process(call)
    call.require_manager(call.state.space_of(process))
    return process


def _shown(call: Call, process: r.Process, status: int = 200) -> Answer:
    is_open = call.caller.can_read_secrets(call.state, call.state.space_of(process))
    return Answer(status, documents.process(call.state, process, is_open=is_open))
