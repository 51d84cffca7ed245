"""Droplets: what an app can run, and which of them it is to run."""

from typing import Any

from .. import bits, changes, documents
from .. import records as r
from ..calls import Answer, Call, describe
from ..jobs import accepted
from ..listing import listed
from ..problems import missing, unprocessable
from ..routing import routes
from .packages import writable_app

Json = dict[str, Any]


@routes.on("GET", "/v3/droplets")
def list_droplets(call: Call) -> Answer:
    filters = {"states": lambda each: each.state, "app_guids": lambda each: each.app}
    filters["space_guids"] = lambda each: call.state.space_of(each).guid
    return listed(call, call.visible(r.Droplet), _in_lists(call), filters)


@routes.on("GET", "/v3/apps/{guid}/droplets")
def list_droplets_of_app(call: Call) -> Answer:
    app = call.seen(r.App)
    found = call.state.of_app(r.Droplet, app)
    if call.query.get("current") == "true":
        found = [each for each in found if each.guid == app.droplet]
    filters = {"states": lambda each: each.state}
    return listed(call, found, _in_lists(call), filters, other=["current"])


@routes.on("GET", "/v3/packages/{guid}/droplets")
def list_droplets_of_package(call: Call) -> Answer:
    package = call.seen(r.Package)
    found = [each for each in call.visible(r.Droplet) if each.package == package.guid]
    return listed(call, found, _in_lists(call), {"states": lambda each: each.state})


@routes.on("POST", "/v3/droplets")
def create_droplet(call: Call) -> Answer:
    app = writable_app(call)
    made = _copy(call, app) if "source_guid" in call.query else _awaiting(call, app)
    return Answer(201, documents.droplet(call.state, call.state.add(made)))


def _copy(call: Call, app: r.App) -> r.Droplet:
    source = call.seen(r.Droplet, call.query["source_guid"])
    if source.state != "STAGED":
        raise unprocessable("source droplet is not staged")
    made = r.Droplet(
        app=app.guid,
        state="COPYING",
        lifecycle=source.lifecycle,
        checksum=source.checksum,
        image=source.image,
        process_types=dict(source.process_types),
        version=source.version,
        bits=source.bits,
    )
    call.state.clock.later(call.state.timing.job, lambda: _become_staged(call, made))
    return made


def _awaiting(call: Call, app: r.App) -> r.Droplet:
    body = call.require_keys("relationships", "process_types")
    types = body.get("process_types") or {"web": ""}
    return r.Droplet(
        app=app.guid, state="AWAITING_UPLOAD", lifecycle="buildpack", process_types=types
    )


def _become_staged(call: Call, droplet: r.Droplet) -> None:
    call.state.touch(droplet).state = "STAGED"


@routes.on("POST", "/v3/droplets/{guid}/upload")
def upload_droplet(call: Call) -> Answer:
    droplet = call.written(r.Droplet)
    if droplet.state != "AWAITING_UPLOAD":
        raise unprocessable(
            "Droplet may be uploaded only once. Create a new droplet to upload bits."
        )
    droplet.bits = bits.uploaded(call)
    droplet.state = "PROCESSING_UPLOAD"

    def process() -> None:
        droplet.checksum = droplet.version = bits.digest(droplet.bits)
        _become_staged(call, droplet)

    answer = accepted(call.state, "droplet.upload", process, ("droplet", droplet.guid))
    return Answer(202, documents.droplet(call.state, droplet), answer.headers)


@routes.on("GET", "/v3/droplets/{guid}")
def get_droplet(call: Call) -> Answer:
    return _shown(call, call.seen(r.Droplet))


@routes.on("PATCH", "/v3/droplets/{guid}")
def update_droplet(call: Call) -> Answer:
    droplet = call.written(r.Droplet)
    describe(droplet, call.require_keys("metadata").get("metadata"))
    return _shown(call, call.state.touch(droplet))


@routes.on("DELETE", "/v3/droplets/{guid}")
def delete_droplet(call: Call) -> Answer:
    droplet, state = call.written(r.Droplet), call.state
    return accepted(state, "droplet.delete", lambda: _remove(call, droplet), None)


def _remove(call: Call, droplet: r.Droplet) -> None:
    call.state.remove(droplet)
    app = call.state.find(r.App, droplet.app)
    if app is not None and app.droplet == droplet.guid:
        app.droplet = None


@routes.on("GET", "/v3/apps/{guid}/droplets/current")
def get_current_droplet(call: Call) -> Answer:
    return _shown(call, _current(call, call.seen(r.App)))


@routes.on("GET", "/v3/apps/{guid}/relationships/current_droplet")
def get_current_relationship(call: Call) -> Answer:
    app = call.seen(r.App)
    return _related(call, app, _current(call, app))


@routes.on("PATCH", "/v3/apps/{guid}/relationships/current_droplet")
def assign_current_droplet(call: Call) -> Answer:
    app = call.managed(r.App)
    guid = (call.body.get("data") or {}).get("guid")
    if "data" in call.body and guid is None:
        raise unprocessable(
            "Current droplet cannot be removed. Replace it with a preferred droplet."
        )
    if call.state.is_deploying(app):
        raise unprocessable(
            "Unable to assign current droplet while the app has a deployment in progress. "
            "Wait for the deployment to complete or cancel it."
        )
    droplet = call.state.find(r.Droplet, guid)
    changes.assign_droplet(call.state, app, droplet)
    assert droplet is not None
    return _related(call, app, droplet)


def _current(call: Call, app: r.App) -> r.Droplet:
    found = call.state.find(r.Droplet, app.droplet)
    if found is None:
        raise missing("Droplet")
    return found


def _related(call: Call, app: r.App, droplet: r.Droplet) -> Answer:
    here = f"apps/{app.guid}"
    links = {
        "self": documents.link(call.state, f"{here}/relationships/current_droplet"),
        "related": documents.link(call.state, f"{here}/droplets/current"),
    }
    return Answer(body={"data": {"guid": droplet.guid}, "links": links})


def _shown(call: Call, droplet: r.Droplet) -> Answer:
    is_open = call.caller.can_read_secrets(call.state, call.state.space_of(droplet))
    return Answer(body=documents.droplet(call.state, droplet, is_open=is_open))


def _in_lists(call: Call) -> Any:
    return lambda each: documents.droplet(call.state, each, is_open=False)
