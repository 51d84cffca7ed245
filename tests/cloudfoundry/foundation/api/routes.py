"""Routes and where they send requests: destinations, with or without weights."""

from typing import Any

from .. import destinations, documents
from .. import records as r
from ..calls import Answer, Call, describe
from ..flags import require_flag
from ..jobs import accepted
from ..limits import require_route
from ..listing import listed
from ..problems import unprocessable
from ..routing import routes
from .including import with_spaces

Json = dict[str, Any]


@routes.on("GET", "/v3/routes")
def list_routes(call: Call) -> Answer:
    return _listed(call, call.visible(r.Route))


@routes.on("GET", "/v3/apps/{guid}/routes")
def list_routes_of_app(call: Call) -> Answer:
    app = call.seen(r.App)
    found = call.visible(r.Route)
    return _listed(call, [each for each in found if app.guid in _apps(each)])


def _listed(call: Call, found: list[r.Route]) -> Answer:
    filters = {
        "hosts": lambda route: route.host,
        "paths": lambda route: route.path,
        "domain_guids": lambda route: route.domain,
        "space_guids": lambda route: route.space,
        "organization_guids": lambda route: call.state.get(r.Space, route.space).org,
        "app_guids": _apps,
        "ports": lambda route: "0",
    }
    included = with_spaces(call)
    return listed(call, found, _present_in(call), filters, other=["include"], included=included)


def _apps(route: r.Route) -> set[str]:
    return {each.app for each in route.destinations}


@routes.on("POST", "/v3/routes")
def create_route(call: Call) -> Answer:
    require_flag(call, "route_creation")
    body = call.require_keys("host", "path", "port", "relationships", "metadata", "options")
    space = call.state.find(r.Space, call.related("space"))
    domain = call.state.find(r.Domain, call.related("domain"))
    for kind, found in (("space", space), ("domain", domain)):
        if found is None:
            raise unprocessable(
                f"Invalid {kind}. Ensure that the {kind} exists and you have access to it."
            )
    assert space is not None
    assert domain is not None
    call.require_manager(space)
    made = make_route(call, space, domain, body)
    return Answer(201, documents.route(call.state, made))


def make_route(call: Call, space: r.Space, domain: r.Domain, body: Json) -> r.Route:
    host, path = body.get("host") or "", body.get("path") or ""
    if domain.org is None and not host:
        raise unprocessable("Missing host. Routes in shared domains must have a host defined.")
    if path and not path.startswith("/"):
        raise unprocessable("Path is missing the beginning '/'.")
    if find_route(call, domain, host, path):
        with_path = f" and path '{path}'" if path else ""
        with_host = f" with host '{host}'{with_path}" if host else ""
        raise unprocessable(f"Route already exists{with_host} for domain '{domain.name}'.")
    require_route(call.state, space)
    options = body.get("options")
    made = r.Route(space=space.guid, domain=domain.guid, host=host, path=path, options=options)
    describe(made, body.get("metadata"))
    return call.state.add(made)


def find_route(call: Call, domain: r.Domain, host: str, path: str) -> r.Route | None:
    wanted = (domain.guid, host, path)
    found = call.state.all(r.Route)
    return next((each for each in found if (each.domain, each.host, each.path) == wanted), None)


@routes.on("GET", "/v3/domains/{guid}/route_reservations")
def get_reservation(call: Call) -> Answer:
    domain = call.state.get(r.Domain, call.parts["guid"])
    found = find_route(call, domain, call.query.get("host", ""), call.query.get("path", ""))
    return Answer(body={"matching_route": found is not None})


@routes.on("GET", "/v3/routes/{guid}")
def get_route(call: Call) -> Answer:
    route = call.seen(r.Route)
    body = documents.route(call.state, route)
    if more := with_spaces(call)([route]):
        body["included"] = more
    return Answer(body=body)


@routes.on("PATCH", "/v3/routes/{guid}")
def update_route(call: Call) -> Answer:
    route = call.managed(r.Route)
    body = call.require_keys("metadata", "options")
    describe(route, body.get("metadata"))
    if "options" in body:
        merged = {**(route.options or {}), **(body["options"] or {})}
        route.options = {key: value for key, value in merged.items() if value is not None}
    return Answer(body=documents.route(call.state, call.state.touch(route)))


@routes.on("DELETE", "/v3/routes/{guid}")
def delete_route(call: Call) -> Answer:
    route, state = call.managed(r.Route), call.state
    resource = ("route", route.guid)
    return accepted(state, "route.delete", lambda: state.remove(route), resource)


@routes.on("GET", "/v3/routes/{guid}/destinations")
def list_destinations(call: Call) -> Answer:
    route = call.seen(r.Route)
    guids = set(filter(None, call.query.get("guids", "").split(",")))
    apps = set(filter(None, call.query.get("app_guids", "").split(",")))
    shown = [
        each
        for each in route.destinations
        if (not guids or each.guid in guids) and (not apps or each.app in apps)
    ]
    return _destinations(call, route, shown)


@routes.on("POST", "/v3/routes/{guid}/destinations")
def insert_destinations(call: Call) -> Answer:
    given = destinations.read(call, least=1, with_weights=False)
    route = call.managed(r.Route)
    destinations.require_apps(call, route, given)
    destinations.insert(call.state, route, given)
    return _destinations(call, route, route.destinations)


@routes.on("PATCH", "/v3/routes/{guid}/destinations")
def replace_destinations(call: Call) -> Answer:
    given = destinations.read(call, least=0, with_weights=True)
    route = call.managed(r.Route)
    destinations.require_apps(call, route, given)
    destinations.replace(call.state, route, given)
    return _destinations(call, route, route.destinations)


@routes.on("PATCH", "/v3/routes/{guid}/destinations/{destination}")
def update_destination(call: Call) -> Answer:
    route = call.managed(r.Route)
    held = _destination(call, route)
    held.protocol = call.require_keys("protocol").get("protocol") or "http1"
    return Answer(body=documents.destination(call.state, held))


@routes.on("DELETE", "/v3/routes/{guid}/destinations/{destination}")
def remove_destination(call: Call) -> Answer:
    route = call.managed(r.Route)
    held = _destination(call, route)
    if held.weight is not None:
        raise unprocessable("Weighted destinations cannot be deleted individually.")
    route.destinations.remove(held)
    return Answer(204)


def _destination(call: Call, route: r.Route) -> r.Destination:
    for each in route.destinations:
        if each.guid == call.parts["destination"]:
            return each
    raise unprocessable(
        "Unable to unmap route from destination. Ensure the route has a destination with this guid."
    )


def _destinations(call: Call, route: r.Route, shown: list[r.Destination]) -> Answer:
    here = f"routes/{route.guid}"
    links = {
        "self": documents.link(call.state, f"{here}/destinations"),
        "route": documents.link(call.state, here),
    }
    listed_ = [documents.destination(call.state, each) for each in shown]
    return Answer(body={"destinations": listed_, "links": links})


def _present_in(call: Call) -> Any:
    return lambda each: documents.route(call.state, each)
