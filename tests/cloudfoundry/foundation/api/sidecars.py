"""Sidecars: what runs beside an app's processes."""

from typing import Any

from .. import documents
from .. import records as r
from ..calls import Answer, Call
from ..listing import listed
from ..problems import unprocessable
from ..routing import routes

Json = dict[str, Any]


@routes.on("GET", "/v3/apps/{guid}/sidecars")
def list_sidecars(call: Call) -> Answer:
    found = call.state.of_app(r.Sidecar, call.seen(r.App))
    return listed(call, found, lambda each: shown(call, each))


@routes.on("GET", "/v3/processes/{guid}/sidecars")
def list_sidecars_of_process(call: Call) -> Answer:
    process = call.seen(r.Process)
    found = call.state.of_app(r.Sidecar, call.state.get(r.App, process.app))
    beside = [each for each in found if process.type in each.process_types]
    return listed(call, beside, lambda each: shown(call, each))


@routes.on("POST", "/v3/apps/{guid}/sidecars")
def create_sidecar(call: Call) -> Answer:
    app = call.written(r.App)
    body = call.require_keys("name", "command", "process_types", "memory_in_mb")
    for name in ("name", "command"):
        if not body.get(name):
            raise unprocessable(f"{name.capitalize()} can't be blank")
    if not body.get("process_types"):
        raise unprocessable("Process types must have at least 1 process_type")
    return Answer(201, shown(call, put_sidecar(call, app, body)))


def put_sidecar(call: Call, app: r.App, body: Json) -> r.Sidecar:
    held = [each for each in call.state.of_app(r.Sidecar, app) if each.name == body["name"]]
    if held:
        raise unprocessable(f"Sidecar with name '{body['name']}' already exists for given app")
    made = r.Sidecar(
        app=app.guid,
        name=body["name"],
        command=body["command"],
        process_types=list(body["process_types"]),
        memory=body.get("memory_in_mb"),
    )
    return call.state.add(made)


@routes.on("GET", "/v3/sidecars/{guid}")
def get_sidecar(call: Call) -> Answer:
    return Answer(body=shown(call, call.seen(r.Sidecar)))


@routes.on("PATCH", "/v3/sidecars/{guid}")
def update_sidecar(call: Call) -> Answer:
    sidecar = call.written(r.Sidecar)
    change_sidecar(sidecar, call.require_keys("name", "command", "process_types", "memory_in_mb"))
    return Answer(body=shown(call, call.state.touch(sidecar)))


def change_sidecar(sidecar: r.Sidecar, body: Json) -> None:
    sidecar.name = body.get("name", sidecar.name)
    sidecar.command = body.get("command", sidecar.command)
    sidecar.process_types = list(body.get("process_types", sidecar.process_types))
    sidecar.memory = body.get("memory_in_mb", sidecar.memory)


@routes.on("DELETE", "/v3/sidecars/{guid}")
def delete_sidecar(call: Call) -> Answer:
    call.state.remove(call.written(r.Sidecar))
    return Answer(204)


def shown(call: Call, sidecar: r.Sidecar) -> Json:
    return {
        **documents.base(call.state, sidecar),
        "name": sidecar.name,
        "command": sidecar.command,
        "process_types": sidecar.process_types,
        "memory_in_mb": sidecar.memory,
        "origin": sidecar.origin,
        **documents.to_one(app=sidecar.app),
    }
