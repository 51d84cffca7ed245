"""Revisions of apps: listed, shown, and which of them run."""

from typing import Any

from .. import documents
from .. import records as r
from ..calls import Answer, Call, describe
from ..listing import listed
from ..routing import routes

Json = dict[str, Any]


@routes.on("GET", "/v3/apps/{guid}/revisions")
def list_revisions(call: Call) -> Answer:
    found = call.state.of_app(r.Revision, call.seen(r.App))
    filters = {"versions": lambda each: str(each.version)}
    filters["deployable"] = lambda each: str(_is_deployable(call, each)).lower()
    return listed(call, found, lambda each: shown(call, each), filters)


@routes.on("GET", "/v3/apps/{guid}/revisions/deployed")
def list_deployed(call: Call) -> Answer:
    app = call.seen(r.App)
    processes = call.state.processes(app) if app.state == "STARTED" else []
    running = {each.revision for each in processes}
    found = [each for each in call.state.of_app(r.Revision, app) if each.guid in running]
    return listed(call, found, lambda each: shown(call, each))


@routes.on("GET", "/v3/revisions/{guid}")
def get_revision(call: Call) -> Answer:
    return Answer(body=shown(call, call.seen(r.Revision)))


@routes.on("PATCH", "/v3/revisions/{guid}")
def update_revision(call: Call) -> Answer:
    revision = call.written(r.Revision)
    describe(revision, call.require_keys("metadata").get("metadata"))
    return Answer(body=shown(call, call.state.touch(revision)))


@routes.on("GET", "/v3/revisions/{guid}/environment_variables")
def get_variables(call: Call) -> Answer:
    revision = call.seen(r.Revision)
    call.require_secrets(revision)
    here = f"revisions/{revision.guid}"
    links = {
        "self": documents.link(call.state, f"{here}/environment_variables"),
        "revision": documents.link(call.state, here),
        "app": documents.link(call.state, f"apps/{revision.app}"),
    }
    return Answer(body={"var": dict(revision.environment), "links": links})


def _is_deployable(call: Call, revision: r.Revision) -> bool:
    droplet = call.state.find(r.Droplet, revision.droplet)
    return droplet is not None and droplet.state == "STAGED"


def shown(call: Call, revision: r.Revision) -> Json:
    here = f"revisions/{revision.guid}"
    return {
        **documents.base(call.state, revision),
        "version": revision.version,
        "droplet": {"guid": revision.droplet},
        "processes": {key: {"command": each} for key, each in revision.commands.items()},
        "sidecars": revision.sidecars,
        "description": revision.description,
        "deployable": _is_deployable(call, revision),
        **documents.to_one(app=revision.app),
        **documents.metadata(revision),
        "links": {
            "self": documents.link(call.state, here),
            "app": documents.link(call.state, f"apps/{revision.app}"),
            "environment_variables": documents.link(call.state, f"{here}/environment_variables"),
        },
    }
