"""Apps: made, changed, started, stopped, removed."""

from typing import Any

from .. import changes, documents, variables
from .. import records as r
from ..calls import Answer, Call, describe
from ..flags import require_flag
from ..jobs import accepted
from ..listing import listed
from ..problems import missing, not_unique, unprocessable
from ..routing import routes
from .including import with_spaces

Json = dict[str, Any]
_BUILDPACKS: Json = {"buildpacks": [], "stack": "cflinuxfs4"}
_FEATURES = {
    "ssh": "Enable SSHing into the app.",
    "revisions": "Enable versioning of an application",
    "service-binding-k8s": "Enable k8s service bindings for the app",
    "file-based-vcap-services": "Enable file-based VCAP service bindings for the app",
}


@routes.on("GET", "/v3/apps")
def list_apps(call: Call) -> Answer:
    filters = {
        "names": lambda app: app.name,
        "space_guids": lambda app: app.space,
        "organization_guids": lambda app: call.state.get(r.Space, app.space).org,
        "lifecycle_type": lambda app: app.lifecycle["type"],
    }
    shown = call.visible(r.App)
    included = with_spaces(call)
    return listed(call, shown, present_in(call), filters, other=["include"], included=included)


@routes.on("POST", "/v3/apps")
def create_app(call: Call) -> Answer:
    body = call.require_keys(
        "name", "relationships", "environment_variables", "lifecycle", "metadata"
    )
    space = call.state.find(r.Space, call.related("space"))
    if space is None or not call.can_see(space):
        raise unprocessable(
            "Invalid space. Ensure that the space exists and you have access to it."
        )
    call.require_writer(space)
    if (body.get("lifecycle") or {}).get("type") == "docker":
        require_flag(call, "diego_docker")
    made = make_app(call, space, body)
    return Answer(201, documents.app(call.state, made))


def make_app(call: Call, space: r.Space, body: Json) -> r.App:
    name = body.get("name")
    if not isinstance(name, str) or not name:
        raise unprocessable("Name can't be blank")
    require_free_name(call, space, name)
    app = r.App(
        name=name,
        space=space.guid,
        lifecycle=_lifecycle(body.get("lifecycle")),
        environment=variables.merged({}, body.get("environment_variables") or {}),
        features={each: each in ("ssh", "revisions") for each in _FEATURES},
    )
    describe(app, body.get("metadata"))
    call.state.add(app)
    changes.new_process(call.state, app, r.WEB)
    return app


def require_free_name(call: Call, space: r.Space, name: str, but: r.App | None = None) -> None:
    rivals = (each for each in call.state.all(r.App) if each.space == space.guid)
    if any(each.name == name and each is not but for each in rivals):
        raise not_unique(f"App with the name '{name}' already exists.")


def _lifecycle(given: Json | None) -> Json:
    kind = (given or {}).get("type", "buildpack")
    data = {} if kind == "docker" else {**_BUILDPACKS, **((given or {}).get("data") or {})}
    return {"type": kind, "data": data}


@routes.on("GET", "/v3/apps/{guid}")
def get_app(call: Call) -> Answer:
    app = call.seen(r.App)
    body = documents.app(call.state, app)
    if more := with_spaces(call)([app]):
        body["included"] = more
    return Answer(body=body)


@routes.on("PATCH", "/v3/apps/{guid}")
def update_app(call: Call) -> Answer:
    app = call.written(r.App)
    body = call.require_keys("name", "lifecycle", "metadata")
    if (name := body.get("name")) is not None:
        require_free_name(call, call.state.space_of(app), name, but=app)
        app.name = name
    if (lifecycle := body.get("lifecycle")) is not None:
        app.lifecycle["data"].update(lifecycle.get("data") or {})
    describe(app, body.get("metadata"))
    return Answer(body=documents.app(call.state, call.state.touch(app)))


@routes.on("DELETE", "/v3/apps/{guid}")
def delete_app(call: Call) -> Answer:
    app = call.written(r.App)

    def remove() -> None:
        if call.state.find(r.App, app.guid):
            changes.remove_app(call.state, app)

    return accepted(call.state, "app.delete", remove, ("app", app.guid))


@routes.on("POST", "/v3/apps/{guid}/actions/start")
def start_app(call: Call) -> Answer:
    app = _with_droplet(call)
    changes.start(call.state, app)
    return Answer(body=documents.app(call.state, app))


@routes.on("POST", "/v3/apps/{guid}/actions/stop")
def stop_app(call: Call) -> Answer:
    app = call.managed(r.App)
    changes.stop(call.state, app)
    return Answer(body=documents.app(call.state, app))


@routes.on("POST", "/v3/apps/{guid}/actions/restart")
def restart_app(call: Call) -> Answer:
    app = _with_droplet(call)
    changes.restart(call.state, app)
    return Answer(body=documents.app(call.state, app))


def _with_droplet(call: Call) -> r.App:
    if call.seen(r.App).droplet is None:
        raise unprocessable("Assign a droplet before starting this app.")
    app = call.managed(r.App)
    if app.lifecycle["type"] == "docker":
        require_flag(call, "diego_docker")
    return app


@routes.on("GET", "/v3/apps/{guid}/permissions")
def show_permissions(call: Call) -> Answer:
    space = call.state.space_of(call.seen(r.App))
    may = call.caller.can_read_secrets(call.state, space)
    return Answer(body={"read_basic_data": True, "read_sensitive_data": may})


@routes.on("GET", "/v3/apps/{guid}/features")
def list_features(call: Call) -> Answer:
    app = call.seen(r.App)
    return listed_features(call, [feature(app, each) for each in _FEATURES])


def listed_features(call: Call, found: list[Json]) -> Answer:
    here = {"href": f"{call.state.url}{call.path}"}
    pages = {"total_results": len(found), "total_pages": 1, "first": here, "last": here}
    pagination = {**pages, "next": None, "previous": None}
    return Answer(body={"resources": found, "pagination": pagination})


@routes.on("GET", "/v3/apps/{guid}/features/{name}")
def get_feature(call: Call) -> Answer:
    app = call.seen(r.App)
    _require_feature(call)
    return Answer(body=feature(app, call.parts["name"]))


@routes.on("PATCH", "/v3/apps/{guid}/features/{name}")
def update_feature(call: Call) -> Answer:
    app = call.seen(r.App)
    _require_feature(call)
    is_open = call.parts["name"] == "revisions"  # the others need the right to change apps
    app = call.managed(r.App) if is_open else call.written(r.App)
    enabled = call.require_keys("enabled").get("enabled")
    if not isinstance(enabled, bool):
        raise unprocessable("Enabled must be a boolean")
    app.features[call.parts["name"]] = enabled
    return Answer(body=feature(app, call.parts["name"]))


def _require_feature(call: Call) -> None:
    if call.parts["name"] not in _FEATURES:
        raise missing("Feature")


def feature(app: r.App, name: str) -> Json:
    return {"name": name, "description": _FEATURES[name], "enabled": app.features[name]}


def present_in(call: Call) -> Any:
    return lambda app: documents.app(call.state, app)
